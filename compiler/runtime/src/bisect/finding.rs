//! What a comparison finds.

use dpuc_isa::Instruction;

/// A DPU subgraph compared with the reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Name of the subgraph.
    pub subgraph: String,
    /// Instructions executed.
    pub instructions: usize,
    /// Tensors that were complete in DDR and compared.
    pub tensors: usize,
    /// Tensors that were not: they stay on chip, were not reached, or the reference has no tensor of their name and shape.
    pub hidden: Vec<String>,
    /// The first difference; the run ends with it.
    pub difference: Option<Difference>,
}

/// Where program and reference part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The operator whose tensor is wrong.
    pub operation: String,
    /// Its kind in the file.
    pub kind: String,
    /// The tensor.
    pub tensor: String,
    /// Its dimensions; maps are NHWC.
    pub shape: Vec<usize>,
    /// What is wrong with it.
    pub problem: Problem,
    /// Operators in front of it that could not be compared, so that the fault may lie in any of them, in order.
    pub suspects: Vec<String>,
    /// The instructions to look at.
    pub evidence: Evidence,
}

/// What is wrong with a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It has wrong elements when it is complete.
    Values {
        /// The first of them, in C order.
        first: Element,
        /// How many there are.
        wrong: usize,
    },
    /// It was right, and was overwritten when it was complete.
    Overwritten {
        /// The first element that changed.
        first: Element,
    },
    /// Elements of it are never written before something that depends on it, or the program, is complete.
    Missing {
        /// Index of the first of them.
        first: Vec<usize>,
        /// How many there are.
        missing: usize,
    },
    /// The accelerator refuses an instruction.
    Stopped {
        /// Why.
        reason: String,
    },
}

/// An element that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Its index in each dimension.
    pub index: Vec<usize>,
    /// Its DDR region.
    pub region: u8,
    /// Its byte in the region.
    pub address: u64,
    /// What the program wrote.
    pub found: i8,
    /// What the reference gives.
    pub expected: i8,
}

/// The instructions that lead to a difference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The Save that wrote the byte last, with its neighbours; for a missing element, the last one that wrote to the tensor.
    pub written_by: Option<Place>,
    /// The instruction that wrote the line the Save read, with its neighbours.
    pub computed_by: Option<Place>,
}

/// An instruction in the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its position, from 0.
    pub index: usize,
    /// The instruction before it, itself, and the one after it, with their positions.
    pub listing: Vec<(usize, Instruction)>,
}

impl Place {
    /// Instruction `index` of a program and its neighbours; `None` if there is none.
    pub(super) fn of(program: &[Instruction], index: usize) -> Option<Self> {
        program.get(index)?;
        let first = index.saturating_sub(1);
        let listing = program.iter().enumerate().skip(first).take(index + 2 - first);
        Some(Self { index, listing: listing.map(|(at, instruction)| (at, *instruction)).collect() })
    }
}
