//! Packed int8 operators: built once per model, run any number of times from any thread.
//!
//! A packed operator computes what the evaluator of the same name in [`crate::reference`] computes, to the last bit, on every
//! [`Tier`](crate::simd::Tier). It is made for the shapes and parameters of one place in a network and for one
//! [`Kernels`](crate::simd::Kernels) handle; weights are packed and constants folded then. `run` works on the bytes of whole
//! tensors, NHWC and contiguous, in the [`Encodings`] stated at construction, with scratch memory of the caller
//! (`scratch_bytes`) and without allocating. Large work is shared between the threads of the current `rayon` pool; the result does
//! not depend on their number.

mod convolution;
mod dense;
mod depthwise;
mod divided;
mod encoding;
#[expect(clippy::inline_always, reason = "the compiler vectorises loops for the tier they are inlined into")]
mod fold;
mod grid;
mod matmul;
mod panels;
#[expect(clippy::inline_always, reason = "the compiler vectorises loops for the tier they are inlined into")]
mod pool;
#[expect(clippy::inline_always, reason = "the compiler vectorises loops for the tier they are inlined into")]
mod powers;
mod quantise;
#[expect(clippy::inline_always, reason = "the compiler vectorises loops for the tier they are inlined into")]
mod reduce;
#[expect(clippy::inline_always, reason = "the compiler vectorises loops for the tier they are inlined into")]
mod resize;
mod rounding;
#[expect(clippy::inline_always, reason = "the compiler vectorises loops for the tier they are inlined into")]
mod scale;
mod table;
#[cfg(test)]
mod tests;

pub use convolution::Convolution;
pub use depthwise::Depthwise;
pub use encoding::{Encoding, Encodings};
pub use matmul::MatMul;
pub use pool::{AveragePool, MaxPool};
pub use quantise::{Dequantise, Quantise};
pub use reduce::Reduce;
pub use resize::{Interpolation, Resize};
pub use table::Table;
