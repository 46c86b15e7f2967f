//! The passes of this crate for pipelines.

use dpuc_dialects::Ir;
use dpuc_dialects::pass::{OptionInfo, Pass, PassError, PassInfo};

use crate::{LoweringOptions, canonicalise, eliminate_dead_code, fold_float, lower_to_int8_with};

const ALLOW_LEAKY_APPROXIMATION: OptionInfo = OptionInfo {
    name: "allow-leaky-approximation",
    default: Some("false"),
    doc: "whether leaky ReLUs with a slope near 26/256, such as 0.1, get that slope",
};

/// The passes of this crate.
pub static PASSES: &[PassInfo] = &[
    PassInfo {
        name: "lower-to-int8",
        summary: "Turns a quantised `nn` graph into integer arithmetic; what has no integer form stays in `nn`.",
        options: &[ALLOW_LEAKY_APPROXIMATION],
        create: |options| {
            let allow_leaky_approximation = match options.text(ALLOW_LEAKY_APPROXIMATION.name) {
                "true" => true,
                "false" => false,
                other => {
                    return Err(PassError::Other(format!("allow-leaky-approximation is {other:?}, not true or false")));
                }
            };
            Ok(Box::new(LowerToInt8 { options: LoweringOptions { allow_leaky_approximation } }))
        },
    },
    PassInfo {
        name: "canonicalise",
        summary: "Removes movements that cancel, moves transpositions towards the outputs, makes padding part of its reader.",
        options: &[],
        create: |_| Ok(Box::new(Canonicalise)),
    },
    PassInfo {
        name: "fold-float",
        summary: "Folds products and sums with constants into the layer in front, and recognises activations; floats are rounded differently.",
        options: &[],
        create: |_| Ok(Box::new(FoldFloat)),
    },
    PassInfo {
        name: "dce",
        summary: "Removes pure operations whose results nobody uses, and constants nobody refers to.",
        options: &[],
        create: |_| Ok(Box::new(DeadCodeElimination)),
    },
];

#[derive(Debug)]
struct LowerToInt8 {
    options: LoweringOptions,
}

impl Pass for LowerToInt8 {
    fn run(&self, ir: &mut Ir) -> Result<(), PassError> {
        lower_to_int8_with(ir, self.options).map(|_| ())
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
struct FoldFloat;

impl Pass for FoldFloat {
    fn run(&self, ir: &mut Ir) -> Result<(), PassError> {
        fold_float(ir).map(|_| ())
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
