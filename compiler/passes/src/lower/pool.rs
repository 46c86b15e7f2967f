//! Maximum pooling.

use dpuc_dialects::dialects::{int8, nn};
use dpuc_dialects::{Ir, OpId};

use super::code::{Fix, code, list};
use super::lowered::{FixPattern, Lowered};

/// `nn.max_pool`
pub(super) struct MaxPool;

impl FixPattern for MaxPool {
    const NAME: &'static str = "max-pool";

    fn lower(&self, ir: &Ir, fix: Fix) -> Option<Lowered> {
        let op = fix.producer_of(ir, &nn::MAX_POOL)?;
        let input = code(ir, ir.operand(op, 0))?;
        let attributes = [list(ir, op, "kernel")?, list(ir, op, "strides")?, list(ir, op, "pads")?];
        Some(Lowered::new(&int8::MAX_POOL, fix, vec![op], [input]).with_all(attributes))
    }
}

/// The window of a reduction over height, width or both of a map, and the shape of the pooled map if the reduction drops dimensions.
pub(super) fn whole_axes(ir: &Ir, op: OpId) -> Option<([i64; 2], Option<Vec<usize>>)> {
    let &[batch, height, width, channels] = &ir.shape_of(ir.operand(op, 0))?[..] else { return None };
    let mut axes = ir.ints(op, "axes")?;
    axes.sort_unstable();
    let (rows, columns, shape) = match axes[..] {
        [1, 2] => (height, width, vec![batch, 1, 1, channels]),
        [1] => (height, 1, vec![batch, 1, width, channels]),
        [2] => (1, width, vec![batch, height, 1, channels]),
        _ => return None,
    };
    let shape = (!ir.bool(op, "keep_dims")?).then_some(shape);
    Some(([i64::try_from(rows).ok()?, i64::try_from(columns).ok()?], shape))
}
