//! Convolution and its transpose as dot products over runs of contiguous values.

use ndarray::{ArrayView1, ArrayView4};

use crate::reference::conv::{Conv2dParams, Epilogue, PlaneOf};
use crate::reference::error::{Result, parameter_error, shape_error};
use crate::reference::layout::{check_size, elements, result_size};
use crate::simd::Kernels;
use crate::simd::tile::{LANES, Pixel, QUAD, Quads, Sums};

use super::encoding::Encodings;
use super::grid::{Band, Grid, Phase, SLACK, Tap};
use super::panels::{Exact, Finish, OFFSET, Packed, Panels};
use super::rounding::Rounding;

/// A packed dense operator.
#[derive(Clone, Debug)]
pub(super) struct Dense {
    kernels: Kernels,
    grid: Grid,
    output_shape: [usize; 4],
    group_channels: usize,
    finish: Finish,
    parts: Vec<Part>,
    /// Bytes of the copy of the last values of the input, if those behind the end would be touched.
    tail: usize,
}

/// One pair of phases.
#[derive(Clone, Debug)]
struct Part {
    panels: Panels,
    weights: Vec<Quads>,
    init: Vec<Sums>,
    halves: Vec<Sums>,
    weight_sums: Vec<i64>,
    /// Whether all runs of values end with a whole quad.
    is_whole: bool,
    /// Of a whole band.
    pixels: Vec<Pixel>,
    rows: usize,
    columns: usize,
}

/// Parameters of a dense operator, as the reference has them.
pub(super) struct Arguments<'a> {
    pub(super) operator: &'static str,
    pub(super) plane_of: PlaneOf,
    pub(super) input: [usize; 4],
    pub(super) weights: &'a ArrayView4<'a, i8>,
    pub(super) bias: Option<ArrayView1<'a, i8>>,
    pub(super) groups: usize,
    pub(super) params: &'a Conv2dParams,
    pub(super) encodings: Encodings,
}

impl Dense {
    pub(super) fn new(kernels: Kernels, arguments: &Arguments<'_>) -> Result<Self> {
        let &Arguments { operator, plane_of, input, weights, bias, groups, params, encodings } = arguments;
        check_size(operator, "input", &input)?;
        let filters = elements(operator, "weights", weights)?;
        let (outputs, kernel_height, kernel_width, weight_channels) = weights.dim();
        let [batch, height, width, channels] = input;
        if groups == 0 || !channels.is_multiple_of(groups) || !outputs.is_multiple_of(groups) {
            let problem = format!("are {groups}, which do not divide {channels} input and {outputs} output channels");
            return Err(parameter_error(operator, "groups", problem));
        }
        let group_channels = channels / groups;
        if weight_channels != group_channels {
            let expected =
                format!("[out, kernel_h, kernel_w, {group_channels}], the last being the input channels of a group");
            return Err(shape_error(operator, "weights", weights.shape(), expected));
        }
        let plane = plane_of(operator, [height, width], &params.window(weights.shape()))?;
        let epilogue = Epilogue::new(operator, bias, outputs, params)?;
        let output_shape = [batch, plane.rows.output, plane.columns.output, outputs];
        result_size(operator, &output_shape)?;
        let filters =
            Filters { values: &filters, shape: [outputs, kernel_height, kernel_width, group_channels], groups };
        let grid = Grid::new(operator, input, &plane, outputs, filters.len(), encodings)?;

        let magnitude = |output| filters.of(output).iter().map(|&w| i64::from(w.unsigned_abs())).sum::<i64>() * OFFSET;
        let magnitudes: Vec<i64> = (0..outputs).map(magnitude).collect();
        let rounding = Rounding::new(&epilogue, params.fix, params.activation, &magnitudes, encodings.output);
        let parts = grid.rows.phases.iter().flat_map(|row| grid.columns.phases.iter().map(move |column| [row, column]));
        let parts: Vec<Part> =
            parts.map(|phases| Part::new(kernels, &grid, phases, &filters, rounding.as_ref())).collect();
        // Runs that do not end with a whole quad touch up to three bytes behind the input.
        let is_whole = parts.iter().all(|part| part.is_whole);
        let reach = parts.iter().map(Part::reach).max().unwrap_or(0);
        let tail = if grid.in_place() && !is_whole { channels + reach + SLACK } else { 0 };
        let finish = match rounding {
            Some(rounding) => Finish::Fast(rounding),
            None => Finish::Exact(Exact { epilogue, encoding: encodings.output }),
        };
        Ok(Self { kernels, grid, output_shape, group_channels, finish, parts, tail })
    }

    pub(super) fn output_shape(&self) -> [usize; 4] {
        self.output_shape
    }

    pub(super) fn scratch_bytes(&self) -> usize {
        self.grid.scratch_bytes(self.tail)
    }

    pub(super) fn run(&self, input: &[u8], output: &mut [u8], scratch: &mut [u8]) {
        self.grid.run(input, output, scratch, self.tail, &|band| self.run_band(band));
    }

