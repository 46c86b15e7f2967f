//! The protobuf wire format, as far as `.xmodel` files need it.
//!
//! * A [`Reader`] walks over a file that is shared, so byte blobs are views of it and not copies. Every length is compared
//!   with what is left before anything is allocated, and nesting is bounded, so hostile input costs memory in proportion
//!   to its size and no more stack than an honest file.
//! * A [`Writer`] appends to a vector.
//! * A [`Field`] is a type that knows how it appears as a field of a message.

mod error;
mod field;
mod reader;
mod writer;

pub use error::{Malformed, MalformedCause, WireType};
pub(crate) use field::{Field, insert_once, read_entry, read_repeated, set_once, write_entries, write_packed};
pub(crate) use reader::{Reader, Tag};
pub(crate) use writer::Writer;
