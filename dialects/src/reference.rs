//! The op reference page, derived from the definitions.

use std::fmt::Write;

use crate::define::{Arity, AttributeDefinition, DefaultValue, Dialect, OpDefinition, Presence, ValueDefinition};
use crate::dialects::DIALECTS;
use crate::verify::describe_attribute;

/// Markdown of all dialects.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Operations\n\nDerived from the definitions in `dialects/src/dialects`; `dpuc opt --reference` prints it.\n",
    );
    for dialect in DIALECTS {
        write_dialect(&mut page, dialect);
    }
    page
}

fn write_dialect(page: &mut String, dialect: &Dialect) {
    let _ = write!(page, "\n## `{}`\n\n{}\n", dialect.name, dialect.description);
    for operation in dialect.operations {
        write_operation(page, operation);
    }
}

fn write_operation(page: &mut String, operation: &OpDefinition) {
    let _ = write!(page, "\n### `{}`\n\n{}\n", operation.name, operation.summary);
    if !operation.description.is_empty() {
        let _ = write!(page, "\n{}\n", operation.description);
    }
    if !operation.operands.is_empty() || !operation.results.is_empty() {
        page.push_str("\n| value | | type |\n|---|---|---|\n");
        for operand in operation.operands {
            write_value(page, "operand", operand);
        }
        for result in operation.results {
            write_value(page, "result", result);
        }
    }
    if !operation.attributes.is_empty() {
        page.push_str("\n| attribute | value | default | meaning |\n|---|---|---|---|\n");
        for attribute in operation.attributes {
            write_attribute(page, attribute);
        }
    }
}

fn write_value(page: &mut String, role: &str, value: &ValueDefinition) {
    let count = match value.arity {
        Arity::One => "",
        Arity::Optional => ", optional",
        Arity::Any => ", any number",
        Arity::Some => ", one or more",
    };
    let _ = writeln!(page, "| `{}` | {role}{count} | {} |", value.name, value.constraint.describe());
}

fn write_attribute(page: &mut String, attribute: &AttributeDefinition) {
    let default = match attribute.presence {
        Presence::Required => "required".to_owned(),
        Presence::Optional => "–".to_owned(),
        Presence::Default(DefaultValue::Int(value)) => value.to_string(),
        Presence::Default(DefaultValue::Ints(values)) => format!("{values:?}"),
        Presence::Default(DefaultValue::Bool(value)) => value.to_string(),
        Presence::Default(DefaultValue::Str(value)) => format!("\"{value}\""),
    };
    let kind = describe_attribute(attribute.kind);
    let _ = writeln!(page, "| `{}` | {kind} | {default} | {} |", attribute.name, attribute.doc);
}
