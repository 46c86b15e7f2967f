//! Activations, applied to an exact value before its only rounding (numerics.md 4, 5.8 to 5.10).

use ndarray::{Array, ArrayView, ArrayView1, ArrayViewD, Dimension};

use super::error::{Result, parameter_error, shape_error};
use super::layout::{check_size, row_major};
use super::round::{Rescale, rsat};

/// Numerator of the leaky slope 26/256 that is wired into the hardware.
const LEAKY_NUMERATOR: i64 = 26;
/// Binary logarithm of the denominator of the leaky slope 26/256.
const LEAKY_SHIFT: i64 = 8;
/// The code of 6.0 at fix point 4, where the hardware clamps `Relu6`.
const RELU6_LIMIT: i8 = 96;
/// 1/6 as `2731 / 2^14`.
const SIXTH: i64 = 2731;
/// Binary logarithm of the denominator of [`SIXTH`].
const SIXTH_SHIFT: i64 = 14;

/// A function applied to the exact result of an operator, before rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activation {
    /// `t`
    #[default]
    None,
    /// `max(t, 0)`
    Relu,
    /// `t < 0 ? t * 26/256 : t`, the one slope the hardware knows.
    LeakyRelu,
    /// `max(t, 0)`, and at most the code 96 if the output fix point is 4 or less. Above 4 the int8 maximum already is
    /// below 6.0; below 4 the limit is larger than 6.0, as in the hardware.
    Relu6,
    /// `t < 0 ? t * multiplier / 2^shift : t`, one slope for the whole tensor.
    PRelu {
        /// Numerator of the slope.
        multiplier: i8,
        /// Binary logarithm of the denominator of the slope.
        shift: i32,
    },
    /// `(x + 3) / 6` clamped to `0..`, of the value `x` rounded and saturated to int8 at fix point `pre`. The output
    /// fix point must be 7 or more for the upper limit 1.0 to be that of int8.
    HardSigmoid {
        /// Fix point of `x`; the formula holds for none below 0.
        pre: u32,
    },
    /// `x * h` with `x` as in [`Activation::HardSigmoid`] and `h` its hard sigmoid rounded at fix point `gate`.
    HardSwish {
        /// Fix point of `x`.
        pre: u32,
        /// Fix point of the hard sigmoid.
        gate: i32,
    },
}

impl Activation {
    /// The activation of the real value `v * 2^-fix`, as an int8 code at fix point `output`.
    ///
    /// `|v|` must be below 2^56 and `|fix|` below 2^62; the operators of this module stay below that.
    pub const fn apply(self, v: i64, fix: i64, output: i32) -> i8 {
        let output_fix = output as i64;
        let shift = fix - output_fix;
        match self {
            Self::Relu => relu(v, shift),
            Self::LeakyRelu if v < 0 => rsat(v * LEAKY_NUMERATOR, shift + LEAKY_SHIFT),
            Self::PRelu { multiplier, shift: slope_shift } if v < 0 => {
                rsat(v * multiplier as i64, shift + slope_shift as i64)
            }
            Self::None | Self::LeakyRelu | Self::PRelu { .. } => rsat(v, shift),
            Self::Relu6 => {
                let rounded = relu(v, shift);
                if output <= 4 && rounded > RELU6_LIMIT { RELU6_LIMIT } else { rounded }
            }
            Self::HardSigmoid { pre } => hard_sigmoid_code(rsat(v, fix - pre as i64), pre, output),
            Self::HardSwish { pre, gate } => {
                let x = rsat(v, fix - pre as i64);
                let h = hard_sigmoid_code(x, pre, gate);
                rsat(x as i64 * h as i64, pre as i64 + gate as i64 - output_fix)
            }
        }
    }
}

const fn relu(v: i64, shift: i64) -> i8 {
    rsat(if v > 0 { v } else { 0 }, shift)
}

/// `rsat(clamp(2731 * q + 3 * 2731 * 2^input, 0, 2^32), 14 + input - output)`.
const fn hard_sigmoid_code(q: i8, input: u32, output: i32) -> i8 {
    // From fix point 20 on the offset alone reaches the upper clamp, whatever q is.
    let offset = (3 * SIXTH) << (if input > 20 { 20 } else { input });
    let u = SIXTH * q as i64 + offset;
    let limit = 1i64 << 32;
    let clamped = if u < 0 {
        0
    } else if u > limit {
        limit
    } else {
        u
    };
    rsat(clamped, SIXTH_SHIFT + input as i64 - output as i64)
}

