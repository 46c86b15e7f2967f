//! Elementwise operators (numerics.md 5.5 and 5.19; dpuczdx8g-isa.md 3.7).

use ndarray::{ArrayD, ArrayView1, ArrayViewD, Zip};

use super::error::{Result, parameter_error, shape_error};
use super::layout::{check_size, row_major};
use super::round::{Rescale, rsat};

/// A quantised tensor of any rank.
#[derive(Debug, Clone)]
pub struct Operand<'a> {
    /// The integers.
    pub values: ArrayViewD<'a, i8>,
    /// Their fix point.
    pub fix: i32,
}

/// Sum of one or more tensors of the same shape.
///
/// ```text
/// m   = smallest input fix point
/// S   = sum of floor(4 * x_k / 2^(f_k - m))
/// out = rsat(relu(S), m - output + 2)
/// ```
///
/// The two guard bits are those of the hardware (rule D1); it adds at most four inputs at a time.
///
/// # Errors
/// No input, an empty input, or shapes that differ.
pub fn elementwise_add(inputs: &[Operand<'_>], relu: bool, output_fix: i32) -> Result<ArrayD<i8>> {
    combine("elementwise_add", inputs, HARDWARE_GUARD_BITS, |sum, x| sum + x, relu, output_fix)
}

/// The first tensor minus all others, as [`elementwise_add`] but with the seven guard bits of the CPU reference, for the
/// hardware has no subtraction.
///
/// # Errors
/// As [`elementwise_add`].
pub fn elementwise_sub(inputs: &[Operand<'_>], relu: bool, output_fix: i32) -> Result<ArrayD<i8>> {
    combine("elementwise_sub", inputs, CPU_GUARD_BITS, |difference, x| difference - x, relu, output_fix)
}

/// Maximum of one or more tensors, compared at their coarsest fix point with seven guard bits.
///
/// # Errors
/// As [`elementwise_add`].
pub fn elementwise_max(inputs: &[Operand<'_>], relu: bool, output_fix: i32) -> Result<ArrayD<i8>> {
    combine("elementwise_max", inputs, CPU_GUARD_BITS, i64::max, relu, output_fix)
}

/// Minimum of one or more tensors, compared at their coarsest fix point with seven guard bits.
///
/// # Errors
/// As [`elementwise_add`].
pub fn elementwise_min(inputs: &[Operand<'_>], relu: bool, output_fix: i32) -> Result<ArrayD<i8>> {
    combine("elementwise_min", inputs, CPU_GUARD_BITS, i64::min, relu, output_fix)
}

/// Product of two tensors of the same shape: `rsat(relu(a * b), f_a + f_b - output)`.
///
/// # Errors
/// An empty input or shapes that differ.
pub fn elementwise_mul(inputs: &[Operand<'_>; 2], relu: bool, output_fix: i32) -> Result<ArrayD<i8>> {
    let [a, b] = inputs;
    check_shapes("elementwise_mul", a, std::slice::from_ref(b))?;
    let shift = i64::from(a.fix) + i64::from(b.fix) - i64::from(output_fix);
    let product = |&x: &i8, &y: &i8| rsat(rectified(i64::from(x) * i64::from(y), relu), shift);
    Ok(row_major(Zip::from(&a.values).and(&b.values).map_collect(product)))
}

/// `depthwise-fix` of type MUL: each channel, the last axis, times its scale: `rsat(x * scale, input + scales - output)`.
///
/// # Errors
/// An empty input, or a number of scales other than that of the channels.
pub fn channel_scale(
    input: &ArrayViewD<'_, i8>,
    scales: &ArrayView1<'_, i8>,
    scales_fix: i32,
    fix: Rescale,
) -> Result<ArrayD<i8>> {
    const OPERATOR: &str = "channel_scale";
    check_size(OPERATOR, "input", input.shape())?;
    if input.shape().last() != Some(&scales.len()) {
        let expected = format!("one scale per channel of the input shape {:?}", input.shape());
        return Err(shape_error(OPERATOR, "scales", scales.shape(), expected));
    }
    let shift = fix.shift() + i64::from(scales_fix);
    let mut output = row_major(input.to_owned());
    for mut pixel in output.rows_mut() {
        for (q, &scale) in pixel.iter_mut().zip(scales) {
            *q = rsat(i64::from(*q) * i64::from(scale), shift);
        }
    }
    Ok(output)
}

/// `depthwise-fix` of type ADD: each channel, the last axis, plus its offset. Both are aligned to the finer fix point, so that the sum is
/// exact until its one rounding.
///
/// # Errors
/// An empty input, a number of offsets other than that of the channels, or fix points more than 40 apart.
pub fn channel_add(
    input: &ArrayViewD<'_, i8>,
    offsets: &ArrayView1<'_, i8>,
    offsets_fix: i32,
    fix: Rescale,
) -> Result<ArrayD<i8>> {
    const OPERATOR: &str = "channel_add";
    check_size(OPERATOR, "input", input.shape())?;
    if input.shape().last() != Some(&offsets.len()) {
        let expected = format!("one offset per channel of the input shape {:?}", input.shape());
        return Err(shape_error(OPERATOR, "offsets", offsets.shape(), expected));
    }
    let finer = i64::from(fix.input.max(offsets_fix));
    let lifts = [fix.input, offsets_fix].map(|own| finer - i64::from(own));
    if lifts.iter().any(|&lift| lift > WIDEST_LIFT) {
        let problem = format!("are {} and {offsets_fix}, too far apart for exact arithmetic", fix.input);
        return Err(parameter_error(OPERATOR, "fix points", problem));
    }
    let shift = finer - i64::from(fix.output);
    let mut output = row_major(input.to_owned());
    for mut pixel in output.rows_mut() {
        for (q, &offset) in pixel.iter_mut().zip(offsets) {
            *q = rsat((i64::from(*q) << lifts[0]) + (i64::from(offset) << lifts[1]), shift);
        }
    }
    Ok(output)
}

/// Bits by which a code may be shifted left: the sum of two stays within 64.
const WIDEST_LIFT: i64 = 40;

/// Fractional bits the hardware keeps of each input once it is shifted to the coarsest fix point.
const HARDWARE_GUARD_BITS: i64 = 2;
/// Fractional bits the CPU reference keeps.
const CPU_GUARD_BITS: i64 = 7;

/// Shifts all inputs to the coarsest fix point, keeping `guard_bits` below it, folds them from the first one on, and
/// rounds once.
fn combine(
    operator: &'static str,
    inputs: &[Operand<'_>],
    guard_bits: i64,
    step: impl Fn(i64, i64) -> i64,
    relu: bool,
    output_fix: i32,
) -> Result<ArrayD<i8>> {
    let [first, rest @ ..] = inputs else {
        return Err(parameter_error(operator, "inputs", "are empty"));
    };
    check_shapes(operator, first, rest)?;
    let coarsest = i64::from(rest.iter().fold(first.fix, |fix, input| fix.min(input.fix)));
    let aligned = |x: i8, fix: i32| (i64::from(x) << guard_bits) >> (i64::from(fix) - coarsest).min(63);
    let mut values = row_major(first.values.mapv(|x| aligned(x, first.fix)));
    for input in rest {
        Zip::from(&mut values).and(&input.values).for_each(|value, &x| *value = step(*value, aligned(x, input.fix)));
    }
    let shift = coarsest - i64::from(output_fix) + guard_bits;
    Ok(values.mapv(|value| rsat(rectified(value, relu), shift)))
}

fn rectified(v: i64, relu: bool) -> i64 {
    if relu { v.max(0) } else { v }
}

/// Checks that `rest` has the shape of `first`.
fn check_shapes(operator: &'static str, first: &Operand<'_>, rest: &[Operand<'_>]) -> Result<()> {
    let shape = first.values.shape();
    check_size(operator, "input 0", shape)?;
    for (index, input) in rest.iter().enumerate() {
        if input.values.shape() != shape {
            let expected = format!("{shape:?} like input 0");
            return Err(shape_error(operator, format!("input {}", index + 1), input.values.shape(), expected));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, arr1, arr2};

    use super::*;

    fn operand(values: &ArrayD<i8>, fix: i32) -> Operand<'_> {
        Operand { values: values.view(), fix }
    }

    fn scalars(x: &[i8]) -> Vec<ArrayD<i8>> {
        x.iter().map(|&x| arr1(&[x]).into_dyn()).collect()
    }

    fn add(x: &[i8], fix: &[i32], relu: bool, output: i32) -> i8 {
        let x = scalars(x);
        let operands: Vec<_> = x.iter().zip(fix).map(|(x, &fix)| operand(x, fix)).collect();
        elementwise_add(&operands, relu, output).unwrap()[[0]]
    }

    fn mul(x: [i8; 2], fix: [i32; 2], relu: bool, output: i32) -> i8 {
        let x = scalars(&x);
        elementwise_mul(&[operand(&x[0], fix[0]), operand(&x[1], fix[1])], relu, output).unwrap()[[0]]
    }

    #[test]
    fn additions_of_the_examples() {
        for (x, fix, output, expected) in [
            ([100, 27], [5, 5], 5, 127),
            ([100, 50], [5, 5], 4, 75),
            ([3, -7], [6, 5], 5, -5),
            ([-3, 1], [5, 6], 5, -2),
            ([4, 0], [8, 5], 5, 1),
            ([1, 0], [8, 5], 5, 0),
            ([13, 7], [9, 5], 6, 16),
            ([-9, 1], [12, 9], 9, 0),
            // Seven guard bits would give 1.
            ([1, 0], [8, 5], 7, 0),
        ] {
            assert_eq!(add(&x, &fix, false, output), expected, "{x:?} {fix:?} {output}");
        }
        assert_eq!(add(&[1, 3, 0], &[8, 8, 5], false, 5), 0);
    }

    #[test]
    fn seven_guard_bits_where_the_hardware_has_no_instruction() {
        let x = scalars(&[1, -128, 127]);
        let [one, low, high] = [operand(&x[0], 8), operand(&x[1], 5), operand(&x[2], 5)];
        // 2^-8 against 0: seven bits keep it, two would not.
        let zero = ArrayD::zeros(vec![1]);
        let inputs = [one, operand(&zero, 5)];
        for run in [elementwise_sub, elementwise_max] {
            assert_eq!(run(&inputs, false, 8).unwrap()[[0]], 1);
        }
        assert_eq!(elementwise_min(&inputs, false, 8).unwrap()[[0]], 0);
        let inputs = [high.clone(), low.clone()];
        assert_eq!(elementwise_sub(&inputs, false, 5).unwrap()[[0]], 127);
        assert_eq!(elementwise_sub(&inputs, false, 4).unwrap()[[0]], 127);
        assert_eq!(elementwise_sub(&inputs, false, 3).unwrap()[[0]], 64);
        assert_eq!(elementwise_sub(&[low.clone(), high.clone()], false, 3).unwrap()[[0]], -64);
        assert_eq!(elementwise_min(&inputs, true, 5).unwrap()[[0]], 0);
        assert_eq!(elementwise_min(&inputs, false, 4).unwrap()[[0]], -64);
    }

    #[test]
    fn products_of_the_examples() {
        for (x, fix, output, expected) in [
            ([100, 50], [5, 6], 4, 39),
            ([-7, 9], [3, 3], 4, -16),
            ([127, -128], [7, 7], 7, -127),
            ([3, 3], [1, 1], 1, 5),
            ([-3, 3], [1, 1], 1, -4),
        ] {
            assert_eq!(mul(x, fix, false, output), expected, "{x:?} {fix:?} {output}");
        }
    }

    #[test]
    fn relu_clears_negative_results() {
        assert_eq!(add(&[-100, 99], &[0, 0], true, 0), 0);
        assert_eq!(add(&[-100, 101], &[0, 0], true, 0), 1);
        assert_eq!(mul([-3, 3], [0, 0], true, 0), 0);
    }

    /// Two inputs equal the exact sum of numerics.md 5.5 with seven guard bits while `output <= m + 1`.
    #[test]
    fn two_inputs_equal_seven_guard_bits() {
        for shift in 0..=15i64 {
            for delta in -10..=1i64 {
                for x in i8::MIN..=i8::MAX {
                    for y in [-128, -127, -64, -1, 0, 1, 2, 77, 127i8] {
                        let sum = (i64::from(x) << 7 >> shift) + (i64::from(y) << 7);
                        let output = add(&[x, y], &[shift as i32, 0], false, delta as i32);
                        assert_eq!(output, rsat(sum, 7 - delta), "{x} {y} {shift} {delta}");
                    }
                }
            }
        }
    }

    /// The hardware's fields end at 15; larger shifts are clamped there without changing a result.
    #[test]
    fn distant_fix_points_reach_the_limit_values() {
        for x in i8::MIN..=i8::MAX {
            assert_eq!(add(&[x, 5], &[i32::MAX, 0], false, 0), add(&[x, 5], &[15, 0], false, 0));
            assert_eq!(add(&[x], &[0], false, i32::MAX), [-128, 0, 127][(x.signum() + 1) as usize]);
            assert_eq!(add(&[x], &[i32::MAX], false, i32::MIN), 0);
            assert_eq!(mul([x, -128], [i32::MAX, i32::MAX], false, i32::MIN), 0);
        }
    }

    #[test]
    fn channel_scale_uses_the_last_axis() {
        let x = arr2(&[[4, 4, -128], [1, -1, 127]]).into_dyn();
        let output = channel_scale(&x.view(), &arr1(&[1, -128, -128]).view(), 1, Rescale::none(0)).unwrap();
        assert_eq!(output, arr2(&[[2, -128, 127], [1, 64, -128]]).into_dyn());
    }

    #[test]
    fn wrong_operands_are_named() {
        let (a, b) = (ArrayD::<i8>::zeros(vec![1, 2]), ArrayD::<i8>::zeros(vec![2, 1]));
        assert_eq!(
            elementwise_add(&[operand(&a, 0), operand(&a, 0), operand(&b, 0)], false, 0).unwrap_err().to_string(),
            "elementwise_add: input 2 has shape [2, 1], expected [1, 2] like input 0"
        );
        assert_eq!(elementwise_add(&[], false, 0).unwrap_err().to_string(), "elementwise_add: inputs are empty");
        assert!(elementwise_mul(&[operand(&a, 0), operand(&b, 0)], false, 0).is_err());
        let error = channel_scale(&a.view(), &arr1(&[1]).view(), 0, Rescale::none(0)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "channel_scale: scales has shape [1], expected one scale per channel of the input shape [1, 2]"
        );
        let scalar = ArrayD::<i8>::zeros(vec![]);
        assert!(channel_scale(&scalar.view(), &arr1(&[1]).view(), 0, Rescale::none(0)).is_err());
    }
}
