//! Fix points to shift fields and constants (`spec/recipes-conv.md` section 4, `spec/recipes-eltwise-data.md` sections 2 and 7).

use crate::layer::Activation;
use crate::limits::{self, Violation};

/// Activation codes of Conv and Alu.
pub(crate) mod activation_code {
    pub(crate) const NONE: u32 = 0;
    pub(crate) const RELU: u32 = 1;
    pub(crate) const LEAKY_RELU: u32 = 3;
    pub(crate) const RELU6: u32 = 4;
}

/// The hardware clamp of code 4 is 96 whatever the fix point, so above this fix point `ReLU6` is plain ReLU with saturation.
const RELU6_CLAMP_FIX_POINT_MAX: i32 = 4;

/// The `act_type` of an activation in front of an output with this fix point.
pub(crate) const fn activation_code(activation: Activation, output_fix_point: i32) -> u32 {
    match activation {
        Activation::None => activation_code::NONE,
        Activation::Relu => activation_code::RELU,
        Activation::LeakyRelu => activation_code::LEAKY_RELU,
        Activation::Relu6 if output_fix_point > RELU6_CLAMP_FIX_POINT_MAX => activation_code::RELU,
        Activation::Relu6 => activation_code::RELU6,
    }
}

/// A bias vector as the hardware takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HardwareBias {
    /// Bytes to lay out, one per output channel.
    pub bytes: Vec<i8>,
    /// The bias shift field, `0 ..= 20`: the hardware adds `byte · 2^shift` to twice the accumulator.
    pub shift: u32,
}

/// Aligns a bias with the accumulator of a convolution.
///
/// The hardware adds `bias · 2^shift` to twice the accumulator, `shift = input + weights − bias + 1` in fix points.
/// * A bias finer than half an accumulator unit (`shift < 0`) is shifted right, rounding down. The result is still exact for no
///   activation, ReLU and `ReLU6`. Behind a leaky ReLU single outputs can be one off the operator reference; this is what AMD's
///   compiler emits, so what the hardware computes is the meaning.
/// * A bias coarser than the field allows (`shift > 20`) is shifted left if every value stays in eight bits.
///
/// # Errors
/// The bias is so coarse that a shifted value needs more than eight bits.
pub fn hardware_bias(
    bias: &[i8],
    input_fix_point: i32,
    weight_fix_point: i32,
    bias_fix_point: i32,
) -> Result<HardwareBias, Violation> {
    let shift = i64::from(input_fix_point) + i64::from(weight_fix_point) - i64::from(bias_fix_point) + 1;
    let max = limits::BIAS_SHIFT.max;
    if shift < 0 {
        let down = shift.unsigned_abs().min(7) as u32;
        return Ok(HardwareBias { bytes: bias.iter().map(|&value| value >> down).collect(), shift: 0 });
    }
    let up = (shift - max).max(0);
    let scaled = |value: i8| match (value, up) {
        (0, _) => Some(0),
        (_, 0..8) => i8::try_from(i32::from(value) << up).ok(),
        _ => None,
    };
    let bytes: Option<Vec<i8>> = bias.iter().map(|&value| scaled(value)).collect();
    let bytes = bytes.ok_or_else(|| limits::BIAS_SHIFT.violated_by(shift))?;
    Ok(HardwareBias { bytes, shift: shift.min(max) as u32 })
}

/// The output shift field of Conv and Alu modes 0 and 6: `input + weights − output` in fix points.
pub(crate) const fn output_shift(input_fix_point: i32, weight_fix_point: i32, output_fix_point: i32) -> i64 {
    input_fix_point as i64 + weight_fix_point as i64 - output_fix_point as i64
}

