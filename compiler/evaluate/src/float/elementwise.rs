//! Operations on each element by itself.

use dpuc_kernels::reference::{KernelError, MAX_ELEMENTS};
use ndarray::Zip;

use crate::error::Problem;
use crate::operation::{Operation, Outcome};

/// A function of one operand.
pub(super) fn map(op: Operation<'_>, function: impl Fn(f32) -> f32) -> Outcome {
    Ok(op.floats(0)?.mapv(function).into())
}

/// A function of two operands, broadcast to the shape of the result as NumPy does.
pub(super) fn broadcast(op: Operation<'_>, function: impl Fn(f32, f32) -> f32) -> Outcome {
    let (lhs, rhs, shape) = (op.floats(0)?, op.floats(1)?, op.result_shape()?);
    let count = shape.iter().try_fold(1usize, |count, &dim| count.checked_mul(dim));
    if count.is_none_or(|count| count > MAX_ELEMENTS) {
        return Err(KernelError::TooLarge { operator: "broadcast", shape }.into());
    }
    let (Some(lhs), Some(rhs)) = (lhs.broadcast(&shape[..]), rhs.broadcast(&shape[..])) else {
        let (lhs, rhs) = (lhs.shape(), rhs.shape());
        return Err(Problem::Shapes(format!(
            "operands of shapes {lhs:?} and {rhs:?} cannot be broadcast to {shape:?}"
        )));
    };
    Ok(Zip::from(lhs).and(rhs).map_collect(|&x, &y| function(x, y)).into())
}
