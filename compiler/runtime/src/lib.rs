//! Loads and runs networks: compiled ones with their DPU subgraphs on the accelerator model and the rest as machine code, uncompiled ones as
//! machine code or on the reference.

pub mod bisect;
mod dpu;
mod error;
mod host;
mod network;
pub mod npy;
pub mod npz;
mod port;
pub mod preprocess;
mod rows;
mod session;

pub use dpu::{DpuError, DpuProgram, DpuRun, Placed};
pub use dpuc_dialects::layout::Layout;
pub use error::RuntimeError;
pub use host::Host;
pub use network::{Network, check_main, function_inputs, function_outputs};
pub use port::Port;
pub use preprocess::Preprocessing;
pub use rows::{Rows, RowsError};
pub use session::{Outcome, Session};
