//! Reductions over dimensions.

use std::ops::Range;

use super::encoding::{Encoding, Encodings};
use super::fold::{Fold, Maximum};
use super::scale::Scale;
use super::table::Table;
use crate::float::Reduction;
use crate::parallel::split_rows;
use crate::reference::error::{Result, parameter_error};
use crate::reference::pool::AverageFactor;
use crate::reference::round::{Rescale, rsat};
use crate::simd::Kernels;
use crate::strides::{Odometer, ReductionPlan, place};

/// Most values of a sum: so many int8 fit 32 bits.
const MAX_VALUES: usize = 1 << 23;

/// Bytes folded side by side.
const BLOCK: usize = 64;

/// A reduction over some dimensions of tensors of one shape: [`reduce_sum`](crate::reference::reduce::reduce_sum),
/// [`reduce_mean`](crate::reference::reduce::reduce_mean) or [`reduce_max`](crate::reference::reduce::reduce_max).
#[derive(Clone, Debug)]
pub struct Reduce {
    kernels: Kernels,
    plan: ReductionPlan,
    finish: Finish,
    encoding: Encoding,
}

#[derive(Clone, Debug)]
enum Finish {
    Sum(Scale),
    /// From signed maxima to bytes of the output.
    Maximum(Table),
}

impl Reduce {
    /// Prepares the reduction over `axes` of tensors of a shape.
    ///
    /// # Errors
    /// As the reference, or more than 2^23 values of one sum.
    pub fn new(
        kernels: Kernels,
        reduction: Reduction,
        shape: &[usize],
        axes: &[usize],
        fix: Rescale,
        encodings: Encodings,
    ) -> Result<Self> {
        let operator = match reduction {
            Reduction::Sum => "reduce_sum",
            Reduction::Mean => "reduce_mean",
            Reduction::Max => "reduce_max",
        };
        let error = |problem: String| Err(parameter_error(operator, "axes", problem));
        if axes.is_empty() {
            return error("are [], expected one or more different axes".into());
        }
        let plan = ReductionPlan::new(operator, shape, axes)?;
        let count = plan.count();
        if reduction != Reduction::Max && count > MAX_VALUES {
            return error(format!("{axes:?} have {count} elements, more than {MAX_VALUES}; reduce in two steps"));
        }
        let finish = match reduction {
            Reduction::Max => {
                let signed = Encodings { input: Encoding::Signed, output: encodings.output };
                Finish::Maximum(Table::new(kernels, signed, |q| rsat(q.into(), fix.shift())))
            }
            Reduction::Sum => Finish::Sum(Scale::exact(fix.shift(), count, encodings.output)),
            Reduction::Mean => {
                let mut factor = AverageFactor { multiplier: 1, shift: 0 };
                for &axis in axes {
                    let next = AverageFactor::search(shape[axis]);
                    let Some(multiplier) = factor.multiplier.checked_mul(next.multiplier) else {
                        return error("are too many for one multiplier".into());
                    };
                    factor = AverageFactor { multiplier, shift: factor.shift + next.shift };
                }
                Finish::Sum(Scale::new(factor, fix.shift(), count, encodings.output))
            }
        };
        Ok(Self { kernels, plan, finish, encoding: encodings.input })
    }

    /// Reduces all bytes of a tensor in C order to all bytes of the result.
    ///
    /// # Panics
    /// If a length is wrong.
    pub fn run(&self, input: &[u8], output: &mut [u8]) {
        let plan = &self.plan;
        assert_eq!(output.len(), plan.results(), "bytes of the output");
        assert_eq!(input.len(), output.len() * plan.count(), "bytes of the input");
        split_rows(output, plan.row(), input.len() / 8, |band, output| match &self.finish {
            Finish::Sum(scale) => self.kernels.vectorised(|| self.fold(scale, band, input, output)),
            Finish::Maximum(table) => {
                self.kernels.vectorised(|| self.fold(&Maximum, band, input, output));
                if !table.is_identity() {
                    table.replace(output);
                }
            }
        });
    }

    #[inline(always)]
    fn fold<F: Fold>(&self, fold: &F, band: Range<usize>, input: &[u8], output: &mut [u8]) {
        for (index, output) in band.zip(output.chunks_exact_mut(self.plan.row())) {
            let input = &input[place(&self.plan.kept, index)..];
            if self.plan.is_run_reduced {
                output[0] = fold.finish(self.fold_run::<F>(input));
            } else {
                for first in (0..self.plan.run).step_by(BLOCK) {
                    let width = BLOCK.min(self.plan.run - first);
                    // The width of whole blocks is known to the compiler.
                    let sums = if width == BLOCK {
                        self.fold_columns::<F>(&input[first..], BLOCK)
                    } else {
                        self.fold_columns::<F>(&input[first..], width)
                    };
                    for (byte, sum) in output[first..][..width].iter_mut().zip(sums) {
                        *byte = fold.finish(sum);
                    }
                }
            }
        }
    }

    /// The columns of some bytes.
    #[inline(always)]
    fn fold_columns<F: Fold>(&self, input: &[u8], width: usize) -> [F::Sum; BLOCK] {
        let mask = self.encoding.mask();
        let mut sums = [F::START; BLOCK];
        let mut odometer = Odometer::new(&self.plan.reduced, 0);
        for _ in 0..self.plan.outer() {
            for (sum, &byte) in sums.iter_mut().zip(&input[odometer.place..][..width]) {
                *sum = F::step(*sum, (byte ^ mask) as i8);
            }
            odometer.advance();
        }
        sums
    }

    /// All runs to one.
    #[inline(always)]
    fn fold_run<F: Fold>(&self, input: &[u8]) -> F::Sum {
        let mask = self.encoding.mask();
        let mut sums = [F::START; BLOCK];
        let mut odometer = Odometer::new(&self.plan.reduced, 0);
        for _ in 0..self.plan.outer() {
            let (blocks, rest) = input[odometer.place..][..self.plan.run].as_chunks::<BLOCK>();
            for block in blocks {
                for (sum, &byte) in sums.iter_mut().zip(block) {
                    *sum = F::step(*sum, (byte ^ mask) as i8);
                }
            }
            for (sum, &byte) in sums.iter_mut().zip(rest) {
                *sum = F::step(*sum, (byte ^ mask) as i8);
            }
            odometer.advance();
        }
        sums.into_iter().fold(F::START, F::join)
    }
}
