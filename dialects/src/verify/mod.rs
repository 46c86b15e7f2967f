//! The verifier. It checks every operation and collects everything it finds.
//!
//! Checked, in this order for each operation:
//! * the number of operands, results, regions and the types of the values, against the definition;
//! * attributes: required ones present, known ones of the right kind and range, unknown ones refused with a suggestion;
//! * blocks: a terminator at the end and nowhere else, unless the definition says there is none;
//! * the operation's own rule, if the above found nothing wrong with it;
//! * symbols defined once in their table;
//! * every use dominated by its definition (see [`Dominance`]).
//!
//! Operations of unknown dialects are only checked for dominance. Whether a symbol of a constant resolves is checked where the side
//! file is needed, so that text can be worked on without it.

mod attributes;
mod dominance;
mod findings;
mod structure;

pub(crate) use attributes::describe as describe_attribute;
pub use dominance::Dominance;
pub use findings::{Finding, Findings};

use crate::ir::{Ir, OpId};

/// Checks the whole module.
pub fn verify(ir: &Ir) -> Findings {
    verify_op(ir, ir.root())
}

/// Checks one operation and everything in it.
pub fn verify_op(ir: &Ir, root: OpId) -> Findings {
    let mut findings = Findings::default();
    for op in ir.walk(root) {
        let Some(definition) = ir.definition(op) else { continue };
        let before = findings.len();
        structure::check(ir, op, definition, &mut findings);
        attributes::check(ir, op, definition, &mut findings);
        if findings.len() == before
            && let Some(rule) = definition.verify
        {
            rule(ir, op, &mut findings);
        }
    }
    dominance::check(ir, root, &mut findings);
    findings
}
