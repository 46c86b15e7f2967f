//! The DPUCZDX8G instruction set (ISA 1) and its targets.

mod access;
mod code;
mod engine;
mod instruction;
mod legality;
mod line_set;
mod operation;
mod random;
mod target;
mod window;

pub use access::{AccessTracker, Accesses, Bytes, Lines};
pub use code::{DecodeError, FieldError, decode, encode};
pub use engine::{Engine, EngineSet};
pub use instruction::*;
pub use legality::{
    AluMode, BROADCAST_CONSTANT, CONV_STRIDE_MAX, IllegalInstruction, LOAD_MASK_BYTES, Limit, SHIFT_BIAS_MAX,
};
pub use operation::{ELEW_INPUTS, ElewInputs, Latches, Operation};
pub use random::{Bounds, LegalGenerator, Random};
pub use target::{BANK_LINES, Target};
pub use window::{InputWindow, RowPlace, RowWalk, WINDOW_PASSES};
