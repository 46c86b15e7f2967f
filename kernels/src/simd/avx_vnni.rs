//! Kernels for AVX-VNNI: the dot-product instructions on vectors of 256 bits.

use std::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_dpbusd_avx_epi32, _mm256_extract_epi32, _mm256_loadu_si256, _mm256_set1_epi8,
    _mm256_set1_epi32, _mm256_setzero_si256, _mm256_storeu_si256,
};

use super::tier::{Kernels, Tier};
use super::tile::{Job, LANES, Pixel, QUAD, Sink, Sums};

/// Pixels computed together: with two registers of sums each they leave four of the sixteen registers.
const BLOCK: usize = 6;

/// Registers of one vector of sums.
const PARTS: usize = LANES / 8;

/// See [`Kernels::dense`].
pub(super) fn dense(kernels: Kernels, job: &Job, sink: &mut Sink) {
    assert_eq!(kernels.tier(), Tier::AvxVnni);
    // SAFETY: kernels of this tier exist only if the machine has these features; the arguments were checked.
    unsafe { blocks(job, sink) }
}

#[target_feature(enable = "avx2,avxvnni")]
unsafe fn blocks(job: &Job, sink: &mut Sink) {
    for vector in 0..job.panel.init.len() {
        for (number, pixels) in job.pixels.chunks(BLOCK).enumerate() {
            // SAFETY: as promised by the caller.
            unsafe {
                match pixels.len() {
                    1 => tile::<1>(job, number * BLOCK, pixels, vector, sink),
                    2 | 3 => tile::<3>(job, number * BLOCK, pixels, vector, sink),
                    _ => tile::<BLOCK>(job, number * BLOCK, pixels, vector, sink),
                }
            }
        }
    }
}

/// At most `M` pixels and one vector of lanes.
#[target_feature(enable = "avx2,avxvnni")]
unsafe fn tile<const M: usize>(job: &Job, first: usize, pixels: &[Pixel], vector: usize, sink: &mut Sink) {
    let rows = Job::block::<M>(pixels).map(|pixel| job.values.as_ptr().wrapping_add(pixel.input as usize));
    let vectors = job.panel.init.len();
    let mut totals = [[_mm256_setzero_si256(); PARTS]; M];
    for totals in &mut totals {
        for (part, total) in totals.iter_mut().enumerate() {
            // SAFETY: a vector of sums is 64 bytes.
            *total = unsafe { load((&raw const job.panel.init[vector]).cast(), part) };
        }
    }
    let mut weights = job.panel.weights.as_ptr().wrapping_add(vector);
    for &offset in job.panel.offsets {
        let mut parts = [_mm256_setzero_si256(); PARTS];
        for (part, register) in parts.iter_mut().enumerate() {
            // SAFETY: the panel has this vector of weights, 64 bytes, for each quad.
            *register = unsafe { load(weights.cast(), part) };
        }
        weights = weights.wrapping_add(vectors);
        for (totals, row) in totals.iter_mut().zip(rows) {
            let place = row.wrapping_add(offset as usize).cast::<[u8; QUAD]>();
            // SAFETY: the job has been checked: all quads of every pixel lie inside the values.
            let values = _mm256_set1_epi32(i32::from_ne_bytes(unsafe { place.read() }));
            for (total, weights) in totals.iter_mut().zip(parts) {
                *total = _mm256_dpbusd_avx_epi32(*total, values, weights);
            }
        }
    }
    for (row, totals) in totals.into_iter().enumerate().take(pixels.len()) {
        let mut sums = Sums([0; LANES]);
        for (part, total) in totals.into_iter().enumerate() {
            // SAFETY: the sums are 64 bytes.
            unsafe { _mm256_storeu_si256((&raw mut sums).cast::<__m256i>().wrapping_add(part), total) };
        }
        sink.put(job, first + row, vector, &sums);
    }
}

/// # Safety
/// Register `part` from `base` on is readable.
#[target_feature(enable = "avx2")]
unsafe fn load(base: *const __m256i, part: usize) -> __m256i {
    // SAFETY: as promised by the caller.
    unsafe { _mm256_loadu_si256(base.wrapping_add(part)) }
}

/// See [`Kernels::dot_burst`].
pub(super) fn dot_burst(kernels: Kernels, rounds: u32) -> (u64, i32) {
    /// Independent sums: more than the latency of the instruction needs.
    const SUMS: usize = 12;
    #[target_feature(enable = "avx2,avxvnni")]
    fn burst(rounds: u32) -> i32 {
        let (values, weights) = (_mm256_set1_epi32(rounds.cast_signed()), _mm256_set1_epi8(1));
        let mut sums = [_mm256_setzero_si256(); SUMS];
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = _mm256_dpbusd_avx_epi32(*sum, values, weights);
            }
        }
        let total = sums.into_iter().fold(values, |total, sum| _mm256_add_epi32(total, sum));
        _mm256_extract_epi32::<0>(total)
    }
    assert_eq!(kernels.tier(), Tier::AvxVnni);
    // SAFETY: kernels of this tier exist only if the machine has these features.
    (u64::from(rounds) * (SUMS * 8 * QUAD) as u64, unsafe { burst(rounds) })
}

/// See [`Kernels::vectorised`].
pub(super) fn vectorised<T>(kernels: Kernels, body: impl FnOnce() -> T) -> T {
    #[target_feature(enable = "avx2,avxvnni")]
    fn with_features<T>(body: impl FnOnce() -> T) -> T {
        body()
    }
    assert_eq!(kernels.tier(), Tier::AvxVnni);
    // SAFETY: kernels of this tier exist only if the machine has these features.
    unsafe { with_features(body) }
}
