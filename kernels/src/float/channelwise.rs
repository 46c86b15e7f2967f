//! Window operators that treat each channel by itself: the loops of depthwise convolutions and poolings.

use std::ops::Range;

use super::function::Function;
use super::geometry::{Axis, Space};
use super::lanes::{Lanes, Task};
use crate::parallel::split_rows;
use crate::simd::Kernels;

/// Positions computed side by side; with two vectors of channels each they are as many independent sums as hide the latency of a step.
const BLOCK: usize = 4;

/// What is done with the elements under a window.
pub(super) trait Fold: Copy + Sync {
    /// The result of a window without elements, for a vector of channels from `channel` on.
    fn start<L: Lanes>(self, lanes: L, channel: usize) -> L::F32;

    /// What a kernel element, counted row by row, holds for a vector of channels.
    fn operand<L: Lanes>(self, lanes: L, kernel: usize, channel: usize) -> L::F32;

    /// Takes in the elements `x` under a kernel element with this operand.
    fn step<L: Lanes>(self, lanes: L, sum: L::F32, operand: L::F32, x: L::F32) -> L::F32;

    /// The result of a complete window.
    fn finish<L: Lanes>(self, lanes: L, sum: L::F32) -> L::F32;
}

/// A channelwise window operator on maps of one shape.
#[derive(Clone, Debug)]
pub(super) struct Channelwise {
    pub(super) kernels: Kernels,
    /// `[n, h, w, channels]`
    pub(super) input: [usize; 4],
    pub(super) space: Space,
    /// The taps of each pair of a window along the height and one along the width, row by row.
    taps: Vec<Vec<Tap>>,
}

/// A tap of a window.
#[derive(Clone, Copy, Debug)]
struct Tap {
    /// Distance of its pixel from that of the first tap, in elements.
    offset: usize,
    /// Index of its kernel element.
    kernel: usize,
}

impl Channelwise {
    /// The operator with a kernel of this width.
    pub(super) fn new(kernels: Kernels, input: [usize; 4], space: Space, kernel_width: usize) -> Self {
        let [_, _, width, channels] = input;
        let window = |rows: &Axis, columns: &Axis| -> Vec<Tap> {
            let taps = (0..rows.taps).flat_map(|y| (0..columns.taps).map(move |x| (y, x)));
            taps.map(|(y, x)| Tap {
                offset: (y * rows.dilation * width + x * columns.dilation) * channels,
                kernel: rows.kernel.at(y) * kernel_width + columns.kernel.at(x),
            })
            .collect()
        };
        let pairs = space.rows.iter().flat_map(|rows| space.columns.iter().map(move |columns| (rows, columns)));
        let taps = pairs.map(|(rows, columns)| window(rows, columns)).collect();
        Self { kernels, input, space, taps }
    }

    /// `[n, h, w, channels]`
    pub(super) const fn output_shape(&self) -> [usize; 4] {
        let [batch, .., channels] = self.input;
        [batch, self.space.output[0], self.space.output[1], channels]
    }

    /// Folds every window; what is left of an activation follows.
    ///
    /// # Panics
    /// If a slice does not have the elements of its shape.
    pub(super) fn run(&self, fold: impl Fold, activation: Option<Function>, input: &[f32], output: &mut [f32]) {
        let shape = self.output_shape();
        assert_eq!(input.len(), self.input.iter().product(), "elements of the input");
        assert_eq!(output.len(), shape.iter().product(), "elements of the output");
        let taps = |axes: &[Axis]| axes.iter().map(|axis| axis.taps).max().unwrap_or(0);
        let work = output.len().saturating_mul(taps(&self.space.rows) * taps(&self.space.columns));
        split_rows(output, shape[2] * shape[3], work, |band, output| {
            self.kernels.with_lanes(Bands { operator: self, fold, input, output: &mut *output, band });
            self.kernels.finish(activation, output);
        });
    }
}

/// Some rows of the output, counted through all images.
struct Bands<'a, F> {
    operator: &'a Channelwise,
    fold: F,
    input: &'a [f32],
    output: &'a mut [f32],
    band: Range<usize>,
}

impl<F: Fold> Task for Bands<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Channelwise { input: [_, height, width, channels], ref space, .. } = *self.operator;
        let (line, [out_height, out_width]) = (width * channels, space.output);
        for (row, output) in self.band.zip(self.output.chunks_exact_mut(out_width * channels)) {
            let (image, row) = (row / out_height, row % out_height);
            let phase = row % space.rows.len();
            let (taps, top) = space.rows[phase].taps_at(row / space.rows.len());
            let image = &self.input[image * height * line..][..height * line];
            for (index, columns) in space.columns.iter().enumerate() {
                let all = &self.operator.taps[phase * space.columns.len() + index];
                let rows = &all[taps.start * columns.taps..taps.end * columns.taps];
                let strip = Strip { image, first: top * line.cast_signed(), channels, columns, taps: rows };
                strip.fold(lanes, self.fold, output);
            }
        }
    }
}

