//! Attributes of operations, as far as loops need them. What is missing or out of range leaves the operation to its kernel, which says so.

use dpuc_dialects::{Attribute, Ir, OpId};

pub(super) fn sizes(ir: &Ir, op: OpId, name: &str) -> Option<Vec<usize>> {
    ir.ints(op, name)?.into_iter().map(|value| usize::try_from(value).ok()).collect()
}

pub(super) fn size(ir: &Ir, op: OpId, name: &str) -> Option<usize> {
    ir.int(op, name).and_then(|value| usize::try_from(value).ok())
}

pub(super) fn float(ir: &Ir, op: OpId, name: &str) -> Option<f64> {
    ir.attribute(op, name).and_then(Attribute::as_float)
}
