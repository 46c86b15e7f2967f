//! Kernels for AVX2.

use std::arch::x86_64::{
    __m256i, _mm_loadu_si128, _mm_set1_epi32, _mm256_add_epi32, _mm256_cvtepi8_epi16, _mm256_hadd_epi32,
    _mm256_madd_epi16, _mm256_permute4x64_epi64, _mm256_setzero_si256, _mm256_storeu_si256,
};

use super::dense::{LANES, QUAD, Quads, Sums, Window};
use super::tier::{Kernels, Tier};

/// Pixels computed together: with four registers of sums each they leave four of the sixteen registers.
const BLOCK: usize = 3;

/// Registers of sixteen 16-bit weights in one [`Quads`]: each holds the quads of four lanes.
const PARTS: usize = LANES * QUAD / 16;

/// See [`Kernels::dot`].
pub(super) fn dot(kernels: Kernels, window: &Window, sums: &mut [Sums]) {
    assert_eq!(kernels.tier(), Tier::Avx2);
    // SAFETY: kernels of this tier exist only if the machine has AVX2.
    unsafe { dot_avx2(window, sums) }
}

#[target_feature(enable = "avx2")]
fn dot_avx2(window: &Window, sums: &mut [Sums]) {
    let (rest, sums) = window.blocks::<BLOCK>(sums, |window, pixels, sums| block(window, pixels, sums));
    rest.blocks::<1>(sums, |window, pixels, sums| block(window, pixels, sums));
}

#[target_feature(enable = "avx2")]
fn block<const P: usize>(window: &Window, pixels: &[usize; P], sums: &mut [Sums; P]) {
    // Two partial sums for each lane: of its first two and its last two products.
    let mut totals = [[_mm256_setzero_si256(); PARTS]; P];
    for (segment, weights) in window.segments() {
        let mut values = [&[][..]; P];
        for (values, pixel) in values.iter_mut().zip(pixels) {
            *values = window.values(pixel + segment, weights);
        }
        for (quad, weights) in weights.iter().enumerate() {
            let mut broadcast = [_mm256_setzero_si256(); P];
            for (broadcast, values) in broadcast.iter_mut().zip(values) {
                // SAFETY: `values` has as many quads as `weights`.
                let value = i32::from_le_bytes(unsafe { values.get_unchecked(quad) }.map(|value| value as u8));
                *broadcast = _mm256_cvtepi8_epi16(_mm_set1_epi32(value));
            }
            for part in 0..PARTS {
                let weights = widen(weights, part);
                for (totals, values) in totals.iter_mut().zip(broadcast) {
                    // A pair of int8 products is at most 2^15 and cannot saturate.
                    totals[part] = _mm256_add_epi32(totals[part], _mm256_madd_epi16(values, weights));
                }
            }
        }
    }
    for (sums, totals) in sums.iter_mut().zip(totals) {
        store(totals, sums);
    }
}

/// The weights of lanes `4 · part ..` as 16-bit numbers.
#[target_feature(enable = "avx2")]
fn widen(weights: &Quads, part: usize) -> __m256i {
    let (parts, _) = weights.as_flattened().as_chunks::<16>();
    // SAFETY: a reference to 16 bytes is readable.
    _mm256_cvtepi8_epi16(unsafe { _mm_loadu_si128((&raw const parts[part]).cast()) })
}

/// Adds the partial sums of each lane.
#[target_feature(enable = "avx2")]
fn store(totals: [__m256i; PARTS], sums: &mut Sums) {
    let (halves, _) = sums.as_chunks_mut::<8>();
    for (half, sums) in halves.iter_mut().enumerate() {
        // Lanes 0 1 4 5 | 2 3 6 7, the middle 64-bit parts swapped.
        let lanes = _mm256_hadd_epi32(totals[2 * half], totals[2 * half + 1]);
        let lanes = _mm256_permute4x64_epi64::<0b11_01_10_00>(lanes);
        // SAFETY: an exclusive reference to 32 bytes is writable.
        unsafe { _mm256_storeu_si256((&raw mut *sums).cast(), lanes) };
    }
}

/// See [`Kernels::vectorised`].
pub(super) fn vectorised<T>(kernels: Kernels, body: impl FnOnce() -> T) -> T {
    #[target_feature(enable = "avx2")]
    fn with_features<T>(body: impl FnOnce() -> T) -> T {
        body()
    }
    assert_eq!(kernels.tier(), Tier::Avx2);
    // SAFETY: kernels of this tier exist only if the machine has AVX2.
    unsafe { with_features(body) }
}
