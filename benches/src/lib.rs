//! Inputs of the benches.

pub mod accuracy;
pub mod calibration;
pub mod code_quality;
pub mod float;
pub mod kernels;
mod module;
pub mod peers;
mod samples;
mod tier;

pub use module::large_module;
pub use samples::{sample, sample_program};
pub use tier::kernels_of;
