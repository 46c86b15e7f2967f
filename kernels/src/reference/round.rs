//! Rounding, saturation and the change of fix point (numerics.md 3 and 5.21; dpuczdx8g-isa.md 3.1.1).

use ndarray::{Array, ArrayView, Dimension};

use super::layout::row_major;

/// `v / 2^shift`, rounded half up and saturated: `clamp(floor(v / 2^shift + 1/2), -128, 127)`.
///
/// Exact for every `v` and every `shift`; a negative `shift` multiplies.
pub const fn rsat(v: i64, shift: i64) -> i8 {
    if shift <= 0 {
        // Any non-zero value saturates at 2^8 already, so larger left shifts change nothing.
        let left = if shift < -8 { 8 } else { -shift };
        return saturate(clamp(v, -256, 256) << left);
    }
    // floor(v / 2^shift + 1/2) = floor((floor(v / 2^(shift-1)) + 1) / 2), which cannot overflow.
    let halves = v >> (if shift > 64 { 63 } else { shift - 1 });
    saturate((halves >> 1) + (halves & 1))
}

/// The nearest int8 of `v`.
pub const fn saturate(v: i64) -> i8 {
    clamp(v, i8::MIN as i64, i8::MAX as i64) as i8
}

const fn clamp(v: i64, low: i64, high: i64) -> i64 {
    if v < low {
        low
    } else if v > high {
        high
    } else {
        v
    }
}

/// `q * 2^delta` rounded half up and saturated, with `delta = output fix point - input fix point`.
pub const fn requantise(q: i8, delta: i64) -> i8 {
    rsat(q as i64, delta.saturating_neg())
}

/// The fix points in front of and behind a one-input operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rescale {
    /// Fix point of the input.
    pub input: i32,
    /// Fix point of the output.
    pub output: i32,
}

impl Rescale {
    /// Both sides at the same fix point.
    pub const fn none(fix_point: i32) -> Self {
        Self { input: fix_point, output: fix_point }
    }

    /// Right shift from the input's to the output's unit, `input - output`.
    pub const fn shift(self) -> i64 {
        self.input as i64 - self.output as i64
    }

    /// Requantises every element: `rsat(q, input - output)`.
    pub fn apply<D: Dimension>(self, values: &ArrayView<'_, i8, D>) -> Array<i8, D> {
        row_major(values.mapv(|q| rsat(q.into(), self.shift())))
    }
}

/// What to do with a value that lies between two integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RoundMode {
    /// `DPU_ROUND`, the rounding of the hardware: ties toward plus infinity.
    #[default]
    HalfUp,
    /// `STD_ROUND` of the `fix` and `float2fix` operators: ties away from zero.
    HalfAwayFromZero,
    /// `PY3_ROUND`: ties to the even neighbour.
    HalfToEven,
}

impl RoundMode {
    /// The int8 code of a real value: `value * 2^fix_point`, rounded in this mode and saturated. NaN gives 0.
    pub fn quantise(self, value: f32, fix_point: i32) -> i8 {
        let scaled = f64::from(value) * power_of_two(fix_point);
        match self {
            Self::HalfUp => round_real(scaled),
            Self::HalfAwayFromZero => scaled.round() as i8,
            Self::HalfToEven => scaled.round_ties_even() as i8,
        }
    }
}

/// The int8 code of a real value: `floor(value * 2^fix_point + 1/2)`, saturated. NaN gives 0.
pub fn quantise(value: f32, fix_point: i32) -> i8 {
    RoundMode::HalfUp.quantise(value, fix_point)
}

/// The real value of an int8 code, `q * 2^-fix_point`; exact while the result is a normal f32.
pub fn dequantise(q: i8, fix_point: i32) -> f32 {
    (f64::from(q) * power_of_two(fix_point.saturating_neg())) as f32
}

/// Quantises every element with [`RoundMode::quantise`].
pub fn quantise_all<D: Dimension>(values: &ArrayView<'_, f32, D>, fix_point: i32, mode: RoundMode) -> Array<i8, D> {
    row_major(values.mapv(|value| mode.quantise(value, fix_point)))
}

/// Dequantises every element with [`dequantise`].
pub fn dequantise_all<D: Dimension>(values: &ArrayView<'_, i8, D>, fix_point: i32) -> Array<f32, D> {
    row_major(values.mapv(|q| dequantise(q, fix_point)))
}

/// A real number rounded half up and saturated. NaN gives 0. The sum with 1/2 is exact near a tie when `value` has no
/// more than the 24 significant bits of an f32.
pub(super) fn round_real(value: f64) -> i8 {
    (value + 0.5).floor() as i8
}

/// A real number of input units in output units: `floor(value / 2^shift + 1/2)`, saturated.
pub(super) fn requantise_real(value: f32, shift: i64) -> i8 {
    let exponent = shift.saturating_neg().clamp(i32::MIN.into(), i32::MAX.into()) as i32;
    round_real(f64::from(value) * power_of_two(exponent))
}

