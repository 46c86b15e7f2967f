//! Poolings.
//!
//! Outputs are computed in *runs* of neighbouring bytes whose inputs are neighbours too: with stride 1 all pixels of a row whose
//! windows are whole, otherwise single pixels. Vectors of bytes do not stop at the end of a pixel.

use std::ops::Range;

use super::encoding::{Encoding, Encodings};
use super::fold::{Fold, Maximum};
use super::scale::Scale;
use super::table::Table;
use crate::parallel::split_rows;
use crate::reference::error::{Result, parameter_error};
use crate::reference::geometry::{Plane, Window};
use crate::reference::layout::{check_size, result_size};
use crate::reference::pool::{Pool2dParams, average_factor};
use crate::reference::round::rsat;
use crate::simd::Kernels;

/// Bytes computed side by side.
const BLOCK: usize = 64;

/// Most pixels under a window of an average: sums of so many int8 fit 32 bits.
const MAX_CELLS: usize = 1 << 23;

/// Maximum pooling: [`max_pool`](crate::reference::pool::max_pool).
#[derive(Clone, Debug)]
pub struct MaxPool {
    windows: Windows,
    /// From signed maxima to bytes of the output.
    finish: Table,
}

impl MaxPool {
    /// Prepares the pooling of maps of shape `input` (`[n, h, w, channels]`).
    ///
    /// # Errors
    /// As [`max_pool`](crate::reference::pool::max_pool).
    pub fn new(kernels: Kernels, input: [usize; 4], params: &Pool2dParams, encodings: Encodings) -> Result<Self> {
        let windows = Windows::new("max_pool", kernels, input, params, encodings.input)?;
        let signed = Encodings { input: Encoding::Signed, output: encodings.output };
        let finish = Table::new(kernels, signed, |q| rsat(q.into(), params.fix.shift()));
        Ok(Self { windows, finish })
    }

    /// Shape of the result, `[n, out_h, out_w, channels]`.
    pub const fn output_shape(&self) -> [usize; 4] {
        self.windows.output
    }

    /// Computes the result of `input`; both are whole tensors in the encodings stated at construction.
    ///
    /// # Panics
    /// If a length is wrong.
    pub fn run(&self, input: &[u8], output: &mut [u8]) {
        let finish = (!self.finish.is_identity()).then_some(&self.finish);
        self.windows.run(input, output, |band, output| {
            self.windows.kernels.vectorised(|| {
                self.windows.visit(band, |taps, run| taps.fold::<Maximum>(input, &Maximum, &mut output[run]));
            });
            if let Some(table) = finish {
                table.replace(output);
            }
        });
    }
}

/// Average pooling, exact with the factors of the hardware: [`avg_pool`](crate::reference::pool::avg_pool).
///
/// A global pooling is one with the window of the whole map.
#[derive(Clone, Debug)]
pub struct AveragePool {
    windows: Windows,
    scale: Scale,
}

impl AveragePool {
    /// Prepares the pooling of maps of shape `input` (`[n, h, w, channels]`).
    ///
    /// # Errors
    /// As [`avg_pool`](crate::reference::pool::avg_pool), or a window of more than 2^23 pixels.
    pub fn new(kernels: Kernels, input: [usize; 4], params: &Pool2dParams, encodings: Encodings) -> Result<Self> {
        let windows = Windows::new("avg_pool", kernels, input, params, encodings.input)?;
        let cells = params.kernel[0].min(input[1]) * params.kernel[1].min(input[2]);
        if cells > MAX_CELLS {
            let problem = format!("[h, w] = {:?} sees more than {MAX_CELLS} pixels; pool in two steps", params.kernel);
            return Err(parameter_error("avg_pool", "kernel", problem));
        }
        let scale = Scale::new(average_factor(params.kernel), params.fix.shift(), cells, encodings.output);
        Ok(Self { windows, scale })
    }

    /// Shape of the result, `[n, out_h, out_w, channels]`.
    pub const fn output_shape(&self) -> [usize; 4] {
        self.windows.output
    }

    /// Computes the result of `input`; both are whole tensors in the encodings stated at construction.
    ///
    /// # Panics
    /// If a length is wrong.
    pub fn run(&self, input: &[u8], output: &mut [u8]) {
        self.windows.run(input, output, |band, output| {
            self.windows.kernels.vectorised(|| {
                self.windows.visit(band, |taps, run| taps.fold::<Scale>(input, &self.scale, &mut output[run]));
            });
        });
    }
}

