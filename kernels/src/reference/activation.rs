//! Activations, applied to an exact value before its only rounding (numerics.md 4, 5.8 to 5.10).

use ndarray::{Array, ArrayView, ArrayView1, ArrayViewD, Dimension};

use super::error::{Result, check_size, parameter_error, shape_error};
use super::round::{Rescale, rsat};

/// Numerator of the leaky slope 26/256 that is wired into the hardware.
const LEAKY_NUMERATOR: i64 = 26;
/// Binary logarithm of the denominator of the leaky slope 26/256.
const LEAKY_SHIFT: i64 = 8;
/// The code of 6.0 at fix point 4, where the hardware clamps ReLU6.
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
        /// Fix point of `x`, not negative.
        pre: i32,
    },
    /// `x * h` with `x` as in [`Activation::HardSigmoid`] and `h` its hard sigmoid rounded at fix point `gate`.
    HardSwish {
        /// Fix point of `x`, not negative.
        pre: i32,
        /// Fix point of the hard sigmoid.
        gate: i32,
    },
}

impl Activation {
    /// The activation of the real value `v * 2^-fix`, as an int8 code at fix point `output`.
    ///
    /// `|v|` must be below 2^56; the operators of this module stay below that.
    pub const fn apply(self, v: i64, fix: i64, output: i32) -> i8 {
        let output_fix = output as i64;
        let shift = fix - output_fix;
        match self {
            Self::None => rsat(v, shift),
            Self::Relu => relu(v, shift),
            Self::LeakyRelu if v < 0 => rsat(v * LEAKY_NUMERATOR, shift + LEAKY_SHIFT),
            Self::PRelu { multiplier, shift: slope_shift } if v < 0 => {
                rsat(v * multiplier as i64, shift + slope_shift as i64)
            }
            Self::LeakyRelu | Self::PRelu { .. } => rsat(v, shift),
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

    /// Checks the parameters for use by `operator`.
    pub(super) fn check(self, operator: &'static str) -> Result<()> {
        match self {
            Self::HardSigmoid { pre } | Self::HardSwish { pre, .. } if pre < 0 => Err(parameter_error(
                operator,
                "hard sigmoid fix point",
                format!("is {pre}, but must not be negative; requantise the input to fix point 0 first"),
            )),
            _ => Ok(()),
        }
    }
}

const fn relu(v: i64, shift: i64) -> i8 {
    rsat(if v > 0 { v } else { 0 }, shift)
}

/// `rsat(clamp(2731 * q + 3 * 2731 * 2^input, 0, 2^32), 14 + input - output)` for `input >= 0`.
const fn hard_sigmoid_code(q: i8, input: i32, output: i32) -> i8 {
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
///
/// # Errors
/// A negative fix point in front of a hard sigmoid.
pub fn activate<D: Dimension>(
    input: &ArrayView<'_, i8, D>,
    activation: Activation,
    fix: Rescale,
) -> Result<Array<i8, D>> {
    activation.check("activation")?;
    Ok(input.mapv(|q| activation.apply(q.into(), fix.input.into(), fix.output)))
}

/// `hard-sigmoid-fix`: `rsat(max(0, 2731 * q + 3 * 2731 * 2^input), 14 + input - output)`.
///
/// # Errors
/// A negative input fix point.
pub fn hard_sigmoid<D: Dimension>(input: &ArrayView<'_, i8, D>, fix: Rescale) -> Result<Array<i8, D>> {
    activate(input, Activation::HardSigmoid { pre: fix.input }, fix)
}

/// Hard swish with its gate at fix point `gate` (7 in the quantisers): `rsat(q * h, input + gate - output)`.
///
/// # Errors
/// A negative input fix point.
pub fn hard_swish<D: Dimension>(input: &ArrayView<'_, i8, D>, gate: i32, fix: Rescale) -> Result<Array<i8, D>> {
    activate(input, Activation::HardSwish { pre: fix.input, gate }, fix)
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
    let mut output = input.to_owned();
    for mut pixel in output.rows_mut() {
        for (q, &multiplier) in pixel.iter_mut().zip(slopes) {
            let slope = Activation::PRelu { multiplier, shift: slope_fix };
            *q = slope.apply((*q).into(), fix.input.into(), fix.output);
        }
    }
    Ok(output)
}
