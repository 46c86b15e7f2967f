//! What the tests have in common.

use ndarray::{Array, ArrayD, IntoDimension};

use crate::simd::{Kernels, Tier};

/// Kernels of every tier of this machine.
pub(super) fn tiers() -> impl Iterator<Item = Kernels> {
    Tier::ALL.into_iter().filter_map(Kernels::new)
}

/// A linear congruential generator (Knuth's MMIX constants).
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize * bound) >> 31
    }

    /// Whole numbers from -8 to 8: sums of up to 2^17 products of two are exact in f32, in any order.
    pub(super) fn whole<D: IntoDimension>(&mut self, shape: D) -> Array<f32, D::Dim> {
        Array::from_shape_simple_fn(shape, || self.below(17) as f32 - 8.0)
    }

    /// Numbers from -1 to 1.
    pub(super) fn real<D: IntoDimension>(&mut self, shape: D) -> Array<f32, D::Dim> {
        Array::from_shape_simple_fn(shape, || self.below(1 << 24) as f32 / f32::powi(2.0, 23) - 1.0)
    }
}

/// The elements of an array in standard layout.
pub(super) fn elements<D: ndarray::Dimension>(array: &Array<f32, D>) -> &[f32] {
    array.as_slice().unwrap()
}

/// Checks that each result is within `tolerance(index)` of the expected number.
#[track_caller]
pub(super) fn assert_within(
    found: &[f32],
    expected: &ArrayD<f64>,
    tolerance: impl Fn(usize) -> f64,
    what: &dyn std::fmt::Debug,
) {
    assert_eq!(found.len(), expected.len(), "{what:?}");
    for (index, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(found) - expected).abs();
        assert!(
            error <= tolerance(index) || f64::from(found) == expected,
            "{what:?}: element {index} is {found}, not {expected}"
        );
    }
}

/// Runs `test` in a pool of one and in one of three threads.
pub(super) fn in_pools<T: Send>(test: impl Fn() -> T + Sync) -> [T; 2] {
    [1, 3].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(&test)
    })
}
