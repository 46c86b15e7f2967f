//! From bytes to graph and back.

use bytes::Bytes;
use thiserror::Error;

use crate::graph::Graph;
use crate::message::{read_graph, write_graph};
use crate::validate::{InvalidGraph, MAX_FILE_BYTES, validate};
use crate::wire::Malformed;

/// A file that is not a usable `.xmodel`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReadError {
    /// The bytes are not a graph message.
    #[error("not a readable .xmodel: {0}")]
    Malformed(#[from] Malformed),
    /// The message is a graph that breaks the conventions of the format.
    #[error("the .xmodel holds an invalid graph: {0}")]
    Invalid(#[from] InvalidGraph),
    /// The file is larger than a protobuf message can be.
    #[error("the file has {0} bytes, but an .xmodel has at most {MAX_FILE_BYTES}")]
    TooLarge(usize),
}

/// A graph that cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WriteError {
    /// The graph breaks the conventions of the format; no reader would take it.
    #[error("the graph cannot be written as .xmodel: {0}")]
    Invalid(#[from] InvalidGraph),
    /// The result is larger than a protobuf message can be.
    #[error("the .xmodel would have {0} bytes, but at most {MAX_FILE_BYTES} are possible; split the network")]
    TooLarge(usize),
}

/// Reads the contents of an `.xmodel`. Copies them once; see [`read_shared`] to avoid that.
///
/// Accepts everything AMD's reader accepts as a graph, checks what [`validate`] checks, and drops `op_defs` and
/// attributes whose key begins with `__`. Memory is bounded by 64 times the size of `file`.
pub fn read(file: &[u8]) -> Result<Graph, ReadError> {
    read_shared(Bytes::copy_from_slice(file))
}

/// Reads the contents of an `.xmodel` without copying its byte blobs: every [`Bytes`] in the result is a view of `file`,
/// which stays in memory as long as one of them does.
pub fn read_shared(file: impl Into<Bytes>) -> Result<Graph, ReadError> {
    let file = file.into();
    if file.len() > MAX_FILE_BYTES {
        return Err(ReadError::TooLarge(file.len()));
    }
    let graph = read_graph(&file)?;
    validate(&graph)?;
    Ok(graph)
}

/// The contents of the `.xmodel` of `graph`, without `op_defs`. Equal graphs give equal bytes.
///
/// Attributes whose key begins with `__` are not written.
pub fn write(graph: &Graph) -> Result<Vec<u8>, WriteError> {
    validate(graph)?;
    let file = write_graph(graph);
    if file.len() > MAX_FILE_BYTES {
        return Err(WriteError::TooLarge(file.len()));
    }
    Ok(file)
}
