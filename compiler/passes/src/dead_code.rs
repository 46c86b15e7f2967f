//! Dead-code elimination.

use std::collections::HashSet;
use std::sync::Arc;

use dpuc_dialects::define::Traits;
use dpuc_dialects::{Attribute, BlockId, Ir, OpId};

/// What [`eliminate_dead_code`] removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeadCode {
    /// Operations.
    pub operations: usize,
    /// Constants of the side file.
    pub constants: usize,
}

/// Removes pure operations whose results nobody uses, and then constants that no operation refers to.
pub fn eliminate_dead_code(ir: &mut Ir) -> DeadCode {
    let root = ir.root();
    let mut blocks: Vec<BlockId> = Vec::new();
    for op in ir.walk(root) {
        for &region in ir.op_regions(op) {
            blocks.extend(ir.region_blocks(region));
        }
    }
    let mut removed = DeadCode::default();
    // Inner blocks first, and from their ends: a use is always seen before its definition.
    for block in blocks.into_iter().rev() {
        let ops: Vec<OpId> = ir.ops(block).collect();
        for op in ops.into_iter().rev() {
            let is_unused = ir.results(op).iter().all(|&result| ir.use_count(result) == 0);
            if is_unused && ir.has_traits(op, Traits::PURE) {
                removed.operations += ir.walk(op).len();
                ir.erase(op);
            }
        }
    }
    removed.constants = remove_unused_constants(ir);
    removed
}

/// Removes constants of the side file that no operation refers to; gives their number.
pub(crate) fn remove_unused_constants(ir: &mut Ir) -> usize {
    let mut used: HashSet<Arc<str>> = HashSet::new();
    for op in ir.walk(ir.root()) {
        if let Some(Attribute::Symbol(path)) = ir.attribute(op, "value") {
            used.extend(path.first().cloned());
        }
    }
    let before = ir.weights.len();
    ir.weights.retain(|name| used.contains(name));
    before - ir.weights.len()
}
