//! Activations that are operators of their own: hard sigmoid, hard swish, `PReLU`, leaky ReLU.

use dpuc_dialects::dialects::{int8, nn};
use dpuc_dialects::{Attribute, Ir};

use super::code::{Fix, LEAKY_SLOPE, code, constant_code, corrected, is_same_factor};
use super::lowered::{FixPattern, Lowered, Operand};

/// A hard sigmoid, with or without the factor that corrects 1/6 to the hardware's 2731/2^14.
pub(super) struct HardSigmoid;

/// 6 * 2731 / 2^14
const CORRECTION: f64 = 6.0 * 2731.0 / 16384.0;

/// Below it the int8 maximum is above 1.0, where the hardware does not clamp (`spec/numerics.md` section 5.9).
const LEAST_OUTPUT_POINT: i32 = 7;

const SIXTH_NOTE: &str = "divides by 6 with the factor 2731/2^14, as the hardware does";

impl FixPattern for HardSigmoid {
    const NAME: &'static str = "hard-sigmoid";

    fn lower(&self, ir: &Ir, fix: Fix) -> Option<Lowered> {
        let found = corrected(ir, fix.input(ir), &nn::HARD_SIGMOID)?;
        let input = code(ir, ir.operand(found.op, 0))?;
        if fix.point < LEAST_OUTPUT_POINT || ir.fix_of(input)? < 0 {
            return None;
        }
        let note = match found.correction {
            Some((_, factor)) if is_same_factor(factor, CORRECTION) => None,
            Some(_) => return None,
            None => Some(SIXTH_NOTE.to_owned()),
        };
        let parts = Some(found.op).into_iter().chain(found.correction.map(|(op, _)| op)).collect();
        Some(Lowered { note, ..Lowered::new(&int8::HARD_SIGMOID, fix, parts, [input]) })
    }
}

/// A hard swish: a hard sigmoid at fix point 7 times its input (`spec/numerics.md` section 5.10).
pub(super) struct HardSwish;

impl FixPattern for HardSwish {
    const NAME: &'static str = "hard-swish";

    fn lower(&self, ir: &Ir, fix: Fix) -> Option<Lowered> {
        let found = corrected(ir, fix.input(ir), &nn::HARD_SWISH)?;
        let input = code(ir, ir.operand(found.op, 0)).filter(|&input| ir.fix_of(input).is_some_and(|fix| fix >= 0))?;
        if found.correction.is_some_and(|(_, factor)| !is_same_factor(factor, CORRECTION)) {
            return None;
        }
        let gate = Operand::Computed {
            kind: &int8::HARD_SIGMOID,
            input,
            point: LEAST_OUTPUT_POINT,
            origin: found.op,
            suffix: "_gate",
        };
        let parts = Some(found.op).into_iter().chain(found.correction.map(|(op, _)| op)).collect();
        let note = Some(format!("{SIXTH_NOTE}, and rounds the hard sigmoid to fix point 7 before the product"));
        let lowered = Lowered::new(&int8::MUL, fix, parts, []);
        Some(Lowered { operands: vec![gate, Operand::Code(input)], note, ..lowered })
    }
}

/// `PReLU` with constant slopes.
pub(super) struct Prelu;

impl FixPattern for Prelu {
    const NAME: &'static str = "prelu";

    fn lower(&self, ir: &Ir, fix: Fix) -> Option<Lowered> {
        let op = fix.producer_of(ir, &nn::PRELU)?;
        let (input, slopes) = (code(ir, ir.operand(op, 0))?, constant_code(ir, ir.operand(op, 1))?);
        Some(Lowered::new(&int8::PRELU, fix, vec![op], [input, slopes]))
    }
}

/// A leaky ReLU by itself whose slope is a fraction the hardware has.
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

/// Distance from the slope 26/256 within which another slope may be taken for it: one step of the multiplier.
const SLOPE_STEP: f64 = 1.0 / 256.0;

/// Gives leaky `ReLU`s whose slope is not exactly, but nearly, 26/256 that slope; gives the operators it changed.
pub(super) fn snap_slopes(ir: &mut Ir) -> Vec<(dpuc_dialects::OpId, f64)> {
    let mut snapped = Vec::new();
    for op in ir.walk(ir.root()) {
        let slope = ir.attribute(op, "alpha").and_then(Attribute::as_float).filter(|_| ir.is(op, &nn::LEAKY_RELU));
        let near = |&slope: &f64| slope != LEAKY_SLOPE && (slope - LEAKY_SLOPE).abs() <= SLOPE_STEP;
        if let Some(slope) = slope.filter(near) {
            ir.set_attribute(op, "alpha", Attribute::Float(LEAKY_SLOPE, None));
            snapped.push((op, slope));
        }
    }
    snapped
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
