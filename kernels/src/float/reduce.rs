//! Reductions over dimensions.

use std::ops::Range;

use super::lanes::{Lanes, Task};
use crate::parallel::split_rows;
use crate::reference::KernelError;
use crate::simd::Kernels;
use crate::strides::{Odometer, ReductionPlan, place};

/// What becomes of elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// Their sum, in f32: the error is at most `n · 2^-24 · Σ|x|` for `n` elements.
    Sum,
    /// Their mean: the sum divided by their number.
    Mean,
    /// The largest; a NaN never is.
    Max,
}

/// A reduction over some dimensions of tensors of one shape.
#[derive(Clone, Debug)]
pub struct Reduce {
    kernels: Kernels,
    reduction: Reduction,
    plan: ReductionPlan,
}

impl Reduce {
    /// Prepares the reduction over `axes` of tensors of a shape.
    ///
    /// # Errors
    /// An empty tensor, unknown or repeated axes.
    pub fn new(kernels: Kernels, reduction: Reduction, shape: &[usize], axes: &[usize]) -> Result<Self, KernelError> {
        let operator = match reduction {
            Reduction::Sum => "reduce_sum",
            Reduction::Mean => "reduce_mean",
            Reduction::Max => "reduce_max",
        };
        Ok(Self { kernels, reduction, plan: ReductionPlan::new(operator, shape, axes)? })
    }

    /// Reduces all elements of a tensor in C order to all elements of the result.
    ///
    /// # Panics
    /// If a slice does not have the elements of its shape.
    pub fn run(&self, input: &[f32], output: &mut [f32]) {
        let plan = &self.plan;
        assert_eq!(output.len(), plan.results(), "elements of the output");
        assert_eq!(input.len(), output.len() * plan.count(), "elements of the input");
        split_rows(output, plan.row(), input.len(), |band, output| {
            self.kernels.with_lanes(Rows { operator: self, input, output, band });
        });
    }
}

struct Rows<'a> {
    operator: &'a Reduce,
    input: &'a [f32],
    output: &'a mut [f32],
    band: Range<usize>,
}

impl Task for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Reduce { reduction, plan, .. } = self.operator;
        for (index, output) in self.band.zip(self.output.chunks_exact_mut(plan.row())) {
            let input = &self.input[place(&plan.kept, index)..];
            if plan.is_run_reduced {
                output[0] = run(lanes, *reduction, plan, input);
            } else {
                columns(lanes, *reduction, plan, input, output);
            }
            if *reduction == Reduction::Mean {
                let count = plan.count() as f32;
                for sum in output {
                    *sum /= count;
                }
            }
        }
    }
}

/// Vectors that are reduced side by side, to hide the latency of a step.
const VECTORS: usize = 4;

#[inline(always)]
fn step<L: Lanes>(lanes: L, reduction: Reduction, so_far: L::F32, x: L::F32) -> L::F32 {
    match reduction {
        Reduction::Sum | Reduction::Mean => lanes.add(so_far, x),
        Reduction::Max => lanes.max(x, so_far),
    }
}

const fn start(reduction: Reduction) -> f32 {
    match reduction {
        Reduction::Sum | Reduction::Mean => 0.0,
        Reduction::Max => f32::NEG_INFINITY,
    }
}

/// All runs to one element.
#[inline(always)]
fn run<L: Lanes>(lanes: L, reduction: Reduction, plan: &ReductionPlan, input: &[f32]) -> f32 {
    let mut vectors = [lanes.splat(start(reduction)); VECTORS];
    let mut rest = start(reduction);
    let mut odometer = Odometer::new(&plan.reduced, 0);
    for _ in 0..plan.outer() {
        let run = &input[odometer.place..][..plan.run];
        let mut blocks = run.chunks_exact(VECTORS * L::COUNT);
        for block in &mut blocks {
            for (vector, x) in vectors.iter_mut().zip(block.chunks_exact(L::COUNT)) {
                *vector = step(lanes, reduction, *vector, lanes.load(x));
            }
        }
        let mut single = blocks.remainder().chunks_exact(L::COUNT);
        for x in &mut single {
            vectors[0] = step(lanes, reduction, vectors[0], lanes.load(x));
        }
        for &x in single.remainder() {
            rest = if reduction == Reduction::Max { x.max(rest) } else { rest + x };
        }
        odometer.advance();
    }
    let [a, b, c, d] = vectors;
    let all = step(lanes, reduction, step(lanes, reduction, a, b), step(lanes, reduction, c, d));
    if reduction == Reduction::Max { lanes.maximum(all).max(rest) } else { lanes.sum(all) + rest }
}

/// All runs to one.
#[inline(always)]
fn columns<L: Lanes>(lanes: L, reduction: Reduction, plan: &ReductionPlan, input: &[f32], output: &mut [f32]) {
    let mut first = 0;
    while first < plan.run {
        let width = (plan.run - first).min(VECTORS * L::COUNT);
        let mut vectors = [lanes.splat(start(reduction)); VECTORS];
        let mut odometer = Odometer::new(&plan.reduced, 0);
        for _ in 0..plan.outer() {
            let x = &input[odometer.place + first..][..width];
            for (vector, x) in vectors.iter_mut().zip(x.chunks(L::COUNT)) {
                *vector = step(lanes, reduction, *vector, lanes.load_up_to(x));
            }
            odometer.advance();
        }
        for (vector, to) in vectors.into_iter().zip(output[first..][..width].chunks_mut(L::COUNT)) {
            lanes.store_up_to(vector, to);
        }
        first += width;
    }
}
