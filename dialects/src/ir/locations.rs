//! Locations: where an operation came from.

use std::sync::Arc;

use dpuc_grammar::Span;

use super::entities::Location;

/// The content of a location.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LocationKind {
    /// Nothing is known.
    Unknown,
    /// A place in a text file.
    File {
        /// The file's name.
        file: Arc<str>,
        /// Line, 1 first.
        line: u32,
        /// Column in bytes, 1 first.
        column: u32,
        /// Bytes of the text that was parsed, for carets; not part of the printed form.
        span: Option<Span>,
    },
    /// The name of a node in the framework's graph, and where that was.
    Name(Arc<str>, Option<Location>),
    /// Several operations became one.
    Fused(Box<[Location]>),
}
