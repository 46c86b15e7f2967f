//! Kernels for AVX-512 with VNNI.

use std::arch::asm;
use std::arch::x86_64::{
    __m128i, __m512i, _MM_HINT_T0, _mm_mask_storeu_epi8, _mm_prefetch, _mm_storeu_si128, _mm256_storeu_si256,
    _mm512_add_epi32, _mm512_castsi512_si128, _mm512_castsi512_si256, _mm512_cmplt_epi32_mask, _mm512_dpbusd_epi32,
    _mm512_extracti32x4_epi32, _mm512_extracti64x4_epi64, _mm512_loadu_si512, _mm512_mask_blend_epi32,
    _mm512_mask_storeu_epi8, _mm512_maskz_loadu_epi8, _mm512_max_epi8, _mm512_min_epi8, _mm512_mullo_epi32,
    _mm512_packs_epi16, _mm512_packs_epi32, _mm512_permutexvar_epi32, _mm512_reduce_add_epi32, _mm512_set1_epi8,
    _mm512_set1_epi32, _mm512_setr_epi32, _mm512_setzero_si512, _mm512_srav_epi32, _mm512_storeu_si512,
    _mm512_unpackhi_epi8, _mm512_unpackhi_epi16, _mm512_unpacklo_epi8, _mm512_unpacklo_epi16, _mm512_xor_si512,
};

use super::channelwise::{INTERLEAVED, Interleaved, PARTS, Run};
use super::requantise::{Requantise, Slope};
use super::tier::{Kernels, Tier};
use super::tile::{self, Job, LANES, MAX_VECTORS, Pixel, QUAD, Sink};

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
///
/// All indices of `sums` are constants once the loops are unrolled, which they must be for the sums to live in registers.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
#[expect(clippy::needless_range_loop, reason = "index loops are what the compiler unrolls")]
unsafe fn tile<const M: usize, const V: usize>(job: &Job, first: usize, pixels: &[Pixel], sink: &mut Sink) {
    let mut rows = [std::ptr::null::<u8>(); M];
    for row in 0..M {
        rows[row] = job.values.as_ptr().wrapping_add(pixels[row.min(pixels.len() - 1)].input as usize);
    }
    let mut sums = [[_mm512_setzero_si512(); V]; M];
    for v in 0..V {
        let init = load(&job.panel.init[v].0);
        for row in 0..M {
            sums[row][v] = init;
        }
    }
    let mut weights = job.panel.weights.as_ptr();
    // Where the values of neighbouring pixels follow each other, those of the next block are asked for while this one is computed.
    let (mut ahead, end) = (rows[M - 1], rows[M - 1].wrapping_add(rows[M - 1].addr().saturating_sub(rows[0].addr())));
    for &offset in job.panel.offsets {
        ahead = ahead.wrapping_add(64).min(end);
        _mm_prefetch::<_MM_HINT_T0>(ahead.cast());
        let mut panel = [_mm512_setzero_si512(); V];
        for v in 0..V {
            // SAFETY: the panel has `V` vectors of weights for each quad.
            panel[v] = unsafe { _mm512_loadu_si512(weights.wrapping_add(v).cast()) };
        }
        weights = weights.wrapping_add(V);
        for row in 0..M {
            let place = rows[row].wrapping_add(offset as usize).cast::<[u8; QUAD]>();
            // SAFETY: the job has been checked: all quads of every pixel lie inside the values.
            let values = _mm512_set1_epi32(i32::from_ne_bytes(unsafe { place.read() }));
            for v in 0..V {
                sums[row][v] = _mm512_dpbusd_epi32(sums[row][v], values, panel[v]);
                // SAFETY: no instruction at all. The compiler has to have this sum here, and does not know that memory stays the same
                // behind, so it cannot load the values of all rows first: there are no registers for them.
                unsafe { asm!("/* {0} */", inout(zmm_reg) sums[row][v], options(nostack, preserves_flags)) };
            }
        }
    }
    match sink {
        Sink::Codes(codes, requantise) => {
            let mut places = [std::ptr::null_mut::<u8>(); M];
            for row in 0..M {
                places[row] = codes.as_mut_ptr().wrapping_add(pixels[row.min(pixels.len() - 1)].output as usize);
            }
            let (lanes, halves) = (job.lanes(V - 1), job.panel.halves);
            // SAFETY: the job has been checked: `lanes` bytes from each place on lie inside the codes.
            unsafe {
                match requantise.slope {
                    None => store_codes(&Codes::new(lanes, halves, requantise, NoSlope), &sums, &places),
                    Some(slope) => store_codes(&Codes::new(lanes, halves, requantise, slope), &sums, &places),
                }
            }
        }
        Sink::Sums(out) => {
            let out = out[first * V..][..pixels.len() * V].as_mut_ptr();
            for row in 0..M {
                for v in 0..V {
                    if row < pixels.len() {
                        // SAFETY: the slice has a vector for each pixel and vector.
                        unsafe { _mm512_storeu_si512(out.wrapping_add(row * V + v).cast(), sums[row][v]) };
                    }
                }
            }
        }
    }
}

