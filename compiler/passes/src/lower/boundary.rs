//! Rounding by itself: between floats and codes, and between codes of different fix points.

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::{int8, nn};
use dpuc_dialects::rewrite::{Pattern, Rewriter};
use dpuc_dialects::{Attribute, Ir, OpId, ValueId};

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

/// A leaky ReLU by itself whose slope is a fraction the ALU has.
pub(super) struct LeakyRelu;

impl FixPattern for LeakyRelu {
    const NAME: &'static str = "leaky-relu";

    fn lower(&self, ir: &Ir, fix: Fix) -> Option<Lowered> {
        let op = fix.producer_of(ir, &nn::LEAKY_RELU)?;
        let input = code(ir, ir.operand(op, 0))?;
        let (multiplier, shift) = fraction(ir.attribute(op, "alpha")?.as_float()?)?;
        let lowered = Lowered::new(&int8::LEAKY_RELU, fix, vec![op], [input]);
        Some(lowered.with("multiplier", Attribute::int(multiplier)).with("shift", Attribute::int(shift)))
    }
}

/// A number of 0 to 127 over a power of two up to 2^31 that is exactly `slope`, over the power 2^8 if possible, as for the slope 26/256
/// of the DPU.
fn fraction(slope: f64) -> Option<(i64, i64)> {
    [8].into_iter().chain(0..32).find_map(|shift| {
        let multiplier = slope * f64::exp2(f64::from(shift));
        let is_exact = multiplier.fract() == 0.0 && (0.0..=127.0).contains(&multiplier);
        is_exact.then_some((multiplier as i64, i64::from(shift)))
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_become_fractions_only_if_exact() {
        assert_eq!(fraction(26.0 / 256.0), Some((26, 8)));
        assert_eq!(fraction(0.5), Some((1, 1)));
        assert_eq!(fraction(0.25), Some((64, 8)));
        assert_eq!(fraction(1.0 / 1024.0), Some((1, 10)));
        assert_eq!(fraction(f64::from(0.01f32)), None);
        assert_eq!(fraction(-0.5), None);
        assert_eq!(fraction(128.0), None);
        assert_eq!(fraction(f64::NAN), None);
    }
}
