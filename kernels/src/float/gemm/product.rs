//! The loops around the register block.

use std::ops::Range;

use super::tile::{Destination, tile};
use super::{BLOCK_VECTORS, DEPTH, MAX_ROWS, PackedMatrix, PanelRow};
use crate::float::function::Function;
use crate::float::lanes::{Lanes, Task};

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

/// Rows of a product: `output[places(row) - origin + column] = activation(Σ left[row, k] · right[k, column] + bias[column])`.
pub(crate) struct Product<'a, R: Rows> {
    pub(crate) left: &'a R,
    pub(crate) right: &'a PackedMatrix,
    pub(crate) rows: Range<usize>,
    pub(crate) activation: Option<Function>,
    pub(crate) output: &'a mut [f32],
    /// Place of the output's first element.
    pub(crate) origin: usize,
}

impl<R: Rows> Task for Product<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Product { left, right, rows, activation, output, origin } = self;
        let limits = activation.and_then(Function::limits);
        let late = activation.filter(|function| function.limits().is_none());
        let mut panel = [[0.0; DEPTH + 16]; MAX_ROWS];
        let mut places = [0; MAX_ROWS];
        let chunk = CHUNK_PANELS * L::ROWS;
        // A product without depth still has its bias.
        let blocks = right.depth.div_ceil(DEPTH).max(1);
        for chunk in rows.clone().step_by(chunk).map(|first| first..rows.end.min(first + chunk)) {
            for block in 0..blocks {
                let depth = block * DEPTH..right.depth.min((block + 1) * DEPTH);
                let is_last = block + 1 == blocks;
                for first in chunk.clone().step_by(L::ROWS) {
                    let count = L::ROWS.min(chunk.end - first);
                    left.gather(lanes, first, depth.clone(), &mut panel[..count]);
                    left.places(first, &mut places[..count]);
                    for place in &mut places[..count] {
                        *place -= origin;
                    }
                    let to = Destination {
                        output: &mut output[..],
                        column: 0,
                        width: 0,
                        bias: right.bias(),
                        is_first: block == 0,
                        limits: limits.filter(|_| is_last),
                    };
                    multiply(lanes, &panel[..count], right, depth.start, &places[..count], to);
                    if let Some(function) = late.filter(|_| is_last) {
                        for &place in &places[..count] {
                            apply(lanes, function, &mut output[place..][..right.columns]);
                        }
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn apply<L: Lanes>(lanes: L, function: Function, values: &mut [f32]) {
    for values in values.chunks_mut(L::COUNT) {
        lanes.store_up_to(function.apply(lanes, lanes.load_up_to(values)), values);
    }
}

/// A panel of rows times a block of the right matrix.
#[inline(always)]
fn multiply<L: Lanes>(
    lanes: L,
    rows: &[PanelRow],
    right: &PackedMatrix,
    block: usize,
    places: &[usize],
    mut to: Destination<'_>,
) {
    for column in (0..right.columns).step_by(BLOCK_VECTORS * L::COUNT) {
        let panel = right.panel(block, column);
        to.column = column;
        to.width = (right.columns - column).min(BLOCK_VECTORS * L::COUNT);
        if to.width > L::COUNT {
            multiply_panel::<L, 2>(lanes, rows, panel, places, &mut to);
        } else {
            multiply_panel::<L, 1>(lanes, rows, panel, places, &mut to);
        }
    }
}

/// Splits the rows into register blocks.
#[inline(always)]
fn multiply_panel<L: Lanes, const V: usize>(
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
                tile::<L, $count, V>(lanes, block, panel, own, to);
                (rows, places) = (rest, others);
            }
        )*};
    }
    blocks_of!(14 6 4 2 1);
}
