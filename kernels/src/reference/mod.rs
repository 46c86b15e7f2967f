//! Scalar evaluators of the quantised operators: the numeric contract in plain code.
//!
//! Every integer path of the house (SIMD kernels, generated code, accelerator model) must equal these functions to the
//! last bit. The formulas are those of `spec/numerics.md`; where AMD's CPU reference and the hardware simulator differ,
//! the hardware rule of its section 7 is used.
//!
//! Conventions
//!
//! * Feature maps are int8, NHWC, any batch size. Convolution weights are `[out, kernel_h, kernel_w, in]`, depthwise
//!   weights `[1, kernel_h, kernel_w, channels]`.
//! * `kernel`, `strides` and `dilations` are `[h, w]`, `pads` is `[top, left, bottom, right]`.
//! * An integer `q` with fix point `f` stands for the real value `q * 2^-f`. Fix points may be negative.
//! * Each operator computes its exact value and rounds once, with [`round::rsat`], unless its documentation says
//!   otherwise.
//! * Results are row-major in memory, whatever the layout of the operands.
//! * Shapes and parameters are checked; a wrong one is a [`KernelError`] that names it.

pub mod activation;
pub mod blocks;
pub mod conv;
pub mod eltwise;
pub mod error;
#[cfg(test)]
mod formula_tests;
pub(crate) mod geometry;
pub(crate) mod layout;
pub mod pool;
pub mod real;
pub mod rearrange;
pub mod reduce;
pub mod resize;
pub mod round;
pub mod sampling;
pub mod transposed_conv;

pub use error::KernelError;
pub use layout::MAX_ELEMENTS;