/// `(factor, shift)` with `factor · 2^-shift` standing for `1 / (height · width)` in an average pool.
///
/// Some sizes are fixed by the quantisers; for the others the pair with the smallest error wins, and of equal ones the smallest
/// shift (`spec/numerics.md` section 5.4). The factor never exceeds 127 for windows up to 256 × 256.
pub fn average_factor(kernel: [u32; 2]) -> (u32, u32) {
    match kernel {
        [3, 3] => return (7, 6),
        [5, 5] => return (10, 8),
        [6, 6] => return (7, 8),
        [7, 7] => return (21, 10),
        [14, 14] => return (21, 12),
        _ => {}
    }
    let cells = u64::from(kernel[0]).saturating_mul(u64::from(kernel[1])).clamp(1, 1 << 32);
    // |factor/2^shift − 1/cells| = error / (cells · 2^shift) with error = |factor · cells − 2^shift|.
    let error = |shift: u32| {
        let factor = ((2 << shift) + cells) / (2 * cells);
        (factor, (factor * cells).abs_diff(1 << shift))
    };
    let end = (cells * 128).next_power_of_two().ilog2();
    let mut best = 0;
    for shift in 1..end {
        let (best_error, this_error) = (u128::from(error(best).1), u128::from(error(shift).1));
        if this_error << best < best_error << shift {
            best = shift;
        }
    }
    (error(best).0 as u32, best)
}

/// `e(field)` of the pooling modes: the field for a right shift by `shift`, or a left shift if negative.
pub(crate) const fn pool_shift_field(shift: i64) -> i64 {
    if shift > 0 { 8 + shift } else { -shift }
}

/// `g(field)` of the leaky modes: the field for a right shift by `shift`, or a left shift if negative.
pub(crate) const fn leaky_shift_field(shift: i64) -> i64 {
    if shift > 0 { 32 + shift } else { -shift }
}

/// Shifts of an Elew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ElewShifts {
    /// `shift_read` of each input.
    pub(crate) read: Vec<u32>,
    /// `shift_write`.
    pub(crate) write: u32,
}

const ELEW_SHIFT_MAX: i64 = 15;

/// `shift_write` for a right shift by `shift`, or a left shift if negative, clamped to the field.
const fn elew_write_field(shift: i64) -> u32 {
    if shift > ELEW_SHIFT_MAX {
        16 + ELEW_SHIFT_MAX as u32
    } else if shift > 0 {
        16 + shift as u32
    } else if shift < -ELEW_SHIFT_MAX {
        ELEW_SHIFT_MAX as u32
    } else {
        -shift as u32
    }
}

/// Shifts of a sum. Clamping never changes the result (`spec/recipes-eltwise-data.md` section 2).
pub(crate) fn sum_shifts(input_fix_points: &[i32], output_fix_point: i32) -> ElewShifts {
    let coarsest = input_fix_points.iter().copied().min().unwrap_or(0);
    let read = |&fix: &i32| (i64::from(fix) - i64::from(coarsest)).min(ELEW_SHIFT_MAX) as u32;
    ElewShifts {
        read: input_fix_points.iter().map(read).collect(),
        write: elew_write_field(i64::from(coarsest) - i64::from(output_fix_point)),
    }
}

/// Shifts of a product. A right shift above 15 makes every result 0, which a clamped one would not.
pub(crate) fn product_shifts(input_fix_points: [i32; 2], output_fix_point: i32) -> ElewShifts {
    let [first, second] = input_fix_points;
    let right = i64::from(first) + i64::from(second) - i64::from(output_fix_point);
    let read = if right > ELEW_SHIFT_MAX { ELEW_SHIFT_MAX as u32 } else { 0 };
    ElewShifts { read: vec![read; 2], write: elew_write_field(right) }
}

/// Binary exponent of the weight of a stand-alone `ReLU6`: what a right shift alone cannot give.
pub(crate) const fn relu6_exponent(input_fix_point: i32, output_fix_point: i32) -> i64 {
    let exponent = output_fix_point as i64 - input_fix_point as i64;
    if exponent > 0 { exponent } else { 0 }
}

/// The weight every channel of a stand-alone [`Layer::Relu6`](crate::Layer::Relu6) is multiplied by.
///
/// # Errors
/// The output fix point is more than 6 above the input's, so the weight does not fit in eight bits.
pub fn relu6_weight(input_fix_point: i32, output_fix_point: i32) -> Result<i8, Violation> {
    let exponent = relu6_exponent(input_fix_point, output_fix_point);
    limits::RELU6_EXPONENT.admit(exponent)?;
    Ok(1 << exponent)
}
