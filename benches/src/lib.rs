//! Inputs of the benches.

mod module;
mod samples;

pub use module::large_module;
pub use samples::{sample, sample_program};
