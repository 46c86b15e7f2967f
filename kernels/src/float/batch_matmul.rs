//! Products of variable matrices.

use super::gemm::{PackedView, Product};
use super::matmul::Matrix;
use crate::parallel::split_rows;
use crate::reference::KernelError;
use crate::reference::error::shape_error;
use crate::reference::layout::{check_size, result_size};
use crate::simd::Kernels;

/// Products of two stacks of matrices, `[.., rows, inner]` and `[.., inner, columns]`, whose leading dimensions are broadcast as NumPy does.
///
/// Sums and their errors are those of [`Conv2d`](super::Conv2d).
#[derive(Clone, Debug)]
pub struct BatchMatmul {
    kernels: Kernels,
    /// The matrices of each product, numbered in C order.
    pairs: Vec<[usize; 2]>,
    /// Numbers of matrices.
    matrices: [usize; 2],
    /// Rows, common elements and columns.
    sizes: [usize; 3],
    output: Vec<usize>,
}

impl BatchMatmul {
    /// Prepares the products of tensors of two shapes.
    ///
    /// # Errors
    /// Empty tensors, or shapes that do not fit each other.
    pub fn new(kernels: Kernels, lhs: &[usize], rhs: &[usize]) -> Result<Self, KernelError> {
        const OPERATOR: &str = "batch_matmul";
        check_size(OPERATOR, "lhs", lhs)?;
        check_size(OPERATOR, "rhs", rhs)?;
        let ([left @ .., rows, inner], [right @ .., length, columns]) = (lhs, rhs) else {
            return Err(shape_error(OPERATOR, "rhs", rhs, format!("stacks of matrices, as {lhs:?}")));
        };
        let rank = left.len().max(right.len());
        let dim = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |at| shape[at]);
        let batch: Vec<usize> = (0..rank).map(|axis| dim(left, axis).max(dim(right, axis))).collect();
        let fits = |shape: &[usize]| (0..rank).all(|axis| [1, batch[axis]].contains(&dim(shape, axis)));
        if inner != length || !fits(left) || !fits(right) {
            return Err(shape_error(
                OPERATOR,
                "rhs",
                rhs,
                format!("a stack whose matrices have {inner} rows, as {lhs:?}"),
            ));
        }
        let output = [&batch[..], &[*rows, *columns]].concat();
        result_size(OPERATOR, &output)?;
        let number = |shape: &[usize], index: usize| {
            let (mut rest, mut number, mut stride) = (index, 0, 1);
            for axis in (0..rank).rev() {
                let (own, place) = (dim(shape, axis), rest % batch[axis]);
                rest /= batch[axis];
                number += if own == 1 { 0 } else { place * stride };
                stride *= own;
            }
            number
        };
        let pairs = (0..batch.iter().product()).map(|index| [number(left, index), number(right, index)]).collect();
        let matrices = [left, right].map(|shape| shape.iter().product());
        Ok(Self { kernels, pairs, matrices, sizes: [*rows, *inner, *columns], output })
    }

    /// Shape of the result.
    pub fn output_shape(&self) -> &[usize] {
        &self.output
    }

    /// Floats of scratch memory that a run needs: a packed matrix.
    pub fn scratch_elements(&self) -> usize {
        let [_, inner, columns] = self.sizes;
        PackedView::elements(self.kernels, [inner, columns])
    }

    /// Multiplies all matrices of two tensors in C order into all elements of the output.
    ///
    /// # Panics
    /// If a slice does not have the elements of its shape, or the scratch memory not those asked for.
    pub fn run(&self, lhs: &[f32], rhs: &[f32], output: &mut [f32], scratch: &mut [f32]) {
        let [rows, inner, columns] = self.sizes;
        assert_eq!(lhs.len(), self.matrices[0] * rows * inner, "elements of the left tensor");
        assert_eq!(rhs.len(), self.matrices[1] * inner * columns, "elements of the right tensor");
        assert_eq!(output.len(), self.pairs.len() * rows * columns, "elements of the output");
        let mut packed = None;
        for (&[left, right], output) in self.pairs.iter().zip(output.chunks_exact_mut(rows * columns)) {
            let left = &Matrix { values: &lhs[left * rows * inner..][..rows * inner], depth: inner, columns };
            if packed != Some(right) {
                let matrix = &rhs[right * inner * columns..][..inner * columns];
                PackedView::pack(self.kernels, [inner, columns], |row, column| matrix[row * columns + column], scratch);
                packed = Some(right);
            }
            let right = PackedView::packed(self.kernels, [inner, columns], scratch);
            split_rows(output, columns, rows * inner * columns, |rows, output| {
                let origin = rows.start * columns;
                let (columns, limits) = (0..columns, None);
                self.kernels.with_lanes(Product { left, right, rows, columns, limits, output, origin });
            });
        }
    }
}
