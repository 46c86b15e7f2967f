//! Dot products over the taps of each channel: the inner loop of depthwise operators.
//!
//! Outputs are computed in *runs* of neighbouring bytes whose inputs are neighbours too: whole rows of pixels, or single pixels. Tap
//! `t` of byte `i` of a run is `values[run.input + taps[t] + i]`, its channel `i mod channels`. Vectors of bytes do not stop at the
//! end of a pixel; the weights repeat after the least common multiple of both.

use super::requantise::Requantise;
use super::tier::{Kernels, Tier};
use super::tile::{LANES, QUAD, Quads, Sums};

/// Neighbouring output bytes, a whole number of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// Value that meets tap place 0.
    pub(crate) input: usize,
    /// First output byte.
    pub(crate) output: usize,
    /// Bytes.
    pub(crate) len: usize,
}

/// Weights of a depthwise operator in the order of the kernels of one tier.
#[derive(Clone, Debug)]
pub(crate) struct ChannelWeights {
    taps: Vec<usize>,
    layout: Layout,
}

#[derive(Clone, Debug)]
enum Layout {
    /// Blocks of [`LANES`] channels, one tap after another.
    Planar(Planar),
    /// Blocks of [`INTERLEAVED`] channels, taps in fours.
    Interleaved(Interleaved),
}

#[derive(Clone, Debug)]
struct Planar {
    /// `[block][tap][lane]`
    weights: Vec<[i8; LANES]>,
    /// What the sums start from, `[block]`.
    init: Vec<[i32; LANES]>,
    /// See [`Requantise`], `[block]`.
    halves: Vec<[i32; LANES]>,
}

/// Vectors of sums in a block of interleaved channels.
pub(super) const PARTS: usize = 4;

/// Channels in an interleaved block.
pub(super) const INTERLEAVED: usize = PARTS * LANES;

/// Taps in fours and channels in the order that unpacking four vectors of bytes gives: lane `l` of part `p` is channel
/// `16 · (l / 4) + 4 · p + l mod 4` of its block.
#[derive(Clone, Debug)]
pub(super) struct Interleaved {
    /// Places of taps; those behind the last stand for zero weights.
    pub(super) taps: Vec<[usize; QUAD]>,
    /// `[block][four taps][part]`
    pub(super) weights: Vec<[Quads; PARTS]>,
    /// What the sums start from, `[block][part]`.
    pub(super) init: Vec<[Sums; PARTS]>,
    /// See [`Requantise`], `[block][part]`.
    pub(super) halves: Vec<[Sums; PARTS]>,
}

