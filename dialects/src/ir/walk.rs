//! Visiting nested operations.

use super::entities::OpId;
use super::tables::Ir;

impl Ir {
    /// The operation and all operations in its regions, outer before inner, in order.
    pub fn walk(&self, op: OpId) -> Vec<OpId> {
        let mut found = vec![];
        let mut pending = vec![op];
        while let Some(op) = pending.pop() {
            found.push(op);
            let start = pending.len();
            for &region in self.op_regions(op) {
                for &block in self.region_blocks(region) {
                    pending.extend(self.ops(block));
                }
            }
            pending[start..].reverse();
        }
        found
    }
}