/// An activation as an operator of its own: requantises and rounds once.
pub fn activate<D: Dimension>(input: &ArrayView<'_, i8, D>, activation: Activation, fix: Rescale) -> Array<i8, D> {
    row_major(input.mapv(|q| activation.apply(q.into(), fix.input.into(), fix.output)))
}

/// `hard-sigmoid-fix`: `rsat(max(0, 2731 * q + 3 * 2731 * 2^input), 14 + input - output)`.
///
/// # Errors
/// A negative input fix point.
pub fn hard_sigmoid<D: Dimension>(input: &ArrayView<'_, i8, D>, fix: Rescale) -> Result<Array<i8, D>> {
    let pre = hard_sigmoid_input("hard_sigmoid", fix)?;
    Ok(activate(input, Activation::HardSigmoid { pre }, fix))
}

/// Hard swish with its gate at fix point `gate` (7 in the quantisers): `rsat(q * h, input + gate - output)`.
///
/// # Errors
/// A negative input fix point.
pub fn hard_swish<D: Dimension>(input: &ArrayView<'_, i8, D>, gate: i32, fix: Rescale) -> Result<Array<i8, D>> {
    let pre = hard_sigmoid_input("hard_swish", fix)?;
    Ok(activate(input, Activation::HardSwish { pre, gate }, fix))
}

fn hard_sigmoid_input(operator: &'static str, fix: Rescale) -> Result<u32> {
    u32::try_from(fix.input).map_err(|_| {
        let problem = format!("is {}, but must not be negative; requantise to fix point 0 first", fix.input);
        parameter_error(operator, "input fix point", problem)
    })
}

/// PReLU with one slope per channel, the last axis: `q < 0 ? q * slope / 2^slope_fix : q`, rounded once.
///
/// A negative slope uses the shift of the negative branch too, as the operator reference does; the simulator's one-pass
/// PReLU instruction does not (dpuczdx8g-isa.md B.6).
///
/// # Errors
/// A number of slopes other than that of the channels.
pub fn prelu(
    input: &ArrayViewD<'_, i8>,
    slopes: &ArrayView1<'_, i8>,
    slope_fix: i32,
    fix: Rescale,
) -> Result<ndarray::ArrayD<i8>> {
    const OPERATOR: &str = "prelu";
    check_size(OPERATOR, "input", input.shape())?;
    if input.shape().last() != Some(&slopes.len()) {
        let expected = format!("one slope per channel of the input shape {:?}", input.shape());
        return Err(shape_error(OPERATOR, "slopes", slopes.shape(), expected));
    }
    let mut output = row_major(input.to_owned());
    for mut pixel in output.rows_mut() {
        for (q, &multiplier) in pixel.iter_mut().zip(slopes) {
            let slope = Activation::PRelu { multiplier, shift: slope_fix };
            *q = slope.apply((*q).into(), fix.input.into(), fix.output);
        }
    }
    Ok(output)
}

#[cfg(test)]
mod tests {
    use ndarray::{arr1, arr2};

    use super::*;

    #[test]
    fn hard_sigmoids_of_the_table() {
        let q = arr1(&[-128, -48, -47, -1, 0, 1, 16, 48, 100, 127]);
        for (input, output, expected) in [
            (4, 7, [0, 0, 1, 63, 64, 65, 85, 127, 127, 127]),
            (7, 8, [85, 112, 112, 127, 127, 127, 127, 127, 127, 127]),
            (8, 7, [53, 60, 60, 64, 64, 64, 65, 68, 72, 75]),
        ] {
            let output = hard_sigmoid(&q.view(), Rescale { input, output }).unwrap();
            assert_eq!(output, arr1(&expected), "{input}");
        }
    }

    #[test]
    fn hard_swishes_of_the_example() {
        let q = arr1(&[-64, -48, -24, -8, 0, 8, 24, 48, 64, 127]);
        let gate = hard_sigmoid(&q.view(), Rescale { input: 4, output: 7 }).unwrap();
        assert_eq!(gate, arr1(&[0, 0, 32, 53, 64, 75, 96, 127, 127, 127]));
        let output = hard_swish(&q.view(), 7, Rescale::none(4)).unwrap();
        assert_eq!(output, arr1(&[0, 0, -6, -3, 0, 5, 18, 48, 64, 126]));
    }

