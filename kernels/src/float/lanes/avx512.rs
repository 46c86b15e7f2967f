//! Sixteen lanes: AVX-512.

use std::arch::x86_64::{
    __m512, __mmask16, _CMP_LT_OQ, _MM_HINT_T0, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_SRC, _mm_prefetch, _mm512_abs_ps,
    _mm512_add_ps, _mm512_castps_si512, _mm512_castsi512_ps, _mm512_cmp_ps_mask, _mm512_div_ps, _mm512_fmadd_ps,
    _mm512_fnmadd_ps, _mm512_getexp_ps, _mm512_getmant_ps, _mm512_loadu_ps, _mm512_mask_blend_ps,
    _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps, _mm512_max_ps, _mm512_min_ps, _mm512_mul_ps, _mm512_reduce_add_ps,
    _mm512_reduce_max_ps, _mm512_scalef_ps, _mm512_set1_epi32, _mm512_set1_ps, _mm512_storeu_ps, _mm512_sub_ps,
    _mm512_ternarylogic_epi32,
};

use super::{Lanes, Task};
use crate::simd::{Kernels, Tier};

/// Lanes of a machine with AVX-512; made by [`run`] alone.
#[derive(Clone, Copy)]
pub(super) struct Avx512(());

const COUNT: usize = 16;

/// Runs a task compiled for AVX-512.
pub(super) fn run<T: Task>(kernels: Kernels, task: T) -> T::Output {
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    fn with_features<T: Task>(task: T) -> T::Output {
        task.run(Avx512(()))
    }
    assert_eq!(kernels.tier(), Tier::Avx512Vnni);
    // SAFETY: kernels of this tier exist only if the machine has these features.
    unsafe { with_features(task) }
}

/// Operations that are one intrinsic.
macro_rules! intrinsics {
    ($($name:ident($($argument:ident),+) = $intrinsic:ident;)*) => {$(
        #[inline(always)]
        fn $name(self, $($argument: __m512),+) -> __m512 {
            // SAFETY: a value of `Avx512` exists only on machines with the instruction.
            unsafe { $intrinsic($($argument),+) }
        }
    )*};
}

/// A mask of the first `count` lanes.
#[inline(always)]
fn mask(count: usize) -> __mmask16 {
    assert!(count <= COUNT, "at most sixteen lanes");
    ((1u32 << count) - 1) as __mmask16
}

impl Lanes for Avx512 {
    type F32 = __m512;

    const COUNT: usize = COUNT;
    /// 28 of the 32 registers hold sums.
    const ROWS: usize = 14;

    #[inline(always)]
    fn splat(self, x: f32) -> __m512 {
        // SAFETY: the machine has AVX-512.
        unsafe { _mm512_set1_ps(x) }
    }

    #[inline(always)]
    fn load(self, x: &[f32]) -> __m512 {
        let x: &[f32; COUNT] = x.first_chunk().expect("a whole vector");
        // SAFETY: the machine has AVX-512, and a reference to sixteen floats is readable.
        unsafe { _mm512_loadu_ps(x.as_ptr()) }
    }

    #[inline(always)]
    fn load_part(self, x: &[f32]) -> __m512 {
        // SAFETY: the machine has AVX-512, and the mask selects the elements of the slice.
        unsafe { _mm512_maskz_loadu_ps(mask(x.len()), x.as_ptr()) }
    }

    #[inline(always)]
    fn store(self, x: __m512, to: &mut [f32]) {
        let to: &mut [f32; COUNT] = to.first_chunk_mut().expect("a whole vector");
        // SAFETY: the machine has AVX-512, and an exclusive reference to sixteen floats is writable.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), x) }
    }

    #[inline(always)]
    fn store_part(self, x: __m512, to: &mut [f32]) {
        // SAFETY: the machine has AVX-512, and the mask selects the elements of the slice.
        unsafe { _mm512_mask_storeu_ps(to.as_mut_ptr(), mask(to.len()), x) }
    }

    intrinsics! {
        add(a, b) = _mm512_add_ps;
        sub(a, b) = _mm512_sub_ps;
        mul(a, b) = _mm512_mul_ps;
        div(a, b) = _mm512_div_ps;
        mul_add(a, b, c) = _mm512_fmadd_ps;
        mul_sub_from(a, b, c) = _mm512_fnmadd_ps;
        max(a, b) = _mm512_max_ps;
        min(a, b) = _mm512_min_ps;
        abs(a) = _mm512_abs_ps;
    }

    #[inline(always)]
    fn copy_sign(self, magnitude: __m512, sign: __m512) -> __m512 {
        /// Truth table of `first ? second : third`.
        const CHOOSE: i32 = 0b1100_1010;
        // SAFETY: the machine has AVX-512.
        unsafe {
            let sign_bit = _mm512_set1_epi32(i32::MIN);
            let (magnitude, sign) = (_mm512_castps_si512(magnitude), _mm512_castps_si512(sign));
            _mm512_castsi512_ps(_mm512_ternarylogic_epi32::<CHOOSE>(sign_bit, sign, magnitude))
        }
    }

    #[inline(always)]
    fn select_less(self, a: __m512, b: __m512, then: __m512, otherwise: __m512) -> __m512 {
        // SAFETY: the machine has AVX-512.
        unsafe { _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b), otherwise, then) }
    }

    #[inline(always)]
    fn power_of_two(self, n: __m512) -> __m512 {
        // SAFETY: the machine has AVX-512.
        unsafe { _mm512_scalef_ps(_mm512_set1_ps(1.0), n) }
    }

    #[inline(always)]
    fn scale(self, a: __m512, n: __m512) -> __m512 {
        // SAFETY: the machine has AVX-512.
        unsafe { _mm512_scalef_ps(a, n) }
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
    fn split(self, a: __m512) -> [__m512; 2] {
        // SAFETY: the machine has AVX-512.
        unsafe { [_mm512_getexp_ps(a), _mm512_getmant_ps::<_MM_MANT_NORM_1_2, _MM_MANT_SIGN_SRC>(a)] }
    }

    #[inline(always)]
    fn sum(self, a: __m512) -> f32 {
        // SAFETY: the machine has AVX-512.
        unsafe { _mm512_reduce_add_ps(a) }
    }

    #[inline(always)]
    fn maximum(self, a: __m512) -> f32 {
        // SAFETY: the machine has AVX-512.
        unsafe { _mm512_reduce_max_ps(a) }
    }
}
