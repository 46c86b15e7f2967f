//! IR text to syntax tree and back.
//!
//! The syntax is MLIR's: the generic form of any operation, and a pretty form `results = dialect.op arguments {attributes} : types` that is
//! the same for all dialects, of which this crate knows nothing. The way of a text:
//!
//! 1. `lexer`: tokens, comments included.
//! 2. `scan`: splits the tokens into statements and regions, finds unclosed brackets. Sequential and linear.
//! 3. `statement`: the pest grammar of a single statement. Statements are parsed in parallel, and an error in one does not touch the
//!    others.
//! 4. `tree`: the syntax tree of a statement, and what is wrong with it although the grammar accepts it; `explain`: what is wrong where the
//!    grammar does not.
//! 5. `parse`: puts statements into blocks and regions.
//!
//! Invariants: parsing never fails and never panics, it returns a tree and diagnostics; its time is linear in the length of the
//! text; nesting is bounded; every node knows its place in the source; the result does not depend on the number of threads.
//!
//! ```
//! let source = "%y = nn.relu x : tensor<4xf32>\n";
//! let parsed = dpuc_grammar::parse(source);
//! assert_eq!(parsed.document.operations[0].name.text, "nn.relu");
//! assert_eq!(parsed.diagnostics[0].code, "missing-percent");
//! let text = dpuc_grammar::render(&parsed.diagnostics, source, "relu.mlir", false);
//! assert!(text.contains("help: write `%x`"));
//! ```

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
