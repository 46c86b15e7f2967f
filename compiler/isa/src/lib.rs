//! The DPUCZDX8G instruction set (ISA 1) and its targets.
//!
//! One table describes every field of every instruction; the struct of each instruction, its encoding, the assembly text, the
//! reference page and the random generator derive from it. A [`Target`] is what a fingerprint says: parallelism, banks, options.
//! What a stream means is split into steps that each need only the step before:
//!
//! 1. [`decode`] turns bytes into [`Instruction`]s with natural field values, [`parse_text`] does so with assembly text;
//! 2. [`Latches`] joins Conv, Alu and Elew with their Init instructions to [`Operation`]s;
//! 3. [`Operation::check`] says whether a target executes them;
//! 4. [`AccessTracker`] does 2 and 3 and tells which bank lines and DDR bytes each instruction touches.
//!
//! ```
//! use dpuc_isa::{AccessTracker, Accesses, Lines, Load, Target, decode, encode};
//!
//! let target = Target::resolve("kv260")?;
//! let load = Load { bank_id: 8, bank_addr: 2040, length: 4, channel: 40, jump_read: 40, jump_write: 3, ..Default::default() };
//! let stream = decode(&encode(&[load.into()])?)?;
//!
//! let mut accesses = Accesses::default();
//! AccessTracker::new().accesses(&stream[0], &target, &mut accesses)?;
//! assert_eq!(accesses.bank_writes, [Lines { bank: 8, first: 2040, count: 12 }]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod access;
mod alu_mode;
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
pub use alu_mode::AluMode;
pub use code::{DecodeError, FieldError, decode, encode};
pub use document::reference_markdown;
pub use engine::{Engine, EngineSet};
pub use instruction::*;
pub use legality::{BROADCAST_CONSTANT, IllegalInstruction, LOAD_MASK_BYTES, Limit};
pub use operation::{ELEW_INPUTS, ElewInputs, Latches, Operation};
pub use random::{Bounds, LegalGenerator, Random};
pub use target::{
    ALU_KERNEL_MAX, ALU_STRIDE_MAX, BANK_LINES, BankGroup, Board, CONV_KERNEL_MAX, CONV_STRIDE_MAX, FeatureDifference,
    ObservedName, SHIFT_BIAS_MAX, Target, TargetError, fingerprint_differences, parse_fingerprint,
};
pub use text::{TextError, TextProblem, parse_text, to_text};
pub use window::{InputWindow, RowPlace, RowWalk, WINDOW_PASSES};
