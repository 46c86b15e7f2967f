//! From 32-bit sums to bytes.

use super::tile::LANES;

/// Rounding shift, activation, saturation and encoding of sums that carry their bias and `2^(shift-1)` already:
///
/// ```text
/// positive = sum >> shift
/// negative = ((2 · sum + half) · multiplier + round) >> slope shift      if there is a slope and 2 · sum + half < 0
/// code     = clamp(positive or negative, low, high) xor mask
/// ```
///
/// `half` of each lane takes the doubled sum back to the exact doubled value, without what was added for rounding. Whoever builds one
/// has made sure that nothing overflows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Requantise {
    pub(crate) shift: u32,
    pub(crate) slope: Option<Slope>,
    pub(crate) low: i8,
    pub(crate) high: i8,
    pub(crate) mask: u8,
}

/// The negative side of an activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slope {
    pub(crate) multiplier: i32,
    pub(crate) round: i32,
    pub(crate) shift: u32,
}

impl Requantise {
    /// The codes of a vector of sums.
    #[expect(clippy::inline_always, reason = "the compiler vectorises it for the tier of its caller")]
    #[inline(always)]
    pub(crate) fn codes(&self, sums: &[i32; LANES], halves: &[i32; LANES]) -> [u8; LANES] {
        let mut values = sums.map(|sum| sum >> self.shift);
        if let Some(slope) = self.slope {
            for ((value, sum), half) in values.iter_mut().zip(sums).zip(halves) {
                let exact = 2 * sum + half;
                let sloped = exact.wrapping_mul(slope.multiplier).wrapping_add(slope.round) >> slope.shift;
                *value = if exact < 0 { sloped } else { *value };
            }
        }
        let (low, high) = (i32::from(self.low), i32::from(self.high));
        values.map(|value| value.clamp(low, high) as u8 ^ self.mask)
    }
}