impl ChannelWeights {
    /// Packs the weights for runs of at most `longest` bytes. `weight` gives that of a tap and a channel, `init` and `halves` hold a
    /// value for each channel.
    pub(crate) fn new(
        kernels: Kernels,
        taps: Vec<usize>,
        longest: usize,
        weight: impl Fn(usize, usize) -> i8,
        init: &[i32],
        halves: &[i32],
    ) -> Self {
        let channels = init.len();
        let blocks = |size: usize| (channels / gcd(channels, size)).min(longest.div_ceil(size));
        let layout = if kernels.tier() == Tier::Avx512Vnni {
            let fours: Vec<_> =
                taps.chunks(QUAD).map(|four| std::array::from_fn(|i| four[i.min(four.len() - 1)])).collect();
            let channel = |block: usize, part: usize, lane: usize| {
                (block * INTERLEAVED + 16 * (lane / 4) + 4 * part + lane % 4) % channels
            };
            let per_lane = |values: &[i32]| -> Vec<[Sums; PARTS]> {
                let sums = |block, part| Sums(std::array::from_fn(|lane| values[channel(block, part, lane)]));
                (0..blocks(INTERLEAVED)).map(|block| std::array::from_fn(|part| sums(block, part))).collect()
            };
            let tap_weight = |tap: usize, channel: usize| if tap < taps.len() { weight(tap, channel) } else { 0 };
            let quads = |block: usize, four: usize, part: usize| {
                let quad = |lane| std::array::from_fn(|i| tap_weight(four * QUAD + i, channel(block, part, lane)));
                Quads(std::array::from_fn(quad))
            };
            let places = (0..blocks(INTERLEAVED)).flat_map(|block| (0..fours.len()).map(move |four| (block, four)));
            Layout::Interleaved(Interleaved {
                weights: places.map(|(block, four)| std::array::from_fn(|part| quads(block, four, part))).collect(),
                init: per_lane(init),
                halves: per_lane(halves),
                taps: fours,
            })
        } else {
            let channel = |block: usize, lane: usize| (block * LANES + lane) % channels;
            let per_lane = |values: &[i32]| -> Vec<[i32; LANES]> {
                (0..blocks(LANES)).map(|block| std::array::from_fn(|lane| values[channel(block, lane)])).collect()
            };
            let places = (0..blocks(LANES)).flat_map(|block| (0..taps.len()).map(move |tap| (block, tap)));
            Layout::Planar(Planar {
                weights: places
                    .map(|(block, tap)| std::array::from_fn(|lane| weight(tap, channel(block, lane))))
                    .collect(),
                init: per_lane(init),
                halves: per_lane(halves),
            })
        };
        Self { taps, layout }
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl Kernels {
    /// Computes the bytes of all runs.
    ///
    /// # Panics
    /// If a run reaches outside `values` or `output`, or is longer than announced.
    pub(crate) fn channelwise(
        self,
        values: &[u8],
        runs: &[Run],
        weights: &ChannelWeights,
        requantise: &Requantise,
        output: &mut [u8],
    ) {
        let reach = weights.taps.iter().max().copied();
        for run in runs {
            let end = reach.map_or(0, |reach| run.input + reach + run.len);
            assert!(end <= values.len(), "a run leaves the {} values", values.len());
            assert!(run.output + run.len <= output.len(), "a run leaves the {} results", output.len());
        }
        match &weights.layout {
            #[cfg(target_arch = "x86_64")]
            Layout::Interleaved(weights) => super::avx512::channelwise(self, values, runs, weights, requantise, output),
            #[cfg(not(target_arch = "x86_64"))]
            Layout::Interleaved(_) => unreachable!("a layout of a tier of x86"),
            Layout::Planar(planar) if self.tier() == Tier::Scalar => {
                for run in runs {
                    run_rest(values, *run, 0, (&weights.taps, planar), requantise, output);
                }
            }
            Layout::Planar(planar) => {
                self.vectorised(|| blocks(values, runs, (&weights.taps, planar), requantise, output));
            }
        }
    }
}

/// The bytes of a run from `start` on, one at a time.
fn run_rest(
    values: &[u8],
    run: Run,
    start: usize,
    (taps, planar): (&[usize], &Planar),
    requantise: &Requantise,
    output: &mut [u8],
) {
    for at in start..run.len {
        let (block, lane) = (at / LANES % planar.init.len(), at % LANES);
        let mut sum = planar.init[block][lane];
        for (&tap, weights) in taps.iter().zip(&planar.weights[block * taps.len()..]) {
            sum = sum.wrapping_add(i32::from(values[run.input + tap + at]) * i32::from(weights[lane]));
        }
        output[run.output + at] = requantise.codes(&[sum; LANES], &[planar.halves[block][lane]; LANES])[0];
    }
}

#[expect(clippy::inline_always, reason = "the compiler vectorises it for the tier of its caller")]
#[inline(always)]
fn blocks(
    values: &[u8],
    runs: &[Run],
    (taps, planar): (&[usize], &Planar),
    requantise: &Requantise,
    output: &mut [u8],
) {
    for run in runs {
        let whole = run.len / LANES;
        for (block, out) in output[run.output..][..whole * LANES].as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            let phase = block % planar.init.len();
            let mut sums = planar.init[phase];
            for (&tap, weights) in taps.iter().zip(&planar.weights[phase * taps.len()..]) {
                let Some(values) = values[run.input + tap + block * LANES..].first_chunk::<LANES>() else { return };
                for ((sum, &value), &weight) in sums.iter_mut().zip(values).zip(weights) {
                    // The product of an unsigned and a signed byte fits 16 bits.
                    *sum = sum.wrapping_add(i32::from(i16::from(value) * i16::from(weight)));
                }
            }
            *out = requantise.codes(&sums, &planar.halves[phase]);
        }
        run_rest(values, *run, whole * LANES, (taps, planar), requantise, output);
    }
}
