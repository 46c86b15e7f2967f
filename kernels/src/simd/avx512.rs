//! Kernels for AVX-512 with VNNI.

use std::arch::x86_64::{
    __m512i, _mm_mask_storeu_epi8, _mm_storeu_si128, _mm256_storeu_si256, _mm512_add_epi32, _mm512_castsi512_si256,
    _mm512_cmplt_epi32_mask, _mm512_dpbusd_epi32, _mm512_extracti32x4_epi32, _mm512_extracti64x4_epi64,
    _mm512_loadu_si512, _mm512_mask_blend_epi32, _mm512_max_epi8, _mm512_min_epi8, _mm512_mullo_epi32,
    _mm512_packs_epi16, _mm512_packs_epi32, _mm512_permutexvar_epi32, _mm512_set1_epi8, _mm512_set1_epi32,
    _mm512_setr_epi32, _mm512_setzero_si512, _mm512_slli_epi32, _mm512_srav_epi32, _mm512_storeu_si512,
    _mm512_sub_epi32, _mm512_xor_si512,
};

use super::dense::{Sums, Window};
use super::requantise::Requantise;
use super::tier::{Kernels, Tier};
use super::tile::{Job, LANES, MAX_VECTORS, Pixel, QUAD, Sink};

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

/// See [`Kernels::dense`].
pub(super) fn dense(kernels: Kernels, job: &Job, sink: &mut Sink) {
    assert_eq!(kernels.tier(), Tier::Avx512Vnni);
    // SAFETY: kernels of this tier exist only if the machine has these features; the arguments were checked.
    unsafe {
        match job.panel.init.len() {
            1 => blocks::<16, 1>(job, sink),
            2 => blocks::<14, 2>(job, sink),
            _ => blocks::<8, MAX_VECTORS>(job, sink),
        }
    }
}

/// All pixels in blocks of `M`, a power of two less at the end.
///
/// `M · V` sums, `V` weights and a broadcast quad of values fit the 32 registers.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn blocks<const M: usize, const V: usize>(job: &Job, sink: &mut Sink) {
    for (number, pixels) in job.pixels.chunks(M).enumerate() {
        let first = number * M;
        // SAFETY: as promised by the caller.
        unsafe {
            match pixels.len() {
                1 => tile::<1, V>(job, first, pixels, sink),
                2 => tile::<2, V>(job, first, pixels, sink),
                3 | 4 => tile::<4, V>(job, first, pixels, sink),
                5..=8 => tile::<8, V>(job, first, pixels, sink),
                _ => tile::<M, V>(job, first, pixels, sink),
            }
        }
    }
}

/// At most `M` pixels and `V` vectors.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn tile<const M: usize, const V: usize>(job: &Job, first: usize, pixels: &[Pixel], sink: &mut Sink) {
    let block = Job::block::<M>(pixels);
    let rows = block.map(|pixel| job.values.as_ptr().wrapping_add(pixel.input as usize));
    let mut sums = [[_mm512_setzero_si512(); V]; M];
    for (v, init) in job.panel.init.iter().enumerate().take(V) {
        let init = load(&init.0);
        for sums in &mut sums {
            sums[v] = init;
        }
    }
    let mut weights = job.panel.weights.as_ptr();
    for segment in job.panel.segments {
        let rows = rows.map(|row| row.wrapping_add(segment.offset).cast::<[u8; QUAD]>());
        for quad in 0..segment.quads {
            let mut panel = [_mm512_setzero_si512(); V];
            for (v, vector) in panel.iter_mut().enumerate() {
                // SAFETY: the panel has `V` vectors of weights for each quad.
                *vector = unsafe { _mm512_loadu_si512(weights.wrapping_add(v).cast()) };
            }
            weights = weights.wrapping_add(V);
            for (sums, row) in sums.iter_mut().zip(rows) {
                // SAFETY: the job has been checked: all quads of all segments of every pixel lie inside the values.
                let values = _mm512_set1_epi32(i32::from_ne_bytes(unsafe { row.wrapping_add(quad).read() }));
                for (sum, weights) in sums.iter_mut().zip(panel) {
                    *sum = _mm512_dpbusd_epi32(*sum, values, weights);
                }
            }
        }
    }
    match sink {
        Sink::Codes(codes, requantise) => {
            let base = codes.as_mut_ptr();
            let places = block.map(|pixel| base.wrapping_add(pixel.output as usize));
            // SAFETY: the job has been checked: `lanes` bytes from each place on lie inside the codes.
            unsafe { store_codes(job, &sums, &places, requantise) };
        }
        Sink::Sums(out) => {
            for (sums, out) in sums.iter().zip(out[first * V..].chunks_exact_mut(V)).take(pixels.len()) {
                for (sum, out) in sums.iter().zip(out) {
                    // SAFETY: an exclusive reference to 64 bytes is writable.
                    unsafe { _mm512_storeu_si512((&raw mut *out).cast(), *sum) };
                }
            }
        }
    }
}

