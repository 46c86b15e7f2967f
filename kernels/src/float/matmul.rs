//! Products of matrices.

use std::ops::Range;

use ndarray::{ArrayView1, ArrayView2};

use super::conv::check_bias;
use super::function::Function;
use super::gemm::{PackedMatrix, PanelRow, Product, Rows};
use super::lanes::Lanes;
use crate::parallel::{split_rows, split_units};
use crate::reference::KernelError;
use crate::reference::layout::check_size;
use crate::simd::Kernels;

/// The product of any number of rows with a constant matrix, plus bias: a fully connected layer.
///
/// Sums and their errors are those of [`Conv2d`](super::Conv2d).
#[derive(Clone, Debug)]
pub struct Matmul {
    kernels: Kernels,
    right: PackedMatrix,
    /// Elements of a row of the input and of the output.
    widths: [usize; 2],
    activation: Option<Function>,
}

impl Matmul {
    /// Packs the matrix `[in, out]` (a transposed view will do for weights `[out, in]`) and the bias `[out]`.
    ///
    /// # Errors
    /// An empty matrix or a bias of another length.
    pub fn new(
        kernels: Kernels,
        matrix: &ArrayView2<'_, f32>,
        bias: Option<ArrayView1<'_, f32>>,
        activation: Option<Function>,
    ) -> Result<Self, KernelError> {
        const OPERATOR: &str = "matmul";
        check_size(OPERATOR, "weights", matrix.shape())?;
        let (depth, columns) = matrix.dim();
        check_bias(OPERATOR, bias.as_ref(), columns)?;
        let bias = bias.map(|bias| move |column| bias[column]);
        let right = PackedMatrix::new(kernels, [depth, columns], |row, column| matrix[[row, column]], bias);
        Ok(Self { kernels, right, widths: [depth, columns], activation })
    }

    /// Elements of a row of the input and of a row of the output.
    pub const fn widths(&self) -> [usize; 2] {
        self.widths
    }

    /// Multiplies all rows of the input, `[…, in]`, into all rows of the output, `[…, out]`.
    ///
    /// # Panics
    /// If the slices do not have the same number of whole rows.
    pub fn run(&self, input: &[f32], output: &mut [f32]) {
        let [depth, columns] = self.widths;
        assert!(output.len().is_multiple_of(columns), "whole rows of the output");
        let rows = output.len() / columns;
        assert_eq!(input.len(), rows * depth, "elements of the input");
        let (left, right) = (&Matrix { values: input, depth, columns }, self.right.view());
        let limits = self.activation.and_then(Function::limits);
        let part = |rows: Range<usize>, columns: Range<usize>, origin: usize, output: &mut [f32]| {
            let output_part = &mut *output;
            self.kernels.with_lanes(Product { left, right, rows, columns, limits, output: output_part, origin });
            self.kernels.finish(self.activation, output);
        };
        let work = rows * depth * columns;
        if rows == 1 {
            // The weights are read once, as fast as memory gives them to all threads.
            let unit = self.kernels.block_columns();
            split_units(output, unit, work, |columns, output| part(0..1, columns.clone(), columns.start, output));
        } else {
            split_rows(output, columns, work, |rows, output| {
                let origin = rows.start * columns;
                part(rows, 0..columns, origin, output);
            });
        }
    }
}

/// Contiguous rows.
pub(super) struct Matrix<'a> {
    pub(super) values: &'a [f32],
    pub(super) depth: usize,
    /// Columns of the result.
    pub(super) columns: usize,
}

impl Rows for Matrix<'_> {
    #[inline(always)]
    fn gather<L: Lanes>(&self, lanes: L, first: usize, depth: Range<usize>, panel: &mut [PanelRow]) {
        let count = panel.len();
        let rows = self.values[first * self.depth..].chunks_exact(self.depth);
        for (row, target) in rows.clone().zip(panel) {
            lanes.copy(&row[depth.clone()], &mut target.0[..depth.len()]);
        }
        // Of whole rows the machine fetches those of the next panel by itself.
        if depth.len() < self.depth {
            for row in rows.skip(count).take(count) {
                lanes.prefetch(&row[depth.clone()]);
            }
        }
    }

    #[inline(always)]
    fn places(&self, first: usize, places: &mut [usize]) {
        for (row, place) in places.iter_mut().enumerate() {
            *place = (first + row) * self.columns;
        }
    }
}
