//! Networks from ONNX files to the `nn` dialect.
//!
//! [`import_onnx`] gives one function `@main` from the model's inputs to its outputs:
//!
//! * What only depends on shapes and constants is computed while importing (`fold`), on integers and floats, so chains of `Shape`, `Gather`
//!   and `Concat` and conditions of `If` vanish. Symbolic dimensions get their sizes from the caller; a batch without one is 1.
//! * Values of rank 3 and more that come from operators with channels have them last, whatever the framework says (`layout`); operators
//!   that do not care take the order of their operands, and transpositions appear only where an operator needs the framework's order, as a
//!   reshape does. Function arguments of rank 4 are NHWC, unless all the model does with them is to transpose them itself. The attributes
//!   `argument_layouts` and `result_layouts` of the function say how its values differ from the framework's.
//! * Integers and truth values are floats in the IR, exact up to 2^24.
//! * `operators` is the table of what can be imported, from which [`supported_operators`] is made.
//!
//! The location of each operation names its node first and its tensor last.

mod activation;
mod arrange;
mod batch;
mod constants;
mod control;
mod convolution;
mod elementwise;
mod emit;
mod error;
mod fold;
mod importer;
mod inputs;
mod literal;
mod matmul;
mod node;
mod normalise;
mod operators;
mod pool;
mod quantise;
mod reduce;
mod resize;
mod slice;
mod window;

pub use error::{OnnxError, Unsupported};
pub use importer::{ImportedOnnx, import_onnx};
pub use inputs::{OnnxOptions, Scales};
pub use operators::{OperatorInfo, supported_operators};