/// Whether negative values have a slope of their own, known when the code is made.
trait Negative: Copy {
    fn slope(self) -> Option<Slope>;
}

#[derive(Clone, Copy)]
struct NoSlope;

impl Negative for NoSlope {
    fn slope(self) -> Option<Slope> {
        None
    }
}

impl Negative for Slope {
    fn slope(self) -> Option<Slope> {
        Some(self)
    }
}

/// What a block's codes are made with.
struct Codes<'a, S> {
    slope: S,
    halves: &'a [tile::Sums],
    shift: __m512i,
    low: __m512i,
    high: __m512i,
    mask: __m512i,
    /// Packing interleaves the vectors by four bytes.
    order: __m512i,
    /// Whether all lanes of the last vector are in use, and which.
    full: bool,
    last: u16,
}

impl<'a, S: Negative> Codes<'a, S> {
    /// For panels whose last vector has `lanes` lanes in use.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    #[inline]
    fn new(lanes: usize, halves: &'a [tile::Sums], requantise: &Requantise, slope: S) -> Self {
        Self {
            slope,
            halves,
            shift: _mm512_set1_epi32(requantise.shift as i32),
            low: _mm512_set1_epi8(requantise.low),
            high: _mm512_set1_epi8(requantise.high),
            mask: _mm512_set1_epi8(requantise.mask.cast_signed()),
            order: _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15),
            full: lanes == LANES,
            last: ((1u32 << lanes) - 1) as u16,
        }
    }

    /// The codes of four vectors of sums, one behind the other.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    #[inline]
    fn of(&self, sums: [__m512i; 4], vectors: [usize; 4]) -> __m512i {
        let [a, b, c, d] = sums;
        let [a_half, b_half, c_half, d_half] = vectors;
        let low_half =
            _mm512_packs_epi32(self.shifted(a, &self.halves[a_half].0), self.shifted(b, &self.halves[b_half].0));
        let high_half =
            _mm512_packs_epi32(self.shifted(c, &self.halves[c_half].0), self.shifted(d, &self.halves[d_half].0));
        let bytes = _mm512_permutexvar_epi32(self.order, _mm512_packs_epi16(low_half, high_half));
        self.limited(bytes)
    }

    /// The limits and the encoding of bytes.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    #[inline]
    fn limited(&self, bytes: __m512i) -> __m512i {
        _mm512_xor_si512(_mm512_min_epi8(_mm512_max_epi8(bytes, self.low), self.high), self.mask)
    }

    /// The positive or the negative side of sums, not yet saturated.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    #[inline]
    fn shifted(&self, sums: __m512i, halves: &[i32; LANES]) -> __m512i {
        let positive = _mm512_srav_epi32(sums, self.shift);
        let Some(slope) = self.slope.slope() else { return positive };
        let exact = _mm512_add_epi32(_mm512_add_epi32(sums, sums), load(halves));
        let product = _mm512_mullo_epi32(exact, _mm512_set1_epi32(slope.multiplier));
        let rounded = _mm512_add_epi32(product, _mm512_set1_epi32(slope.round));
        let negative = _mm512_srav_epi32(rounded, _mm512_set1_epi32(slope.shift as i32));
        _mm512_mask_blend_epi32(_mm512_cmplt_epi32_mask(exact, _mm512_setzero_si512()), positive, negative)
    }

    /// Stores the codes of one vector, in use as a whole unless it is the last.
    ///
    /// # Safety
    /// The lanes in use are writable from `place` on.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    #[inline]
    unsafe fn store(&self, place: *mut u8, codes: __m128i, is_last: bool) {
        // SAFETY: as promised by the caller.
        unsafe {
            if self.full || !is_last {
                _mm_storeu_si128(place.cast(), codes);
            } else {
                _mm_mask_storeu_epi8(place.cast(), self.last, codes);
            }
        }
    }
}