/// Where the windows are.
#[derive(Clone, Debug)]
struct Windows {
    kernels: Kernels,
    input: [usize; 4],
    output: [usize; 4],
    kernel: [usize; 2],
    strides: [usize; 2],
    /// Rows and columns of padding in front of the input.
    before: [usize; 2],
    encoding: Encoding,
}

/// The values under the windows of a run: those from `first + row * row_step + column * column_step` on.
struct Taps {
    first: usize,
    rows: usize,
    row_step: usize,
    columns: usize,
    column_step: usize,
    mask: u8,
}

impl Windows {
    fn new(
        operator: &'static str,
        kernels: Kernels,
        input: [usize; 4],
        params: &Pool2dParams,
        encoding: Encoding,
    ) -> Result<Self> {
        check_size(operator, "input", &input)?;
        let [batch, height, width, channels] = input;
        let Pool2dParams { kernel, strides, pads, .. } = *params;
        let window = Window { kernel, strides, dilations: [1, 1], pads };
        let plane = Plane::sliding(operator, [height, width], &window)?;
        let output = [batch, plane.rows.output, plane.columns.output, channels];
        result_size(operator, &output)?;
        Ok(Self { kernels, input, output, kernel, strides, before: [pads[0], pads[1]], encoding })
    }

    /// Calls `band` with ranges of output rows, counted through all images, and their bytes.
    fn run(&self, input: &[u8], output: &mut [u8], band: impl Fn(Range<usize>, &mut [u8]) + Sync) {
        assert_eq!(input.len(), self.input.iter().product(), "bytes of the input");
        assert_eq!(output.len(), self.output.iter().product(), "bytes of the output");
        let work = output.len().saturating_mul(self.kernel[0] * self.kernel[1]) / BLOCK;
        split_rows(output, self.output[2] * self.output[3], work, band);
    }

    /// Elements of an axis under the window of an output element.
    fn seen(&self, axis: usize, output: usize) -> Range<usize> {
        let first = output * self.strides[axis];
        let real = |end: usize| end.saturating_sub(self.before[axis]).min(self.input[1 + axis]);
        real(first)..real(first + self.kernel[axis])
    }

    /// Calls `visit` with the taps and the bytes of the runs of a band.
    #[inline(always)]
    fn visit(&self, band: Range<usize>, mut visit: impl FnMut(&Taps, Range<usize>)) {
        let [_, height, width, channels] = self.input;
        let [_, out_height, out_width, _] = self.output;
        for (index, row) in band.enumerate() {
            let rows = self.seen(0, row % out_height);
            let top = (row / out_height * height + rows.start) * width;
            let mut column = 0;
            while column < out_width {
                let columns = self.seen(1, column);
                let mut pixels = 1;
                if self.strides[1] == 1 && columns.len() == self.kernel[1] {
                    // All whole windows from here on.
                    pixels += width - columns.end;
                }
                let taps = Taps {
                    first: (top + columns.start) * channels,
                    rows: rows.len(),
                    row_step: width * channels,
                    columns: columns.len(),
                    column_step: channels,
                    mask: self.encoding.mask(),
                };
                let first = (index * out_width + column) * channels;
                visit(&taps, first..first + pixels * channels);
                column += pixels;
            }
        }
    }
}

impl Taps {
    /// Folds the windows of a run.
    #[inline(always)]
    fn fold<F: Fold>(&self, input: &[u8], fold: &F, run: &mut [u8]) {
        let len = run.len();
        let mut at = 0;
        while at + BLOCK <= len {
            self.block::<F, BLOCK>(input, fold, at, run);
            at += BLOCK;
        }
        // What is left is computed with the end of the last block once more, or in smaller ones.
        if at < len && len >= BLOCK {
            return self.block::<F, BLOCK>(input, fold, len - BLOCK, run);
        }
        const SMALL: usize = 16;
        while at + SMALL <= len {
            self.block::<F, SMALL>(input, fold, at, run);
            at += SMALL;
        }
        for at in at..len {
            self.block::<F, 1>(input, fold, at, run);
        }
    }

    #[inline(always)]
    fn block<F: Fold, const N: usize>(&self, input: &[u8], fold: &F, at: usize, run: &mut [u8]) {
        let mut sums = [F::START; N];
        for row in 0..self.rows {
            for column in 0..self.columns {
                let place = self.first + row * self.row_step + column * self.column_step + at;
                for (sum, &byte) in sums.iter_mut().zip(&input[place..][..N]) {
                    *sum = F::step(*sum, (byte ^ self.mask) as i8);
                }
            }
        }
        for (sum, byte) in sums.into_iter().zip(&mut run[at..][..N]) {
            *byte = fold.finish(sum);
        }
    }
}
