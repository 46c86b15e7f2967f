//! From int8 networks to compiled `.xmodel` files.
//!
//! The steps are functions over the IR, in this order; [`compile`] runs them all.
//!
//! 1. [`partition`] decides for each operation whether the DPU runs it and why not, and moves what it runs to `dpu.subgraph`s;
//! 2. [`plan`] places every tensor of the subgraphs in DDR;
//! 3. [`emit`] adds the machine program of each subgraph;
//! 4. [`export`] makes the `.xmodel` graph that AMD's runtime and this project's own run.
//!
//! ```
//! use dpuc_backend::{Device, Options, compile};
//! use dpuc_dialects::text::{ParseOptions, parse};
//! use dpuc_isa::Target;
//!
//! let source = r#"
//! module @smallest {
//!   func.func @main(%x: tensor<1x4x4x8xi8, #int8.fix<5>>) -> tensor<1x2x2x8xi8, #int8.fix<5>> {
//!     %y = int8.max_pool %x {kernel = [2, 2], strides = [2, 2]}
//!       : (tensor<1x4x4x8xi8, #int8.fix<5>>) -> tensor<1x2x2x8xi8, #int8.fix<5>>
//!     func.return %y : tensor<1x2x2x8xi8, #int8.fix<5>>
//!   }
//! }
//! "#;
//! let network = parse(source, &ParseOptions::default()).ir;
//! let target = Target::from_name("DPUCZDX8G_ISA1_B4096")?;
//! let compiled = compile(network, &target, &Options::default())?;
//! assert_eq!(compiled.report.count(Device::Dpu), 1);
//! assert_eq!(compiled.graph.root.children.len(), 2, "the input, and one DPU subgraph");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod compile;
mod constants;
mod emit;
mod error;
mod export;
mod names;
mod network;
mod operator;
mod partition;
mod passes;
mod placement;
mod plan;
mod program;
mod superlayer;

pub use compile::{Compiled, Options, compile};
pub use emit::{EmitReport, SubgraphCode, SuperlayerCode, emit, program_symbol};
pub use error::BackendError;
pub use export::{export, export_quantised, foreign_operators};
pub use operator::Reason;
pub use partition::{Device, OperationReport, PartitionReport, SubgraphReport, Subgraphs, partition};
pub use passes::PASSES;
pub use placement::{Placement, region};
pub use plan::{PlanReport, SubgraphPlan, plan};
pub use program::{ProgramError, ProgramProblem, instructions_from_program, program_from_instructions};
