//! Kernels on f32: the CPU's part of a network that stays in floating point.

mod function;
mod lanes;

pub use function::Function;