/// Requantises the sums of a block and stores the codes.
///
/// # Safety
/// The outputs of the panel are writable from each place on.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
#[inline]
unsafe fn store_codes<const M: usize, const V: usize, S: Negative>(
    codes: &Codes<S>,
    sums: &[[__m512i; V]; M],
    places: &[*mut u8; M],
) {
    // Four vectors at a time become one of bytes. Unrolled by hand: with other than constant indices `sums` would live in memory.
    macro_rules! fours {
        ($($four:literal)*) => {$(
            if const { $four * 4 < M * V } {
                let at = const { [clip::<M, V>($four * 4), clip::<M, V>($four * 4 + 1), clip::<M, V>($four * 4 + 2), clip::<M, V>($four * 4 + 3)] };
                let [a, b, c, d] = at;
                let four = [sums[a / V][a % V], sums[b / V][b % V], sums[c / V][c % V], sums[d / V][d % V]];
                let bytes = codes.of(four, [a % V, b % V, c % V, d % V]);
                // SAFETY: the outputs of the panel are writable from each place on.
                unsafe {
                    if V == 2 && codes.full {
                        _mm256_storeu_si256(places[a / V].cast(), _mm512_castsi512_si256(bytes));
                        if const { M > 1 } {
                            _mm256_storeu_si256(places[d / V].cast(), _mm512_extracti64x4_epi64::<1>(bytes));
                        }
                    } else {
                        let place = |at: usize| places[at / V].wrapping_add(at % V * LANES);
                        let is_last = |at: usize| at % V == V - 1;
                        codes.store(place(a), _mm512_castsi512_si128(bytes), is_last(a));
                        codes.store(place(b), _mm512_extracti32x4_epi32::<1>(bytes), is_last(b));
                        codes.store(place(c), _mm512_extracti32x4_epi32::<2>(bytes), is_last(c));
                        codes.store(place(d), _mm512_extracti32x4_epi32::<3>(bytes), is_last(d));
                    }
                }
            }
        )*};
    }
    fours!(0 1 2 3 4 5 6);
}

/// Most vectors of sums in a block, [`store_codes`] handles them in fours.
const MAX_SUMS: usize = 28;

/// Index of a vector of a block, that of the last for those behind.
const fn clip<const M: usize, const V: usize>(at: usize) -> usize {
    assert!(M * V <= MAX_SUMS);
    if at < M * V { at } else { M * V - 1 }
}

#[target_feature(enable = "avx512f")]
#[inline]
fn load(sums: &[i32; LANES]) -> __m512i {
    // SAFETY: a reference to 64 bytes is readable.
    unsafe { _mm512_loadu_si512((&raw const *sums).cast()) }
}

