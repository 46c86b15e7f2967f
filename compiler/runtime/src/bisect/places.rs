//! The tensors of a DPU subgraph and where the program leaves them.

use dpuc_xmodel::{DpuSubgraph, GraphIndex, Op, Placement};

use super::extent::Extent;

/// A tensor that an operator of the subgraph gives.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The operator.
    pub(super) operation: String,
    /// Its kind in the file.
    pub(super) kind: String,
    /// The tensor, by the name it has outside the subgraph if it leaves it.
    pub(super) tensor: String,
    pub(super) shape: Vec<usize>,
    pub(super) location: Location,
    /// The places its operator reads, by number.
    pub(super) reads: Vec<usize>,
    /// Whether its bytes may be those of what it reads: reshapes, concatenations, slices.
    pub(super) is_view: bool,
    /// Whether the runtime writes it before the program starts.
    pub(super) is_input: bool,
    /// Whether it leaves the subgraph.
    pub(super) is_output: bool,
}

/// Where a tensor can be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Location {
    /// In DDR.
    Ddr(Extent),
    /// In the banks, at a place the file does not say, or in DDR in a form that is no tensor.
    Hidden,
}

impl Location {
    pub(super) const fn extent(&self) -> Option<&Extent> {
        match self {
            Self::Ddr(extent) => Some(extent),
            Self::Hidden => None,
        }
    }
}

/// The tensors of a subgraph that are not constant, in the order of the file's superlayers.
pub(super) fn places(index: &GraphIndex<'_>, view: &DpuSubgraph<'_>) -> Vec<Place> {
    let members: Vec<&Op> = view.subgraph.all_ops().filter_map(|name| index.op(name)).collect();
    let placed: Vec<&Op> =
        members.iter().copied().filter(|op| !matches!(op.kind.as_str(), "const-fix" | "download")).collect();
    let numbers: std::collections::BTreeMap<&str, usize> =
        placed.iter().enumerate().map(|(number, op)| (op.name.as_str(), number)).collect();
    let place = |op: &&Op| {
        let is_input = op.kind == "upload";
        // An upload's own name is the compiler's; outside, the tensor has that of its producer.
        let outside = if is_input {
            index.producers(op).next()
        } else {
            index.consumers(&op.name).find(|reader| reader.kind == "download")
        };
        let shape: Vec<usize> = op.tensor.dims.iter().filter_map(|&dim| usize::try_from(dim).ok()).collect();
        Place {
            operation: op.name.clone(),
            kind: op.kind.clone(),
            tensor: outside.unwrap_or(op).tensor.name.clone(),
            location: location(op, &shape),
            shape,
            reads: op.producers().filter_map(|name| numbers.get(name).copied()).collect(),
            is_view: ["concat", "reshape", "flatten", "squeeze", "slice", "split"]
                .iter()
                .any(|kind| op.kind.contains(kind)),
            is_input,
            is_output: !is_input && outside.is_some(),
        }
    };
    placed.iter().map(place).collect()
}

fn location(op: &Op, shape: &[usize]) -> Location {
    let Ok(Placement::Memory { register, address, strides }) = Placement::of(&op.tensor) else {
        return Location::Hidden;
    };
    let strides: Option<Vec<u64>> = match strides {
        Some(strides) => strides.iter().map(|&stride| u64::try_from(stride).ok()).collect(),
        None => Some(dense(shape)),
    };
    let extent = strides.and_then(|strides| Extent::new(register, u64::from(address), shape, &strides));
    extent.map_or(Location::Hidden, Location::Ddr)
}

/// Strides without gaps; they saturate, which no extent accepts.
fn dense(shape: &[usize]) -> Vec<u64> {
    let mut strides = vec![1u64; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis].saturating_mul(shape[axis] as u64);
    }
    strides
}
