//! Four lanes through the crate `wide`: what every target has.

use wide::f32x4;

use super::Lanes;

/// Lanes of the vectors that the compilation target guarantees.
#[derive(Clone, Copy)]
pub(super) struct Portable;

const COUNT: usize = 4;

impl Lanes for Portable {
    type F32 = f32x4;

    const COUNT: usize = COUNT;
    const ROWS: usize = 6;

    #[inline(always)]
    fn splat(self, x: f32) -> f32x4 {
        f32x4::splat(x)
    }

    #[inline(always)]
    fn load(self, x: &[f32]) -> f32x4 {
        let &[a, b, c, d] = x.first_chunk().expect("a whole vector");
        f32x4::new([a, b, c, d])
    }

    #[inline(always)]
    fn load_part(self, x: &[f32]) -> f32x4 {
        let mut all = [0.0; COUNT];
        all[..x.len()].copy_from_slice(x);
        f32x4::new(all)
    }

    #[inline(always)]
    fn store(self, x: f32x4, to: &mut [f32]) {
        *to.first_chunk_mut().expect("a whole vector") = x.to_array();
    }

    #[inline(always)]
    fn store_part(self, x: f32x4, to: &mut [f32]) {
        to.copy_from_slice(&x.to_array()[..to.len()]);
    }

    #[inline(always)]
    fn add(self, a: f32x4, b: f32x4) -> f32x4 {
        a + b
    }

    #[inline(always)]
    fn sub(self, a: f32x4, b: f32x4) -> f32x4 {
        a - b
    }

    #[inline(always)]
    fn mul(self, a: f32x4, b: f32x4) -> f32x4 {
        a * b
    }

    #[inline(always)]
    fn div(self, a: f32x4, b: f32x4) -> f32x4 {
        a / b
    }

    #[inline(always)]
    fn mul_add(self, a: f32x4, b: f32x4, c: f32x4) -> f32x4 {
        a.mul_add(b, c)
    }

    #[inline(always)]
    fn mul_sub_from(self, a: f32x4, b: f32x4, c: f32x4) -> f32x4 {
        a.mul_neg_add(b, c)
    }

    #[inline(always)]
    fn max(self, a: f32x4, b: f32x4) -> f32x4 {
        a.simd_gt(b).select(a, b)
    }

    #[inline(always)]
    fn min(self, a: f32x4, b: f32x4) -> f32x4 {
        a.simd_lt(b).select(a, b)
    }

    #[inline(always)]
    fn abs(self, a: f32x4) -> f32x4 {
        a.abs()
    }

    #[inline(always)]
    fn copy_sign(self, magnitude: f32x4, sign: f32x4) -> f32x4 {
        let sign_bit = f32x4::splat(-0.0);
        (magnitude & !sign_bit) | (sign & sign_bit)
    }

    #[inline(always)]
    fn select_less(self, a: f32x4, b: f32x4, then: f32x4, otherwise: f32x4) -> f32x4 {
        a.simd_lt(b).select(then, otherwise)
    }

    #[inline(always)]
    fn power_of_two(self, n: f32x4) -> f32x4 {
        f32x4::new(n.to_array().map(super::power_of_two))
    }

    #[inline(always)]
    fn split(self, a: f32x4) -> [f32x4; 2] {
        let parts = a.to_array().map(super::split);
        [f32x4::new(parts.map(|part| part[0])), f32x4::new(parts.map(|part| part[1]))]
    }

    #[inline(always)]
    fn sum(self, a: f32x4) -> f32 {
        let [a, b, c, d] = a.to_array();
        (a + c) + (b + d)
    }

    #[inline(always)]
    fn maximum(self, a: f32x4) -> f32 {
        let [a, b, c, d] = a.to_array();
        a.max(c).max(b.max(d))
    }
}