/// See [`Kernels::channelwise`].
pub(super) fn channelwise(
    kernels: Kernels,
    values: &[u8],
    runs: &[Run],
    weights: &Interleaved,
    requantise: &Requantise,
    output: &mut [u8],
) {
    assert_eq!(kernels.tier(), Tier::Avx512Vnni);
    // SAFETY: kernels of this tier exist only if the machine has these features; the arguments were checked.
    unsafe {
        match requantise.slope {
            None => channel_runs(values, runs, weights, &Codes::new(LANES, &[], requantise, NoSlope), output),
            Some(slope) => channel_runs(values, runs, weights, &Codes::new(LANES, &[], requantise, slope), output),
        }
    }
}

/// # Safety
/// All taps of all runs lie inside the values, and all runs inside the output.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn channel_runs<S: Negative>(
    values: &[u8],
    runs: &[Run],
    weights: &Interleaved,
    codes: &Codes<S>,
    output: &mut [u8],
) {
    let fours = weights.taps.len();
    for phase in 0..weights.init.len() {
        let block = ChannelBlock {
            taps: &weights.taps,
            weights: &weights.weights[phase * fours..][..fours],
            init: &weights.init[phase],
            halves: &weights.halves[phase],
        };
        let step = INTERLEAVED * weights.init.len();
        // SAFETY: as promised by the caller.
        unsafe {
            match fours {
                1 => channel_blocks::<1, S>(values, runs, phase * INTERLEAVED, step, &block, codes, output),
                2 => channel_blocks::<2, S>(values, runs, phase * INTERLEAVED, step, &block, codes, output),
                3 => channel_blocks::<3, S>(values, runs, phase * INTERLEAVED, step, &block, codes, output),
                _ => channel_blocks::<0, S>(values, runs, phase * INTERLEAVED, step, &block, codes, output),
            }
        }
    }
}

/// One block of channels.
struct ChannelBlock<'a> {
    taps: &'a [[usize; QUAD]],
    weights: &'a [[tile::Quads; PARTS]],
    init: &'a [tile::Sums; PARTS],
    halves: &'a [tile::Sums; PARTS],
}

/// Blocks of the same channels, `step` bytes apart in each run. The weights of `FOURS` times four taps stay in registers; 0 stands for
/// more than fit.
///
/// # Safety
/// All taps of all runs lie inside the values, and all runs inside the output.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
#[expect(clippy::needless_range_loop, reason = "index loops are what the compiler unrolls")]
unsafe fn channel_blocks<const FOURS: usize, S: Negative>(
    values: &[u8],
    runs: &[Run],
    start: usize,
    step: usize,
    block: &ChannelBlock,
    codes: &Codes<S>,
    output: &mut [u8],
) {
    let mut taps = [[0; QUAD]; FOURS];
    let mut weights = [[_mm512_setzero_si512(); PARTS]; FOURS];
    for four in 0..FOURS {
        taps[four] = block.taps[four];
        for part in 0..PARTS {
            weights[four][part] = load_weights(&block.weights[four][part]);
        }
    }
    for run in runs {
        for first in (start..run.len).step_by(step) {
            let mask = u64::MAX >> INTERLEAVED.saturating_sub(run.len - first);
            let place = values.as_ptr().wrapping_add(run.input + first);
            let mut sums = [_mm512_setzero_si512(); PARTS];
            for part in 0..PARTS {
                sums[part] = load(&block.init[part].0);
            }
            // SAFETY: the taps lie inside the values for all bytes that are left of the run.
            unsafe {
                if FOURS == 0 {
                    for (taps, weights) in block.taps.iter().zip(block.weights) {
                        let weights = [
                            load_weights(&weights[0]),
                            load_weights(&weights[1]),
                            load_weights(&weights[2]),
                            load_weights(&weights[3]),
                        ];
                        multiply_add(&mut sums, place, mask, taps, &weights);
                    }
                } else if mask == u64::MAX {
                    for four in 0..FOURS {
                        multiply_add(&mut sums, place, u64::MAX, &taps[four], &weights[four]);
                    }
                } else {
                    for four in 0..FOURS {
                        multiply_add(&mut sums, place, mask, &taps[four], &weights[four]);
                    }
                }
            }
            let [a, b, c, d] = sums;
            // Packing undoes the interleaving.
            let low = _mm512_packs_epi32(codes.shifted(a, &block.halves[0].0), codes.shifted(b, &block.halves[1].0));
            let high = _mm512_packs_epi32(codes.shifted(c, &block.halves[2].0), codes.shifted(d, &block.halves[3].0));
            let bytes = codes.limited(_mm512_packs_epi16(low, high));
            let place = output.as_mut_ptr().wrapping_add(run.output + first);
            // SAFETY: the bytes that are left of the run lie inside the output.
            unsafe {
                if mask == u64::MAX {
                    _mm512_storeu_si512(place.cast(), bytes);
                } else {
                    _mm512_mask_storeu_epi8(place.cast(), mask, bytes);
                }
            }
        }
    }
}

