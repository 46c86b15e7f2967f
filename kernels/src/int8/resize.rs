//! Up- and down-sampling of maps.

use std::ops::Range;

use super::encoding::{Encoding, Encodings};
use super::powers::Powers;
use super::table::Table;
use crate::nearest::Sources;
use crate::parallel::split_rows;
use crate::reference::error::Result;
use crate::reference::layout::result_size;
use crate::reference::resize::{check_resize, downsampled};
use crate::reference::round::{Rescale, requantise};
use crate::reference::sampling::{Between, Coordinates};
use crate::simd::Kernels;

/// How pixels between those of the input are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interpolation {
    /// The nearest pixel.
    Nearest,
    /// `low + (high - low) * weight`, along the width, then along the height, all in single precision.
    Bilinear,
}

/// A resize of maps of one shape.
#[derive(Clone, Debug)]
pub struct Resize {
    kernels: Kernels,
    input: [usize; 4],
    output: [usize; 4],
    plan: Plan,
}

#[derive(Clone, Debug)]
enum Plan {
    /// Pixels and the requantisation of their bytes, if there is one.
    Nearest(Sources, Option<Table>),
    Bilinear(Bilinear),
}

impl Resize {
    /// Prepares the resize of maps of shape `input` (`[n, h, w, channels]`) to `size`, `[h, w]`:
    /// [`resize_nearest`](crate::reference::resize::resize_nearest) followed by a requantisation, or
    /// [`resize_bilinear`](crate::reference::resize::resize_bilinear).
    ///
    /// # Errors
    /// An empty input or output.
    pub fn new(
        kernels: Kernels,
        input: [usize; 4],
        size: [usize; 2],
        interpolation: Interpolation,
        coordinates: Coordinates,
        fix: Rescale,
        encodings: Encodings,
    ) -> Result<Self> {
        let output = check_resize("resize", &input, size)?;
        let plan = match interpolation {
            Interpolation::Nearest => {
                let rows = coordinates.nearest(input[1], size[0]);
                let columns = coordinates.nearest(input[2], size[1]);
                Plan::Nearest(Sources { rows, columns }, rescale(kernels, fix, encodings))
            }
            Interpolation::Bilinear => {
                let rows = coordinates.linear(input[1], size[0]);
                let columns = coordinates.linear(input[2], size[1]);
                Plan::Bilinear(Bilinear { rows, columns, scale: Powers::new(-fix.shift()), encodings })
            }
        };
        Ok(Self { kernels, input, output, plan })
    }

    /// Prepares [`downsample`](crate::reference::resize::downsample) by `scale`, `[h, w]`, followed by a requantisation.
    ///
    /// # Errors
    /// As [`downsample`](crate::reference::resize::downsample).
    pub fn downsample(
        kernels: Kernels,
        input: [usize; 4],
        scale: [f32; 2],
        fix: Rescale,
        encodings: Encodings,
    ) -> Result<Self> {
        const OPERATOR: &str = "downsample";
        let [rows, columns] = downsampled(OPERATOR, &input, scale)?;
        let output = [input[0], rows.len(), columns.len(), input[3]];
        result_size(OPERATOR, &output)?;
        let plan = Plan::Nearest(Sources { rows, columns }, rescale(kernels, fix, encodings));
        Ok(Self { kernels, input, output, plan })
    }

    /// Shape of the result, `[n, h, w, channels]`.
    pub const fn output_shape(&self) -> [usize; 4] {
        self.output
    }

    /// Computes the result of `input`; both are whole tensors in the encodings stated at construction.
    ///
    /// # Panics
    /// If a length is wrong.
    pub fn run(&self, input: &[u8], output: &mut [u8]) {
        assert_eq!(input.len(), self.input.iter().product(), "bytes of the input");
        assert_eq!(output.len(), self.output.iter().product(), "bytes of the output");
        let work = match self.plan {
            Plan::Nearest(..) => output.len() / 8,
            Plan::Bilinear(_) => output.len(),
        };
        split_rows(output, self.output[2] * self.output[3], work, |band, output| match &self.plan {
            Plan::Nearest(sources, table) => sources.fill(input, self.input, band, output, |row| {
                if let Some(table) = table {
                    table.replace(row);
                }
            }),
            Plan::Bilinear(plan) => self.kernels.vectorised(|| plan.fill(input, self.input, band, output)),
        });
    }
}

/// The change of fix point and encoding, unless nothing changes.
fn rescale(kernels: Kernels, fix: Rescale, encodings: Encodings) -> Option<Table> {
    let table = Table::new(kernels, encodings, |q| requantise(q, -fix.shift()));
    (!table.is_identity()).then_some(table)
}

#[derive(Clone, Debug)]
struct Bilinear {
    rows: Vec<Between>,
    columns: Vec<Between>,
    scale: Powers,
    encodings: Encodings,
}

impl Bilinear {
    /// Fills a band of output rows, counted through all images.
    #[inline(always)]
    fn fill(&self, input: &[u8], [_, height, width, channels]: [usize; 4], band: Range<usize>, output: &mut [u8]) {
        let Encodings { input: from, output: to } = self.encodings;
        let line = |row: usize| &input[row * width * channels..][..width * channels];
        for (at, output) in band.zip(output.chunks_exact_mut(self.columns.len() * channels)) {
            let (image, row) = (at / self.rows.len() * height, self.rows[at % self.rows.len()]);
            let (top, bottom) = (line(image + row.low), line(image + row.high));
            for (output, column) in output.chunks_exact_mut(channels).zip(&self.columns) {
                let [a, b, c, d] = [(top, column.low), (top, column.high), (bottom, column.low), (bottom, column.high)]
                    .map(|(line, x)| &line[x * channels..][..channels]);
                for channel in 0..channels {
                    let top = interpolate(from, a[channel], b[channel], column.weight);
                    let bottom = interpolate(from, c[channel], d[channel], column.weight);
                    let value = top + (bottom - top) * row.weight;
                    output[channel] = to.encode(self.scale.round(value));
                }
            }
        }
    }
}

#[inline(always)]
fn interpolate(encoding: Encoding, low: u8, high: u8, weight: f32) -> f32 {
    let [low, high] = [low, high].map(|byte| f32::from(encoding.decode(byte)));
    low + (high - low) * weight
}
