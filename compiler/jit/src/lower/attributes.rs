//! Attributes of operations, as far as loops need them. What is missing or out of range leaves the operation to its kernel, which says so.

use dpuc_dialects::{Ir, OpId};
use dpuc_kernels::reference::sampling::Coordinates;

pub(super) fn sizes(ir: &Ir, op: OpId, name: &str) -> Option<Vec<usize>> {
    ir.ints(op, name)?.into_iter().map(|value| usize::try_from(value).ok()).collect()
}

pub(super) fn size(ir: &Ir, op: OpId, name: &str) -> Option<usize> {
    ir.int(op, name).and_then(|value| usize::try_from(value).ok())
}

pub(super) fn float(ir: &Ir, op: OpId, name: &str) -> Option<f64> {
    ir.float(op, name)
}

/// Where the pixels of a map resized by `int8.upsample` lie on the input.
pub(super) fn coordinates(ir: &Ir, op: OpId) -> Option<Coordinates> {
    Some(match (ir.bool(op, "align_corners")?, ir.bool(op, "half_pixel")?) {
        (true, _) => Coordinates::AlignCorners,
        (false, true) => Coordinates::HalfPixel,
        (false, false) => Coordinates::Asymmetric,
    })
}
