//! Vectors of f32 of each tier, behind one trait, so that a kernel is written once.
//!
//! A value of a type that implements [`Lanes`] is a proof that the machine has the tier's instructions: it exists only
//! inside [`Kernels::with_lanes`], which compiles the [`Task`] for them. Everything a task calls with its lanes is
//! `#[inline(always)]`, because only code inlined into the task is compiled for the tier.

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "AVX2 and FMA intrinsics")]
mod avx2;
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "AVX-512 intrinsics")]
mod avx512;
mod portable;
mod scalar;

use crate::simd::{Kernels, Tier};

/// Operations on vectors of [`Lanes::COUNT`] floats.
pub(crate) trait Lanes: Copy {
    /// A vector.
    type F32: Copy;

    /// Lanes of a vector.
    const COUNT: usize;

    /// Rows of the register block of a matrix product with two vectors per row: as many as the registers allow.
    const ROWS: usize;

    /// `x` in every lane.
    fn splat(self, x: f32) -> Self::F32;

    /// The first [`Self::COUNT`] elements.
    ///
    /// # Panics
    /// If there are fewer.
    fn load(self, x: &[f32]) -> Self::F32;

    /// Fewer than [`Self::COUNT`] elements, zeros behind them.
    ///
    /// # Panics
    /// If there are more.
    fn load_part(self, x: &[f32]) -> Self::F32;

    /// Writes the first [`Self::COUNT`] elements of `to`.
    ///
    /// # Panics
    /// If there are fewer.
    fn store(self, x: Self::F32, to: &mut [f32]);

    /// Writes all elements of `to`, at most [`Self::COUNT`].
    ///
    /// # Panics
    /// If there are more.
    fn store_part(self, x: Self::F32, to: &mut [f32]);

