//! Layer normalisation.

use std::ops::Range;

use super::lanes::{Lanes, Task};
use crate::parallel::split_rows;
use crate::reference::KernelError;
use crate::reference::error::shape_error;
use crate::reference::layout::check_size;
use crate::simd::Kernels;

/// `(x - mean) / sqrt(variance + epsilon) * scale + offset` of rows of one length.
///
/// All in f32, the variance from the differences: with `r = max|x - mean| / sqrt(variance + epsilon)`, which is at most `√n`, the error of a
/// result is at most `(n / 2L + 8) · 2^-23 · (r + |mean| / sqrt(variance + epsilon)) · |scale|` for rows of `n` elements and vectors of `L`,
/// plus the rounding of the result.
#[derive(Clone, Debug)]
pub struct LayerNorm {
    kernels: Kernels,
    scale: Vec<f32>,
    offset: Vec<f32>,
    epsilon: f32,
}

impl LayerNorm {
    /// Prepares the normalisation of rows of `length` elements; an absent scale is 1, an absent offset 0.
    ///
    /// # Errors
    /// Rows without elements, or vectors of another length.
    pub fn new(
        kernels: Kernels,
        length: usize,
        scale: Option<&[f32]>,
        offset: Option<&[f32]>,
        epsilon: f32,
    ) -> Result<Self, KernelError> {
        const OPERATOR: &str = "layer_norm";
        check_size(OPERATOR, "row", &[length])?;
        for (name, vector) in [("scale", scale), ("offset", offset)] {
            if let Some(vector) = vector.filter(|vector| vector.len() != length) {
                return Err(shape_error(OPERATOR, name, &[vector.len()], format!("[{length}]")));
            }
        }
        let vector = |own: Option<&[f32]>, absent| own.map_or_else(|| vec![absent; length], <[f32]>::to_vec);
        Ok(Self { kernels, scale: vector(scale, 1.0), offset: vector(offset, 0.0), epsilon })
    }

    /// Normalises all rows of a tensor.
    ///
    /// # Panics
    /// If the slices do not have the same number of whole rows.
    pub fn run(&self, input: &[f32], output: &mut [f32]) {
        let length = self.scale.len();
        assert_eq!(input.len(), output.len(), "elements of input and output");
        assert!(output.len().is_multiple_of(length), "whole rows");
        let work = output.len() * 4;
        split_rows(output, length, work, |band, output| {
            self.kernels.with_lanes(Rows { operator: self, input, output, band });
        });
    }
}

struct Rows<'a> {
    operator: &'a LayerNorm,
    input: &'a [f32],
    output: &'a mut [f32],
    band: Range<usize>,
}

impl Task for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let LayerNorm { scale, offset, epsilon, .. } = self.operator;
        let length = scale.len();
        let input = &self.input[self.band.start * length..self.band.end * length];
        for (input, output) in input.chunks_exact(length).zip(self.output.chunks_exact_mut(length)) {
            let mean = sum(lanes, input, |x| x) / length as f32;
            let centre = lanes.splat(mean);
            let square = |x| {
                let distance = lanes.sub(x, centre);
                lanes.mul(distance, distance)
            };
            let variance = sum(lanes, input, square) / length as f32;
            let factor = lanes.splat(1.0 / (variance + epsilon).sqrt());
            let vectors = input.chunks(L::COUNT).zip(scale.chunks(L::COUNT).zip(offset.chunks(L::COUNT)));
            for (output, (input, (scale, offset))) in output.chunks_mut(L::COUNT).zip(vectors) {
                let unit = lanes.mul(lanes.sub(lanes.load_up_to(input), centre), factor);
                let y = lanes.mul_add(unit, lanes.load_up_to(scale), lanes.load_up_to(offset));
                lanes.store_up_to(y, output);
            }
        }
    }
}

/// Vectors that are summed side by side, to hide the latency of an addition.
const VECTORS: usize = 4;

/// Floats in the longest vector of any tier.
const MAX_LANES: usize = 16;

/// The sum of a function of all elements.
#[inline(always)]
fn sum<L: Lanes>(lanes: L, values: &[f32], function: impl Fn(L::F32) -> L::F32) -> f32 {
    let mut sums = [lanes.splat(0.0); VECTORS];
    let mut blocks = values.chunks_exact(VECTORS * L::COUNT);
    for block in &mut blocks {
        for (sum, x) in sums.iter_mut().zip(block.chunks_exact(L::COUNT)) {
            *sum = lanes.add(*sum, function(lanes.load(x)));
        }
    }
    let mut single = blocks.remainder().chunks_exact(L::COUNT);
    for x in &mut single {
        sums[0] = lanes.add(sums[0], function(lanes.load(x)));
    }
    let rest = single.remainder();
    if !rest.is_empty() {
        // Lanes behind the end must not count: the function of 0 is not 0.
        let mut part = [0.0; MAX_LANES];
        lanes.store_part(function(lanes.load_part(rest)), &mut part[..rest.len()]);
        sums[1] = lanes.add(sums[1], lanes.load_part(&part[..rest.len()]));
    }
    let [a, b, c, d] = sums;
    lanes.sum(lanes.add(lanes.add(a, b), lanes.add(c, d)))
}
