//! Dot products over the taps of each channel: the inner loop of depthwise operators.
//!
//! Outputs are computed in *runs* of neighbouring bytes whose inputs are neighbours too: whole rows of pixels, or single pixels. Tap
//! `t` of byte `i` of a run is `values[run.input + taps[t] + i]`, its channel `i mod channels`. Vectors of bytes do not stop at the
//! end of a pixel; the weights repeat after the least common multiple of both.

use super::requantise::Requantise;
use super::tier::{Kernels, Tier};
use super::tile::LANES;

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
    /// `[block][tap][lane]`
    weights: Vec<[i8; LANES]>,
    /// What the sums start from, `[block]`.
    init: Vec<[i32; LANES]>,
    /// See [`Requantise`], `[block]`.
    halves: Vec<[i32; LANES]>,
}

impl ChannelWeights {
    /// Packs the weights for runs of at most `longest` bytes. `weight` gives that of a tap and a channel, `init` and `halves` hold a
    /// value for each channel.
    pub(crate) fn new(
        _kernels: Kernels,
        taps: Vec<usize>,
        longest: usize,
        weight: impl Fn(usize, usize) -> i8,
        init: &[i32],
        halves: &[i32],
    ) -> Self {
        let channels = init.len();
        let period = channels / gcd(channels, LANES);
        let blocks = period.min(longest.div_ceil(LANES));
        let channel = |block: usize, lane: usize| (block * LANES + lane) % channels;
        let per_lane = |values: &[i32]| -> Vec<[i32; LANES]> {
            (0..blocks).map(|block| std::array::from_fn(|lane| values[channel(block, lane)])).collect()
        };
        let taps_of = |block: usize| {
            let weight = &weight;
            (0..taps.len()).map(move |tap| std::array::from_fn(|lane| weight(tap, channel(block, lane))))
        };
        Self { weights: (0..blocks).flat_map(taps_of).collect(), init: per_lane(init), halves: per_lane(halves), taps }
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
        match self.tier() {
            Tier::Scalar => scalar(values, runs, weights, requantise, output),
            _ => self.vectorised(|| blocks(values, runs, weights, requantise, output)),
        }
    }
}

fn scalar(values: &[u8], runs: &[Run], weights: &ChannelWeights, requantise: &Requantise, output: &mut [u8]) {
    for run in runs {
        run_rest(values, *run, 0, weights, requantise, output);
    }
}

/// The bytes of a run from `start` on, one at a time.
fn run_rest(
    values: &[u8],
    run: Run,
    start: usize,
    weights: &ChannelWeights,
    requantise: &Requantise,
    output: &mut [u8],
) {
    for at in start..run.len {
        let (block, lane) = (at / LANES % weights.init.len(), at % LANES);
        let mut sum = weights.init[block][lane];
        let block_weights = &weights.weights[block * weights.taps.len()..];
        for (&tap, weights) in weights.taps.iter().zip(block_weights) {
            sum = sum.wrapping_add(i32::from(values[run.input + tap + at]) * i32::from(weights[lane]));
        }
        output[run.output + at] = requantise.codes(&[sum; LANES], &[weights.halves[block][lane]; LANES])[0];
    }
}

#[expect(clippy::inline_always, reason = "the compiler vectorises it for the tier of its caller")]
#[inline(always)]
fn blocks(values: &[u8], runs: &[Run], weights: &ChannelWeights, requantise: &Requantise, output: &mut [u8]) {
    let taps = weights.taps.len();
    for run in runs {
        let whole = run.len / LANES;
        for (block, out) in output[run.output..][..whole * LANES].as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            let phase = block % weights.init.len();
            let mut sums = weights.init[phase];
            for (&tap, weights) in weights.taps.iter().zip(&weights.weights[phase * taps..]) {
                let Some(values) = values[run.input + tap + block * LANES..].first_chunk::<LANES>() else { return };
                for ((sum, &value), &weight) in sums.iter_mut().zip(values).zip(weights) {
                    // The product of an unsigned and a signed byte fits 16 bits.
                    *sum = sum.wrapping_add(i32::from(i16::from(value) * i16::from(weight)));
                }
            }
            *out = requantise.codes(&sums, &weights.halves[phase]);
        }
        run_rest(values, *run, whole * LANES, weights, requantise, output);
    }
}
