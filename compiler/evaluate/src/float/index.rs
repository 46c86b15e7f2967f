//! Choosing by index.

use ndarray::{ArrayD, Axis};

use crate::error::Problem;
use crate::operation::{Operation, Outcome};

/// `nn.gather`
pub(super) fn gather(op: Operation<'_>) -> Outcome {
    let (data, indices, axis) = (op.floats(0)?, op.floats(1)?, op.integer::<usize>("axis")?);
    let size = *data.shape().get(axis).ok_or(Problem::Attribute("axis"))?;
    let places: Vec<usize> = indices.iter().map(|&index| place(index, size)).collect::<Outcome<_>>()?;
    let shape = [&data.shape()[..axis], indices.shape(), &data.shape()[axis + 1..]].concat();
    let gathered: ArrayD<f32> = data.select(Axis(axis), &places);
    let elements = gathered.as_standard_layout().iter().copied().collect();
    Ok(ArrayD::from_shape_vec(shape, elements).map_err(|error| Problem::Shapes(error.to_string()))?.into())
}

/// The element of `size` ones that an index names.
fn place(index: f32, size: usize) -> Outcome<usize> {
    let count = size as f64;
    let from_start = if index < 0.0 { f64::from(index) + count } else { f64::from(index) };
    let is_valid = from_start >= 0.0 && from_start < count && from_start.fract() == 0.0;
    if is_valid { Ok(from_start as usize) } else { Err(Problem::Index { index, size }) }
}
