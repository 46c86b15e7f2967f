//! Rounding by itself: between floats and codes, and between codes of different fix points.

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::{int8, nn};
use dpuc_dialects::rewrite::{Pattern, Rewriter};
use dpuc_dialects::{Ir, OpId, ValueId};

use super::code::{Activated, Fix, code};
use super::lowered::{FixPattern, Lowered};

/// `nn.relu` or `nn.relu6` of codes.
pub(super) struct Rectify;

impl FixPattern for Rectify {
    const NAME: &'static str = "rectify";

    fn lower(&self, ir: &Ir, fix: Fix) -> Option<Lowered> {
        let op = fix.producer(ir)?;
        let found = Activated::of(ir, fix).filter(|found| matches!(found.activation, "relu" | "relu6"))?;
        let input = code(ir, ir.operand(op, 0))?;
        Some(Lowered::new(&int8::REQUANTISE, fix, vec![op], [input]).with_all(found.attribute()))
    }
}

/// A `nn.fix` of codes that already have its fix point.
pub(super) struct Redundant;

impl Pattern for Redundant {
    const NAME: &'static str = "redundant-fix";
    type Match = ValueId;

    fn root(&self) -> &'static OpDefinition {
        &nn::FIX
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<ValueId> {
        let fix = Fix::of(ir, op)?;
        let input = fix.input(ir);
        (ir.fix_of(code(ir, input)?) == Some(fix.point)).then_some(input)
    }

    fn rewrite(&self, input: ValueId, op: OpId, rewriter: &mut Rewriter<'_>) {
        rewriter.replace(op, &[input]);
    }
}

/// A `nn.fix` of codes of another fix point.
pub(super) struct Requantise;

impl FixPattern for Requantise {
    const NAME: &'static str = "requantise";

    fn lower(&self, ir: &Ir, fix: Fix) -> Option<Lowered> {
        let input = code(ir, fix.input(ir))?;
        Some(Lowered::new(&int8::REQUANTISE, fix, vec![], [input]))
    }
}

/// A `nn.fix` of anything else. Tried last.
pub(super) struct Quantise;

impl FixPattern for Quantise {
    const NAME: &'static str = "quantise";

    fn lower(&self, ir: &Ir, fix: Fix) -> Option<Lowered> {
        Some(Lowered::new(&int8::QUANTISE, fix, vec![], [fix.input(ir)]))
    }
}
