//! Eight lanes: AVX2 with FMA.

use std::arch::x86_64::{
    __m256, __m256i, _CMP_LT_OQ, _MM_HINT_T0, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_max_ps, _mm_max_ss,
    _mm_movehdup_ps, _mm_movehl_ps, _mm_prefetch, _mm256_add_epi32, _mm256_add_ps, _mm256_and_ps, _mm256_and_si256,
    _mm256_andnot_ps, _mm256_blendv_ps, _mm256_castps_si256, _mm256_castps256_ps128, _mm256_castsi256_ps,
    _mm256_cmp_ps, _mm256_cvtepi32_ps, _mm256_cvtps_epi32, _mm256_div_ps, _mm256_extractf128_ps, _mm256_fmadd_ps,
    _mm256_fnmadd_ps, _mm256_loadu_ps, _mm256_loadu_si256, _mm256_maskload_ps, _mm256_maskstore_ps, _mm256_max_ps,
    _mm256_min_ps, _mm256_mul_ps, _mm256_or_ps, _mm256_set1_epi32, _mm256_set1_ps, _mm256_slli_epi32,
    _mm256_srli_epi32, _mm256_storeu_ps, _mm256_sub_epi32, _mm256_sub_ps,
};

use super::{Lanes, Task};
use crate::simd::{Kernels, Tier};

/// Lanes of a machine with AVX2 and FMA; made by [`run`] alone.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

const COUNT: usize = 8;

/// Eight ones and eight zeros: the mask of the first `n` lanes starts at `COUNT - n`.
static MASKS: [i32; 2 * COUNT] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

/// Runs a task compiled for AVX2 and FMA.
pub(super) fn run<T: Task>(kernels: Kernels, task: T) -> T::Output {
    #[target_feature(enable = "avx2,fma")]
    fn with_features<T: Task>(task: T) -> T::Output {
        task.run(Avx2(()))
    }
    assert!(matches!(kernels.tier(), Tier::Avx2 | Tier::AvxVnni));
    // SAFETY: kernels of this tier exist only if the machine has AVX2 and FMA.
    unsafe { with_features(task) }
}

/// Operations that are one intrinsic.
macro_rules! intrinsics {
    ($($name:ident($($argument:ident),+) = $intrinsic:ident;)*) => {$(
        #[inline(always)]
        fn $name(self, $($argument: __m256),+) -> __m256 {
            // SAFETY: a value of `Avx2` exists only on machines with the instruction.
            unsafe { $intrinsic($($argument),+) }
        }
    )*};
}

impl Avx2 {
    /// A mask of the first `count` lanes.
    #[inline(always)]
    fn mask(count: usize) -> __m256i {
        let mask: &[i32; COUNT] = MASKS[COUNT - count..].first_chunk().expect("at most eight lanes");
        // SAFETY: the callers' value of `Avx2` exists only on machines with AVX2; a reference to 32 bytes is readable.
        unsafe { _mm256_loadu_si256(mask.as_ptr().cast()) }
    }
}

impl Lanes for Avx2 {
    type F32 = __m256;

    const COUNT: usize = COUNT;
    /// 12 of the 16 registers hold sums.
    const ROWS: usize = 6;

    #[inline(always)]
    fn splat(self, x: f32) -> __m256 {
        // SAFETY: the machine has AVX2.
        unsafe { _mm256_set1_ps(x) }
    }

    #[inline(always)]
    fn load(self, x: &[f32]) -> __m256 {
        let x: &[f32; COUNT] = x.first_chunk().expect("a whole vector");
        // SAFETY: the machine has AVX2, and a reference to eight floats is readable.
        unsafe { _mm256_loadu_ps(x.as_ptr()) }
    }

    #[inline(always)]
    fn load_part(self, x: &[f32]) -> __m256 {
        // SAFETY: the machine has AVX2, and the mask selects the elements of the slice.
        unsafe { _mm256_maskload_ps(x.as_ptr(), Self::mask(x.len())) }
    }

    #[inline(always)]
    fn store(self, x: __m256, to: &mut [f32]) {
        let to: &mut [f32; COUNT] = to.first_chunk_mut().expect("a whole vector");
        // SAFETY: the machine has AVX2, and an exclusive reference to eight floats is writable.
        unsafe { _mm256_storeu_ps(to.as_mut_ptr(), x) }
    }

    #[inline(always)]
    fn store_part(self, x: __m256, to: &mut [f32]) {
        // SAFETY: the machine has AVX2, and the mask selects the elements of the slice.
        unsafe { _mm256_maskstore_ps(to.as_mut_ptr(), Self::mask(to.len()), x) }
    }

    intrinsics! {
        add(a, b) = _mm256_add_ps;
        sub(a, b) = _mm256_sub_ps;
        mul(a, b) = _mm256_mul_ps;
        div(a, b) = _mm256_div_ps;
        mul_add(a, b, c) = _mm256_fmadd_ps;
        mul_sub_from(a, b, c) = _mm256_fnmadd_ps;
        max(a, b) = _mm256_max_ps;
        min(a, b) = _mm256_min_ps;
    }

    #[inline(always)]
    fn abs(self, a: __m256) -> __m256 {
        // SAFETY: the machine has AVX2.
        unsafe { _mm256_andnot_ps(_mm256_set1_ps(-0.0), a) }
    }

    #[inline(always)]
    fn copy_sign(self, magnitude: __m256, sign: __m256) -> __m256 {
        // SAFETY: the machine has AVX2.
        unsafe { _mm256_or_ps(self.abs(magnitude), _mm256_and_ps(_mm256_set1_ps(-0.0), sign)) }
    }

    #[inline(always)]
    fn select_less(self, a: __m256, b: __m256, then: __m256, otherwise: __m256) -> __m256 {
        // SAFETY: the machine has AVX2.
        unsafe { _mm256_blendv_ps(otherwise, then, _mm256_cmp_ps::<_CMP_LT_OQ>(a, b)) }
    }

    #[inline(always)]
    fn power_of_two(self, n: __m256) -> __m256 {
        // SAFETY: the machine has AVX2.
        unsafe {
            let exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
            _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent))
        }
    }

    #[inline(always)]
    fn prefetch(self, x: &[f32]) {
        const LINE: usize = 16;
        for line in x.chunks(LINE) {
            // SAFETY: a prefetch has no effect that could be observed.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) }
        }
    }

    #[inline(always)]
    fn split(self, a: __m256) -> [__m256; 2] {
        // SAFETY: the machine has AVX2.
        unsafe {
            let (bits, one) = (_mm256_castps_si256(a), _mm256_set1_ps(1.0));
            let exponent = _mm256_sub_epi32(_mm256_srli_epi32::<23>(bits), _mm256_set1_epi32(127));
            let significand = _mm256_and_si256(bits, _mm256_set1_epi32((1 << 23) - 1));
            [_mm256_cvtepi32_ps(exponent), _mm256_or_ps(_mm256_castsi256_ps(significand), one)]
        }
    }

    #[inline(always)]
    fn sum(self, a: __m256) -> f32 {
        // SAFETY: the machine has AVX2.
        unsafe {
            let four = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        }
    }

    #[inline(always)]
    fn maximum(self, a: __m256) -> f32 {
        // SAFETY: the machine has AVX2.
        unsafe {
            let four = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)))
        }
    }
}
