//! Attributes against their definitions.

use dpuc_grammar::suggest;

use super::Findings;
use crate::define::{AttributeKind, OpDefinition, Presence, Traits};
use crate::ir::{Attribute, Ir, OpId};

pub(super) fn check(ir: &Ir, op: OpId, definition: &'static OpDefinition, findings: &mut Findings) {
    for (name, value) in ir.attributes(op) {
        let name = ir.text(*name);
        match definition.attribute(name) {
            Some(attribute) => {
                if let Err(wanted) = accepts(attribute.kind, value) {
                    let found = ir.show_attribute(value);
                    let message = format!("has `{name} = {}`; {wanted} is needed", shorten(&found));
                    findings.error(ir, op, "attribute-value", message);
                }
            }
            None if definition.traits.has(Traits::OPEN_ATTRIBUTES) || name.contains('.') => {}
            None => {
                let known = definition.attributes.iter().map(|attribute| attribute.name);
                let hint = suggest(name, known).map(|name| format!("did you mean `{name}`?"));
                findings.error_with_hint(ir, op, "unknown-attribute", format!("has no attribute `{name}`"), hint);
            }
        }
    }
    for attribute in definition.attributes {
        if attribute.presence == Presence::Required && ir.attribute(op, attribute.name).is_none() {
            let message = format!("lacks the attribute `{}`", attribute.name);
            findings.error_with_hint(ir, op, "missing-attribute", message, Some(attribute.doc.to_owned()));
        }
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Whether a value is of a kind; if not, what would be.
fn accepts(kind: AttributeKind, value: &Attribute) -> Result<(), String> {
    let fits = match kind {
        AttributeKind::Any => true,
        AttributeKind::Unit => *value == Attribute::Unit,
        AttributeKind::Bool => value.as_bool().is_some(),
        AttributeKind::Int(min, max) => value.as_int().is_some_and(|value| (min..=max).contains(&value)),
        AttributeKind::Float => value.as_float().is_some(),
        AttributeKind::Str => value.as_str().is_some(),
        AttributeKind::Choice(choices) => value.as_str().is_some_and(|text| choices.contains(&text)),
        AttributeKind::Ints(length, min, max) => value.as_ints().is_some_and(|values| {
            (length == 0 || values.len() == length) && values.iter().all(|value| (min..=max).contains(value))
        }),
        AttributeKind::Floats(length) => value.as_floats().is_some_and(|values| values.len() == length),
        AttributeKind::Symbol => value.as_symbol().is_some(),
        AttributeKind::Weights => value.as_symbol().is_some() || matches!(value, Attribute::Dense(_)),
        AttributeKind::Type => value.as_type().is_some(),
        AttributeKind::Dictionary => matches!(value, Attribute::Dictionary(_)),
        AttributeKind::Array => value.as_array().is_some(),
    };
    if fits { Ok(()) } else { Err(describe(kind)) }
}

/// An attribute kind in words.
pub(crate) fn describe(kind: AttributeKind) -> String {
    match kind {
        AttributeKind::Any => "any attribute".to_owned(),
        AttributeKind::Unit => "no value".to_owned(),
        AttributeKind::Bool => "`true` or `false`".to_owned(),
        AttributeKind::Int(min, max) => format!("an integer from {min} to {max}"),
        AttributeKind::Float => "a float".to_owned(),
        AttributeKind::Str => "a string".to_owned(),
        AttributeKind::Choice(choices) => {
            let quoted: Vec<_> = choices.iter().map(|choice| format!("\"{choice}\"")).collect();
            format!("one of {}", quoted.join(", "))
        }
        AttributeKind::Ints(0, min, i64::MAX) => format!("a list of integers of at least {min}"),
        AttributeKind::Ints(0, min, max) => format!("a list of integers from {min} to {max}"),
        AttributeKind::Ints(length, min, max) => format!("a list of {length} integers from {min} to {max}"),
        AttributeKind::Floats(length) => format!("a list of {length} floats"),
        AttributeKind::Symbol => "a symbol `@name`".to_owned(),
        AttributeKind::Weights => "a symbol `@name` or `dense<…>`".to_owned(),
        AttributeKind::Type => "a type".to_owned(),
        AttributeKind::Dictionary => "a dictionary".to_owned(),
        AttributeKind::Array => "a list".to_owned(),
    }
}
