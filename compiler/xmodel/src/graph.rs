//! The data model: a graph of ops, their output tensors, and the tree of subgraphs that assigns ops to devices.

use crate::attr::{AttrMap, Attributed, Owner};
use crate::data_type::DataType;

/// A whole `.xmodel`.
///
/// The op definitions a file may carry are not part of the model: readers use their own registry and drop them (§1.5).
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    /// Name of the network.
    pub name: String,
    /// The ops, producers before consumers.
    pub ops: Vec<Op>,
    /// The tree of subgraphs; its leaves hold every op once.
    pub root: Subgraph,
    /// Attributes of the graph.
    pub attrs: AttrMap,
}

impl Graph {
    /// A graph that is not partitioned: its root is a leaf with all the ops.
    pub fn uncompiled(name: impl Into<String>, ops: Vec<Op>) -> Self {
        let root = Subgraph::leaf("root", ops.iter().map(|op| op.name.clone()));
        Self { name: name.into(), ops, root, attrs: AttrMap::new() }
    }

    /// A partitioned graph: `children` are the device subgraphs, in execution order.
    pub fn partitioned(name: impl Into<String>, ops: Vec<Op>, children: Vec<Subgraph>) -> Self {
        Self { name: name.into(), ops, root: Subgraph::parent("root", children), attrs: AttrMap::new() }
    }
}

/// One operation with its single output tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Op {
    /// Unique name in the graph.
    pub name: String,
    /// The op type: `conv2d-fix`, `upload`, ... (field `op_type`).
    pub kind: String,
    /// Attributes of the op.
    pub attrs: AttrMap,
    /// Named arguments, in the order of the file.
    pub args: Vec<Arg>,
    /// The output.
    pub tensor: Tensor,
}

impl Op {
    /// An op without arguments and attributes.
    pub fn new(name: impl Into<String>, kind: impl Into<String>, tensor: Tensor) -> Self {
        Self { name: name.into(), kind: kind.into(), attrs: AttrMap::new(), args: Vec::new(), tensor }
    }

    /// The same op with one more argument, fed by the ops named `producers`.
    #[must_use]
    pub fn with_arg<S: Into<String>>(
        mut self,
        name: impl Into<String>,
        producers: impl IntoIterator<Item = S>,
    ) -> Self {
        self.args.push(Arg { name: name.into(), ops: producers.into_iter().map(Into::into).collect() });
        self
    }

    /// Names of the ops that feed the argument `name`; empty when the argument is absent.
    pub fn arg(&self, name: &str) -> &[String] {
        self.args.iter().find(|arg| arg.name == name).map_or(&[], |arg| &arg.ops)
    }

    /// Names of the ops that feed this op, over all arguments in order; one that feeds it twice is named twice.
    pub fn producers(&self) -> impl Iterator<Item = &str> {
        self.args.iter().flat_map(|arg| arg.ops.iter().map(String::as_str))
    }
}

/// A named argument of an op. Edges name producer ops, never tensors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arg {
    /// `input`, `weights`, `bias`, ...
    pub name: String,
    /// The producers; empty for an optional argument that is not given.
    pub ops: Vec<String>,
}

/// The output of an op.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Name of the tensor, often different from that of its op.
    pub name: String,
    /// Extent of each dimension, outermost first (NHWC for feature maps); −1 is unknown.
    pub dims: Vec<i32>,
    /// Element type.
    pub data_type: DataType,
    /// Attributes of the tensor.
    pub attrs: AttrMap,
}

impl Tensor {
    /// A tensor without attributes.
    pub fn new(name: impl Into<String>, dims: impl Into<Vec<i32>>, data_type: DataType) -> Self {
        Self { name: name.into(), dims: dims.into(), data_type, attrs: AttrMap::new() }
    }

    /// Number of elements; `None` when a dimension is unknown or the product leaves 64 bits. A scalar has one.
    pub fn num_elements(&self) -> Option<u64> {
        if self.dims.contains(&0) {
            return Some(0).filter(|_| self.dims.iter().all(|&dim| dim >= 0));
        }
        self.dims.iter().try_fold(1_u64, |product, &dim| product.checked_mul(u64::try_from(dim).ok()?))
    }

    /// Bytes of the elements stored densely; `None` as for [`Tensor::num_elements`].
    pub fn num_bytes(&self) -> Option<u64> {
        Some(self.num_elements()?.checked_mul(self.data_type.bit_width.into())?.div_ceil(8))
    }
}

/// A node of the subgraph tree: either a leaf with ops or a parent with children.
#[derive(Clone, Debug, PartialEq)]
pub struct Subgraph {
    /// `root`, or a name such as `subgraph_conv1`. A parent and one of its descendants may have the same name.
    pub name: String,
    /// Names of the ops of a leaf.
    pub ops: Vec<String>,
    /// The children of a parent, in execution order.
    pub children: Vec<Subgraph>,
    /// Attributes of the subgraph.
    pub attrs: AttrMap,
}

impl Subgraph {
    /// A leaf.
    pub fn leaf<S: Into<String>>(name: impl Into<String>, ops: impl IntoIterator<Item = S>) -> Self {
        let ops = ops.into_iter().map(Into::into).collect();
        Self { name: name.into(), ops, children: Vec::new(), attrs: AttrMap::new() }
    }

    /// A parent.
    pub fn parent(name: impl Into<String>, children: Vec<Subgraph>) -> Self {
        Self { name: name.into(), ops: Vec::new(), children, attrs: AttrMap::new() }
    }

    /// The leaves below this node in stored order, or the node itself when it is one.
    pub fn leaves(&self) -> impl Iterator<Item = &Subgraph> {
        let mut pending = vec![self];
        std::iter::from_fn(move || {
            loop {
                let node = pending.pop()?;
                if node.children.is_empty() {
                    return Some(node);
                }
                pending.extend(node.children.iter().rev());
            }
        })
    }

    /// Names of all the ops below this node, in stored order.
    pub fn all_ops(&self) -> impl Iterator<Item = &str> {
        self.leaves().flat_map(|leaf| leaf.ops.iter().map(String::as_str))
    }
}

macro_rules! attributed {
    ($($ty:ident)*) => {$(
        impl Attributed for $ty {
            fn attrs(&self) -> &AttrMap {
                &self.attrs
            }

            fn attrs_mut(&mut self) -> &mut AttrMap {
                &mut self.attrs
            }

            fn owner(&self) -> Owner {
                Owner::$ty(self.name.clone())
            }
        }
    )*};
}

attributed!(Graph Op Tensor Subgraph);
