//! Choosing by index.

use dpuc_kernels::part;
use ndarray::{ArrayD, Axis};

use crate::error::Problem;
use crate::operation::{Operation, Outcome};

/// `nn.gather`
pub(super) fn gather(op: Operation<'_>) -> Outcome {
    let (data, indices, axis) = (op.floats(0)?, op.floats(1)?, op.integer::<usize>("axis")?);
    let size = *data.shape().get(axis).ok_or(Problem::Attribute("axis"))?;
    let parts = indices.iter().map(|&index| Ok(part(index, size)?)).collect::<Outcome<Vec<usize>>>()?;
    let shape = [&data.shape()[..axis], indices.shape(), &data.shape()[axis + 1..]].concat();
    let elements = data.select(Axis(axis), &parts).as_standard_layout().iter().copied().collect();
    Ok(ArrayD::from_shape_vec(shape, elements).map_err(|error| Problem::Shapes(error.to_string()))?.into())
}
