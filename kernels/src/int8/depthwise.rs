//! Convolution of each channel with its own kernel, and its transpose.

use ndarray::{ArrayView1, ArrayView4};

use crate::reference::conv::{Conv2dParams, Epilogue, PlaneOf};
use crate::reference::error::{Result, shape_error};
use crate::reference::geometry::Plane;
use crate::reference::layout::{check_size, elements, result_size};
use crate::simd::Kernels;
use crate::simd::channelwise::{ChannelWeights, Run};

use super::encoding::{Encoding, Encodings};
use super::grid::{Band, Grid, Phase, Tap};
use super::panels::OFFSET;
use super::rounding::Rounding;

/// Depthwise convolution, or its transpose: [`depthwise_conv2d`](crate::reference::conv::depthwise_conv2d),
/// [`transposed_depthwise_conv2d`](crate::reference::transposed_conv::transposed_depthwise_conv2d).
#[derive(Clone, Debug)]
pub struct Depthwise(Channelwise);

impl Depthwise {
    /// Packs a depthwise convolution of maps of shape `input` (`[n, h, w, channels]`).
    ///
    /// `weights` are `[1, kernel_h, kernel_w, channels]`, `bias` is `[channels]`.
    ///
    /// # Errors
    /// As [`depthwise_conv2d`](crate::reference::conv::depthwise_conv2d), or pads that ask for an excessive copy of the input.
    pub fn new(
        kernels: Kernels,
        input: [usize; 4],
        weights: &ArrayView4<'_, i8>,
        bias: Option<ArrayView1<'_, i8>>,
        params: &Conv2dParams,
        encodings: Encodings,
    ) -> Result<Self> {
        let of = ("depthwise_conv2d", Plane::sliding as PlaneOf);
        Channelwise::new(kernels, of, input, weights, bias, params, encodings).map(Self)
    }

    /// Packs a transposed depthwise convolution of maps of shape `input` (`[n, h, w, channels]`).
    ///
    /// `weights` are `[1, kernel_h, kernel_w, channels]`, stored spatially flipped as in xmodel, `bias` is `[channels]`.
    ///
    /// # Errors
    /// As [`transposed_depthwise_conv2d`](crate::reference::transposed_conv::transposed_depthwise_conv2d), or pads that ask for an
    /// excessive copy of the input.
    pub fn transposed(
        kernels: Kernels,
        input: [usize; 4],
        weights: &ArrayView4<'_, i8>,
        bias: Option<ArrayView1<'_, i8>>,
        params: &Conv2dParams,
        encodings: Encodings,
    ) -> Result<Self> {
        let of = ("transposed_depthwise_conv2d", Plane::transposed as PlaneOf);
        Channelwise::new(kernels, of, input, weights, bias, params, encodings).map(Self)
    }

    /// Shape of the result, `[n, out_h, out_w, channels]`.
    pub fn output_shape(&self) -> [usize; 4] {
        self.0.output_shape
    }

    /// Bytes of scratch memory with which [`Self::run`] can use all threads of the current `rayon` pool.
    pub fn scratch_bytes(&self) -> usize {
        self.0.grid.scratch_bytes(0)
    }

    /// Computes the result of `input`; both are whole tensors in the encodings stated at construction.
    ///
    /// # Panics
    /// If `input` or `output` has a wrong length, or `scratch` does not suffice for one thread.
    pub fn run(&self, input: &[u8], output: &mut [u8], scratch: &mut [u8]) {
        self.0.run(input, output, scratch);
    }
}

/// A packed depthwise operator.
#[derive(Clone, Debug)]
struct Channelwise {
    kernels: Kernels,
    grid: Grid,
    output_shape: [usize; 4],
    parts: Vec<Part>,
    finish: Finish,
}

/// One pair of phases.
#[derive(Clone, Debug)]
struct Part {
    weights: ChannelWeights,
    /// Of a whole band; `runs_per_row` for each row of the grid.
    runs: Vec<Run>,
    runs_per_row: usize,
    rows: usize,
}

/// The epilogue.
#[derive(Clone, Debug)]
enum Finish {
    /// In registers.
    Fast(Rounding),
    /// In 64 bits, one value at a time, with the taps and weights of each part.
    Exact { epilogue: Epilogue, encoding: Encoding, taps: Vec<Vec<(usize, Vec<i8>)>> },
}

