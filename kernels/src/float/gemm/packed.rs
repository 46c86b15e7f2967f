//! The right side of a product, in the order in which it is read.

use std::ops::Range;

use super::{BLOCK_VECTORS, DEPTH};
use crate::simd::Kernels;

/// A matrix of `depth` rows and `columns` columns, and a number to add to each column of a product.
///
/// Blocks of at most [`DEPTH`] rows, as equal as possible, follow each other; in a block, panels of two vectors of columns (the last one maybe of one vector); in a
/// panel, its rows. Columns are filled up with zeros to whole vectors.
#[derive(Clone, Debug)]
pub(crate) struct PackedMatrix {
    depth: usize,
    lanes: usize,
    values: Vec<f32>,
    bias: Vec<f32>,
}

/// A [`PackedMatrix`] in memory of somebody else.
#[derive(Clone, Copy)]
pub(crate) struct PackedView<'a> {
    pub(super) depth: usize,
    lanes: usize,
    values: &'a [f32],
    bias: &'a [f32],
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
        Self { depth, lanes, values, bias: own }
    }

    fn arrange(values: &mut [f32], lanes: usize, [depth, columns]: [usize; 2], element: impl Fn(usize, usize) -> f32) {
        let mut rest = values;
        let rows = block_rows(depth);
        for block in (0..depth).step_by(rows) {
            for first in (0..columns).step_by(BLOCK_VECTORS * lanes) {
                let width = (columns - first).next_multiple_of(lanes).min(BLOCK_VECTORS * lanes);
                for row in block..depth.min(block + rows) {
                    let (own, behind) = rest.split_at_mut(width);
                    for (column, value) in (first..columns).zip(own) {
                        *value = element(row, column);
                    }
                    rest = behind;
                }
            }
        }
    }

    /// Where it is.
    pub(crate) fn view(&self) -> PackedView<'_> {
        let Self { depth, lanes, .. } = *self;
        PackedView { depth, lanes, values: &self.values, bias: &self.bias }
    }
}

impl<'a> PackedView<'a> {
    /// Elements that [`PackedView::pack`] needs.
    pub(crate) fn elements(kernels: Kernels, [depth, columns]: [usize; 2]) -> usize {
        (depth + 1) * columns.next_multiple_of(kernels.lane_count())
    }

    /// Packs the matrix of the elements `element(row, column)` into memory, with nothing to add to its columns.
    ///
    /// # Panics
    /// If the memory does not have [`PackedView::elements`].
    pub(crate) fn pack(
        kernels: Kernels,
        [depth, columns]: [usize; 2],
        element: impl Fn(usize, usize) -> f32,
        memory: &mut [f32],
    ) {
        let lanes = kernels.lane_count();
        assert_eq!(memory.len(), Self::elements(kernels, [depth, columns]), "elements of the packed matrix");
        let (values, bias) = memory.split_at_mut(depth * columns.next_multiple_of(lanes));
        bias.fill(0.0);
        if !columns.is_multiple_of(lanes) {
            values.fill(0.0);
        }
        PackedMatrix::arrange(values, lanes, [depth, columns], element);
    }

    /// What [`PackedView::pack`] has left in memory.
    pub(crate) fn packed(kernels: Kernels, [depth, columns]: [usize; 2], memory: &'a [f32]) -> Self {
        let lanes = kernels.lane_count();
        let (values, bias) = memory.split_at(depth * columns.next_multiple_of(lanes));
        Self { depth, lanes, values, bias }
    }

    /// The rows of each block; a matrix without rows has one block without rows.
    pub(super) fn blocks(&self) -> impl Iterator<Item = Range<usize>> {
        let rows = block_rows(self.depth);
        (0..self.depth.div_ceil(rows).max(1)).map(move |block| block * rows..self.depth.min((block + 1) * rows))
    }

    /// The panel of a block and the columns from `first` on: rows of one or two vectors.
    pub(super) fn panel(&self, block: &Range<usize>, first: usize) -> &'a [f32] {
        let padded = self.bias.len();
        let width = (padded - first).min(BLOCK_VECTORS * self.lanes);
        &self.values[block.start * padded + first * block.len()..][..width * block.len()]
    }

    /// What is added to the columns, zeros behind them.
    pub(super) const fn bias(&self) -> &'a [f32] {
        self.bias
    }
}

/// Rows of the blocks of a matrix of `depth` rows; the last block may have fewer.
fn block_rows(depth: usize) -> usize {
    depth.div_ceil(depth.div_ceil(DEPTH).max(1)).max(1)
}
