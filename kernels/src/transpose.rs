//! Permutation of the dimensions of a tensor of any rank and element type.

use crate::parallel::split_rows;
use crate::reference::error::{Result, parameter_error};
use crate::reference::layout::check_size;
use crate::strides::{Axis, Odometer, place};

/// Rows and columns of a tile of a matrix that is transposed: its lines of both matrices stay in the first-level cache.
const TILE: usize = 32;

/// A permutation of dimensions, planned for tensors of one shape; for any element type.
#[derive(Clone, Debug)]
pub struct Transpose {
    elements: usize,
    /// Of the output, outermost first: size and distance in the input. Dimensions that are neighbours on both sides are one.
    axes: Vec<Axis>,
}

impl Transpose {
    /// Plans the permutation after which dimension `i` is dimension `order[i]` of `shape`.
    ///
    /// # Errors
    /// An empty tensor, or an `order` that is no permutation of its dimensions.
    pub fn new(shape: &[usize], order: &[usize]) -> Result<Self> {
        const OPERATOR: &str = "transpose";
        check_size(OPERATOR, "input", shape)?;
        let mut sorted = order.to_vec();
        sorted.sort_unstable();
        if !sorted.into_iter().eq(0..shape.len()) {
            let problem = format!("{order:?} is no permutation of the {} axes of the input", shape.len());
            return Err(parameter_error(OPERATOR, "order", problem));
        }
        let stride = |axis: usize| shape[axis + 1..].iter().product();
        let mut axes: Vec<Axis> = Vec::new();
        for axis in order.iter().map(|&axis| Axis { size: shape[axis], stride: stride(axis) }) {
            match axes.last_mut() {
                _ if axis.size == 1 => {}
                Some(outer) if outer.stride == axis.size * axis.stride => {
                    *outer = Axis { size: outer.size * axis.size, stride: axis.stride };
                }
                _ => axes.push(axis),
            }
        }
        Ok(Self { elements: shape.iter().product(), axes })
    }

    /// Permutes all elements of a tensor in C order.
    ///
    /// # Panics
    /// If a slice does not have the elements of the shape.
    pub fn run<T: Copy + Send + Sync>(&self, input: &[T], output: &mut [T]) {
        assert_eq!([input.len(), output.len()], [self.elements; 2], "elements of the tensors");
        let inner = match self.axes[..] {
            [] | [Axis { stride: 1, .. }] => return output.copy_from_slice(input),
            [.., Axis { size, stride: 1 }] => return self.copy_rows(size, input, output),
            [.., Axis { size, .. }] => size,
        };
        // The matrix of the innermost dimension of either side; the one of the input is somewhere on the way.
        let Some(columns) = self.axes.iter().position(|axis| axis.stride == 1) else {
            return self.copy_rows(1, input, output);
        };
        let row: usize = self.axes[columns..].iter().map(|axis| axis.size).product();
        let between = row / self.axes[columns].size / inner;
        let work = output.len();
        split_rows(output, row, work, |band, output| {
            for (block, output) in band.zip(output.chunks_exact_mut(row)) {
                let first = place(&self.axes[..columns], block);
                for middle in 0..between {
                    let first = first + place(&self.axes[columns + 1..self.axes.len() - 1], middle);
                    let tile = Matrix {
                        rows: self.axes[columns].size,
                        columns: inner,
                        strides: [row / self.axes[columns].size, self.axes[self.axes.len() - 1].stride],
                    };
                    tile.transpose(&input[first..], &mut output[middle * inner..]);
                }
            }
        });
    }

    /// Copies runs of `size` elements that are contiguous on both sides.
    fn copy_rows<T: Copy + Send + Sync>(&self, size: usize, input: &[T], output: &mut [T]) {
        let outer = if size == 1 { &self.axes[..] } else { &self.axes[..self.axes.len() - 1] };
        let work = output.len() / 4;
        split_rows(output, size, work, |band, output| {
            let mut odometer = Odometer::new(outer, band.start);
            for output in output.chunks_exact_mut(size) {
                output.copy_from_slice(&input[odometer.place..][..size]);
                odometer.advance();
            }
        });
    }
}

/// A matrix whose rows are neighbours in the input and whose columns are neighbours in the output.
struct Matrix {
    rows: usize,
    columns: usize,
    /// Distances of rows in the output and of columns in the input.
    strides: [usize; 2],
}

impl Matrix {
    fn transpose<T: Copy>(&self, input: &[T], output: &mut [T]) {
        for row in (0..self.rows).step_by(TILE) {
            for column in (0..self.columns).step_by(TILE) {
                let end = self.columns.min(column + TILE);
                for row in row..self.rows.min(row + TILE) {
                    let output = &mut output[row * self.strides[0]..][column..end];
                    for (column, element) in (column..end).zip(output) {
                        *element = input[row + column * self.strides[1]];
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::ArrayD;

    use super::*;
    use crate::reference::rearrange::transpose;

    /// All permutations of the dimensions `0..rank`.
    fn permutations(rank: usize) -> Vec<Vec<usize>> {
        if rank == 0 {
            return vec![Vec::new()];
        }
        let shorter = permutations(rank - 1);
        let insert = |order: &Vec<usize>| {
            let order = order.clone();
            (0..rank).map(move |at| {
                let mut order = order.clone();
                order.insert(at, rank - 1);
                order
            })
        };
        shorter.iter().flat_map(insert).collect()
    }

    #[test]
    fn transpositions_equal_the_reference() {
        let shapes = [
            vec![],
            vec![5],
            vec![70, 33],
            vec![3, 1, 5],
            vec![4, 35, 36],
            vec![2, 9, 40, 3],
            vec![1, 6, 7, 64],
            vec![2, 3, 4, 5, 6],
            vec![400, 500],
        ];
        for shape in shapes {
            let count = shape.iter().product::<usize>() as u32;
            let x = ArrayD::from_shape_vec(shape.clone(), (0..count).collect()).unwrap();
            for order in permutations(shape.len()) {
                let expected = transpose(&x.view(), &order).unwrap();
                let plan = Transpose::new(&shape, &order).unwrap();
                for threads in [1, 3] {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                    let mut found = vec![u32::MAX; x.len()];
                    pool.install(|| plan.run(x.as_slice().unwrap(), &mut found));
                    assert!(found == expected.as_slice().unwrap(), "{shape:?} {order:?}");
                }
            }
        }
    }

    #[test]
    fn wrong_orders_are_named() {
        let error = Transpose::new(&[2, 3], &[0, 0]).unwrap_err();
        assert_eq!(error.to_string(), "transpose: order [0, 0] is no permutation of the 2 axes of the input");
        assert!(Transpose::new(&[2, 0], &[1, 0]).is_err());
    }
}
