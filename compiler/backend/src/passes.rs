//! The steps of this crate as passes for pipelines.

use dpuc_dialects::Ir;
use dpuc_dialects::pass::{OptionInfo, Pass, PassError, PassInfo, PassOptions};
use dpuc_isa::Target;

use crate::error::BackendError;
use crate::{emit, partition, plan};

const TARGET: OptionInfo = OptionInfo { name: "target", default: None, doc: "target name, size, board or fingerprint" };

/// The passes of this crate.
pub static PASSES: &[PassInfo] = &[
    PassInfo {
        name: "partition",
        summary: "Moves what the DPU can run into subgraphs.",
        options: &[TARGET],
        create: |options| step(options, |ir, target| partition(ir, target).map(|_| ())),
    },
    PassInfo {
        name: "plan",
        summary: "Gives every tensor of the subgraphs its place in DDR.",
        options: &[TARGET],
        create: |options| step(options, |ir, target| plan(ir, target).map(|_| ())),
    },
    PassInfo {
        name: "emit",
        summary: "Adds the machine program of every subgraph.",
        options: &[TARGET],
        create: |options| step(options, |ir, target| emit(ir, target).map(|_| ())),
    },
];

type Run = fn(&mut Ir, &Target) -> Result<(), BackendError>;

/// A step for a target.
#[derive(Debug)]
struct Step {
    target: Target,
    run: Run,
}

fn step(options: &PassOptions, run: Run) -> Result<Box<dyn Pass>, PassError> {
    let target = Target::resolve(options.text(TARGET.name)).map_err(|error| PassError::Other(error.to_string()))?;
    Ok(Box::new(Step { target, run }))
}

impl Pass for Step {
    fn run(&self, ir: &mut Ir) -> Result<(), PassError> {
        (self.run)(ir, &self.target).map_err(|error| PassError::Other(error.to_string()))
    }
}
