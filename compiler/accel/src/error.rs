//! Why a program stops.

use dpuc_isa::{Engine, IllegalInstruction, Opcode};
use thiserror::Error;

use crate::regions::RegionError;

/// An instruction that could not be executed. The instructions before it have taken effect.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("instruction {index} ({}): {fault}", opcode.name())]
pub struct RunError {
    /// Position in the stream, from 0.
    pub index: usize,
    /// Which instruction it is.
    pub opcode: Opcode,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What can be wrong with an instruction.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// The target does not execute it.
    #[error(transparent)]
    Illegal(#[from] IllegalInstruction),
    /// It leaves its DDR region.
    #[error(transparent)]
    Region(#[from] RegionError),
    /// It follows the End of the program.
    #[error("the program ended at instruction {end}; nothing may follow its End")]
    AfterEnd {
        /// Position of the End.
        end: usize,
    },
    /// The program exceeds the limit set with `Core::set_operation_limit`.
    #[error("the program needs more than {limit} multiplications or comparisons, the limit set for this core")]
    OperationLimit {
        /// The limit.
        limit: u64,
    },
    /// It never starts: the tokens deadlock. Only [`timing`](crate::timing) finds that; execution in stream order ignores tokens.
    #[error("deadlock: it waits for the {} engine for ever", from.name())]
    Deadlock {
        /// An engine whose token does not come.
        from: Engine,
    },
}
