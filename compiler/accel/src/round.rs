//! Rounding, saturation and activation (`spec/dpuczdx8g-isa.md` section 3.1.1).

/// `clamp(round_half_up(v / 2^shift))`; a negative shift multiplies. `v · 2^-shift` must fit 64 bits.
#[expect(clippy::inline_always, reason = "the compiler vectorises it for the tier of its caller")]
#[inline(always)]
pub(crate) fn round_shift(v: i64, shift: i32) -> i8 {
    let rounded = if shift <= 0 {
        v << -shift
    } else {
        // floor(v / 2^s + 1/2) = floor((h + 1) / 2) with h = floor(v / 2^(s-1)); so written it cannot overflow.
        let halves = v >> (shift - 1).min(63);
        (halves >> 1) + (halves & 1)
    };
    rounded.clamp(-128, 127) as i8
}

/// The same in 32 bits, limited to `low ..= high` inside int8; for left shifts of at most 22.
#[expect(clippy::inline_always, reason = "the compiler vectorises it for the tier of its caller")]
#[inline(always)]
fn round_shift_32(v: i32, shift: i32, low: i32, high: i32) -> i8 {
    let rounded = if shift <= 0 {
        // Whatever lies outside int8 before a left shift does so behind it.
        v.clamp(-256, 256) << -shift
    } else {
        let halves = v >> (shift - 1).min(31);
        (halves >> 1) + (halves & 1)
    };
    rounded.clamp(low, high) as i8
}

/// Activation fused into an instruction, applied to the exact value before it is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activation {
    /// `v · 26/256` for negative values, the value itself for others.
    LeakyRelu,
    /// Limits on the output scale. Integer limits may as well be applied after rounding: -128 and 127 for none, 0 and 127 for
    /// ReLU, 0 and 96 for `ReLU6`.
    Clamp { low: i8, high: i8 },
}

impl Activation {
    /// Rounding and saturation alone.
    pub(crate) const NONE: Self = Self::Clamp { low: i8::MIN, high: i8::MAX };

    /// The activation with a legal code.
    pub(crate) fn from_code(code: u32) -> Self {
        match code {
            1 => Self::Clamp { low: 0, high: 127 },
            3 => Self::LeakyRelu,
            4 => Self::Clamp { low: 0, high: 96 },
            _ => Self::NONE,
        }
    }

    /// Activates and rounds `v / 2^shift`. `v · 26` and `v · 2^-shift` must fit 64 bits.
    #[expect(clippy::inline_always, reason = "the compiler vectorises it for the tier of its caller")]
    #[inline(always)]
    pub(crate) fn round(self, v: i64, shift: i32) -> i8 {
        match self {
            Self::LeakyRelu if v < 0 => round_shift(v * 26, shift + 8),
            Self::LeakyRelu => round_shift(v, shift),
            Self::Clamp { low, high } => round_shift(v, shift).clamp(low, high),
        }
    }

    /// The same for many values, with left shifts of at most 22.
    #[expect(clippy::inline_always, reason = "the compiler vectorises it for the tier of its caller")]
    #[inline(always)]
    pub(crate) fn round_all(self, values: &[i32], shift: i32, out: &mut [i8]) {
        match self {
            Self::LeakyRelu => {
                for (out, &v) in out.iter_mut().zip(values) {
                    *out = self.round(i64::from(v), shift);
                }
            }
            Self::Clamp { low, high } => {
                let (low, high) = (i32::from(low), i32::from(high));
                for (out, &v) in out.iter_mut().zip(values) {
                    *out = round_shift_32(v, shift, low, high);
                }
            }
        }
    }
}

/// The shift that `AluInit`'s `shift_cut` means in pooling modes: below 8 to the left, from 8 on to the right by 8 less.
pub(crate) const fn pool_shift(field: u32) -> i32 {
    if field >= 8 { field as i32 - 8 } else { -(field as i32) }
}

/// The shift that `AluInit`'s `shift_prelu_n` and `shift_prelu_p` mean: below 32 to the left, from 32 on to the right by 32 less.
pub(crate) const fn prelu_shift(field: u32) -> i32 {
    if field >= 32 { field as i32 - 32 } else { -(field as i32) }
}

/// The shift that `Elew`'s `shift_write` means: below 16 to the left, from 16 on to the right by 16 less.
pub(crate) const fn elew_shift(field: u32) -> i32 {
    if field >= 16 { field as i32 - 16 } else { -(field as i32) }
}

#[cfg(test)]
mod tests {
    use super::{Activation, elew_shift, pool_shift, prelu_shift, round_shift};

    /// The specification's `rsat`, in 128 bits.
    fn rsat(v: i128, shift: i32) -> i8 {
        let rounded = if shift <= 0 { v << -shift } else { (v + (1 << (shift - 1))) >> shift };
        rounded.clamp(-128, 127) as i8
    }

    fn act(code: u32, v: i128, shift: i32) -> i8 {
        match code {
            1 => rsat(v.max(0), shift),
            3 if v < 0 => rsat(v * 26, shift + 8),
            4 => rsat(v.max(0), shift).min(96),
            _ => rsat(v, shift),
        }
    }

    /// Extremes, and the neighbours of every tie that a shift makes.
    fn values(shift: i32) -> Vec<i32> {
        let mut values = vec![i32::MIN, i32::MIN + 1, -1, 0, 1, i32::MAX - 1, i32::MAX];
        for unit in -130..=130i64 {
            let tie = (2 * unit + 1) << (shift - 1).clamp(0, 40);
            values.extend([tie - 1, tie, tie + 1].into_iter().filter_map(|v| i32::try_from(v).ok()));
        }
        values
    }

    #[test]
    fn every_shift_and_activation_at_ties_and_extremes() {
        for shift in -22..=64 {
            let values = values(shift);
            for code in [0, 1, 3, 4] {
                let activation = Activation::from_code(code);
                let mut rounded = vec![0; values.len()];
                activation.round_all(&values, shift, &mut rounded);
                for (&v, rounded) in values.iter().zip(rounded) {
                    assert_eq!(rounded, act(code, v.into(), shift), "activation {code} of {v} / 2^{shift}");
                    assert_eq!(activation.round(v.into(), shift), rounded);
                }
            }
            for v in [-(1 << 40), -(1 << 32) - 1, 1 << 32, 1 << 40] {
                assert_eq!(round_shift(v, shift), rsat(v.into(), shift));
            }
        }
    }

    #[test]
    fn shift_fields() {
        assert_eq!([0, 7, 8, 63].map(pool_shift), [0, -7, 0, 55]);
        assert_eq!([0, 31, 32, 63].map(prelu_shift), [0, -31, 0, 31]);
        assert_eq!([0, 15, 16, 31].map(elew_shift), [0, -15, 0, 15]);
    }
}
