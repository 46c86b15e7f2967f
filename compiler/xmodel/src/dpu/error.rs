//! What a DPU subgraph can lack.

use thiserror::Error;

use crate::attr::AttrError;
use crate::graph::Subgraph;

/// A DPU subgraph that AMD's runtime could not run.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DpuSubgraphError {
    /// A level-1 subgraph does not say on which device it runs.
    #[error(transparent)]
    NoDevice(#[from] AttrError),
    /// Something is wrong in one DPU subgraph.
    #[error("DPU subgraph {subgraph:?} cannot run: {problem}")]
    Subgraph {
        /// The subgraph.
        subgraph: String,
        /// What is wrong.
        problem: DpuSubgraphProblem,
    },
}

/// What is wrong in a DPU subgraph.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DpuSubgraphProblem {
    /// An attribute is missing or of the wrong kind.
    #[error(transparent)]
    Attr(#[from] AttrError),
    /// The subgraph is for another device.
    #[error("its device is {0:?}")]
    Device(String),
    /// The attribute `runner` does not say what runs the subgraph.
    #[error("its attribute \"runner\" has no entry \"run\" with the library that runs it")]
    NoRunner,
    /// The instruction stream is not a sequence of words.
    #[error("its mc_code has {0} bytes; instructions are 32-bit words, and there must be some")]
    CodeLength(usize),
    /// A register map has a key that is no register.
    #[error("{0:?} is not a register; names are REG_0 to REG_7")]
    RegisterName(String),
    /// A register has an unknown context type.
    #[error("register REG_{register} has context type {found:?}; known are CONST, WORKSPACE, INTERFACE and DATA")]
    RegisterRole {
        /// Number of the register.
        register: u8,
        /// Its context type.
        found: String,
    },
    /// A register is in no size map.
    #[error("register REG_{0} has no entry in reg_id_to_size")]
    NoSize(u8),
    /// A register has no bytes.
    #[error("register REG_{register} has size {size}; it must be above 0")]
    Size {
        /// Number of the register.
        register: u8,
        /// Its size.
        size: i32,
    },
    /// A constant register has no contents.
    #[error("register REG_{0} is CONST but has no entry in reg_id_to_parameter_value")]
    NoParameter(u8),
    /// The contents of a register are larger than it.
    #[error("register REG_{register} has {size} bytes but its parameter has {length}")]
    ParameterTooLong {
        /// Number of the register.
        register: u8,
        /// Its size in bytes.
        size: u32,
        /// Bytes of its contents.
        length: usize,
    },
    /// There are only constants.
    #[error("it has no register for data (context type DATA, WORKSPACE or INTERFACE)")]
    NoDataRegister,
    /// An interface register carries nothing.
    #[error("register REG_{0} is INTERFACE but holds no input or output")]
    UnusedInterface(u8),
    /// An input is read by something other than a single `upload`.
    #[error("input tensor {tensor:?} must be read inside by exactly one upload op, but is read by {readers:?}")]
    Input {
        /// The tensor from outside.
        tensor: String,
        /// Name and type of the ops that read it.
        readers: Vec<(String, String)>,
    },
    /// An output comes from something other than a `download`.
    #[error("op {op:?} of type {kind} is read outside or by nobody; only download ops can be outputs")]
    Output {
        /// The op.
        op: String,
        /// Its type.
        kind: String,
    },
    /// A `download` does not read exactly one op.
    #[error("download op {op:?} must have exactly one input but has {count}")]
    DownloadInputs {
        /// The op.
        op: String,
        /// Number of its inputs.
        count: usize,
    },
    /// The attributes `reg_id`, `ddr_addr` and `location` of a tensor describe no place.
    #[error(
        "tensor {tensor:?} has reg_id {reg_id}, ddr_addr {ddr_addr}, location {location}; possible are registers 0 to 7, \
         addresses from 0, and location 0 (on chip) or 1 (in a register)"
    )]
    Placement {
        /// The tensor.
        tensor: String,
        /// Its register.
        reg_id: i32,
        /// Its address there.
        ddr_addr: i32,
        /// Where it is.
        location: i32,
    },
    /// An input or output stays in on-chip memory.
    #[error("boundary tensor {0:?} is on chip (location 0); it must be in a register")]
    OnChipBoundary(String),
    /// An input or output is not stored densely.
    #[error("boundary tensor {tensor:?} has strides {found:?}; it must be dense: {dense:?}")]
    SparseBoundary {
        /// The tensor.
        tensor: String,
        /// Its strides.
        found: Vec<i32>,
        /// The strides of a dense tensor of its dimensions.
        dense: Vec<i64>,
    },
    /// An input or output has an unknown dimension.
    #[error("boundary tensor {tensor:?} has dimensions {dims:?}; they must all be known")]
    UnknownBoundary {
        /// The tensor.
        tensor: String,
        /// Its dimensions.
        dims: Vec<i32>,
    },
    /// The two ends of a boundary differ in shape.
    #[error("boundary tensor {tensor:?} has dimensions {outside:?} outside and {inside:?} inside")]
    BoundaryShape {
        /// The tensor outside.
        tensor: String,
        /// Its dimensions.
        outside: Vec<i32>,
        /// The dimensions of the tensor inside.
        inside: Vec<i32>,
    },
    /// A tensor is in a register that does not exist.
    #[error("tensor {tensor:?} is in register REG_{register}, which the subgraph does not have")]
    UndeclaredRegister {
        /// The tensor.
        tensor: String,
        /// The register.
        register: u8,
    },
    /// An input or output reaches beyond its register.
    #[error("boundary tensor {tensor:?} ends at byte {end} of register REG_{register}, which has {size}")]
    OutsideRegister {
        /// The tensor.
        tensor: String,
        /// The register.
        register: u8,
        /// End of the tensor in the register, in bytes.
        end: u64,
        /// Bytes of the register.
        size: u32,
    },
}

impl DpuSubgraphProblem {
    pub(super) fn of(self, subgraph: &Subgraph) -> DpuSubgraphError {
        DpuSubgraphError::Subgraph { subgraph: subgraph.name.clone(), problem: self }
    }
}
