//! The conventions of §1.4 that every reader relies on.

use std::collections::{HashMap, HashSet};

use thiserror::Error;

use crate::data_type::DataType;
use crate::graph::{Graph, Op, Subgraph, Tensor};

/// Most bytes an `.xmodel` can have: protobuf's limit.
pub const MAX_FILE_BYTES: usize = i32::MAX as usize;

/// Most levels of subgraphs, the root being level 1. Real files have three or four; the bound keeps every walk over the
/// tree, and dropping it, within any stack.
pub const MAX_SUBGRAPH_DEPTH: usize = 64;

/// A graph that breaks a convention of the format.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidGraph {
    /// An op has no name.
    #[error("op number {position} has no name; every op needs a unique one")]
    UnnamedOp {
        /// Place in [`Graph::ops`], from 0.
        position: usize,
    },
    /// An op has no type.
    #[error("op {op:?} has no type")]
    UntypedOp {
        /// The op.
        op: String,
    },
    /// Two ops have the same name.
    #[error("ops number {first} and {second} are both named {op:?}; op names must be unique")]
    DuplicateOp {
        /// The name.
        op: String,
        /// Place of the first in [`Graph::ops`], from 0.
        first: usize,
        /// Place of the second.
        second: usize,
    },
    /// An op has the same argument twice.
    #[error("op {op:?} has the argument {arg:?} twice; list all its producers in one")]
    DuplicateArg {
        /// The op.
        op: String,
        /// The argument.
        arg: String,
    },
    /// An argument names an op that does not exist.
    #[error("argument {arg:?} of op {op:?} names {producer:?}, but there is no op of this name")]
    AbsentProducer {
        /// The consumer.
        op: String,
        /// Its argument.
        arg: String,
        /// The name that is not found.
        producer: String,
    },
    /// An argument names its own op or one that comes later.
    #[error(
        "argument {arg:?} of op {op:?} names {producer:?}, which does not come before it; order the ops with producers \
         first"
    )]
    LateProducer {
        /// The consumer.
        op: String,
        /// Its argument.
        arg: String,
        /// The producer.
        producer: String,
    },
    /// A dimension is below −1.
    #[error("op {op:?}: dimension {axis} of tensor {tensor:?} is {dim}; it must be at least 0, or -1 for unknown")]
    Dimension {
        /// The op.
        op: String,
        /// Its tensor.
        tensor: String,
        /// Index of the dimension.
        axis: usize,
        /// Its value.
        dim: i32,
    },
    /// A tensor has more bits than a 64-bit integer can count.
    #[error("op {op:?}: tensor {tensor:?} of dimensions {dims:?} is too large to address")]
    TensorTooLarge {
        /// The op.
        op: String,
        /// Its tensor.
        tensor: String,
        /// Its dimensions.
        dims: Vec<i32>,
    },
    /// A data type has an impossible width.
    #[error("op {op:?}: tensor {tensor:?} has data type {data_type}; 1 to 64 bits are possible")]
    DataType {
        /// The op.
        op: String,
        /// Its tensor.
        tensor: String,
        /// Its data type.
        data_type: DataType,
    },
    /// A subgraph has both children and ops.
    #[error("subgraph {subgraph:?} has children and ops of its own; move the ops into a child")]
    ChildrenAndOps {
        /// The subgraph.
        subgraph: String,
    },
    /// A subgraph below the root has neither children nor ops.
    #[error("subgraph {subgraph:?} has neither children nor ops; leave it out")]
    EmptySubgraph {
        /// The subgraph.
        subgraph: String,
    },
    /// The tree of subgraphs is too deep.
    #[error("subgraph {subgraph:?} is more than {MAX_SUBGRAPH_DEPTH} levels deep")]
    SubgraphTooDeep {
        /// The subgraph.
        subgraph: String,
    },
    /// A subgraph lists an op that does not exist.
    #[error("subgraph {subgraph:?} lists {op:?}, but there is no op of this name")]
    AbsentSubgraphOp {
        /// The subgraph.
        subgraph: String,
        /// The name that is not found.
        op: String,
    },
    /// An op is listed twice.
    #[error("op {op:?} is listed in subgraph {first:?} and again in {second:?}; it must be in exactly one leaf")]
    OpListedTwice {
        /// The op.
        op: String,
        /// The leaf that lists it first.
        first: String,
        /// The leaf that lists it again.
        second: String,
    },
    /// An op is in no subgraph.
    #[error("op {op:?} is in no subgraph; it must be in exactly one leaf")]
    OpNotListed {
        /// The op.
        op: String,
    },
}

/// Checks the conventions of the format: unique op names, producers before consumers (so there is no cycle), sound tensors,
/// and a tree of subgraphs whose leaves hold every op exactly once. Reports the first violation.
pub fn validate(graph: &Graph) -> Result<(), InvalidGraph> {
    let positions = op_positions(&graph.ops)?;
    for (position, op) in graph.ops.iter().enumerate() {
        validate_args(op, position, &positions)?;
        validate_tensor(op)?;
    }
    validate_subgraphs(graph, &positions)
}

