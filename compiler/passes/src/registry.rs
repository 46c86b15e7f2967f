//! The passes of this crate for pipelines.

use dpuc_dialects::Ir;
use dpuc_dialects::pass::{Pass, PassError, PassInfo};

use crate::{canonicalise, eliminate_dead_code, lower_to_int8};

/// The passes of this crate.
pub static PASSES: &[PassInfo] = &[
    PassInfo {
        name: "lower-to-int8",
        summary: "Turns a quantised `nn` graph into integer arithmetic; what has no integer form stays in `nn`.",
        options: &[],
        create: |_| Ok(Box::new(LowerToInt8)),
    },
    PassInfo {
        name: "canonicalise",
        summary: "Removes movements that cancel, moves transpositions towards the outputs, makes padding part of its reader.",
        options: &[],
        create: |_| Ok(Box::new(Canonicalise)),
    },
    PassInfo {
        name: "dce",
        summary: "Removes pure operations whose results nobody uses, and constants nobody refers to.",
        options: &[],
        create: |_| Ok(Box::new(DeadCodeElimination)),
    },
];

#[derive(Debug)]
struct LowerToInt8;

impl Pass for LowerToInt8 {
    fn run(&self, ir: &mut Ir) -> Result<(), PassError> {
        lower_to_int8(ir).map(|_| ())
    }
}

#[derive(Debug)]
struct Canonicalise;

impl Pass for Canonicalise {
    fn run(&self, ir: &mut Ir) -> Result<(), PassError> {
        canonicalise(ir).map(|_| ())
    }
}

#[derive(Debug)]
struct DeadCodeElimination;

impl Pass for DeadCodeElimination {
    fn run(&self, ir: &mut Ir) -> Result<(), PassError> {
        eliminate_dead_code(ir);
        Ok(())
    }
}
