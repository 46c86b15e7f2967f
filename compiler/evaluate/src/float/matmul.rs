//! Products of variable matrices.

use ndarray::{ArrayD, ArrayView2, ArrayViewD, Axis, Ix2};

use super::window::buffer;
use crate::error::Problem;
use crate::operation::{Operation, Outcome};

/// `nn.batch_matmul`: sums in double precision, rounded once.
pub(super) fn batch_matmul(op: Operation<'_>) -> Outcome {
    let shape = op.result_shape()?;
    let mut output = buffer("batch_matmul", &shape)?;
    let Some((batch, &[rows, columns])) = shape.split_last_chunk::<2>() else {
        return Err(Problem::ResultType("stack of matrices"));
    };
    let (lhs, rhs) = (stack(op, 0, batch)?, stack(op, 1, batch)?);
    for (lhs, rhs) in matrices(&lhs).zip(matrices(&rhs)) {
        if lhs.nrows() != rows || rhs.ncols() != columns || lhs.ncols() != rhs.nrows() {
            let (lhs, rhs) = (lhs.shape(), rhs.shape());
            return Err(Problem::Shapes(format!("matrices of shapes {lhs:?} and {rhs:?} do not give {shape:?}")));
        }
        for row in lhs.rows() {
            let dot = |column: ndarray::ArrayView1<'_, f32>| -> f64 {
                row.iter().zip(column).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
            };
            output.extend(rhs.columns().into_iter().map(|column| dot(column) as f32));
        }
    }
    Ok(ArrayD::from_shape_vec(shape, output).map_err(|error| Problem::Shapes(error.to_string()))?.into())
}

/// Operand `index` with its leading dimensions broadcast to `batch`.
fn stack<'a>(op: Operation<'a>, index: usize, batch: &[usize]) -> Outcome<ArrayViewD<'a, f32>> {
    let operand = op.floats(index)?;
    let matrix = operand.shape().last_chunk::<2>();
    let stack = matrix.and_then(|matrix| operand.broadcast(&[batch, matrix].concat()[..]));
    stack.ok_or(Problem::Operand { index, expected: "a stack of matrices that broadcasts to the result" })
}

/// The matrices of a stack in C order.
fn matrices<'a>(stack: &'a ArrayViewD<'_, f32>) -> impl Iterator<Item = ArrayView2<'a, f32>> {
    let batch = &stack.shape()[..stack.ndim() - 2];
    (0..batch.iter().product()).filter_map(move |index| {
        let mut view = stack.view();
        let mut rest: usize = index;
        for (axis, &size) in batch.iter().enumerate().rev() {
            view = view.index_axis_move(Axis(axis), rest % size);
            rest /= size;
        }
        view.into_dimensionality::<Ix2>().ok()
    })
}