impl Channelwise {
    fn new(
        kernels: Kernels,
        (operator, plane_of): (&'static str, PlaneOf),
        input: [usize; 4],
        weights: &ArrayView4<'_, i8>,
        bias: Option<ArrayView1<'_, i8>>,
        params: &Conv2dParams,
        encodings: Encodings,
    ) -> Result<Self> {
        check_size(operator, "input", &input)?;
        let filters = elements(operator, "weights", weights)?;
        let (multiplier, _, kernel_width, weight_channels) = weights.dim();
        let [batch, height, width, channels] = input;
        if multiplier != 1 || weight_channels != channels {
            let expected = format!("[1, kernel_h, kernel_w, {channels}], {channels} being the input channels");
            return Err(shape_error(operator, "weights", weights.shape(), expected));
        }
        let plane = plane_of(operator, [height, width], &params.window(weights.shape()))?;
        let epilogue = Epilogue::new(operator, bias, channels, params)?;
        let output_shape = [batch, plane.rows.output, plane.columns.output, channels];
        result_size(operator, &output_shape)?;
        let grid = Grid::new(operator, input, &plane, channels, filters.len() / channels, encodings)?;

        let mut magnitudes = vec![0; channels];
        for tap in filters.chunks_exact(channels) {
            for (magnitude, weight) in magnitudes.iter_mut().zip(tap) {
                *magnitude += i64::from(weight.unsigned_abs()) * OFFSET;
            }
        }
        let rounding = Rounding::new(&epilogue, params.fix, params.activation, &magnitudes, encodings.output);
        let filter =
            |row: Tap, column: Tap| &filters[(row.kernel * kernel_width + column.kernel) * channels..][..channels];
        let (mut parts, mut all_taps) = (Vec::new(), Vec::new());
        for row in &grid.rows.phases {
            for column in &grid.columns.phases {
                let taps = row.taps.iter().flat_map(|&row| column.taps.iter().map(move |&column| (row, column)));
                let taps: Vec<_> = taps
                    .map(|(row, column)| {
                        let place = grid.rows.place(row) * grid.row_bytes() + grid.columns.place(column) * channels;
                        (place, filter(row, column))
                    })
                    .collect();
                parts.push(Part::new(kernels, &grid, [row, column], &taps, rounding.as_ref()));
                all_taps.push(taps.into_iter().map(|(place, weights)| (place, weights.to_vec())).collect());
            }
        }
        let finish = match rounding {
            Some(rounding) => Finish::Fast(rounding),
            None => Finish::Exact { epilogue, encoding: encodings.output, taps: all_taps },
        };
        Ok(Self { kernels, grid, output_shape, parts, finish })
    }

    fn run(&self, input: &[u8], output: &mut [u8], scratch: &mut [u8]) {
        self.grid.run(input, output, scratch, 0, &|band| self.run_band(band));
    }

    fn run_band(&self, band: Band) {
        let Band { first, rows, values, output, .. } = band;
        let runs = |part: &Part| part.rows.saturating_sub(first).min(rows) * part.runs_per_row;
        match &self.finish {
            Finish::Fast(rounding) => {
                for part in &self.parts {
                    let runs = &part.runs[..runs(part)];
                    self.kernels.channelwise(values, runs, &part.weights, &rounding.requantise, output);
                }
                rounding.finish(output);
            }
            Finish::Exact { epilogue, encoding, taps } => {
                for (part, taps) in self.parts.iter().zip(taps) {
                    for run in &part.runs[..runs(part)] {
                        for (at, code) in output[run.output..][..run.len].iter_mut().enumerate() {
                            let channel = at % self.grid.channels;
                            let product = |(tap, weights): &(usize, Vec<i8>)| {
                                let value = Encoding::Offset.decode(values[run.input + tap + at]);
                                i64::from(value) * i64::from(weights[channel])
                            };
                            *code = encoding.encode(epilogue.finish(channel, taps.iter().map(product).sum()));
                        }
                    }
                }
            }
        }
    }
}

impl Part {
    fn new(
        kernels: Kernels,
        grid: &Grid,
        [row, column]: [&Phase; 2],
        taps: &[(usize, &[i8])],
        rounding: Option<&Rounding>,
    ) -> Self {
        let channels = grid.channels;
        // Pixels that are neighbours in input and output make one run.
        let is_gapless = grid.columns.has_unit_steps();
        let per_run = if is_gapless { column.points } else { 1 };
        let len = per_run * channels;
        let runs =
            grid.points(row, column).step_by(per_run).map(|(input, output)| Run { input, output, len }).collect();
        let start = |channel: usize| {
            let weights: i64 = taps.iter().map(|(_, weights)| i64::from(weights[channel])).sum();
            let start = rounding.map_or(0, |rounding| rounding.start[channel]);
            // Modulo 2^32: the offset of the values is in the sum for as long as it is in the values.
            start.wrapping_sub((OFFSET * weights) as i32)
        };
        let init: Vec<i32> = (0..channels).map(start).collect();
        let halves = rounding.map_or_else(|| vec![0; channels], |rounding| rounding.halves.clone());
        let places = taps.iter().map(|&(place, _)| place).collect();
        let weight = |tap: usize, channel: usize| taps[tap].1[channel];
        let weights = ChannelWeights::new(kernels, places, len, weight, &init, &halves);
        Self { weights, runs, runs_per_row: column.points / per_run, rows: row.points }
    }
}
