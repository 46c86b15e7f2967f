//! The greedy driver.

use std::collections::VecDeque;

use cranelift_entity::EntitySet;
use thiserror::Error;

use super::pattern::Patterns;
use super::rewriter::{Event, Rewriter};
use crate::define::Traits;
use crate::ir::{Ir, OpId};

/// What a run of the driver did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    applied: Vec<(&'static str, usize)>,
    /// Pure operations without users that were removed.
    pub removed: usize,
    /// Operations that were created.
    pub inserted: usize,
}

impl Summary {
    /// How often each pattern was applied; those that never were are left out.
    pub fn applications(&self) -> &[(&'static str, usize)] {
        &self.applied
    }

    /// Whether anything changed.
    pub fn changed(&self) -> bool {
        !self.applied.is_empty() || self.removed > 0
    }
}

/// The patterns did not come to rest.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("rewriting did not come to rest after {steps} applications; the last ones were {}", last.join(", "))]
pub struct NotConverged {
    /// Applications made.
    pub steps: usize,
    /// The patterns applied last, each once.
    pub last: Vec<&'static str>,
}

/// How many of the last applications an error looks at.
const REMEMBERED: usize = 32;

/// Applies patterns to everything inside `root` until none matches. The budget is generous and grows with the program.
pub fn apply(ir: &mut Ir, root: OpId, patterns: &Patterns) -> Result<Summary, NotConverged> {
    let budget = 1000 + 64 * ir.walk(root).len();
    apply_with_budget(ir, root, patterns, budget)
}

/// As [`apply`], with at most `budget` applications.
pub fn apply_with_budget(ir: &mut Ir, root: OpId, patterns: &Patterns, budget: usize) -> Result<Summary, NotConverged> {
    let mut summary = Summary::default();
    let mut counts = vec![0usize; patterns.list.len()];
    let mut recent: VecDeque<usize> = VecDeque::with_capacity(REMEMBERED);
    let mut queue = Queue::default();
    ir.walk(root).into_iter().skip(1).for_each(|op| queue.push(op));
    let mut steps = 0;
    while let Some(op) = queue.pop() {
        if ir.is_erased(op) {
            continue;
        }
        if is_dead(ir, op) {
            let mut rewriter = Rewriter::new(ir, op);
            rewriter.erase(op);
            let events = std::mem::take(&mut rewriter.events);
            queue.push_affected(ir, &events);
            summary.removed += 1;
            continue;
        }
        let candidates = patterns.list.iter().enumerate();
        for (index, pattern) in candidates.filter(|(_, pattern)| ir.is(op, pattern.root())).collect::<Vec<_>>() {
            let mut rewriter = Rewriter::new(ir, op);
            if !pattern.try_apply(op, &mut rewriter) {
                continue;
            }
            let events = std::mem::take(&mut rewriter.events);
            debug_assert!(!events.is_empty(), "the pattern {} matched but changed nothing", pattern.name());
            if events.is_empty() {
                continue;
            }
            summary.inserted += events.iter().filter(|event| matches!(event, Event::Inserted(_))).count();
            counts[index] += 1;
            steps += 1;
            if recent.len() == REMEMBERED {
                recent.pop_front();
            }
            recent.push_back(index);
            if steps > budget {
                let mut last: Vec<&'static str> = Vec::new();
                for &index in &recent {
                    let name = patterns.list[index].name();
                    if !last.contains(&name) {
                        last.push(name);
                    }
                }
                return Err(NotConverged { steps, last });
            }
            queue.push(op);
            queue.push_affected(ir, &events);
            break;
        }
    }
    summary.applied = patterns
        .list
        .iter()
        .zip(counts)
        .filter(|&(_, count)| count > 0)
        .map(|(pattern, count)| (pattern.name(), count))
        .collect();
    Ok(summary)
}

/// Whether the operation can go: no effect but its results, and nobody uses those.
pub(crate) fn is_dead(ir: &Ir, op: OpId) -> bool {
    ir.has_traits(op, Traits::PURE) && ir.results(op).iter().all(|&result| ir.use_count(result) == 0)
}

/// Operations to look at, each at most once at a time, in order.
#[derive(Default)]
struct Queue {
    order: VecDeque<OpId>,
    waiting: EntitySet<OpId>,
}

impl Queue {
    fn push(&mut self, op: OpId) {
        if self.waiting.insert(op) {
            self.order.push_back(op);
        }
    }

    fn pop(&mut self) -> Option<OpId> {
        let op = self.order.pop_front()?;
        self.waiting.remove(op);
        Some(op)
    }

    /// Changed operations, what feeds them and what uses them.
    fn push_affected(&mut self, ir: &Ir, events: &[Event]) {
        for &event in events {
            let (Event::Inserted(op) | Event::Modified(op)) = event else { continue };
            if ir.is_erased(op) {
                continue;
            }
            self.push(op);
            for &operand in ir.operands(op) {
                if let Some(definer) = ir.defining_op(operand) {
                    self.push(definer);
                }
            }
            for &result in ir.results(op) {
                for user in ir.users(result) {
                    self.push(user);
                }
            }
        }
    }
}
