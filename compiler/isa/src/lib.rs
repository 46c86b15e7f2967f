//! The DPUCZDX8G instruction set (ISA 1) and its targets.

mod access;
mod code;
mod document;
mod engine;
mod instruction;
mod legality;
mod line_set;
mod operation;
mod random;
mod suggest;
mod target;
mod text;
mod window;

pub use access::{AccessTracker, Accesses, Bytes, Lines};
pub use code::{DecodeError, FieldError, decode, encode};
pub use document::reference_markdown;
pub use engine::{Engine, EngineSet};
pub use instruction::*;
pub use legality::{AluMode, BROADCAST_CONSTANT, IllegalInstruction, LOAD_MASK_BYTES, Limit};
pub use operation::{ELEW_INPUTS, ElewInputs, Latches, Operation};
pub use random::{Bounds, LegalGenerator, Random};
pub use target::{
    ALU_KERNEL_MAX, ALU_STRIDE_MAX, BANK_LINES, BankGroup, Board, CONV_KERNEL_MAX, CONV_STRIDE_MAX, FeatureDifference,
    ObservedName, SHIFT_BIAS_MAX, Target, TargetError, fingerprint_differences, parse_fingerprint,
};
pub use text::{TextError, TextProblem, parse_text, to_text};
pub use window::{InputWindow, RowPlace, RowWalk, WINDOW_PASSES};
