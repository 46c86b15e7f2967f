//! Parts of a tensor by index.

use crate::parallel::split_rows;
use crate::reference::error::{Result, parameter_error};
use crate::reference::layout::{check_size, result_size};
use crate::reference::rearrange::check_axis;

/// Copies of the parts of a tensor that indices name along an axis.
///
/// An index is a float that is an integer from `-size` to `size - 1`; negative ones count from the end.
#[derive(Clone, Copy, Debug)]
pub struct Gather {
    /// Elements before, along and behind the axis.
    shape: [usize; 3],
    indices: usize,
}

impl Gather {
    /// Prepares the choice of `indices` parts of tensors of a shape along an axis.
    ///
    /// # Errors
    /// An empty tensor, no index, an unknown axis, a result that is too large.
    pub fn new(data: &[usize], axis: usize, indices: usize) -> Result<Self> {
        const OPERATOR: &str = "gather";
        check_size(OPERATOR, "data", data)?;
        check_size(OPERATOR, "indices", &[indices])?;
        check_axis(OPERATOR, axis, data.len())?;
        let (outer, inner) = (data[..axis].iter().product(), data[axis + 1..].iter().product());
        result_size(OPERATOR, &[outer, indices, inner])?;
        Ok(Self { shape: [outer, data[axis], inner], indices })
    }

    /// Copies the chosen parts in the order of the indices; all tensors are whole and in C order.
    ///
    /// # Errors
    /// An index that names no part; the output is then not written.
    ///
    /// # Panics
    /// If a slice does not have the elements of its shape.
    pub fn run<T: Copy + Send + Sync>(&self, data: &[T], indices: &[f32], output: &mut [T]) -> Result<()> {
        let [outer, size, inner] = self.shape;
        assert_eq!(data.len(), outer * size * inner, "elements of the data");
        assert_eq!(indices.len(), self.indices, "indices");
        assert_eq!(output.len(), outer * self.indices * inner, "elements of the output");
        indices.iter().try_for_each(|&index| part(index, size).map(|_| ()))?;
        split_rows(output, inner, outer * self.indices * inner / 4, |rows, output| {
            for (row, output) in rows.zip(output.chunks_exact_mut(inner)) {
                let (block, index) = (row / self.indices, indices[row % self.indices]);
                if let Ok(part) = part(index, size) {
                    output.copy_from_slice(&data[(block * size + part) * inner..][..inner]);
                }
            }
        });
        Ok(())
    }
}

/// The one of `size` parts that an index names.
///
/// # Errors
/// None is named.
pub fn part(index: f32, size: usize) -> Result<usize> {
    let (place, count) = (f64::from(index), size as f64);
    let place = if place < 0.0 { place + count } else { place };
    if place >= 0.0 && place < count && place.fract() == 0.0 {
        return Ok(place as usize);
    }
    let problem = format!("{index} names no part: of {size} ones, indices are integers from -{size} to {}", size - 1);
    Err(parameter_error("gather", "index", problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_copied_in_order() {
        let data: Vec<u8> = (0..24).collect();
        let run = |axis, indices: &[f32], shape: &[usize]| {
            let gather = Gather::new(shape, axis, indices.len()).unwrap();
            let mut output = vec![0xaa; 24 / shape[axis] * indices.len()];
            gather.run(&data, indices, &mut output).map(|()| output)
        };
        assert_eq!(run(0, &[1.0, -2.0], &[2, 12]).unwrap(), [&data[12..], &data[..12]].concat());
        assert_eq!(run(1, &[2.0], &[2, 3, 4]).unwrap(), [8, 9, 10, 11, 20, 21, 22, 23]);
        assert_eq!(run(2, &[-1.0, 0.0, 0.0], &[2, 3, 4]).unwrap()[..6], [3, 0, 0, 7, 4, 4]);
        assert_eq!(run(0, &[-0.0], &[24]).unwrap(), [0]);
        for wrong in [3.0, -4.0, 0.5, f32::NAN, f32::INFINITY] {
            let message = run(1, &[0.0, wrong], &[2, 3, 4]).unwrap_err().to_string();
            assert!(message.ends_with("names no part: of 3 ones, indices are integers from -3 to 2"), "{message}");
        }
    }

    #[test]
    fn wrong_shapes_are_named() {
        assert!(Gather::new(&[2, 0], 0, 1).is_err());
        assert_eq!(Gather::new(&[2], 1, 1).unwrap_err().to_string(), "gather: axis is 1 of a tensor of rank 1");
        assert!(Gather::new(&[2], 0, usize::MAX).is_err());
    }
}
