//! The right side of a product, in the order in which it is read.

use super::{BLOCK_VECTORS, DEPTH};
use crate::simd::Kernels;

/// A matrix of `depth` rows and `columns` columns, and a number to add to each column of a product.
///
/// Blocks of [`DEPTH`] rows follow each other; in a block, panels of two vectors of columns (the last one maybe of one vector); in a
/// panel, its rows. Columns are filled up with zeros to whole vectors.
#[derive(Clone, Debug)]
pub(crate) struct PackedMatrix {
    pub(super) depth: usize,
    pub(super) columns: usize,
    lanes: usize,
    values: Vec<f32>,
    bias: Vec<f32>,
}

impl PackedMatrix {
    /// Packs the matrix of the elements `element(row, column)`.
    pub(crate) fn new(
        kernels: Kernels,
        [depth, columns]: [usize; 2],
        element: impl Fn(usize, usize) -> f32,
        bias: Option<impl Fn(usize) -> f32>,
    ) -> Self {
        let lanes = kernels.lane_count();
        let padded = columns.next_multiple_of(lanes);
        let mut values = vec![0.0; depth * padded];
        Self::arrange(&mut values, lanes, [depth, columns], element);
        let mut own = vec![0.0; padded];
        if let Some(bias) = bias {
            for (column, own) in own.iter_mut().take(columns).enumerate() {
                *own = bias(column);
            }
        }
        Self { depth, columns, lanes, values, bias: own }
    }

    fn arrange(values: &mut [f32], lanes: usize, [depth, columns]: [usize; 2], element: impl Fn(usize, usize) -> f32) {
        let mut rest = values;
        for block in (0..depth).step_by(DEPTH) {
            for first in (0..columns).step_by(BLOCK_VECTORS * lanes) {
                let width = (columns - first).next_multiple_of(lanes).min(BLOCK_VECTORS * lanes);
                for row in block..depth.min(block + DEPTH) {
                    let (own, behind) = rest.split_at_mut(width);
                    for (column, value) in (first..columns).zip(own) {
                        *value = element(row, column);
                    }
                    rest = behind;
                }
            }
        }
    }

    /// The panel of the columns from `first` on, of a block that begins at row `block`: rows of one or two vectors.
    pub(super) fn panel(&self, block: usize, first: usize) -> &[f32] {
        let padded = self.bias.len();
        let depth = DEPTH.min(self.depth - block);
        let width = (padded - first).min(BLOCK_VECTORS * self.lanes);
        &self.values[block * padded + first * depth..][..width * depth]
    }

    /// What is added to the columns, zeros behind them.
    pub(super) fn bias(&self) -> &[f32] {
        &self.bias
    }
}
