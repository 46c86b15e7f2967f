//! The DPUCZDX8G instruction set (ISA 1) and its targets.

mod code;
mod engine;
mod instruction;
mod target;

pub use code::{DecodeError, FieldError, decode, encode};
pub use engine::{Engine, EngineSet};
pub use instruction::*;
pub use target::{BANK_LINES, Target};
