//! The loops around the register block.

use std::ops::Range;

use super::tile::{Destination, tile};
use super::{BLOCK_VECTORS, MAX_ROWS, PackedView, PanelRow};
use crate::float::lanes::{Lanes, Task};
use crate::simd::Kernels;

/// Panels whose rows are computed to the end before the next ones: their results stay in the second-level cache while the blocks of
/// the right matrix pass by.
const CHUNK_PANELS: usize = 16;

/// The left side of a product.
pub(crate) trait Rows: Sync {
    /// Copies elements `depth` of the rows `first`, `first + 1`, … into the rows of the panel.
    fn gather<L: Lanes>(&self, lanes: L, first: usize, depth: Range<usize>, panel: &mut [PanelRow]);

    /// Where the first columns of the rows `first`, `first + 1`, … of the result are in the output.
    fn places(&self, first: usize, places: &mut [usize]);
}

/// Rows and columns of a product: `output[places(row) + column - origin] = clamp(bias[column] + Σ left[row, k] · right[k, column])`.
pub(crate) struct Product<'a, R: Rows> {
    pub(crate) left: &'a R,
    pub(crate) right: PackedView<'a>,
    pub(crate) rows: Range<usize>,
    /// From a multiple of [`Kernels::block_columns`](crate::simd::Kernels::block_columns) on.
    pub(crate) columns: Range<usize>,
    /// Between which the results are moved.
    pub(crate) limits: Option<[f32; 2]>,
    pub(crate) output: &'a mut [f32],
    /// Place of the output's first element.
    pub(crate) origin: usize,
}

impl<R: Rows> Task for Product<'_, R> {
    type Output = ();

    #[expect(clippy::large_stack_arrays, reason = "the panel is 33 KiB of stack in the first-level cache")]
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Product { left, right, rows, columns, limits, output, origin } = self;
        let mut panel = [PanelRow::ZERO; MAX_ROWS];
        let mut places = [0; MAX_ROWS];
        let chunk = CHUNK_PANELS * L::ROWS;
        for chunk in rows.clone().step_by(chunk).map(|first| first..rows.end.min(first + chunk)) {
            for depth in right.blocks() {
                for first in chunk.clone().step_by(L::ROWS) {
                    let count = L::ROWS.min(chunk.end - first);
                    left.gather(lanes, first, depth.clone(), &mut panel[..count]);
                    left.places(first, &mut places[..count]);
                    for place in &mut places[..count] {
                        *place = *place + columns.start - origin;
                    }
                    let to = Destination {
                        output: &mut output[..],
                        first: columns.start,
                        column: columns.start,
                        width: 0,
                        bias: right.bias(),
                        is_first: depth.start == 0,
                        limits: limits.filter(|_| depth.end == right.depth),
                    };
                    multiply(lanes, &panel[..count], right, &depth, &columns, &places[..count], to);
                }
            }
        }
    }
}

impl Kernels {
    /// Columns of a register block: the unit in which the columns of a product are divided.
    pub(crate) fn block_columns(self) -> usize {
        BLOCK_VECTORS * self.lane_count()
    }
}

/// A panel of rows times a block of the right matrix.
#[inline(always)]
fn multiply<L: Lanes>(
    lanes: L,
    rows: &[PanelRow],
    right: PackedView<'_>,
    block: &Range<usize>,
    columns: &Range<usize>,
    places: &[usize],
    mut to: Destination<'_>,
) {
    for column in columns.clone().step_by(BLOCK_VECTORS * L::COUNT) {
        let panel = right.panel(block, column);
        to.column = column;
        to.width = (columns.end - column).min(BLOCK_VECTORS * L::COUNT);
        match (to.width > L::COUNT, to.width.is_multiple_of(L::COUNT)) {
            (true, true) => multiply_panel::<L, 2, true>(lanes, rows, panel, places, &mut to),
            (true, false) => multiply_panel::<L, 2, false>(lanes, rows, panel, places, &mut to),
            (false, true) => multiply_panel::<L, 1, true>(lanes, rows, panel, places, &mut to),
            (false, false) => multiply_panel::<L, 1, false>(lanes, rows, panel, places, &mut to),
        }
    }
}

/// Splits the rows into register blocks.
#[inline(always)]
fn multiply_panel<L: Lanes, const V: usize, const WHOLE: bool>(
    lanes: L,
    rows: &[PanelRow],
    panel: &[f32],
    places: &[usize],
    to: &mut Destination<'_>,
) {
    let (mut rows, mut places) = (rows, places);
    macro_rules! blocks_of {
        ($($count:literal)*) => {$(
            while $count <= L::ROWS
                && let (Some((block, rest)), Some((own, others))) =
                    (rows.split_first_chunk::<$count>(), places.split_first_chunk::<$count>())
            {
                tile::<L, $count, V, WHOLE>(lanes, block, panel, own, to);
                (rows, places) = (rest, others);
            }
        )*};
    }
    blocks_of!(14 6 4 2 1);
}
