//! One lane: the kernels as plain code.

use super::Lanes;

/// Lanes of one float.
#[derive(Clone, Copy)]
pub(super) struct Scalar;

impl Lanes for Scalar {
    type F32 = f32;

    const COUNT: usize = 1;
    const ROWS: usize = 6;

    #[inline(always)]
    fn splat(self, x: f32) -> f32 {
        x
    }

    #[inline(always)]
    fn load(self, x: &[f32]) -> f32 {
        x[0]
    }

    #[inline(always)]
    fn load_part(self, x: &[f32]) -> f32 {
        x.first().copied().unwrap_or(0.0)
    }

    #[inline(always)]
    fn store(self, x: f32, to: &mut [f32]) {
        to[0] = x;
    }

    #[inline(always)]
    fn store_part(self, x: f32, to: &mut [f32]) {
        if let Some(to) = to.first_mut() {
            *to = x;
        }
    }

    #[inline(always)]
    fn add(self, a: f32, b: f32) -> f32 {
        a + b
    }

    #[inline(always)]
    fn sub(self, a: f32, b: f32) -> f32 {
        a - b
    }

    #[inline(always)]
    fn mul(self, a: f32, b: f32) -> f32 {
        a * b
    }

    #[inline(always)]
    fn div(self, a: f32, b: f32) -> f32 {
        a / b
    }

    #[inline(always)]
    fn mul_add(self, a: f32, b: f32, c: f32) -> f32 {
        a * b + c
    }

    #[inline(always)]
    fn mul_sub_from(self, a: f32, b: f32, c: f32) -> f32 {
        c - a * b
    }

    #[inline(always)]
    fn max(self, a: f32, b: f32) -> f32 {
        if a > b { a } else { b }
    }

    #[inline(always)]
    fn min(self, a: f32, b: f32) -> f32 {
        if a < b { a } else { b }
    }

    #[inline(always)]
    fn abs(self, a: f32) -> f32 {
        a.abs()
    }

    #[inline(always)]
    fn copy_sign(self, magnitude: f32, sign: f32) -> f32 {
        magnitude.copysign(sign)
    }

    #[inline(always)]
    fn select_less(self, a: f32, b: f32, then: f32, otherwise: f32) -> f32 {
        if a < b { then } else { otherwise }
    }

    #[inline(always)]
    fn power_of_two(self, n: f32) -> f32 {
        super::power_of_two(n)
    }

    #[inline(always)]
    fn split(self, a: f32) -> [f32; 2] {
        super::split(a)
    }

    #[inline(always)]
    fn sum(self, a: f32) -> f32 {
        a
    }

    #[inline(always)]
    fn maximum(self, a: f32) -> f32 {
        a
    }
}
