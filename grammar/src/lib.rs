//! IR text to syntax tree and back.

mod diagnostic;
mod explain;
mod format;
mod lexer;
mod parse;
mod render;
mod scan;
mod statement;
mod suggest;
mod syntax;
mod text;
mod tree;
mod types;

pub use diagnostic::{Diagnostic, Note, Severity};
pub use format::format;
pub use parse::{Parsed, parse};
pub use render::{line_column, render};
pub use suggest::suggest;
pub use syntax::*;
pub use text::{
    EscapeError, escape, float32, float64, is_identifier, is_suffix_identifier, is_symbol_name, key, symbol, unescape,
};
pub use tree::parse_attribute;
pub use types::parse_type;
