//! The register block.

use super::PanelRow;
use crate::float::lanes::Lanes;

/// Where a register block goes and what happens on the way.
pub(super) struct Destination<'a> {
    /// The whole result.
    pub(super) output: &'a mut [f32],
    /// First column that is computed: where rows of the result begin.
    pub(super) first: usize,
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
/// Row `r` of the result begins at `places[r]`. Only a block that is not `WHOLE` ends within its last vector.
#[inline(always)]
pub(super) fn tile<L: Lanes, const R: usize, const V: usize, const WHOLE: bool>(
    lanes: L,
    rows: &[PanelRow; R],
    columns: &[f32],
    places: &[usize; R],
    to: &mut Destination<'_>,
) {
    let mut sums = [[lanes.splat(0.0); V]; R];
    if to.is_first {
        let bias = &to.bias[to.column..][..V * L::COUNT];
        for v in 0..V {
            let bias = lanes.load(&bias[v * L::COUNT..]);
            for r in 0..R {
                sums[r][v] = bias;
            }
        }
    }
    for (k, columns) in (0..super::DEPTH).zip(columns.chunks_exact(V * L::COUNT)) {
        let mut vectors = [lanes.splat(0.0); V];
        for v in 0..V {
            vectors[v] = lanes.load(&columns[v * L::COUNT..]);
        }
        for r in 0..R {
            let x = lanes.splat(rows[r].0[k]);
            for v in 0..V {
                sums[r][v] = lanes.mul_add(x, vectors[v], sums[r][v]);
            }
        }
    }
    if !to.is_first {
        for r in 0..R {
            let row = row::<L, V, WHOLE>(to, places[r]);
            for v in 0..V {
                let row = &row[v * L::COUNT..];
                let before = if WHOLE || v + 1 < V { lanes.load(row) } else { lanes.load_part(row) };
                sums[r][v] = lanes.add(sums[r][v], before);
            }
        }
    }
    if let Some(limits) = to.limits {
        let [low, high] = limits.map(|limit| lanes.splat(limit));
        for r in 0..R {
            for v in 0..V {
                sums[r][v] = lanes.min(high, lanes.max(low, sums[r][v]));
            }
        }
    }
    for r in 0..R {
        let row = row::<L, V, WHOLE>(to, places[r]);
        for v in 0..V {
            let row = &mut row[v * L::COUNT..];
            if WHOLE || v + 1 < V { lanes.store(sums[r][v], row) } else { lanes.store_part(sums[r][v], row) }
        }
    }
}

/// The block's columns of a row of the result.
#[inline(always)]
fn row<'a, L: Lanes, const V: usize, const WHOLE: bool>(to: &'a mut Destination<'_>, place: usize) -> &'a mut [f32] {
    let width = if WHOLE { V * L::COUNT } else { to.width };
    &mut to.output[place + to.column - to.first..][..width]
}
