//! From a float network to a deployed one, in the manner of "TVM with Vitis AI" (`spec/tvm-flow.md` sections 10 and 11).
//!
//! A [`Session`] is built from a float network for a target. Its first calls run in float on the CPU and are the calibration data; then it
//! quantises, compiles and switches to the DPU without the caller noticing. What it built is an [`Artefact`]: a set of files that loads
//! anywhere and accelerates from the first call.
//!
//! With a build folder, calls and results are kept there as they come, so that a session that is interrupted loses nothing: this crate reads
//! and writes that folder (`folder`), and nothing else.

mod artefact;
mod build;
mod error;
mod folder;
mod manifest;
mod options;
mod session;

pub use artefact::Artefact;
pub use build::{Built, Summary, build};
pub use dpuc_evaluate::Tensor;
pub use error::Error;
pub use manifest::{FORMAT, FileEntry, MANIFEST, Manifest, PortEntry, TargetEntry};
pub use options::Options;
pub use session::{Computation, Phase, Session};
