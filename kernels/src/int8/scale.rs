//! Sums times a factor of the hardware, in 32 bits where they suffice.

use super::encoding::Encoding;
use crate::reference::pool::AverageFactor;
use crate::reference::round::rsat;

/// From sums to bytes: [`AverageFactor::scale`], or a shift.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    /// Nothing if sums are only shifted.
    factor: Option<AverageFactor>,
    shift: i64,
    mask: u8,
    /// What is done if no product can leave 24 bits, from where on the reference rounds it.
    fast: Option<Fast>,
}

/// `clamp((limit(sum · multiplier) << left) + half) >> right)`
#[derive(Clone, Copy, Debug)]
struct Fast {
    multiplier: i32,
    limit: i32,
    left: u32,
    half: i32,
    right: u32,
}

impl Scale {
    /// A right shift of sums of at most `count` values, with one rounding.
    pub(super) fn exact(shift: i64, count: usize, output: Encoding) -> Self {
        let one = AverageFactor { multiplier: 1, shift: 0 };
        Self { factor: None, ..Self::new(one, shift, count, output) }
    }

    /// The scale of sums of at most `count` values, followed by a right shift.
    pub(super) fn new(factor: AverageFactor, shift: i64, count: usize, output: Encoding) -> Self {
        /// Products below are exact in single precision.
        const EXACT: i64 = 1 << 24;
        let largest = i64::try_from(count).ok().and_then(|count| (count * 128).checked_mul(factor.multiplier));
        let total = i64::from(factor.shift) + shift;
        let fast = largest.filter(|&largest| largest < EXACT).map(|_| {
            // Beyond these shifts every result is 0, or every product but 0 saturates.
            let (right, left) = (total.clamp(0, 26) as u32, (-total).clamp(0, 8) as u32);
            let limit = if left > 0 { 256 } else { EXACT as i32 };
            Fast { multiplier: factor.multiplier as i32, limit, left, half: (1 << right) >> 1, right }
        });
        Self { factor: Some(factor), shift, mask: output.mask(), fast }
    }

    /// The byte of a sum.
    #[inline(always)]
    pub(super) fn byte(&self, sum: i32) -> u8 {
        let code = match self.fast {
            Some(Fast { multiplier, limit, left, half, right }) => {
                let product = (sum * multiplier).clamp(-limit, limit);
                (((product << left) + half) >> right).clamp(-128, 127) as u8
            }
            None => match self.factor {
                Some(factor) => factor.scale(sum.into(), self.shift) as u8,
                None => rsat(sum.into(), self.shift) as u8,
            },
        };
        code ^ self.mask
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::pool::average_factor;

    #[test]
    fn scales_equal_the_reference() {
        for kernel in [[1, 1], [2, 2], [3, 3], [3, 5], [7, 7], [14, 14], [31, 31], [100, 100]] {
            let cells = kernel[0] * kernel[1];
            let factor = average_factor(kernel);
            for shift in [-70, -20, -9, -8, -3, -1, 0, 1, 2, 7, 12, 20, 40, 100] {
                let scale = Scale::new(factor, shift, cells, Encoding::Signed);
                assert_eq!(scale.fast.is_some(), cells < 10_000);
                let largest = cells as i32 * 128;
                for sum in (-largest..=largest).step_by((cells / 7).max(1)).chain([largest, 0, 1, -1]) {
                    let expected = factor.scale(sum.into(), shift);
                    assert_eq!(scale.byte(sum) as i8, expected, "{sum} {factor:?} {shift}");
                }
            }
        }
    }
}
