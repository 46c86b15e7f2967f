//! Kernels for AVX2.

use std::arch::x86_64::{
    __m256i, _mm_loadu_si128, _mm_set1_epi32, _mm256_add_epi32, _mm256_cvtepi8_epi16, _mm256_cvtepu8_epi16,
    _mm256_extract_epi32, _mm256_hadd_epi32, _mm256_madd_epi16, _mm256_permute4x64_epi64, _mm256_set1_epi32,
    _mm256_setzero_si256, _mm256_storeu_si256,
};

use super::tier::{Kernels, Tier};
use super::tile::{Job, LANES, Pixel, QUAD, Sink, Sums};

/// Pixels computed together: with four registers of sums each they leave four of the sixteen registers.
const BLOCK: usize = 3;

/// Registers of sixteen 16-bit weights in one [`Quads`]: each holds the quads of four lanes.
const PARTS: usize = LANES * QUAD / 16;

/// Adds the partial sums of each lane.
#[target_feature(enable = "avx2")]
fn store(totals: [__m256i; PARTS], sums: &mut [i32; LANES]) {
    let (halves, _) = sums.as_chunks_mut::<8>();
    for (half, sums) in halves.iter_mut().enumerate() {
        // Lanes 0 1 4 5 | 2 3 6 7, the middle 64-bit parts swapped.
        let lanes = _mm256_hadd_epi32(totals[2 * half], totals[2 * half + 1]);
        let lanes = _mm256_permute4x64_epi64::<0b11_01_10_00>(lanes);
        // SAFETY: an exclusive reference to 32 bytes is writable.
        unsafe { _mm256_storeu_si256((&raw mut *sums).cast(), lanes) };
    }
}

/// See [`Kernels::dense`].
pub(super) fn dense(kernels: Kernels, job: &Job, sink: &mut Sink) {
    assert_eq!(kernels.tier(), Tier::Avx2);
    // SAFETY: kernels of this tier exist only if the machine has AVX2; the arguments were checked.
    unsafe { blocks(job, sink) }
}

#[target_feature(enable = "avx2")]
unsafe fn blocks(job: &Job, sink: &mut Sink) {
    for vector in 0..job.panel.init.len() {
        for (number, pixels) in job.pixels.chunks(BLOCK).enumerate() {
            // SAFETY: as promised by the caller.
            unsafe {
                match pixels.len() {
                    1 => tile::<1>(job, number * BLOCK, pixels, vector, sink),
                    _ => tile::<BLOCK>(job, number * BLOCK, pixels, vector, sink),
                }
            }
        }
    }
}

/// At most `M` pixels and one vector of lanes.
#[target_feature(enable = "avx2")]
unsafe fn tile<const M: usize>(job: &Job, first: usize, pixels: &[Pixel], vector: usize, sink: &mut Sink) {
    let rows = Job::block::<M>(pixels).map(|pixel| job.values.as_ptr().wrapping_add(pixel.input as usize));
    let vectors = job.panel.init.len();
    // Two partial sums for each lane: of its first two and its last two products.
    let mut totals = [[_mm256_setzero_si256(); PARTS]; M];
    let mut weights = job.panel.weights.as_ptr().wrapping_add(vector);
    for &offset in job.panel.offsets {
        let mut broadcast = [_mm256_setzero_si256(); M];
        for (broadcast, row) in broadcast.iter_mut().zip(rows) {
            let place = row.wrapping_add(offset as usize).cast::<[u8; QUAD]>();
            // SAFETY: the job has been checked: all quads of every pixel lie inside the values.
            *broadcast = _mm256_cvtepu8_epi16(_mm_set1_epi32(i32::from_ne_bytes(unsafe { place.read() })));
        }
        for part in 0..PARTS {
            // SAFETY: the panel has this vector of weights for each quad, in parts of 16 bytes.
            let weights = unsafe { _mm_loadu_si128(weights.cast::<[i8; 16]>().wrapping_add(part).cast()) };
            let weights = _mm256_cvtepi8_epi16(weights);
            for (totals, values) in totals.iter_mut().zip(broadcast) {
                // Two products of an unsigned and a signed byte are below 2^16 and cannot saturate.
                totals[part] = _mm256_add_epi32(totals[part], _mm256_madd_epi16(values, weights));
            }
        }
        weights = weights.wrapping_add(vectors);
    }
    for (row, totals) in totals.into_iter().enumerate().take(pixels.len()) {
        let mut sums = [0; LANES];
        store(totals, &mut sums);
        for (sum, init) in sums.iter_mut().zip(job.panel.init[vector].0) {
            *sum = sum.wrapping_add(init);
        }
        sink.put(job, first + row, vector, &Sums(sums));
    }
}

/// See [`Kernels::dot_burst`].
pub(super) fn dot_burst(kernels: Kernels, rounds: u32) -> (u64, i32) {
    /// Independent sums that fit the registers.
    const SUMS: usize = 12;
    /// Products of one instruction.
    const PRODUCTS: usize = 16;
    #[target_feature(enable = "avx2")]
    fn burst(rounds: u32) -> i32 {
        let values = _mm256_set1_epi32(rounds.cast_signed());
        let mut sums = [_mm256_setzero_si256(); SUMS];
        for _ in 0..rounds {
            for sum in &mut sums {
                // The product depends on its own sum, or it would be computed once.
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(*sum, values));
            }
        }
        let total = sums.into_iter().fold(values, |total, sum| _mm256_add_epi32(total, sum));
        _mm256_extract_epi32::<0>(total)
    }
    assert_eq!(kernels.tier(), Tier::Avx2);
    // SAFETY: kernels of this tier exist only if the machine has AVX2.
    (u64::from(rounds) * (SUMS * PRODUCTS) as u64, unsafe { burst(rounds) })
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
