//! Reader of ONNX files. This crate knows the format and nothing else: no IR, no meaning of operators.
//!
//! * [`Model`] and its parts are the messages of `onnx.proto` as plain data, with `Default`, so building one is filling it in.
//! * [`read`] decodes a file, [`write()`] encodes one; tensor data are views of the file and not copies.
//! * [`load_external`] brings tensors that live in other files into the model. The library reads no file: the caller gives it a function
//!   that does, which only ever sees paths below the model's folder.
//! * [`Tensor::elements`] gives the elements of a tensor whatever field of the message they are in.
//!
//! Hostile input costs memory in proportion to its size, and no more stack than a hundred nested messages.

mod element;
mod external;
mod file;
mod message;
mod tensor;

pub use element::ElementType;
pub use external::{ExternalDataError, load_external};
pub use file::{MAX_FILE_BYTES, ReadError, read, write};
pub use message::{
    Attribute, AttributeKind, Dimension, DimensionValue, Function, Graph, KeyValue, Model, Node, OperatorSet, Shape,
    SparseTensor, Tensor, TensorType, Type, ValueInfo,
};
pub use tensor::{Elements, TensorError};
