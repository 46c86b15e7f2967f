//! From quantised `nn` graphs to the `int8` dialect (`spec/xmodel.md` section 5, `spec/numerics.md` section 5.22).
//!
//! A fixed-point value stands in the float graph as `int8.dequantise` of its codes. Every pattern starts from a `nn.fix` whose operator
//! reads such values and replaces it by the dequantised result of one integer operation; what the dequantisations connect goes away, and
//! those that are left are the boundary between codes and floats. There are two phases:
//!
//! 1. a `nn.fix` behind operators that only move elements is moved in front of them, so that a value reaches a concatenation already
//!    rounded, and operators that compute find a `nn.fix` behind moved values ([`push`]);
//! 2. operations are visited in order, producers first, and lowered.
//!
//! An operator without an integer form stays as it is, between dequantised operands and a quantised result, and a note says why.

mod activation;
mod average;
mod boundary;
mod code;
mod constant;
mod convolution;
mod elementwise;
mod lowered;
mod matmul;
mod movement;
mod pool;
mod push;
mod reduce;
mod remaining;
mod resize;
mod vector;

use std::collections::HashMap;
use std::sync::Arc;

use dpuc_dialects::dialects::nn;
use dpuc_dialects::pass::PassError;
use dpuc_dialects::rewrite::{Patterns, Summary, apply};
use dpuc_dialects::{Attribute, Ir};

use crate::dead_code::remove_unused_constants;
use crate::note::{Note, Notes};
use lowered::OnFix;

/// What [`lower_to_int8`] did.
#[derive(Clone, Debug, Default)]
pub struct Lowering {
    /// The rewrites that moved `nn.fix` operations.
    pub pushed: Summary,
    /// The rewrites to integer operations.
    pub lowered: Summary,
    /// Operators whose integer form means something slightly different, and operators that stay in floating point, with the reason.
    pub notes: Vec<Note>,
}

/// What [`lower_to_int8_with`] may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoweringOptions {
    /// Gives leaky `ReLU`s with a slope within 1/256 of 26/256, such as 0.1, that slope, which the DPU fuses into convolutions. The results
    /// change slightly; a note says where.
    pub allow_leaky_approximation: bool,
}

/// As [`lower_to_int8_with`], without approximations.
///
/// # Errors
/// A constant that is not in the side file.
pub fn lower_to_int8(ir: &mut Ir) -> Result<Lowering, PassError> {
    lower_to_int8_with(ir, LoweringOptions::default())
}

/// Lowers all functions: constants and activations that a `nn.fix` rounds to signed bytes become `int8` values.
///
/// Arguments and results of the functions keep their types; `int8.quantise` and `int8.dequantise` stand at the boundaries. Locations are
/// fused: the operator's name comes first, the tensor's name, that of the `nn.fix`, last.
///
/// # Errors
/// A constant that is not in the side file.
pub fn lower_to_int8_with(ir: &mut Ir, options: LoweringOptions) -> Result<Lowering, PassError> {
    let symbols = constant_symbols(ir)?;
    let notes = Notes::default();
    if options.allow_leaky_approximation {
        for (op, slope) in activation::snap_slopes(ir) {
            notes.add(Note::new(ir, op, format!("has slope 26/256 instead of {slope}, as allowed")));
        }
    }
    let root = ir.root();
    let other = |error: dpuc_dialects::rewrite::NotConverged| PassError::Other(error.to_string());
    let pushed = apply(ir, root, &push::patterns()).map_err(other)?;
    let patterns = Patterns::new()
        .with(constant::FixedConstant { symbols })
        .with(OnFix::new(convolution::Convolution, &notes))
        .with(OnFix::new(matmul::Matmul, &notes))
        .with(OnFix::new(average::AveragePool, &notes))
        .with(OnFix::new(pool::MaxPool, &notes))
        .with(OnFix::new(reduce::ReduceMax, &notes))
        .with(OnFix::new(reduce::ReduceMean, &notes))
        .with(OnFix::new(reduce::ReduceSum, &notes))
        .with(OnFix::new(reduce::Argmax, &notes))
        .with(OnFix::new(activation::HardSigmoid, &notes))
        .with(OnFix::new(activation::HardSwish, &notes))
        .with(OnFix::new(activation::Prelu, &notes))
        .with(OnFix::new(activation::LeakyRelu, &notes))
        .with(OnFix::new(elementwise::ChannelScale, &notes))
        .with(OnFix::new(vector::ChannelOffset, &notes))
        .with(OnFix::new(vector::ChannelVector, &notes))
        .with(OnFix::new(elementwise::Elementwise, &notes))
        .with(OnFix::new(movement::Concat, &notes))
        .with(OnFix::new(movement::Movement, &notes))
        .with(OnFix::new(resize::Resize, &notes))
        .with(OnFix::new(boundary::Rectify, &notes))
        .with(boundary::Redundant)
        .with(OnFix::new(boundary::Requantise, &notes))
        .with(OnFix::new(boundary::Quantise, &notes))
        .with(movement::ReshapedConstant)
        .with(movement::TransposedConstant)
        .with(reduce::UnfixedArgmax)
        .with(movement::UnfixedConcat);
    let patterns = movement::UnfixedMovement::all().fold(patterns, Patterns::with);
    let lowered = apply(ir, root, &patterns).map_err(other)?;
    remove_unused_constants(ir);
    let mut notes = notes.take();
    notes.extend(remaining::notes(ir));
    Ok(Lowering { pushed, lowered, notes })
}

/// How many operations refer to each constant of the side file.
fn constant_symbols(ir: &Ir) -> Result<HashMap<Arc<str>, usize>, PassError> {
    let mut counts: HashMap<Arc<str>, usize> = HashMap::new();
    for op in ir.walk(ir.root()) {
        let Some(Attribute::Symbol(path)) = ir.attribute(op, "value") else { continue };
        let Some(name) = path.first() else { continue };
        if ir.is(op, &nn::CONSTANT) && ir.weights.get(name).is_none() {
            let note = Note::new(ir, op, format!("refers to the constant `@{name}`, which is not in the side file"));
            return Err(PassError::Other(note.to_string()));
        }
        *counts.entry(Arc::clone(name)).or_default() += 1;
    }
    Ok(counts)
}
