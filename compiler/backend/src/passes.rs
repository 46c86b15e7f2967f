//! The steps of this crate as passes for pipelines.

use dpuc_dialects::Ir;
use dpuc_dialects::dialects::dpu;
use dpuc_dialects::pass::{OptionInfo, Pass, PassError, PassInfo, PassOptions};
use dpuc_isa::Target;

use crate::error::BackendError;
use crate::{Subgraphs, emit, partition, plan};

const TARGET: OptionInfo = OptionInfo { name: "target", default: None, doc: "target name, size, board or fingerprint" };

const SUBGRAPHS: OptionInfo =
    OptionInfo { name: "subgraphs", default: Some("all"), doc: "`all` that the DPU can run, or only the `largest`" };

/// The passes of this crate.
pub static PASSES: &[PassInfo] = &[
    PassInfo {
        name: "partition",
        summary: "Moves what the DPU can run into subgraphs.",
        options: &[TARGET, SUBGRAPHS],
        create: |options| match options.get(SUBGRAPHS.name)? {
            Subgraphs::All => step(options, |ir, target| partition(ir, target, Subgraphs::All).map(|_| ())),
            Subgraphs::Largest => step(options, |ir, target| partition(ir, target, Subgraphs::Largest).map(|_| ())),
        },
    },
    PassInfo {
        name: "plan",
        summary: "Gives every tensor of the subgraphs its place in DDR.",
        options: &[TARGET],
        create: |options| {
            step(options, |ir, target| for_target(ir, target).and_then(|()| plan(ir, target).map(|_| ())))
        },
    },
    PassInfo {
        name: "emit",
        summary: "Adds the machine program of every subgraph.",
        options: &[TARGET],
        create: |options| {
            step(options, |ir, target| for_target(ir, target).and_then(|()| emit(ir, target).map(|_| ())))
        },
    },
];

type Run = fn(&mut Ir, &Target) -> Result<(), BackendError>;

/// Checks that there are subgraphs, all made for the target.
fn for_target(ir: &Ir, target: &Target) -> Result<(), BackendError> {
    let subgraphs: Vec<_> = ir.ops(ir.body()).filter(|&op| ir.is(op, &dpu::SUBGRAPH)).collect();
    if subgraphs.is_empty() {
        return Err(BackendError::NoSubgraph);
    }
    match subgraphs.into_iter().find(|&op| ir.str(op, "target") != Some(&target.name)) {
        Some(op) => Err(BackendError::OtherTarget {
            subgraph: ir.symbol_name(op).unwrap_or_default().to_owned(),
            found: ir.str(op, "target").unwrap_or_default().to_owned(),
            target: target.name.clone(),
        }),
        None => Ok(()),
    }
}

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
