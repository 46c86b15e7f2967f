//! Rounding of real numbers to int8.

/// A power of two as two factors, one of which is 1 unless the power is no f32.
#[derive(Clone, Copy, Debug)]
pub(super) struct Powers([f32; 2]);

impl Powers {
    /// Exponents beyond ±254 have the effect of those: every f32 but 0 saturates an int8, or vanishes.
    pub(super) fn new(exponent: i64) -> Self {
        let exponent = exponent.clamp(-254, 254) as i32;
        let first = exponent.clamp(-126, 127);
        Self([first, exponent - first].map(|exponent| f32::exp2(exponent as f32)))
    }

    /// `floor(x * power + 1/2)` saturated; NaN gives 0. The sum is not formed, for it could round up.
    #[inline(always)]
    pub(super) fn round(self, x: f32) -> i8 {
        let x = x * self.0[0] * self.0[1];
        let floor = x.floor();
        let up = if x - floor >= 0.5 { 1.0 } else { 0.0 };
        (floor + up) as i8
    }
}
