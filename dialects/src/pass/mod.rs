//! Passes, pipelines of passes as text, and running them.
//!
//! A pass is declared by a [`PassInfo`]: name, one line of documentation, options, and a constructor. A pipeline is text,
//! `dce,partition{target=B4096}`; [`parse_pipeline`] reads it with suggestions for wrong names. [`PassManager`] runs it, verifies the
//! program after every pass, measures, and reports to an observer, which decides what to print.

mod manager;
mod pipeline;
mod registry;

pub use manager::{PassEvent, PassFailure, PassManager, PassTime};
pub use pipeline::parse_pipeline;
pub use registry::{OptionInfo, Pass, PassError, PassInfo, PassOptions, PassRegistry, PlannedPass};
