//! Softmax.

use std::ops::Range;

use super::function::exp;
use super::lanes::{Lanes, Task};
use crate::parallel::split_rows;
use crate::reference::KernelError;
use crate::reference::layout::check_size;
use crate::reference::rearrange::check_axis;
use crate::simd::Kernels;

/// `exp(x - max) / Σ exp(x - max)` along an axis of tensors of one shape.
///
/// All in f32: the relative error of a result is at most `(8 + n / 4 + |x - max|) · 2^-23` along an axis of `n` elements, where the last term
/// is the rounding of the difference. A NaN or +∞, or nothing but -∞ along the axis, gives NaN.
#[derive(Clone, Copy, Debug)]
pub struct Softmax {
    kernels: Kernels,
    /// Elements before, along and behind the axis.
    shape: [usize; 3],
}

impl Softmax {
    /// Prepares the softmax of tensors of a shape along an axis.
    ///
    /// # Errors
    /// An empty tensor or an unknown axis.
    pub fn new(kernels: Kernels, shape: &[usize], axis: usize) -> Result<Self, KernelError> {
        const OPERATOR: &str = "softmax";
        check_size(OPERATOR, "input", shape)?;
        check_axis(OPERATOR, axis, shape.len())?;
        let (outer, inner) = (shape[..axis].iter().product(), shape[axis + 1..].iter().product());
        Ok(Self { kernels, shape: [outer, shape[axis], inner] })
    }

    /// Computes the softmax of all elements of a tensor in C order.
    ///
    /// # Panics
    /// If a slice does not have the elements of the shape.
    pub fn run(&self, input: &[f32], output: &mut [f32]) {
        let [outer, along, inner] = self.shape;
        assert_eq!([input.len(), output.len()], [outer * along * inner; 2], "elements of the tensors");
        /// Work of an exponential function, a division and three passes, in products.
        const COST: usize = 16;
        let row = along * inner;
        split_rows(output, row, input.len().saturating_mul(COST), |rows, output| {
            let input = &input[rows.start * row..rows.end * row];
            self.kernels.with_lanes(Tensors { shape: [along, inner], input, output });
        });
    }
}

/// Matrices `[along, inner]`, normalised along their columns.
struct Tensors<'a> {
    shape: [usize; 2],
    input: &'a [f32],
    output: &'a mut [f32],
}

impl Task for Tensors<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let [along, inner] = self.shape;
        for (input, output) in self.input.chunks_exact(along * inner).zip(self.output.chunks_exact_mut(along * inner)) {
            if inner == 1 {
                row(lanes, input, output);
            } else {
                for first in (0..inner).step_by(L::COUNT) {
                    columns(lanes, input, output, inner, first..inner.min(first + L::COUNT));
                }
            }
        }
    }
}

/// Softmax of contiguous elements.
#[inline(always)]
fn row<L: Lanes>(lanes: L, input: &[f32], output: &mut [f32]) {
    let mut largest = lanes.splat(f32::NEG_INFINITY);
    let mut chunks = input.chunks_exact(L::COUNT);
    for x in &mut chunks {
        largest = lanes.max(lanes.load(x), largest);
    }
    let largest = chunks.remainder().iter().copied().fold(lanes.maximum(largest), f32::max);
    let largest = lanes.splat(largest);
    let mut sums = lanes.splat(0.0);
    for (x, y) in input.chunks(L::COUNT).zip(output.chunks_mut(L::COUNT)) {
        let e = exp(lanes, lanes.sub(lanes.load_up_to(x), largest));
        lanes.store_up_to(e, y);
        // Lanes behind the end must not count.
        sums = lanes.add(sums, lanes.load_up_to(y));
    }
    let sum = lanes.splat(lanes.sum(sums));
    for y in output.chunks_mut(L::COUNT) {
        lanes.store_up_to(lanes.div(lanes.load_up_to(y), sum), y);
    }
}

/// Softmax of some columns of a matrix with rows of `inner` elements.
#[inline(always)]
fn columns<L: Lanes>(lanes: L, input: &[f32], output: &mut [f32], inner: usize, columns: Range<usize>) {
    let mut largest = lanes.splat(f32::NEG_INFINITY);
    for x in input.chunks_exact(inner) {
        largest = lanes.max(lanes.load_up_to(&x[columns.clone()]), largest);
    }
    let mut sum = lanes.splat(0.0);
    for (x, y) in input.chunks_exact(inner).zip(output.chunks_exact_mut(inner)) {
        let e = exp(lanes, lanes.sub(lanes.load_up_to(&x[columns.clone()]), largest));
        lanes.store_up_to(e, &mut y[columns.clone()]);
        sum = lanes.add(sum, e);
    }
    for y in output.chunks_exact_mut(inner) {
        let y = &mut y[columns.clone()];
        lanes.store_up_to(lanes.div(lanes.load_up_to(y), sum), y);
    }
}
