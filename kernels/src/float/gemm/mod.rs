//! Matrix products whose left rows are gathered on the way: the engine of convolutions and fully connected layers.
//!
//! The right matrix is packed once ([`PackedMatrix`]). Of the left one, [`Lanes::ROWS`] rows at a time are copied, [`DEPTH`] deep, into
//! a panel that stays in the first-level cache; the copy is what makes padding, strides and groups disappear, and costs about
//! `1.5 / columns` of the products. A register block then multiplies the panel by two vectors of columns.
//!
//! Every element of the result is one chain of sums along the depth, interrupted at the ends of its blocks, so its bits depend neither
//! on the number of rows computed together nor on threads.

mod packed;
mod product;
#[expect(clippy::needless_range_loop, reason = "register blocks are indexed by row and vector")]
mod tile;

pub(super) use packed::{PackedMatrix, PackedView};
pub(super) use product::{Product, Rows};

/// Most products summed in registers before they are added to the result: a panel of so many just fits the
/// first-level cache, and the patches of 3x3 windows of 64 channels are one block.
pub(super) const DEPTH: usize = 576;

/// Most rows of a panel, the largest [`Lanes::ROWS`](super::lanes::Lanes::ROWS).
const MAX_ROWS: usize = 14;

/// A row of the panel: a cache line longer than [`DEPTH`], so that the rows do not compete for the same lines.
#[repr(align(64))]
#[derive(Clone, Copy)]
pub(super) struct PanelRow(pub(super) [f32; DEPTH + 16]);

impl PanelRow {
    const ZERO: Self = Self([0.0; DEPTH + 16]);
}

/// Vectors of a register block.
const BLOCK_VECTORS: usize = 2;
