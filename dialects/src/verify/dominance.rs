//! Dominance: a value may be used only where its definition has surely been executed.
//!
//! Immediate dominators are computed by the iteration of Cooper, Harvey and Kennedy ("A Simple, Fast Dominance Algorithm", 2001).

use cranelift_entity::SecondaryMap;
use rustc_hash::{FxHashMap, FxHashSet};

use super::Findings;
use crate::define::Traits;
use crate::ir::{BlockId, Definition, Ir, OpId, RegionId, ValueId};

/// Order of operations in their blocks and dominator trees of all regions below an operation.
pub struct Dominance {
    position: SecondaryMap<OpId, u32>,
    /// Immediate dominator of each reachable block that is no entry block.
    dominator: FxHashMap<BlockId, BlockId>,
    /// Blocks no path leads to; everything dominates them.
    reachable: FxHashMap<BlockId, u32>,
}

impl Dominance {
    /// Analyses everything in `root`.
    pub fn new(ir: &Ir, root: OpId) -> Self {
        let mut own =
            Self { position: SecondaryMap::new(), dominator: FxHashMap::default(), reachable: FxHashMap::default() };
        for op in ir.walk(root) {
            for &region in ir.op_regions(op) {
                for &block in ir.region_blocks(region) {
                    for (position, inner) in ir.ops(block).enumerate() {
                        own.position[inner] = position as u32;
                    }
                }
                if ir.region_blocks(region).len() > 1 {
                    own.analyse(ir, region);
                }
            }
        }
        own
    }

    fn analyse(&mut self, ir: &Ir, region: RegionId) {
        let order = reverse_post_order(ir, region);
        let number: FxHashMap<BlockId, usize> = order.iter().enumerate().map(|(n, &block)| (block, n)).collect();
        let mut predecessors: Vec<Vec<usize>> = vec![Vec::new(); order.len()];
        for (n, &block) in order.iter().enumerate() {
            for successor in successors(ir, block) {
                if let Some(&to) = number.get(&successor) {
                    predecessors[to].push(n);
                }
            }
        }
        let mut immediate: Vec<Option<usize>> = vec![None; order.len()];
        immediate[0] = Some(0);
        let mut changed = true;
        while changed {
            changed = false;
            for n in 1..order.len() {
                let known = predecessors[n].iter().copied().filter(|&p| immediate[p].is_some());
                let merged = known.reduce(|a, b| intersect(&immediate, a, b));
                if merged != immediate[n] {
                    immediate[n] = merged;
                    changed = true;
                }
            }
        }
        for (n, &block) in order.iter().enumerate() {
            self.reachable.insert(block, n as u32);
            if let Some(dominator) = immediate[n].filter(|_| n > 0) {
                self.dominator.insert(block, order[dominator]);
            }
        }
    }

    /// Whether block `a` dominates block `b` of the same region.
    fn block_dominates(&self, a: BlockId, b: BlockId) -> bool {
        !self.reachable.contains_key(&b)
            || std::iter::successors(Some(b), |block| self.dominator.get(block).copied()).any(|block| block == a)
    }

    /// Whether `value` may be used by `user`.
    pub fn dominates(&self, ir: &Ir, value: ValueId, user: OpId) -> bool {
        let (block, definer) = match ir.value_definition(value) {
            Definition::Forward => return false,
            Definition::Argument(block, _) => (block, None),
            Definition::Result(op, _) => match ir.parent_block(op) {
                Some(block) => (block, Some(op)),
                None => return false,
            },
        };
        let Some(region) = ir.block_region(block) else { return false };
        // The ancestor of the user that lies in the region of the definition.
        let mut ancestor = user;
        loop {
            let Some(own) = ir.parent_block(ancestor) else { return false };
            if ir.block_region(own) == Some(region) {
                break;
            }
            match ir.parent_op(ancestor) {
                Some(parent) if !ir.has_traits(parent, Traits::ISOLATED) => ancestor = parent,
                _ => return false,
            }
        }
        let Some(user_block) = ir.parent_block(ancestor) else { return false };
        if ir.has_traits(ir.region_owner(region), Traits::GRAPH_REGION) {
            return true;
        }
        match definer {
            Some(definer) if user_block == block => {
                definer != ancestor && self.position[definer] < self.position[ancestor]
            }
            _ => user_block == block || self.block_dominates(block, user_block),
        }
    }
}

fn successors(ir: &Ir, block: BlockId) -> Vec<BlockId> {
    ir.last_op(block).map(|op| ir.successors(op).to_vec()).unwrap_or_default()
}

/// Nearest common ancestor in the dominator tree, by numbers in reverse post-order.
fn intersect(immediate: &[Option<usize>], mut a: usize, mut b: usize) -> usize {
    while a != b {
        let deeper = a.max(b);
        let up = immediate[deeper].unwrap_or(0);
        if a == deeper { a = up } else { b = up }
    }
    a
}

/// Blocks reachable from the entry, each before its successors except along back edges.
fn reverse_post_order(ir: &Ir, region: RegionId) -> Vec<BlockId> {
    let entry = ir.region_blocks(region)[0];
    let mut seen = FxHashSet::default();
    seen.insert(entry);
    let mut order = Vec::new();
    let mut stack = vec![(entry, successors(ir, entry).into_iter())];
    while let Some((block, next)) = stack.last_mut() {
        match next.next() {
            Some(successor) if ir.block_region(successor) == Some(region) => {
                if seen.insert(successor) {
                    stack.push((successor, successors(ir, successor).into_iter()));
                }
            }
            Some(_) => {}
            None => {
                order.push(*block);
                stack.pop();
            }
        }
    }
    order.reverse();
    order
}

pub(super) fn check(ir: &Ir, root: OpId, findings: &mut Findings) {
    let dominance = Dominance::new(ir, root);
    for op in ir.walk(root) {
        for (index, &operand) in ir.operands(op).iter().enumerate() {
            if !dominance.dominates(ir, operand, op) {
                let name =
                    ir.value_name(operand).map_or_else(|| format!("operand #{index}"), |name| format!("`%{name}`"));
                findings.error(
                    ir,
                    op,
                    "dominance",
                    format!("uses {name}, whose definition does not dominate this use"),
                );
            }
        }
    }
}