/// Requantises the sums of a block and stores the codes.
///
/// # Safety
/// The outputs of the panel are writable from each place on.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn store_codes<const M: usize, const V: usize>(
    job: &Job,
    sums: &[[__m512i; V]; M],
    places: &[*mut u8; M],
    requantise: &Requantise,
) {
    let shift = _mm512_set1_epi32(requantise.shift as i32);
    let (low, high) = (_mm512_set1_epi8(requantise.low), _mm512_set1_epi8(requantise.high));
    let mask = _mm512_set1_epi8(requantise.mask.cast_signed());
    // Packing interleaves the vectors by four bytes.
    let order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    let full = job.panel.lanes == V * LANES;
    // Four vectors at a time become one of bytes.
    for first in (0..M * V).step_by(4) {
        let mut four = [_mm512_setzero_si512(); 4];
        for (i, vector) in four.iter_mut().enumerate() {
            let at = (first + i).min(M * V - 1);
            *vector = shifted(sums[at / V][at % V], shift, job.panel.halves[at % V].0, requantise);
        }
        let low_half = _mm512_packs_epi32(four[0], four[1]);
        let high_half = _mm512_packs_epi32(four[2], four[3]);
        let bytes = _mm512_permutexvar_epi32(order, _mm512_packs_epi16(low_half, high_half));
        let bytes = _mm512_xor_si512(_mm512_min_epi8(_mm512_max_epi8(bytes, low), high), mask);
        if full && V == 2 {
            // SAFETY: 32 outputs are writable from each place on.
            unsafe {
                _mm256_storeu_si256(places[first / 2].cast(), _mm512_castsi512_si256(bytes));
                if first / 2 + 1 < M {
                    _mm256_storeu_si256(places[first / 2 + 1].cast(), _mm512_extracti64x4_epi64::<1>(bytes));
                }
            }
            continue;
        }
        let parts = [
            _mm512_extracti32x4_epi32::<0>(bytes),
            _mm512_extracti32x4_epi32::<1>(bytes),
            _mm512_extracti32x4_epi32::<2>(bytes),
            _mm512_extracti32x4_epi32::<3>(bytes),
        ];
        for (i, part) in parts.into_iter().enumerate().take(M * V - first) {
            let (row, v) = ((first + i) / V, (first + i) % V);
            let place = places[row].wrapping_add(v * LANES);
            let lanes = job.lanes(v);
            // SAFETY: so many outputs are writable from each place on.
            unsafe {
                if lanes == LANES {
                    _mm_storeu_si128(place.cast(), part);
                } else {
                    _mm_mask_storeu_epi8(place.cast(), (1 << lanes) - 1, part);
                }
            }
        }
    }
}

/// The positive or the negative side of a vector of sums, not yet saturated.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn shifted(sums: __m512i, shift: __m512i, halves: [i32; LANES], requantise: &Requantise) -> __m512i {
    let positive = _mm512_srav_epi32(sums, shift);
    let Some(slope) = requantise.slope else { return positive };
    let exact = _mm512_add_epi32(_mm512_add_epi32(sums, sums), load(&halves));
    let product = _mm512_mullo_epi32(exact, _mm512_set1_epi32(slope.multiplier));
    let rounded = _mm512_add_epi32(product, _mm512_set1_epi32(slope.round));
    let negative = _mm512_srav_epi32(rounded, _mm512_set1_epi32(slope.shift as i32));
    _mm512_mask_blend_epi32(_mm512_cmplt_epi32_mask(exact, _mm512_setzero_si512()), positive, negative)
}

#[target_feature(enable = "avx512f")]
fn load(sums: &[i32; LANES]) -> __m512i {
    // SAFETY: a reference to 64 bytes is readable.
    unsafe { _mm512_loadu_si512((&raw const *sums).cast()) }
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
