//! Kernels for AVX-512 with VNNI.

use std::arch::x86_64::{
    _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_set1_epi32, _mm512_setzero_si512, _mm512_slli_epi32,
    _mm512_storeu_si512, _mm512_sub_epi32, _mm512_xor_si512,
};

use super::dense::{Sums, Window};
use super::tier::{Kernels, Tier};

/// Pixels computed together: enough independent sums to hide the latency of the dot-product instruction.
const BLOCK: usize = 8;

/// The sign bit of each byte: flipping it adds 128 and makes the byte unsigned.
const SIGNS: i32 = i32::from_le_bytes([0x80; 4]);

/// log2(128), the bias that flipping the sign adds.
const BIAS_SHIFT: u32 = 7;

/// See [`Kernels::dot`].
pub(super) fn dot(kernels: Kernels, window: &Window, sums: &mut [Sums]) {
    assert_eq!(kernels.tier(), Tier::Avx512Vnni);
    // SAFETY: kernels of this tier exist only if the machine has these features.
    unsafe { dot_vnni(window, sums) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn dot_vnni(window: &Window, sums: &mut [Sums]) {
    let (rest, sums) = window.blocks::<BLOCK>(sums, |window, pixels, sums| block(window, pixels, sums));
    let (rest, sums) = rest.blocks::<4>(sums, |window, pixels, sums| block(window, pixels, sums));
    rest.blocks::<1>(sums, |window, pixels, sums| block(window, pixels, sums));
}

/// The instruction multiplies unsigned by signed bytes, so it computes `Σ (v + 128) · w`, from which `128 · Σ w` is taken.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn block<const P: usize>(window: &Window, pixels: &[usize; P], sums: &mut [Sums; P]) {
    let signs = _mm512_set1_epi32(SIGNS);
    let mut totals = [_mm512_setzero_si512(); P];
    for (segment, weights) in window.segments() {
        let mut values = [&[][..]; P];
        for (values, pixel) in values.iter_mut().zip(pixels) {
            *values = window.values(pixel + segment, weights);
        }
        for (quad, weights) in weights.iter().enumerate() {
            // SAFETY: a reference to 64 bytes is readable.
            let weights = unsafe { _mm512_loadu_si512((&raw const *weights).cast()) };
            for (total, values) in totals.iter_mut().zip(values) {
                // SAFETY: `values` has as many quads as `weights`.
                let value = i32::from_le_bytes(unsafe { values.get_unchecked(quad) }.map(|value| value as u8));
                let value = _mm512_xor_si512(_mm512_set1_epi32(value), signs);
                *total = _mm512_dpbusd_epi32(*total, value, weights);
            }
        }
    }
    // SAFETY: a reference to 64 bytes is readable.
    let lane_sums = unsafe { _mm512_loadu_si512((&raw const *window.lane_sums()).cast()) };
    let bias = _mm512_slli_epi32::<BIAS_SHIFT>(lane_sums);
    for (sums, total) in sums.iter_mut().zip(totals) {
        // SAFETY: an exclusive reference to 64 bytes is writable.
        unsafe { _mm512_storeu_si512((&raw mut *sums).cast(), _mm512_sub_epi32(total, bias)) };
    }
}

/// See [`Kernels::vectorised`].
pub(super) fn vectorised<T>(kernels: Kernels, body: impl FnOnce() -> T) -> T {
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    fn with_features<T>(body: impl FnOnce() -> T) -> T {
        body()
    }
    assert_eq!(kernels.tier(), Tier::Avx512Vnni);
    // SAFETY: kernels of this tier exist only if the machine has these features.
    unsafe { with_features(body) }
}
