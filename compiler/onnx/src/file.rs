//! Whole files.

use bytes::Bytes;
use prost::Message;
use thiserror::Error;

use crate::message::Model;

/// Largest file that is read: protobuf's own limit. Larger networks have their tensors in external files.
pub const MAX_FILE_BYTES: usize = i32::MAX as usize;

/// Why bytes are not a model.
#[derive(Debug, Error)]
pub enum ReadError {
    /// More bytes than a protobuf message may have.
    #[error(
        "it has {0} bytes, more than the {MAX_FILE_BYTES} of a protobuf message; save its tensors as external data"
    )]
    TooLarge(usize),
    /// Not the messages of the schema; the text begins with the place, message by message.
    #[error("{0}; the file is truncated, damaged or not an ONNX model")]
    Malformed(String),
    /// Nothing that could be a network.
    #[error("it has no graph; the file is not an ONNX model")]
    NoGraph,
}

/// Decodes a file. Tensor data in `raw_data` are views of `file`.
///
/// # Errors
/// The bytes are no model.
pub fn read(file: Bytes) -> Result<Model, ReadError> {
    if file.len() > MAX_FILE_BYTES {
        return Err(ReadError::TooLarge(file.len()));
    }
    let model = Model::decode(file).map_err(|error| ReadError::Malformed(error.to_string()))?;
    if model.graph.is_none() { Err(ReadError::NoGraph) } else { Ok(model) }
}

/// Encodes a model.
pub fn write(model: &Model) -> Vec<u8> {
    model.encode_to_vec()
}
