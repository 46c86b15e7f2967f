//! IR text to syntax tree and back.

mod diagnostic;
mod syntax;

pub use diagnostic::{Diagnostic, Note, Severity};
pub use syntax::*;