/// Adds the products of four taps.
///
/// # Safety
/// The bytes of the mask are readable from each tap of `place` on.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
#[inline]
unsafe fn multiply_add(
    sums: &mut [__m512i; PARTS],
    place: *const u8,
    mask: u64,
    taps: &[usize; QUAD],
    weights: &[__m512i; PARTS],
) {
    // SAFETY: as promised by the caller.
    let (a, b, c, d) = unsafe {
        (
            load_bytes(place.wrapping_add(taps[0]), mask),
            load_bytes(place.wrapping_add(taps[1]), mask),
            load_bytes(place.wrapping_add(taps[2]), mask),
            load_bytes(place.wrapping_add(taps[3]), mask),
        )
    };
    // The four taps of each channel side by side.
    let (ab_low, ab_high) = (_mm512_unpacklo_epi8(a, b), _mm512_unpackhi_epi8(a, b));
    let (cd_low, cd_high) = (_mm512_unpacklo_epi8(c, d), _mm512_unpackhi_epi8(c, d));
    sums[0] = _mm512_dpbusd_epi32(sums[0], _mm512_unpacklo_epi16(ab_low, cd_low), weights[0]);
    sums[1] = _mm512_dpbusd_epi32(sums[1], _mm512_unpackhi_epi16(ab_low, cd_low), weights[1]);
    sums[2] = _mm512_dpbusd_epi32(sums[2], _mm512_unpacklo_epi16(ab_high, cd_high), weights[2]);
    sums[3] = _mm512_dpbusd_epi32(sums[3], _mm512_unpackhi_epi16(ab_high, cd_high), weights[3]);
}

#[target_feature(enable = "avx512f")]
#[inline]
fn load_weights(weights: &tile::Quads) -> __m512i {
    // SAFETY: a reference to 64 bytes is readable.
    unsafe { _mm512_loadu_si512((&raw const *weights).cast()) }
}

/// # Safety
/// The bytes of the mask are readable from `place` on.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
#[inline]
unsafe fn load_bytes(place: *const u8, mask: u64) -> __m512i {
    // SAFETY: as promised by the caller.
    unsafe {
        if mask == u64::MAX { _mm512_loadu_si512(place.cast()) } else { _mm512_maskz_loadu_epi8(mask, place.cast()) }
    }
}

/// See [`Kernels::dot_burst`].
pub(super) fn dot_burst(kernels: Kernels, rounds: u32) -> (u64, i32) {
    /// Independent sums: more than the latency of the instruction needs.
    const SUMS: usize = 24;
    #[target_feature(enable = "avx512f,avx512vnni")]
    fn burst(rounds: u32) -> i32 {
        let (values, weights) = (_mm512_set1_epi32(rounds.cast_signed()), _mm512_set1_epi8(1));
        let mut sums = [_mm512_setzero_si512(); SUMS];
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = _mm512_dpbusd_epi32(*sum, values, weights);
            }
        }
        sums.into_iter().fold(0, |total, sum| total ^ _mm512_reduce_add_epi32(sum))
    }
    assert_eq!(kernels.tier(), Tier::Avx512Vnni);
    // SAFETY: kernels of this tier exist only if the machine has these features.
    (u64::from(rounds) * (SUMS * LANES * QUAD) as u64, unsafe { burst(rounds) })
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
