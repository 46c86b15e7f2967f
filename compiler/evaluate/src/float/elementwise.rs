//! Operations on each element by itself.

use dpuc_kernels::reference::real::RealFunction;
use dpuc_kernels::reference::{KernelError, MAX_ELEMENTS};
use ndarray::{ArrayViewD, Zip};

use crate::error::Problem;
use crate::operation::{Operation, Outcome};

/// A function of one operand.
pub(super) fn map(op: Operation<'_>, function: impl Fn(f32) -> f32) -> Outcome {
    Ok(op.floats(0)?.mapv(function).into())
}

/// A function of one operand, in double precision, rounded once.
pub(super) fn real(op: Operation<'_>, function: RealFunction) -> Outcome {
    map(op, |x| function.evaluate(f64::from(x)) as f32)
}

/// Operand `index`, broadcast to the shape of the result as NumPy does.
pub(super) fn broadcast_operand(op: Operation<'_>, index: usize) -> Outcome<ArrayViewD<'_, f32>> {
    let (operand, shape) = (op.floats(index)?, op.result_shape()?);
    let count = shape.iter().try_fold(1usize, |count, &dim| count.checked_mul(dim));
    if count.is_none_or(|count| count > MAX_ELEMENTS) {
        return Err(KernelError::TooLarge { operator: "broadcast", shape }.into());
    }
    operand.broadcast(&shape[..]).ok_or_else(|| {
        Problem::Shapes(format!("an operand of shape {:?} cannot be broadcast to {shape:?}", operand.shape()))
    })
}

/// A function of two operands, broadcast to the shape of the result.
pub(super) fn broadcast(op: Operation<'_>, function: impl Fn(f32, f32) -> f32) -> Outcome {
    let (lhs, rhs) = (broadcast_operand(op, 0)?, broadcast_operand(op, 1)?);
    Ok(Zip::from(lhs).and(rhs).map_collect(|&x, &y| function(x, y)).into())
}

/// `nn.select`
pub(super) fn select(op: Operation<'_>) -> Outcome {
    let [condition, a, b] = [broadcast_operand(op, 0)?, broadcast_operand(op, 1)?, broadcast_operand(op, 2)?];
    let choose = |&condition: &f32, &a: &f32, &b: &f32| if condition == 0.0 { b } else { a };
    Ok(Zip::from(condition).and(a).and(b).map_collect(choose).into())
}
