//! From int8 networks to compiled `.xmodel` files.
//!
//! The steps are functions over the IR, in this order; [`compile`] runs them all.
//!
//! 1. [`partition`] decides for each operation whether the DPU runs it and why not, and moves what it runs to `dpu.subgraph`s;
//! 2. [`plan`] places every tensor of the subgraphs in DDR;
//! 3. [`emit`] adds the machine program of each subgraph;
//! 4. [`export`] makes the `.xmodel` graph that AMD's runtime and this project's own run.

mod compile;
mod constants;
mod emit;
mod error;
mod export;
mod names;
mod operator;
mod partition;
mod passes;
mod placement;
mod plan;
mod program;
mod superlayer;

pub use compile::{Compiled, Options, compile};
pub use emit::{EmitReport, SubgraphCode, emit, program_symbol};
pub use error::BackendError;
pub use export::export;
pub use operator::Reason;
pub use partition::{Device, OperationReport, PartitionReport, SubgraphReport, partition};
pub use passes::PASSES;
pub use placement::{Placement, region};
pub use plan::{PlanReport, SubgraphPlan, plan};
pub use program::{ProgramError, ProgramProblem, instructions_from_program, program_from_instructions};
