//! Up- and down-sampling of maps.

use std::ops::Range;

use super::lanes::{Lanes, Task};
use crate::nearest::Sources;
use crate::parallel::split_rows;
use crate::reference::KernelError;
use crate::reference::resize::check_resize;
use crate::reference::sampling::{Between, Interpolation, Sampling, Taps};
use crate::simd::Kernels;

/// A resize of maps of one shape; equal to [`resize_real`](crate::reference::resize::resize_real) to the bit.
#[derive(Clone, Debug)]
pub struct Resize {
    kernels: Kernels,
    input: [usize; 4],
    output: [usize; 4],
    plan: Plan,
}

#[derive(Clone, Debug)]
enum Plan {
    Nearest(Sources),
    Bilinear { rows: Vec<Between>, columns: Vec<Between> },
    Cubic { rows: Vec<Taps>, columns: Vec<Taps> },
}

impl Resize {
    /// Prepares the resize of a map `[n, h, w, channels]` to `size`, `[h, w]`.
    ///
    /// # Errors
    /// An empty input or output.
    pub fn new(kernels: Kernels, input: [usize; 4], size: [usize; 2], sampling: Sampling) -> Result<Self, KernelError> {
        let output = check_resize("resize", &input, size)?;
        let [rows, columns] = sampling.axes([input[1], input[2]], size);
        let plan = match sampling.interpolation {
            Interpolation::Nearest(rounding) => {
                Plan::Nearest(Sources { rows: rows.nearest(rounding), columns: columns.nearest(rounding) })
            }
            Interpolation::Bilinear => Plan::Bilinear { rows: rows.linear(), columns: columns.linear() },
            Interpolation::Cubic(cubic) => Plan::Cubic { rows: rows.cubic(cubic), columns: columns.cubic(cubic) },
        };
        Ok(Self { kernels, input, output, plan })
    }

    /// Shape of the result, `[n, h, w, channels]`.
    pub const fn output_shape(&self) -> [usize; 4] {
        self.output
    }

    /// Computes the result of all elements of a map into all elements of the output, both NHWC.
    ///
    /// # Panics
    /// If a slice does not have the elements of its shape.
    pub fn run(&self, input: &[f32], output: &mut [f32]) {
        assert_eq!(input.len(), self.input.iter().product(), "elements of the input");
        assert_eq!(output.len(), self.output.iter().product(), "elements of the output");
        let cost = match &self.plan {
            Plan::Nearest(_) | Plan::Bilinear { .. } => 2,
            Plan::Cubic { .. } => 16,
        };
        let (work, shape) = (output.len() * cost, self.input);
        split_rows(output, self.output[2] * self.output[3], work, |band, output| match &self.plan {
            Plan::Nearest(sources) => sources.fill(input, shape, band, output, |_| ()),
            Plan::Bilinear { rows, columns } => {
                self.kernels.with_lanes(Bilinear { shape, rows, columns, input, output, band });
            }
            Plan::Cubic { rows, columns } => {
                self.kernels.with_lanes(Cubic { shape, rows, columns, input, output, band });
            }
        });
    }
}

struct Bilinear<'a> {
    /// Of the input.
    shape: [usize; 4],
    rows: &'a [Between],
    columns: &'a [Between],
    input: &'a [f32],
    output: &'a mut [f32],
    band: Range<usize>,
}

impl Task for Bilinear<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let [_, height, width, channels] = self.shape;
        let line = |row: usize| &self.input[row * width * channels..][..width * channels];
        let out_row = self.columns.len() * channels;
        for (at, output) in self.band.zip(self.output.chunks_exact_mut(out_row)) {
            let (image, row) = (at / self.rows.len() * height, self.rows[at % self.rows.len()]);
            let (top, bottom) = (line(image + row.low), line(image + row.high));
            for (output, column) in output.chunks_exact_mut(channels).zip(self.columns) {
                let pixels = |line| [column.low, column.high].map(|x| pixel(line, x, channels));
                let ([a, b], [c, d]) = (pixels(top), pixels(bottom));
                let (across, down) = (lanes.splat(column.weight), lanes.splat(row.weight));
                for first in (0..channels).step_by(L::COUNT) {
                    let end = channels.min(first + L::COUNT);
                    let load = |x: &[f32]| lanes.load_up_to(&x[first..end]);
                    let top = interpolate(lanes, load(a), load(b), across);
                    let bottom = interpolate(lanes, load(c), load(d), across);
                    lanes.store_up_to(interpolate(lanes, top, bottom, down), &mut output[first..end]);
                }
            }
        }
    }
}

#[inline(always)]
fn pixel(line: &[f32], x: usize, channels: usize) -> &[f32] {
    &line[x * channels..][..channels]
}

#[inline(always)]
fn interpolate<L: Lanes>(lanes: L, low: L::F32, high: L::F32, weight: L::F32) -> L::F32 {
    lanes.add(low, lanes.mul(lanes.sub(high, low), weight))
}

struct Cubic<'a> {
    /// Of the input.
    shape: [usize; 4],
    rows: &'a [Taps],
    columns: &'a [Taps],
    input: &'a [f32],
    output: &'a mut [f32],
    band: Range<usize>,
}

impl Task for Cubic<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let [_, height, width, channels] = self.shape;
        let out_row = self.columns.len() * channels;
        for (at, output) in self.band.zip(self.output.chunks_exact_mut(out_row)) {
            let (image, row) = (at / self.rows.len() * height, &self.rows[at % self.rows.len()]);
            let lines = row.places.map(|y| &self.input[(image + y) * width * channels..][..width * channels]);
            for (output, column) in output.chunks_exact_mut(channels).zip(self.columns) {
                let pixels = lines.map(|line| column.places.map(|x| pixel(line, x, channels)));
                for first in (0..channels).step_by(L::COUNT) {
                    let end = channels.min(first + L::COUNT);
                    let load = |x: &[f32]| lanes.load_up_to(&x[first..end]);
                    let along_width = pixels.map(|pixels| weigh(lanes, pixels.map(load), column.weights));
                    lanes.store_up_to(weigh(lanes, along_width, row.weights), &mut output[first..end]);
                }
            }
        }
    }
}

/// The weighted sum, first element first.
#[inline(always)]
fn weigh<L: Lanes>(lanes: L, elements: [L::F32; 4], weights: [f32; 4]) -> L::F32 {
    let [a, b, c, d] = [0, 1, 2, 3].map(|tap| lanes.mul(elements[tap], lanes.splat(weights[tap])));
    lanes.add(lanes.add(lanes.add(a, b), c), d)
}
