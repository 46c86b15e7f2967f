//! Which operations a set of values needs, and how often each value is read.

use std::collections::{HashMap, HashSet};

use dpuc_dialects::{BlockId, Ir, OpId, ValueId};

/// What has to be evaluated in a block.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// The operations, in order.
    pub(crate) ops: Vec<OpId>,
    /// Number of reads of each value, by these operations and as a target.
    pub(crate) reads: HashMap<ValueId, usize>,
}

impl Plan {
    /// The operations of `block` that `targets` depend on. Values that `is_known` accepts are not computed.
    pub(crate) fn new(ir: &Ir, block: BlockId, targets: &[ValueId], is_known: impl Fn(ValueId) -> bool) -> Self {
        let mut plan = Self::default();
        let mut wanted: HashSet<ValueId> = HashSet::new();
        for &target in targets {
            plan.read(target);
            wanted.extend(Some(target).filter(|&target| !is_known(target)));
        }
        let ops: Vec<OpId> = ir.ops(block).collect();
        for op in ops.into_iter().rev() {
            if !ir.results(op).iter().any(|result| wanted.contains(result)) {
                continue;
            }
            plan.ops.push(op);
            for inner in ir.walk(op) {
                for &operand in ir.operands(inner) {
                    plan.read(operand);
                    wanted.extend(Some(operand).filter(|&operand| !is_known(operand)));
                }
            }
        }
        plan.ops.reverse();
        plan
    }

    fn read(&mut self, value: ValueId) {
        *self.reads.entry(value).or_default() += 1;
    }
}
