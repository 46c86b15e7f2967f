//! Rounding, saturation and activation (`spec/dpuczdx8g-isa.md` section 3.1.1).

/// `clamp(round_half_up(v / 2^shift))`; a negative shift multiplies. `v · 2^-shift` must fit 64 bits.
#[expect(clippy::inline_always, reason = "the compiler vectorises it for the tier of its caller")]
#[inline(always)]
pub(crate) fn round_shift(v: i64, shift: i32) -> i8 {
    let rounded = if shift <= 0 {
        v << -shift
    } else {
        // floor(v / 2^s + 1/2) = floor((floor(v / 2^(s-1)) + 1) / 2), which cannot overflow.
        ((v >> (shift - 1).min(63)) + 1) >> 1
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
        ((v >> (shift - 1).min(31)) + 1) >> 1
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