/// `2^exponent` as f64. The clamp keeps `0 * 2^exponent` from becoming NaN; every f32 saturates or vanishes well before.
pub(super) fn power_of_two(exponent: i32) -> f64 {
    f64::exp2(f64::from(exponent.clamp(-1000, 500)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `floor(v / 2^shift + 1/2)` in 256-bit-safe integers, independent of the shift tricks above.
    fn rsat_by_division(v: i64, shift: u32) -> i8 {
        let divisor = 1i128 << shift;
        (2 * i128::from(v) + divisor).div_euclid(2 * divisor).clamp(-128, 127) as i8
    }

    #[test]
    fn right_shifts_equal_floor_division_for_every_shift() {
        for shift in 0..=100 {
            for magnitude in 0..63 {
                for offset in -3..=3 {
                    for v in [(1i64 << magnitude) + offset, -(1i64 << magnitude) + offset, i64::MAX, i64::MIN] {
                        assert_eq!(rsat(v, shift.into()), rsat_by_division(v, shift), "{v} >> {shift}");
                    }
                }
            }
        }
    }

    #[test]
    fn left_shifts_multiply_and_saturate() {
        for shift in 0..=200 {
            for v in -300i64..=300 {
                let expected = (v as f64 * f64::exp2(f64::from(shift))).clamp(-128.0, 127.0) as i8;
                assert_eq!(rsat(v, -i64::from(shift)), expected, "{v} << {shift}");
            }
        }
        assert_eq!(rsat(i64::MAX, -63), 127);
        assert_eq!(rsat(i64::MIN, i64::MIN), -128);
        assert_eq!(rsat(0, i64::MIN), 0);
    }

    #[test]
    fn extreme_shifts_leave_nothing() {
        for v in [i64::MIN, -1, 0, 1, i64::MAX] {
            assert_eq!(rsat(v, 65), 0);
            assert_eq!(rsat(v, i64::MAX), 0);
        }
        assert_eq!(requantise(-128, i64::MIN), 0);
        assert_eq!(requantise(-1, i64::MAX), -128);
    }

    /// The table "Verified points" of numerics.md 3.
    #[test]
    fn modes_agree_with_the_table() {
        let x = [-129.0, -128.5, -128.4, -2.5, -1.5, -0.5, -0.4999, 0.5, 1.5, 2.5, 126.5, 127.4, 127.5];
        let rows = [
            (RoundMode::HalfUp, [-128, -128, -128, -2, -1, 0, 0, 1, 2, 3, 127, 127, 127]),
            (RoundMode::HalfToEven, [-128, -128, -128, -2, -2, 0, 0, 0, 2, 2, 126, 127, 127]),
            (RoundMode::HalfAwayFromZero, [-128, -128, -128, -3, -2, -1, 0, 1, 2, 3, 127, 127, 127]),
        ];
        for (mode, expected) in rows {
            assert_eq!(x.map(|value| mode.quantise(value, 0)), expected, "{mode:?}");
        }
    }

    /// The examples of numerics.md 5.21.
    #[test]
    fn quantises_the_examples() {
        let x = [0.015_625, 0.046_875, -0.015_625, -0.046_875, 3.97, 4.0, -4.02];
        assert_eq!(x.map(|value| quantise(value, 5)), [1, 2, 0, -1, 127, 127, -128]);
        let ties = [0.015_625, 0.046_875, -0.015_625, -0.046_875];
        assert_eq!(ties.map(|value| RoundMode::HalfAwayFromZero.quantise(value, 5)), [1, 2, -1, -2]);
        assert_eq!(ties.map(|value| RoundMode::HalfToEven.quantise(value, 5)), [0, 2, 0, -2]);
    }

    #[test]
    fn quantises_values_beside_a_tie_exactly() {
        assert_eq!(quantise(0.5f32.next_down(), 0), 0);
        assert_eq!(quantise((-0.5f32).next_down(), 0), -1);
        assert_eq!(quantise((-0.5f32).next_up(), 0), 0);
    }

    #[test]
    fn quantises_extreme_inputs() {
        assert_eq!(quantise(f32::NAN, 0), 0);
        assert_eq!(quantise(f32::INFINITY, -300), 127);
        assert_eq!(quantise(f32::NEG_INFINITY, 5), -128);
        assert_eq!(quantise(0.0, i32::MAX), 0);
        assert_eq!(quantise(f32::MIN_POSITIVE, i32::MAX), 127);
        assert_eq!(quantise(f32::MAX, i32::MIN), 0);
        assert_eq!(quantise(f32::MIN, i32::MIN), 0);
    }

    #[test]
    fn dequantise_then_quantise_is_the_identity() {
        for fix_point in -20..=20 {
            for q in i8::MIN..=i8::MAX {
                assert_eq!(quantise(dequantise(q, fix_point), fix_point), q);
            }
        }
        assert_eq!(dequantise(-128, 7).to_bits(), (-1.0f32).to_bits());
        assert_eq!(dequantise(0, i32::MIN).to_bits(), 0.0f32.to_bits());
    }
}
