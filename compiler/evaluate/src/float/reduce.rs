//! Reductions over whole axes.

use ndarray::{ArrayD, Axis};

use crate::error::Problem;
use crate::operation::{Operation, Outcome};

/// `nn.reduce_mean`
pub(super) fn mean(op: Operation<'_>) -> Outcome {
    let input = op.floats(0)?;
    let axes = axes(op, input.ndim())?;
    let count: f64 = axes.iter().map(|&axis| input.shape()[axis] as f64).product();
    Ok(fold(op, 0.0, |sum, x| sum + x)?.mapv(|sum| (sum / count) as f32).into())
}

/// `nn.reduce_sum`
pub(super) fn sum(op: Operation<'_>) -> Outcome {
    Ok(fold(op, 0.0, |sum, x| sum + x)?.mapv(|sum| sum as f32).into())
}

/// `nn.reduce_max`
pub(super) fn max(op: Operation<'_>) -> Outcome {
    Ok(fold(op, f64::NEG_INFINITY, f64::max)?.mapv(|max| max as f32).into())
}

/// `nn.reduce_min`
pub(super) fn min(op: Operation<'_>) -> Outcome {
    Ok(fold(op, f64::INFINITY, f64::min)?.mapv(|min| min as f32).into())
}

/// The axes to reduce, ascending.
fn axes(op: Operation<'_>, rank: usize) -> Outcome<Vec<usize>> {
    let mut axes = op.size_list("axes")?;
    axes.sort_unstable();
    axes.dedup();
    if axes.iter().any(|&axis| axis >= rank) { Err(Problem::Attribute("axes")) } else { Ok(axes) }
}

fn fold(op: Operation<'_>, initial: f64, step: impl Fn(f64, f64) -> f64) -> Outcome<ArrayD<f64>> {
    let input = op.floats(0)?;
    let keep = op.flag("keep_dims")?;
    let mut folded = input.mapv(f64::from);
    for axis in axes(op, input.ndim())?.into_iter().rev() {
        folded = folded.fold_axis(Axis(axis), initial, |&accumulator, &x| step(accumulator, x));
        if keep {
            folded.insert_axis_inplace(Axis(axis));
        }
    }
    Ok(folded)
}
