//! Reader and writer of `.xmodel` files, the exchange format of AMD's quantisers, compiler and runtime.
//!
//! An `.xmodel` is one protobuf message `serial_v2.Graph` (`spec/xmodel.md` §1). This crate knows the format and nothing
//! else: no IR, no target, no instruction.
//!
//! * [`Graph`] and its parts are plain data; building one is filling it in.
//! * [`read`] and [`write()`] convert between bytes and [`Graph`]. Both apply [`validate`], so a `Graph` that was read keeps
//!   the conventions of the format, and one that breaks them is never written.
//! * [`GraphIndex`] answers who produces and who consumes; [`DpuSubgraph`] is a checked view of what the DPU runtime needs.
//! * [`meta_json`] and [`md5sum_txt`] make the contents of the two files that accompany a compiled `.xmodel`.
//!
//! The same graph always gives the same bytes: attribute maps are ordered by key and written in that order.

mod attr;
mod data_type;
mod dpu;
mod file;
mod graph;
mod index;
mod message;
mod sidecar;
mod validate;
mod wire;

pub use attr::{Attr, AttrError, AttrKind, AttrMap, AttrProblem, Attributed, FromAttr, Owner};
pub use data_type::{DataType, ParseDataTypeError, Representation};
pub use dpu::{Boundary, DpuSubgraph, DpuSubgraphError, DpuSubgraphProblem, Placement, Register, RegisterRole};
pub use file::{ReadError, WriteError, read, read_shared, write};
pub use graph::{Arg, Graph, Op, Subgraph, Tensor};
pub use index::GraphIndex;
pub use sidecar::{md5_hex, md5sum_txt, meta_json};
pub use validate::{InvalidGraph, MAX_FILE_BYTES, MAX_SUBGRAPH_DEPTH, validate};
pub use wire::{Malformed, MalformedCause, WireType};
