//! Rounding, saturation and activation (`spec/dpuczdx8g-isa.md` section 3.1.1).

/// `clamp(round_half_up(v / 2^shift))`; a negative shift multiplies. `v · 2^-shift` must fit 64 bits.
pub(crate) fn round_shift(v: i64, shift: i32) -> i8 {
    let rounded = if shift <= 0 {
        v << -shift
    } else {
        // floor(v / 2^s + 1/2) = floor((floor(v / 2^(s-1)) + 1) / 2), which cannot overflow.
        ((v >> (shift - 1).min(63)) + 1) >> 1
    };
    rounded.clamp(-128, 127) as i8
}

/// Activation fused into an instruction, applied to the exact value before it is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activation {
    /// The value itself.
    Identity,
    /// `max(v, 0)`.
    Relu,
    /// `v · 26/256` for negative values.
    LeakyRelu,
    /// `min(max(v, 0), 96)` on the output scale.
    Relu6,
}

impl Activation {
    /// The activation with a legal code.
    pub(crate) fn from_code(code: u32) -> Self {
        match code {
            1 => Self::Relu,
            3 => Self::LeakyRelu,
            4 => Self::Relu6,
            _ => Self::Identity,
        }
    }

    /// Activates and rounds `v / 2^shift`. `v · 26` and `v · 2^-shift` must fit 64 bits.
    pub(crate) fn round(self, v: i64, shift: i32) -> i8 {
        match self {
            Self::LeakyRelu if v < 0 => round_shift(v * 26, shift + 8),
            Self::Identity | Self::LeakyRelu => round_shift(v, shift),
            Self::Relu => round_shift(v.max(0), shift),
            Self::Relu6 => round_shift(v.max(0), shift).min(96),
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
