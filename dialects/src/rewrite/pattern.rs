//! Patterns and sets of them.

use super::rewriter::Rewriter;
use crate::define::OpDefinition;
use crate::ir::{Ir, OpId};

/// A local rewrite.
pub trait Pattern {
    /// Its name in summaries and errors, kebab-case.
    const NAME: &'static str;
    /// What matching found and rewriting needs.
    type Match;

    /// The operation it starts from.
    fn root(&self) -> &'static OpDefinition;

    /// Looks whether it applies to `op`, an operation of the root's kind.
    fn matches(&self, ir: &Ir, op: OpId) -> Option<Self::Match>;

    /// Changes the program. It must change something, or the driver would match it for ever.
    fn rewrite(&self, found: Self::Match, op: OpId, rewriter: &mut Rewriter<'_>);
}

/// A pattern without its match type, for sets.
pub(super) trait AnyPattern {
    fn name(&self) -> &'static str;
    fn root(&self) -> &'static OpDefinition;
    /// Matches and rewrites in one step; `false` if it did not match.
    fn try_apply(&self, op: OpId, rewriter: &mut Rewriter<'_>) -> bool;
}

impl<P: Pattern> AnyPattern for P {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn root(&self) -> &'static OpDefinition {
        Pattern::root(self)
    }

    fn try_apply(&self, op: OpId, rewriter: &mut Rewriter<'_>) -> bool {
        match self.matches(rewriter.ir(), op) {
            Some(found) => {
                self.rewrite(found, op, rewriter);
                true
            }
            None => false,
        }
    }
}

/// Patterns in order of preference.
#[derive(Default)]
pub struct Patterns {
    pub(super) list: Vec<Box<dyn AnyPattern>>,
}

impl Patterns {
    /// No patterns.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a pattern, tried after those added before.
    #[must_use]
    pub fn with(mut self, pattern: impl Pattern + 'static) -> Self {
        self.list.push(Box::new(pattern));
        self
    }
}
