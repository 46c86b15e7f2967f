//! Networks from `.xmodel` files to IR.
//!
//! [`import_xmodel`] reads both forms of the format (`spec/xmodel.md` sections 2 and 3):
//!
//! * a *quantised* graph, float operators with `fix`, becomes operations of the `nn` dialect;
//! * a *compiled* graph, `*-fix` operators whose constants are in the DPU subgraphs' `REG_0`, becomes operations of the `int8`
//!   dialect, with its host operators as `nn` operations. What the compiled form says about memory and instructions is left out.
//!
//! The result is one function `@main` from the network's inputs to its outputs. An operator that is not known, or is used in a way the
//! dialects cannot say, becomes `nn.custom` with its attributes, and a warning says why. Orders change on the way: XIR writes kernels
//! and strides `[w, h]` and pads `[left, right, top, bottom]`, the dialects `[h, w]` and `[top, left, bottom, right]`; pad modes become
//! explicit pads, of which those that no window reaches are dropped.
//!
//! The location of each operation names its operator first and its tensor last. Values are named after tensors, constants after
//! operators. The function's attribute `argument_names` has the names of the input operators as they were.

mod affine;
mod constants;
mod custom;
mod error;
mod fixed;
mod float;
mod importer;
mod line;
mod movement;
mod names;
mod node;
mod onnx;
mod transposed;
mod window;

pub use error::{ImportError, Warning};
pub use importer::{Form, Imported, import_xmodel};
pub use onnx::{
    ImportedOnnx, OnnxError, OnnxOptions, OperatorInfo, Scales, Unsupported, import_onnx, supported_operators,
};