    fn run_band(&self, band: Band) {
        let Band { first, rows, values, output, scratch } = band;
        for part in &self.parts {
            let rows = part.rows.saturating_sub(first).min(rows);
            let pixels = &part.pixels[..rows * part.columns];
            let packed = part.packed();
            let mut run = |values: &[u8], pixels: &[Pixel]| {
                packed.run(self.kernels, &self.finish, values, pixels, self.group_channels, &mut *output);
            };
            let end = self.grid.channels - self.group_channels + part.reach();
            let inside = pixels.partition_point(|pixel| pixel.input as usize + end <= values.len());
            run(values, &pixels[..inside]);
            if let Some(first) = pixels.get(inside) {
                let rest = &values[first.input as usize..];
                scratch[..rest.len()].copy_from_slice(rest);
                for pixel in &pixels[inside..] {
                    run(scratch, &[Pixel { input: pixel.input - first.input, ..*pixel }]);
                }
            }
        }
        if let Finish::Fast(rounding) = &self.finish {
            rounding.finish(output);
        }
    }
}

/// Weights `[out, kernel_h, kernel_w, in / groups]`.
struct Filters<'a> {
    values: &'a [i8],
    shape: [usize; 4],
    groups: usize,
}

impl Filters<'_> {
    /// Weights of one output.
    fn len(&self) -> usize {
        self.shape[1] * self.shape[2] * self.shape[3]
    }

    fn of(&self, output: usize) -> &[i8] {
        &self.values[output * self.len()..][..self.len()]
    }

    fn tap(&self, output: usize, row: Tap, column: Tap) -> &[i8] {
        let channels = self.shape[3];
        &self.of(output)[(row.kernel * self.shape[2] + column.kernel) * channels..][..channels]
    }
}

/// Kernel columns whose inputs are neighbours and so make one run of values; with groups there is a gap behind each pixel.
fn runs<'a>(column: &'a Phase, filters: &Filters<'_>) -> impl Iterator<Item = &'a [Tap]> {
    let is_gapless = filters.groups == 1;
    column.taps.chunk_by(move |a, b| is_gapless && a.offset + 1 == b.offset)
}

impl Part {
    fn new(
        kernels: Kernels,
        grid: &Grid,
        [row, column]: [&Phase; 2],
        filters: &Filters<'_>,
        rounding: Option<&Rounding>,
    ) -> Self {
        let [outputs, _, _, channels] = filters.shape;
        let mut offsets = Vec::new();
        for &tap in &row.taps {
            for run in runs(column, filters) {
                let first = grid.rows.place(tap) * grid.row_bytes() + grid.columns.place(run[0]) * grid.channels;
                offsets.extend((0..run.len() * channels).step_by(QUAD).map(|byte| (first + byte) as u32));
            }
        }
        let panels = Panels::new(kernels, offsets, filters.groups, outputs / filters.groups);
        let mut weights = vec![Quads([[0; QUAD]; LANES]); panels.weights_len()];
        let mut weight_sums = vec![0; outputs];
        let mut bytes = Vec::new();
        for place in &panels.places {
            for lane in 0..place.lanes {
                let output = place.first + lane;
                bytes.clear();
                for &tap in &row.taps {
                    for run in runs(column, filters) {
                        bytes.extend(run.iter().flat_map(|&column| filters.tap(output, tap, column)));
                        bytes.resize(bytes.len().next_multiple_of(QUAD), 0);
                    }
                }
                place.set_lane(&mut weights, lane, &bytes);
                weight_sums[output] = bytes.iter().map(|&weight| i64::from(weight)).sum();
            }
        }
        let start = |output: usize| rounding.map_or(0, |rounding| rounding.start[output]);
        // Modulo 2^32: the offset of the values is in the sum for as long as it is in the values.
        let init = panels.sums(|output| start(output).wrapping_sub((OFFSET * weight_sums[output]) as i32));
        let halves = panels.sums(|output| rounding.map_or(0, |rounding| rounding.halves[output]));
        let pixels =
            grid.points(row, column).map(|(input, output)| Pixel { input: input as u32, output: output as u32 });
        let is_whole = runs(column, filters).all(|run| (run.len() * channels).is_multiple_of(QUAD));
        Self {
            pixels: pixels.collect(),
            rows: row.points,
            columns: column.points,
            panels,
            weights,
            init,
            halves,
            weight_sums,
            is_whole,
        }
    }

    /// Values a pixel touches, from its place on.
    fn reach(&self) -> usize {
        self.panels.offsets.iter().max().map_or(0, |&offset| offset as usize + QUAD)
    }

    fn packed(&self) -> Packed<'_> {
        Packed {
            panels: &self.panels,
            weights: &self.weights,
            init: &self.init,
            halves: &self.halves,
            weight_sums: &self.weight_sums,
        }
    }
}
