//! The numeric contract as plain scalar code, and the SIMD kernels that must equal it.

pub mod int8;
pub mod reference;
pub mod simd;