    #[test]
    fn a_fused_hard_sigmoid_rounds_its_input_first() {
        // 2.5 at fix point 4 rounds to 3, and saturates at 127.
        let fused = |v| Activation::HardSigmoid { pre: 4 }.apply(v, 5, 7);
        let alone = |q| Activation::HardSigmoid { pre: 4 }.apply(q, 4, 7);
        assert_eq!(fused(5), alone(3));
        assert_eq!(fused(100_000), alone(127));
        assert_eq!(fused(-100_000), alone(-128));
    }

    /// From fix point 20 on `3 * 2731 * 2^fix` exceeds the clamp at 2^32.
    #[test]
    fn the_hard_sigmoid_clamps_at_two_to_the_32() {
        for pre in [20, 21, 1000, i32::MAX] {
            for q in [-128, 0, 127] {
                let code = |output| hard_sigmoid_code(q, pre.unsigned_abs(), output);
                // 2^32 / 2^(14 + pre - output) = 64
                assert_eq!(code(pre - 12), 64, "{pre}");
                assert_eq!(code(pre - 13), 32, "{pre}");
            }
        }
        assert_eq!(hard_sigmoid_code(0, 19, 0), rsat((3 * 2731) << 19, 33));
    }

    #[test]
    fn relu6_clamps_at_96_up_to_fix_point_4() {
        for (output, expected) in [(2, 96), (3, 96), (4, 96), (5, 127), (6, 127)] {
            assert_eq!(Activation::Relu6.apply(127, output.into(), output), expected);
        }
        assert_eq!([-128, -1, 0, 95, 96, 97].map(|v| Activation::Relu6.apply(v, 4, 4)), [0, 0, 0, 95, 96, 96]);
        // 95.5 rounds into the limit; 96.5 is above it.
        assert_eq!([190, 191, 192, 193].map(|v| Activation::Relu6.apply(v, 5, 4)), [95, 96, 96, 96]);
    }

    #[test]
    fn leaky_relu_rounds_once() {
        for v in -100_000..1000i64 {
            for shift in [0, 1, 4, 7] {
                let exact = v as f64 / f64::exp2(shift as f64) * if v < 0 { 0.101_562_5 } else { 1.0 };
                let expected = (exact + 0.5).floor().clamp(-128.0, 127.0) as i8;
                assert_eq!(Activation::LeakyRelu.apply(v, shift, 0), expected, "{v} {shift}");
            }
        }
    }

    #[test]
    fn leaky_relu_is_a_prelu_of_26_over_256() {
        let leaky = Activation::PRelu { multiplier: 26, shift: 8 };
        for q in i8::MIN..=i8::MAX {
            for output in -3..=9 {
                assert_eq!(leaky.apply(q.into(), 3, output), Activation::LeakyRelu.apply(q.into(), 3, output));
            }
        }
    }

    #[test]
    fn the_largest_values_do_not_overflow() {
        let limit = (1i64 << 56) - 1;
        let steep = Activation::PRelu { multiplier: -128, shift: 0 };
        assert_eq!(steep.apply(-limit, 0, 0), 127);
        assert_eq!(steep.apply(-limit, 57, 0), 64);
        assert_eq!(Activation::LeakyRelu.apply(-limit, 52, 0), -2);
    }

    #[test]
    fn prelu_takes_one_slope_per_channel() {
        let x = arr2(&[[-128, -128, -128], [10, -10, 127]]).into_dyn();
        let output = prelu(&x.view(), &arr1(&[1, -1, 127]).view(), 6, Rescale::none(0)).unwrap();
        assert_eq!(output, arr2(&[[-2, 2, -128], [10, 0, 127]]).into_dyn());
        let rescaled = prelu(&x.view(), &arr1(&[1, -1, 127]).view(), 6, Rescale { input: 1, output: 0 }).unwrap();
        assert_eq!(rescaled, arr2(&[[-1, 1, -127], [5, 0, 64]]).into_dyn());
    }

    #[test]
    fn wrong_parameters_are_named() {
        let x = arr2(&[[1i8, 2]]).into_dyn();
        for (result, name) in [
            (hard_sigmoid(&x.view(), Rescale::none(-1)), "hard_sigmoid"),
            (hard_swish(&x.view(), 7, Rescale::none(-1)), "hard_swish"),
        ] {
            let problem = "input fix point is -1, but must not be negative; requantise to fix point 0 first";
            assert_eq!(result.unwrap_err().to_string(), format!("{name}: {problem}"));
        }
        assert_eq!(
            prelu(&x.view(), &arr1(&[1]).view(), 6, Rescale::none(0)).unwrap_err().to_string(),
            "prelu: slopes has shape [1], expected one slope per channel of the input shape [1, 2]"
        );
    }
}
