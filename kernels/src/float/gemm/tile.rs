//! The register block.

use super::PanelRow;
use crate::float::lanes::Lanes;

/// Where a register block goes and what happens on the way.
pub(super) struct Destination<'a> {
    /// The whole result.
    pub(super) output: &'a mut [f32],
    /// First column of the block.
    pub(super) column: usize,
    /// Columns of the block that exist.
    pub(super) width: usize,
    /// Added to the first products, an element for each column of the result.
    pub(super) bias: &'a [f32],
    /// Whether these are the first products; otherwise they are added to those in the result.
    pub(super) is_first: bool,
    /// Limits of the complete sums.
    pub(super) limits: Option<[f32; 2]>,
}

/// `R` rows of a panel times `V` vectors of columns; `columns` holds a row of `V` vectors for each of their common elements.
///
/// Row `r` of the result begins at `places[r]`.
#[inline(always)]
pub(super) fn tile<L: Lanes, const R: usize, const V: usize>(
    lanes: L,
    rows: &[PanelRow; R],
    columns: &[f32],
    places: &[usize; R],
    to: &mut Destination<'_>,
) {
    let mut sums = [[lanes.splat(0.0); V]; R];
    for (k, columns) in (0..super::DEPTH).zip(columns.chunks_exact(V * L::COUNT)) {
        let mut vectors = [lanes.splat(0.0); V];
        for v in 0..V {
            vectors[v] = lanes.load(&columns[v * L::COUNT..]);
        }
        for r in 0..R {
            let x = lanes.splat(rows[r][k]);
            for v in 0..V {
                sums[r][v] = lanes.mul_add(x, vectors[v], sums[r][v]);
            }
        }
    }
    let [low, high] = to.limits.unwrap_or([f32::NEG_INFINITY, f32::INFINITY]).map(|limit| lanes.splat(limit));
    for r in 0..R {
        let row = &mut to.output[places[r] + to.column..][..to.width];
        for v in 0..V {
            let whole = (v + 1) * L::COUNT <= to.width;
            let row = &mut row[v * L::COUNT..];
            let before = match (to.is_first, whole) {
                (true, _) => lanes.load(&to.bias[to.column + v * L::COUNT..]),
                (false, true) => lanes.load(row),
                (false, false) => lanes.load_part(row),
            };
            let sum = lanes.add(before, sums[r][v]);
            let sum = lanes.min(high, lanes.max(low, sum));
            if whole { lanes.store(sum, row) } else { lanes.store_part(sum, row) }
        }
    }
}
