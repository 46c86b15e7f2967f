//! Matrix products whose left rows are gathered on the way: the engine of convolutions and fully connected layers.
//!
//! The right matrix is packed once ([`PackedMatrix`]). Of the left one, [`Lanes::ROWS`] rows at a time are copied, [`DEPTH`] deep, into
//! a panel that stays in the first-level cache; the copy is what makes padding, strides and groups disappear, and costs about
//! `1.5 / columns` of the products. A register block then multiplies the panel by two vectors of columns.
//!
//! Every element of the result is one chain of sums along the depth, interrupted every [`DEPTH`] products, so its bits depend neither
//! on the number of rows computed together nor on threads.

mod packed;
mod product;
mod tile;

pub(super) use packed::PackedMatrix;
pub(super) use product::{Product, Rows};

/// Products summed in registers before they are added to the result.
pub(super) const DEPTH: usize = 256;

/// Most rows of a panel, the largest [`Lanes::ROWS`](super::lanes::Lanes::ROWS).
const MAX_ROWS: usize = 14;

/// Rows of the panel: a cache line more than [`DEPTH`], so that they do not compete for the same lines.
pub(super) type PanelRow = [f32; DEPTH + 16];

/// Vectors of a register block.
const BLOCK_VECTORS: usize = 2;
