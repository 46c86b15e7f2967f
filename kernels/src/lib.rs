//! The numeric contract as plain scalar code, and the SIMD kernels that must equal it.

#[expect(
    clippy::inline_always,
    reason = "code is compiled for a tier only where it is inlined into a task of that tier"
)]
#[cfg_attr(test, expect(clippy::float_cmp, reason = "most results compared in the tests are exact"))]
pub mod float;
mod gather;
pub mod int8;
mod nearest;
mod parallel;
pub mod reference;
pub mod simd;
mod strides;
mod transpose;

pub use gather::{Gather, part};
pub use transpose::Transpose;
