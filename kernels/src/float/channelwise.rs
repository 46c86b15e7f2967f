//! Window operators that treat each channel by itself: the loops of depthwise convolutions and poolings.

use std::ops::Range;

use super::geometry::{Axis, Space};
use super::lanes::{Lanes, Task};
use super::parallel::split_rows;
use crate::simd::Kernels;

/// Positions computed side by side, as many independent sums as hide the latency of one step.
const BLOCK: usize = 8;

/// What is done with the elements under a window.
pub(super) trait Fold: Copy + Sync {
    /// The result of a window without elements, for a vector of channels from `channel` on.
    fn start<L: Lanes>(self, lanes: L, channel: usize) -> L::F32;

    /// What a kernel element holds for a vector of channels.
    fn operand<L: Lanes>(self, lanes: L, kernel: [usize; 2], channel: usize) -> L::F32;

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
}

impl Channelwise {
    /// `[n, h, w, channels]`
    pub(super) const fn output_shape(&self) -> [usize; 4] {
        let [batch, .., channels] = self.input;
        [batch, self.space.output[0], self.space.output[1], channels]
    }

    /// Folds every window.
    ///
    /// # Panics
    /// If a slice does not have the elements of its shape.
    pub(super) fn run(&self, fold: impl Fold, input: &[f32], output: &mut [f32]) {
        let shape = self.output_shape();
        assert_eq!(input.len(), self.input.iter().product(), "elements of the input");
        assert_eq!(output.len(), shape.iter().product(), "elements of the output");
        let taps = |axes: &[Axis]| axes.iter().map(|axis| axis.taps).max().unwrap_or(0);
        let work = output.len().saturating_mul(taps(&self.space.rows) * taps(&self.space.columns));
        split_rows(output, shape[2] * shape[3], work, |band, output| {
            self.kernels.with_lanes(Bands { operator: self, fold, input, output, band });
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
            let rows = &space.rows[row % space.rows.len()];
            let (taps, top) = rows.taps_at(row / space.rows.len());
            let lines = &self.input[image * height * line..][..height * line];
            for columns in &space.columns {
                let strip = Strip { lines, line, channels, rows, columns, taps: taps.clone(), top };
                strip.fold(lanes, self.fold, output);
            }
        }
    }
}

/// The windows of one row of the output.
struct Strip<'a> {
    /// The image.
    lines: &'a [f32],
    /// Elements of a row of the image.
    line: usize,
    channels: usize,
    rows: &'a Axis,
    columns: &'a Axis,
    /// Taps of the rows that meet the image.
    taps: Range<usize>,
    /// Row of the image under tap 0, if it is there.
    top: isize,
}

impl Strip<'_> {
    #[inline(always)]
    fn fold<L: Lanes, F: Fold>(&self, lanes: L, fold: F, output: &mut [f32]) {
        let interior = self.columns.interior();
        for position in (0..interior.start).chain(interior.end..self.columns.positions) {
            let (taps, _) = self.columns.taps_at(position);
            self.block::<L, F, 1>(lanes, fold, position, taps, output);
        }
        let mut position = interior.start;
        while position + BLOCK <= interior.end {
            self.block::<L, F, BLOCK>(lanes, fold, position, 0..self.columns.taps, output);
            position += BLOCK;
        }
        for position in position..interior.end {
            self.block::<L, F, 1>(lanes, fold, position, 0..self.columns.taps, output);
        }
    }

    /// `P` windows that see these taps of the columns.
    #[inline(always)]
    fn block<L: Lanes, F: Fold, const P: usize>(
        &self,
        lanes: L,
        fold: F,
        position: usize,
        taps: Range<usize>,
        output: &mut [f32],
    ) {
        let whole = self.channels / L::COUNT * L::COUNT;
        for channel in (0..whole).step_by(L::COUNT) {
            self.vectors::<L, F, P, true>(lanes, fold, position, taps.clone(), channel, output);
        }
        if whole < self.channels {
            self.vectors::<L, F, P, false>(lanes, fold, position, taps, whole, output);
        }
    }

    /// A vector of channels from `channel` on, the last ones if not `WHOLE`.
    #[inline(always)]
    fn vectors<L: Lanes, F: Fold, const P: usize, const WHOLE: bool>(
        &self,
        lanes: L,
        fold: F,
        position: usize,
        taps: Range<usize>,
        channel: usize,
        output: &mut [f32],
    ) {
        let Self { rows, columns, channels, .. } = *self;
        let width = if WHOLE { L::COUNT } else { channels - channel };
        let start = (position * columns.stride) as isize + columns.origin;
        let mut sums = [fold.start(lanes, channel); P];
        for row_tap in self.taps.clone() {
            let y = (self.top + (row_tap * rows.dilation) as isize).cast_unsigned();
            let line = &self.lines[y * self.line..][..self.line];
            for tap in taps.clone() {
                let operand = fold.operand(lanes, [rows.kernel.at(row_tap), columns.kernel.at(tap)], channel);
                let x = (start + (tap * columns.dilation) as isize).cast_unsigned();
                for p in 0..P {
                    let pixel = &line[(x + p * columns.stride) * channels + channel..];
                    let pixel = if WHOLE { lanes.load(pixel) } else { lanes.load_part(&pixel[..width]) };
                    sums[p] = fold.step(lanes, sums[p], operand, pixel);
                }
            }
        }
        for (p, sum) in sums.into_iter().enumerate() {
            let pixel = &mut output[columns.output.at(position + p) * channels + channel..][..width];
            let result = fold.finish(lanes, sum);
            if WHOLE { lanes.store(result, pixel) } else { lanes.store_part(result, pixel) }
        }
    }
}