/// The windows of one row of the output.
struct Strip<'a> {
    image: &'a [f32],
    /// Place of the first element of the row under the first tap of the whole window; it may lie in front of the image.
    first: isize,
    channels: usize,
    columns: &'a Axis,
    /// The rows of taps that meet the image.
    taps: &'a [Tap],
}

impl Strip<'_> {
    #[inline(always)]
    fn fold<L: Lanes, F: Fold>(&self, lanes: L, fold: F, output: &mut [f32]) {
        let interior = self.columns.interior();
        for position in (0..interior.start).chain(interior.end..self.columns.positions) {
            let (taps, _) = self.columns.taps_at(position);
            self.channels::<L, F, 1>(lanes, fold, position, taps, output);
        }
        let mut position = interior.start;
        while position + BLOCK <= interior.end {
            self.channels::<L, F, BLOCK>(lanes, fold, position, 0..self.columns.taps, output);
            position += BLOCK;
        }
        for position in position..interior.end {
            self.channels::<L, F, 1>(lanes, fold, position, 0..self.columns.taps, output);
        }
    }

    /// `P` windows that see these taps of each row.
    #[inline(always)]
    fn channels<L: Lanes, F: Fold, const P: usize>(
        &self,
        lanes: L,
        fold: F,
        position: usize,
        taps: Range<usize>,
        output: &mut [f32],
    ) {
        let mut channel = 0;
        while channel + 2 * L::COUNT <= self.channels {
            self.block::<L, F, P, 2, true>(lanes, fold, position, taps.clone(), channel, output);
            channel += 2 * L::COUNT;
        }
        if channel + L::COUNT <= self.channels {
            self.block::<L, F, P, 1, true>(lanes, fold, position, taps.clone(), channel, output);
            channel += L::COUNT;
        }
        if channel < self.channels {
            self.block::<L, F, P, 1, false>(lanes, fold, position, taps, channel, output);
        }
    }

    /// `V` vectors of channels from `channel` on; not `WHOLE`: the last channels.
    #[inline(always)]
    fn block<L: Lanes, F: Fold, const P: usize, const V: usize, const WHOLE: bool>(
        &self,
        lanes: L,
        fold: F,
        position: usize,
        taps: Range<usize>,
        channel: usize,
        output: &mut [f32],
    ) {
        let Self { columns, channels, .. } = *self;
        let width = if WHOLE { V * L::COUNT } else { channels - channel };
        let step = columns.stride * channels;
        let left = (position * columns.stride) as isize + columns.origin;
        let first = (self.first + left * channels.cast_signed() + channel.cast_signed()).cast_unsigned();
        let mut sums = [[lanes.splat(0.0); V]; P];
        for v in 0..V {
            let start = fold.start(lanes, channel + v * L::COUNT);
            for p in 0..P {
                sums[p][v] = start;
            }
        }
        // Rows of taps that are seen as a whole are one run.
        let whole_rows = taps.len() == columns.taps;
        let (row, seen) = if whole_rows { (self.taps.len(), 0..self.taps.len()) } else { (columns.taps, taps) };
        for row in self.taps.chunks_exact(row.max(1)) {
            for tap in &row[seen.clone()] {
                let pixels = &self.image[first.wrapping_add(tap.offset)..][..(P - 1) * step + width];
                let mut operands = [lanes.splat(0.0); V];
                for v in 0..V {
                    operands[v] = fold.operand(lanes, tap.kernel, channel + v * L::COUNT);
                }
                for p in 0..P {
                    // SAFETY: the slice ends behind the vectors of the last one of the `P` pixels.
                    let pixel = unsafe { pixels.get_unchecked(p * step..p * step + width) };
                    for v in 0..V {
                        let pixel = if WHOLE { lanes.load(&pixel[v * L::COUNT..]) } else { lanes.load_part(pixel) };
                        sums[p][v] = fold.step(lanes, sums[p][v], operands[v], pixel);
                    }
                }
            }
        }
        for p in 0..P {
            let pixel = &mut output[columns.output.at(position + p) * channels + channel..][..width];
            for v in 0..V {
                let result = fold.finish(lanes, sums[p][v]);
                if WHOLE { lanes.store(result, &mut pixel[v * L::COUNT..]) } else { lanes.store_part(result, pixel) }
            }
        }
    }
}
