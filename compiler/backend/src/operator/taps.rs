//! Operations as weighted sums of their operands: which operand each tap reads, and its weights.

use dpuc_codegen::limits;
use dpuc_dialects::dialects::int8;
use dpuc_dialects::{Ir, OpId};

use super::Reason;
use crate::constants::int8_elements;

/// An operation as a weighted sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taps {
    /// The operand that each tap reads.
    pub(crate) operands: Vec<usize>,
    /// How many of the first taps count negative values as 0.
    pub(crate) rectified: u32,
    /// Fix point of the products.
    pub(crate) product_fix_point: i32,
    /// Weights of each tap: one number for all channels or one for each. Empty once they are an operand.
    pub(crate) weights: Vec<Vec<i8>>,
}

impl Taps {
    /// The taps of `int8.add`, `int8.sub`, `int8.prelu` or `int8.leaky_relu`.
    ///
    /// # Errors
    /// The operation is no exact sum with weights of eight bits.
    pub(crate) fn of(ir: &Ir, op: OpId) -> Result<Self, Reason> {
        let inputs = int8::inputs(ir, op);
        let fix = |value| ir.fix_of(value).ok_or(Reason::Float);
        let output = fix(ir.result(op))?;
        let fixes = inputs.iter().map(|&input| fix(input)).collect::<Result<Vec<i32>, _>>()?;
        match ir.op_name(op) {
            "int8.prelu" => {
                let slope_fix_point = fix(ir.operand(op, 1))?;
                match ir.operands(op).get(inputs.len()) {
                    Some(&weights) => {
                        let count = ir.shape_of(weights).and_then(|shape| shape.first().copied()).unwrap_or_default();
                        let slopes = Slopes { input: fixes[0], output, fix_point: slope_fix_point };
                        Ok(slopes.taps(count))
                    }
                    None => {
                        let slopes = Slopes { input: fixes[0], output, fix_point: slope_fix_point };
                        slopes.of_channels(&constant(ir, op)?)
                    }
                }
            }
            "int8.leaky_relu" => {
                let number = |name| ir.int(op, name).ok_or(Reason::Malformed { what: name });
                let (slope, fix_point) = lowest_terms(number("multiplier")?, number("shift")?);
                let fix_point = i32::try_from(fix_point).map_err(|_| Reason::Malformed { what: "shift" })?;
                Slopes { input: fixes[0], output, fix_point }.of_channels(&[slope])
            }
            "int8.sub" => {
                if fixes.iter().zip(fixes.iter().rev()).any(|(one, other)| i64::from(*one) - i64::from(*other) > 7) {
                    return Err(Reason::InexactDifference);
                }
                powers(&fixes, output, &[1, -1])
            }
            _ => {
                if !exact_with_two_guard_bits(&fixes, output) {
                    return Err(Reason::InexactSum);
                }
                powers(&fixes, output, &vec![1; fixes.len()])
            }
        }
    }
}

/// The slopes of a constant.
fn constant(ir: &Ir, op: OpId) -> Result<Vec<i64>, Reason> {
    let slopes = ir.defining_op(ir.operand(op, 1)).filter(|&owner| ir.is(owner, &int8::CONSTANT));
    let slopes = slopes.ok_or(Reason::NotConstant { operand: "slopes" })?;
    let bytes = int8_elements(ir, slopes).map_err(|_| Reason::Malformed { what: "slopes" })?;
    Ok(bytes.iter().map(|&byte| i64::from(byte.cast_signed())).collect())
}

/// The same slope with the smallest denominator.
fn lowest_terms(mut slope: i64, mut shift: i64) -> (i64, i64) {
    while shift > 0 && slope % 2 == 0 {
        (slope, shift) = (slope / 2, shift - 1);
    }
    (slope, shift)
}

/// A sum or difference: each operand times the power of two that aligns it, in as many taps as hold that weight.
fn powers(fixes: &[i32], output: i32, signs: &[i64]) -> Result<Taps, Reason> {
    let product_fix_point = fixes.iter().copied().max().unwrap_or(output).max(output);
    let mut taps = Taps { operands: Vec::new(), rectified: 0, product_fix_point, weights: Vec::new() };
    for (operand, (&fix, &sign)) in fixes.iter().zip(signs).enumerate() {
        let lift = i64::from(product_fix_point) - i64::from(fix);
        let refusal = || Reason::TapWeight { lift };
        // More places would need more taps than a window has.
        let weight = if lift < 16 { sign << lift } else { return Err(refusal()) };
        let count = parts(weight);
        for part in 0..count {
            taps.operands.push(operand);
            taps.weights.push(vec![byte(weight, part, count).ok_or_else(refusal)?]);
        }
        if taps.operands.len() as i64 > limits::WINDOW_OPERANDS.max {
            return Err(refusal());
        }
    }
    Ok(taps)
}

/// How many taps a weight needs.
fn parts(weight: i64) -> i64 {
    let most = if weight < 0 { -i64::from(i8::MIN) } else { i64::from(i8::MAX) };
    weight.unsigned_abs().div_ceil(most.unsigned_abs()).max(1) as i64
}

