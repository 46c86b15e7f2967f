//! Why a network cannot be reported on.

use dpuc_accel::RunError;
use dpuc_isa::IllegalInstruction;
use dpuc_runtime::DpuError;
use dpuc_xmodel::DpuSubgraphError;
use thiserror::Error;

/// Why a network cannot be reported on.
#[derive(Debug, Error)]
pub enum ReportError {
    /// Its operators are assigned to no devices.
    #[error("the network is not compiled: its operators are assigned to no device; compile it first")]
    NotCompiled,
    /// A DPU subgraph lacks what a runtime needs.
    #[error(transparent)]
    Subgraph(#[from] DpuSubgraphError),
    /// A DPU subgraph cannot be decoded.
    #[error("DPU subgraph `{subgraph}`: {error}")]
    Program {
        /// Its name.
        subgraph: String,
        /// What is wrong with it.
        error: DpuError,
    },
    /// A program does not run.
    #[error("DPU subgraph `{subgraph}` has no modelled time: {error}")]
    Run {
        /// Its name.
        subgraph: String,
        /// The instruction, and what is wrong with it.
        error: RunError,
    },
    /// An instruction is illegal.
    #[error("DPU subgraph `{subgraph}`: {error}")]
    Instruction {
        /// Its name.
        subgraph: String,
        /// What is wrong with it.
        error: IllegalInstruction,
    },
    /// A program touches more bank lines than anybody would wait for.
    #[error("DPU subgraph `{subgraph}` is too large to explain: its instructions touch more than 2^35 bank lines")]
    TooLarge {
        /// Its name.
        subgraph: String,
    },
}
