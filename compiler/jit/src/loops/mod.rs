//! The loop IR: nests over index spaces, affine accesses to buffers, a graph of numbers for each point. It knows nothing of operators.

mod body;
mod compose;
mod nest;
mod print;

pub(crate) use body::{Binary, Kind, Node, Operation, Predicate, Reduction, Rounding, Unary};
pub(crate) use compose::inline;
pub(crate) use nest::{Access, Buffer, BufferInfo, Buffers, Nest, Place, View, row_major};
pub(crate) use print::show;
