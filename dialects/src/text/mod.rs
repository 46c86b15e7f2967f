//! IR text: from the syntax tree to the IR, and back.

mod lower;
mod lower_attributes;
mod names;
mod print;
mod print_attributes;
mod scope;

pub use lower::{ParseOptions, ParsedIr, parse};
pub use print::{PrintOptions, print, print_op};