/// Part `part` of `count` nearly equal ones of a weight, if it is a byte.
fn byte(weight: i64, part: i64, count: i64) -> Option<i8> {
    i8::try_from(weight * (part + 1) / count - weight * part / count).ok()
}

/// Whether a sum with the two guard bits of the elementwise unit is the exact one (`spec/recipes-eltwise-data.md` section 2).
fn exact_with_two_guard_bits(fixes: &[i32], output: i32) -> bool {
    let coarsest = fixes.iter().copied().min().unwrap_or(output);
    let lossy = fixes.iter().filter(|&&fix| i64::from(fix) - i64::from(coarsest) > 2).count();
    lossy == 0 || (lossy == 1 && i64::from(output) - i64::from(coarsest) <= 1)
}

/// Slopes for negative values: `x < 0 ? x · s · 2^-p : x` is `(2^p - s) · max(x, 0) + s · x` in units of `2^-p`.
struct Slopes {
    input: i32,
    output: i32,
    fix_point: i32,
}

impl Slopes {
    /// Powers of two by which all weights are multiplied, because the result is finer than the products.
    fn lift(&self) -> i64 {
        let product = i64::from(self.input) + i64::from(self.fix_point);
        (i64::from(self.output) - product).max(0)
    }

    /// `count` taps whose weights are an operand.
    fn taps(&self, count: usize) -> Taps {
        let lift = i32::try_from(self.lift()).unwrap_or(i32::MAX);
        Taps {
            operands: vec![0; count],
            rectified: count.saturating_sub(1) as u32,
            product_fix_point: self.input.saturating_add(self.fix_point).saturating_add(lift),
            weights: Vec::new(),
        }
    }

    /// The weight `2^p - s` may need several taps.
    fn of_channels(&self, slopes: &[i64]) -> Result<Taps, Reason> {
        let refusal = || Reason::Slope { fix_point: self.fix_point };
        let lift = self.lift();
        if !(0..=16).contains(&self.fix_point) || lift > 7 {
            return Err(refusal());
        }
        let rest = |slope: i64| ((1 << self.fix_point) - slope) << lift;
        let count = slopes.iter().map(|&slope| parts(rest(slope))).max().unwrap_or(1);
        if count + 1 > limits::WINDOW_OPERANDS.max {
            return Err(refusal());
        }
        let row = |part: i64, count: i64, weight: &dyn Fn(i64) -> i64| -> Result<Vec<i8>, Reason> {
            slopes.iter().map(|&slope| byte(weight(slope), part, count).ok_or_else(refusal)).collect()
        };
        let mut weights = (0..count).map(|part| row(part, count, &rest)).collect::<Result<Vec<_>, _>>()?;
        weights.push(row(0, 1, &|slope| slope << lift)?);
        Ok(Taps { weights, ..self.taps(count as usize + 1) })
    }
}

/// The exponent `k` of the weight `2^k` that lets a vector be the bias of a map: fine enough for the vector and for the result
/// (`spec/recipes-eltwise-data.md` section 4.2).
///
/// # Errors
/// The weight does not fit in eight bits.
pub(crate) fn offset_exponent(input: i32, vector: i32, output: i32) -> Result<i32, Reason> {
    let [input, vector, output] = [input, vector, output].map(i64::from);
    let exponent = (vector - input - 1).max(output - input).max(0);
    if exponent > limits::RELU6_EXPONENT.max {
        return Err(Reason::TapWeight { lift: exponent });
    }
    Ok(exponent as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_need_as_many_taps_as_their_weights_say() {
        let slopes = |fix_point| Slopes { input: 4, output: 4, fix_point };
        let taps = slopes(6).of_channels(&[16, -63, 127]).unwrap();
        assert_eq!((taps.rectified, taps.product_fix_point), (1, 10));
        assert_eq!(taps.weights, [[48, 127, -63], [16, -63, 127]]);
        // A quarter at fix point 8: 192 is more than one tap holds.
        let taps = slopes(8).of_channels(&[64]).unwrap();
        assert_eq!((taps.operands, taps.rectified), (vec![0; 3], 2));
        assert_eq!(taps.weights, [[96], [96], [64]]);
        assert!(slopes(10).of_channels(&[1]).is_err());
        assert!(slopes(-1).of_channels(&[1]).is_err());
        // Finer results multiply all weights.
        let fine = Slopes { input: 4, output: 8, fix_point: 2 }.of_channels(&[1]).unwrap();
        assert_eq!((fine.weights, fine.product_fix_point), (vec![vec![12], vec![4]], 8));
    }

    #[test]
    fn leaky_slopes_are_reduced() {
        assert_eq!(lowest_terms(26, 8), (13, 7));
        assert_eq!(lowest_terms(0, 31), (0, 0));
        assert_eq!(lowest_terms(96, 2), (24, 0));
    }

    #[test]
    fn offsets_are_as_fine_as_bias_and_result_need() {
        for (input, vector, output, expected) in
            [(4, 4, 4, Some(0)), (4, 8, 3, Some(3)), (2, 2, 8, Some(6)), (0, 9, 0, None)]
        {
            assert_eq!(offset_exponent(input, vector, output).ok(), expected);
        }
    }
}