fn op_positions(ops: &[Op]) -> Result<HashMap<&str, usize>, InvalidGraph> {
    let mut positions = HashMap::with_capacity(ops.len());
    for (position, op) in ops.iter().enumerate() {
        if op.name.is_empty() {
            return Err(InvalidGraph::UnnamedOp { position });
        }
        if op.kind.is_empty() {
            return Err(InvalidGraph::UntypedOp { op: op.name.clone() });
        }
        if let Some(first) = positions.insert(op.name.as_str(), position) {
            return Err(InvalidGraph::DuplicateOp { op: op.name.clone(), first, second: position });
        }
    }
    Ok(positions)
}

fn validate_args(op: &Op, position: usize, positions: &HashMap<&str, usize>) -> Result<(), InvalidGraph> {
    let mut names = HashSet::with_capacity(op.args.len());
    for arg in &op.args {
        if !names.insert(arg.name.as_str()) {
            return Err(InvalidGraph::DuplicateArg { op: op.name.clone(), arg: arg.name.clone() });
        }
        for producer in &arg.ops {
            let found = positions.get(producer.as_str());
            if found.is_some_and(|&found| found < position) {
                continue;
            }
            let (op, arg, producer) = (op.name.clone(), arg.name.clone(), producer.clone());
            return Err(match found {
                Some(_) => InvalidGraph::LateProducer { op, arg, producer },
                None => InvalidGraph::AbsentProducer { op, arg, producer },
            });
        }
    }
    Ok(())
}

fn validate_tensor(op: &Op) -> Result<(), InvalidGraph> {
    let Tensor { name, dims, data_type, .. } = &op.tensor;
    if !data_type.is_valid() {
        return Err(InvalidGraph::DataType { op: op.name.clone(), tensor: name.clone(), data_type: *data_type });
    }
    if let Some((axis, &dim)) = dims.iter().enumerate().find(|&(_, &dim)| dim < -1) {
        return Err(InvalidGraph::Dimension { op: op.name.clone(), tensor: name.clone(), axis, dim });
    }
    // Zero and unknown dimensions do not make the product of the others harmless: code that multiplies in any order, or
    // fills in the unknown, must stay in range.
    let mut known = dims.iter().filter(|&&dim| dim > 0);
    let bits = known.try_fold(i64::from(data_type.bit_width), |bits, &dim| bits.checked_mul(dim.into()));
    if bits.is_none() {
        return Err(InvalidGraph::TensorTooLarge { op: op.name.clone(), tensor: name.clone(), dims: dims.clone() });
    }
    Ok(())
}

/// The leaf that lists each op, by the position of the op.
struct Leaves<'a> {
    positions: &'a HashMap<&'a str, usize>,
    leaf_of: Vec<Option<&'a str>>,
}

fn validate_subgraphs(graph: &Graph, positions: &HashMap<&str, usize>) -> Result<(), InvalidGraph> {
    let mut leaves = Leaves { positions, leaf_of: vec![None; graph.ops.len()] };
    let is_empty = graph.ops.is_empty() && graph.root.children.is_empty() && graph.root.ops.is_empty();
    if !is_empty {
        leaves.visit(&graph.root, 1)?;
    }
    match leaves.leaf_of.iter().position(Option::is_none) {
        Some(position) => Err(InvalidGraph::OpNotListed { op: graph.ops[position].name.clone() }),
        None => Ok(()),
    }
}

impl<'a> Leaves<'a> {
    fn visit(&mut self, subgraph: &'a Subgraph, depth: usize) -> Result<(), InvalidGraph> {
        if depth > MAX_SUBGRAPH_DEPTH {
            return Err(InvalidGraph::SubgraphTooDeep { subgraph: subgraph.name.clone() });
        }
        match (subgraph.children.is_empty(), subgraph.ops.is_empty()) {
            (false, false) => return Err(InvalidGraph::ChildrenAndOps { subgraph: subgraph.name.clone() }),
            (true, true) => return Err(InvalidGraph::EmptySubgraph { subgraph: subgraph.name.clone() }),
            _ => {}
        }
        subgraph.ops.iter().try_for_each(|op| self.list(op, &subgraph.name))?;
        subgraph.children.iter().try_for_each(|child| self.visit(child, depth + 1))
    }

    fn list(&mut self, op: &str, subgraph: &'a str) -> Result<(), InvalidGraph> {
        let Some(&position) = self.positions.get(op) else {
            return Err(InvalidGraph::AbsentSubgraphOp { subgraph: subgraph.to_owned(), op: op.to_owned() });
        };
        match self.leaf_of[position].replace(subgraph) {
            Some(first) => Err(InvalidGraph::OpListedTwice {
                op: op.to_owned(),
                first: first.to_owned(),
                second: subgraph.to_owned(),
            }),
            None => Ok(()),
        }
    }
}