    /// `a + b`
    fn add(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a - b`
    fn sub(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a * b`
    fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a / b`
    fn div(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a * b + c`, rounded once where the tier has the instruction, else twice.
    fn mul_add(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;
    /// `c - a * b`, rounded as [`Self::mul_add`].
    fn mul_sub_from(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;
    /// `a > b ? a : b`: a NaN in `a` gives `b`, one in `b` gives NaN.
    fn max(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `a < b ? a : b`: a NaN in `a` gives `b`, one in `b` gives NaN.
    fn min(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// `|a|`
    fn abs(self, a: Self::F32) -> Self::F32;
    /// `|magnitude|` with the sign of `sign`.
    fn copy_sign(self, magnitude: Self::F32, sign: Self::F32) -> Self::F32;
    /// `a < b ? then : otherwise`
    fn select_less(self, a: Self::F32, b: Self::F32, then: Self::F32, otherwise: Self::F32) -> Self::F32;
    /// `2^n` for whole numbers `n` from -126 to 127.
    fn power_of_two(self, n: Self::F32) -> Self::F32;

    /// `a * 2^n`, rounded once, for `|a|` from 1/2 to 2 and whole numbers `n` from -151 to 129.
    #[inline(always)]
    fn scale(self, a: Self::F32, n: Self::F32) -> Self::F32 {
        // The first of two steps is too small to leave the normal numbers.
        let half = round(self, self.mul(n, self.splat(0.5)));
        let first = self.mul(a, self.power_of_two(half));
        self.mul(first, self.power_of_two(self.sub(n, half)))
    }

    /// The `n` and `m` from 1 to 2 (exclusive) of `m * 2^n` for positive normal numbers; anything else gives something.
    fn split(self, a: Self::F32) -> [Self::F32; 2];

    /// Sum of the lanes, in a fixed order.
    fn sum(self, a: Self::F32) -> f32;
    /// Maximum of the lanes, none of which is NaN.
    fn maximum(self, a: Self::F32) -> f32;

    /// Asks for elements that will be read soon, where the tier can.
    #[inline(always)]
    fn prefetch(self, _: &[f32]) {}

    /// The vector of `count` elements of `x`: [`Self::load`] or [`Self::load_part`].
    #[inline(always)]
    fn load_up_to(self, x: &[f32]) -> Self::F32 {
        if x.len() >= Self::COUNT { self.load(x) } else { self.load_part(x) }
    }

    /// Writes as many lanes as `to` has elements.
    #[inline(always)]
    fn store_up_to(self, x: Self::F32, to: &mut [f32]) {
        if to.len() >= Self::COUNT { self.store(x, to) } else { self.store_part(x, to) }
    }

    /// Copies a slice; faster than a call of `memcpy` for the short runs of a convolution window.
    ///
    /// # Panics
    /// If the lengths differ.
    #[inline(always)]
    fn copy(self, from: &[f32], to: &mut [f32]) {
        assert_eq!(from.len(), to.len(), "copied elements");
        let (mut from, mut to) = (from, to);
        while from.len() >= Self::COUNT {
            self.store(self.load(from), to);
            (from, to) = (&from[Self::COUNT..], &mut to[Self::COUNT..]);
        }
        if !from.is_empty() {
            self.store_part(self.load_part(from), to);
        }
    }
}

/// Code that runs on the lanes of any tier.
pub(crate) trait Task {
    /// What it computes.
    type Output;

    /// Runs it; must be `#[inline(always)]`.
    fn run<L: Lanes>(self, lanes: L) -> Self::Output;
}

impl Kernels {
    /// Runs a task compiled for the tier.
    pub(crate) fn with_lanes<T: Task>(self, task: T) -> T::Output {
        match self.tier() {
            Tier::Scalar => task.run(scalar::Scalar),
            Tier::Portable => task.run(portable::Portable),
            #[cfg(target_arch = "x86_64")]
            Tier::Avx2 | Tier::AvxVnni => avx2::run(self, task),
            #[cfg(target_arch = "x86_64")]
            Tier::Avx512Vnni => avx512::run(self, task),
            #[cfg(not(target_arch = "x86_64"))]
            Tier::Avx2 | Tier::AvxVnni | Tier::Avx512Vnni => task.run(portable::Portable),
        }
    }

    /// Floats in a vector of the tier.
    pub(crate) fn lane_count(self) -> usize {
        struct Count;
        impl Task for Count {
            type Output = usize;
            #[inline(always)]
            fn run<L: Lanes>(self, _: L) -> usize {
                L::COUNT
            }
        }
        self.with_lanes(Count)
    }
}

/// The nearest whole number, ties to even, of `|x| < 2^22`.
#[inline(always)]
pub(crate) fn round<L: Lanes>(lanes: L, x: L::F32) -> L::F32 {
    // At this size the distance between neighbours is 1.
    let shifter = lanes.splat(1.5 * (1 << 23) as f32);
    lanes.sub(lanes.add(x, shifter), shifter)
}

/// `2^n` for a whole number from -126 to 127: the lowest bits of `n + 127 + 2^23` are the exponent field.
#[inline(always)]
fn power_of_two(n: f32) -> f32 {
    const SHIFTER: f32 = 127.0 + (1 << 23) as f32;
    f32::from_bits((n + SHIFTER).to_bits() << 23)
}

/// Exponent and significand of a positive normal number.
#[inline(always)]
fn split(a: f32) -> [f32; 2] {
    const SIGNIFICAND: u32 = (1 << 23) - 1;
    let bits = a.to_bits();
    let exponent = (bits >> 23) as i32 - 127;
    [exponent as f32, f32::from_bits(bits & SIGNIFICAND | 1f32.to_bits())]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every operation on the same operands, lane by lane against plain arithmetic.
    struct Operations;

    impl Task for Operations {
        type Output = ();

        #[inline(always)]
        fn run<L: Lanes>(self, lanes: L) {
            let values = [0.0, -0.0, 1.5, -2.25, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e-40];
            for (a, b) in values.iter().flat_map(|&a| values.map(|b| (a, b))) {
                let (x, y, z) = (lanes.splat(a), lanes.splat(b), lanes.splat(0.5));
                for (name, found, expected) in [
                    ("add", lanes.add(x, y), a + b),
                    ("sub", lanes.sub(x, y), a - b),
                    ("mul", lanes.mul(x, y), a * b),
                    ("div", lanes.div(x, y), a / b),
                    ("mul_add", lanes.mul_add(x, y, z), a * b + 0.5),
                    ("mul_sub_from", lanes.mul_sub_from(x, y, z), 0.5 - a * b),
                    ("max", lanes.max(x, y), if a > b { a } else { b }),
                    ("min", lanes.min(x, y), if a < b { a } else { b }),
                    ("abs", lanes.abs(x), a.abs()),
                    ("copy_sign", lanes.copy_sign(x, y), a.copysign(b)),
                    ("select_less", lanes.select_less(x, y, z, x), if a < b { 0.5 } else { a }),
                ] {
                    let mut all = vec![7.0; L::COUNT];
                    lanes.store(found, &mut all);
                    let same = |&v: &f32| v.to_bits() == expected.to_bits() || (v.is_nan() && expected.is_nan());
                    assert!(all.iter().all(same), "{name} {a} {b}: {all:?}, not {expected}");
                }
            }
            for n in -126..=127 {
                let mut all = vec![0.0; L::COUNT];
                lanes.store(lanes.power_of_two(lanes.splat(n as f32)), &mut all);
                assert!(all.iter().all(|&v| v == f32::powi(2.0, n)), "2^{n}");
            }
            for (a, exponent, significand) in [
                (1.0, 0.0, 1.0),
                (f32::MIN_POSITIVE, -126.0, 1.0),
                (f32::MAX, 127.0, 2.0 - f32::EPSILON),
                (6.0, 2.0, 1.5),
            ] {
                for (found, expected) in lanes.split(lanes.splat(a)).into_iter().zip([exponent, significand]) {
                    let mut all = vec![7.0; L::COUNT];
                    lanes.store(found, &mut all);
                    assert_eq!(all, vec![expected; L::COUNT], "{a}");
                }
            }
            let ramp: Vec<f32> = (1..=L::COUNT).map(|i| i as f32).collect();
            assert_eq!(lanes.sum(lanes.load(&ramp)), ramp.iter().sum::<f32>());
            assert_eq!(lanes.maximum(lanes.load(&ramp)), L::COUNT as f32);
            for count in 0..=L::COUNT {
                let part = lanes.load_up_to(&ramp[..count]);
                let mut all = vec![7.0; L::COUNT];
                lanes.store(part, &mut all);
                assert_eq!(all[..count], ramp[..count]);
                assert!(all[count..].iter().all(|&v| v == 0.0));
                let mut to = vec![7.0; L::COUNT + 1];
                lanes.store_up_to(lanes.load(&ramp), &mut to[..count]);
                assert_eq!(to[..count], ramp[..count]);
                assert!(to[count..].iter().all(|&v| v == 7.0));
            }
            for count in 0..3 * L::COUNT {
                let from: Vec<f32> = (0..count).map(|i| i as f32).collect();
                let mut to = vec![7.0; count];
                lanes.copy(&from, &mut to);
                assert_eq!(from, to);
            }
        }
    }

    #[test]
    fn operations_equal_plain_arithmetic_on_every_tier() {
        for kernels in Tier::ALL.into_iter().filter_map(Kernels::new) {
            kernels.with_lanes(Operations);
        }
    }
}
