//! Concatenations of concatenations.

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::{int8, nn};
use dpuc_dialects::rewrite::{Pattern, Patterns, Rewriter};
use dpuc_dialects::{Ir, OpId, ValueId};

use crate::rebuild::{copy_of, producer};

/// Adds the patterns of this file.
pub(super) fn add(patterns: Patterns) -> Patterns {
    [&nn::CONCAT, &int8::CONCAT].into_iter().fold(patterns, |patterns, concat| patterns.with(ConcatTwice { concat }))
}

/// A part of a concatenation that is one along the same axis gives its own parts, if nothing else needs it.
struct ConcatTwice {
    concat: &'static OpDefinition,
}

impl Pattern for ConcatTwice {
    const NAME: &'static str = "concat-twice";
    type Match = Vec<ValueId>;

    fn root(&self) -> &'static OpDefinition {
        self.concat
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<Vec<ValueId>> {
        let axis = ir.int(op, "axis");
        let inner = |&part: &ValueId| {
            let inner = producer(ir, part, &[self.concat])?;
            let joins = ir.int(inner, "axis") == axis && ir.use_count(part) == 1;
            // A concatenation with another fix point rounds its parts on their way.
            (joins && ir.fix_of(part) == ir.fix_of(ir.result(op))).then_some(inner)
        };
        let parts = ir.operands(op);
        parts.iter().any(|part| inner(part).is_some()).then(|| {
            let own = |part: &ValueId| inner(part).map_or_else(|| vec![*part], |inner| ir.operands(inner).to_vec());
            parts.iter().flat_map(own).collect()
        })
    }

    fn rewrite(&self, parts: Vec<ValueId>, op: OpId, rewriter: &mut Rewriter<'_>) {
        let ir = rewriter.ir();
        let (ty, location) = (ir.value_type(ir.result(op)), ir.op(op).location);
        if let Some(joined) = copy_of(rewriter, op, &parts, &[], ty, location) {
            rewriter.replace(op, &[joined]);
        }
    }
}
