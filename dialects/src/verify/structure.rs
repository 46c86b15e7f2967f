//! Operands, results, regions, blocks and symbols.

use rustc_hash::FxHashMap;

use super::Findings;
use crate::define::{Arity, OpDefinition, Traits, TypeConstraint, ValueDefinition};
use crate::ir::{FloatKind, Ir, OpId, Type, TypeKind, ValueId};

pub(super) fn check(ir: &Ir, op: OpId, definition: &'static OpDefinition, findings: &mut Findings) {
    check_values(ir, op, "operand", definition.operands, ir.operands(op), findings);
    check_values(ir, op, "result", definition.results, ir.results(op), findings);
    let regions = ir.op_regions(op).len();
    if regions != definition.regions {
        let message = format!("has {regions} regions where {} belong", definition.regions);
        findings.error(ir, op, "region-count", message);
    }
    check_blocks(ir, op, definition, findings);
    if definition.traits.has(Traits::SYMBOL_TABLE) {
        check_symbols(ir, op, findings);
    }
}

/// Fewest and most values that definitions stand for; `None` for no limit.
fn bounds(definitions: &[ValueDefinition]) -> (usize, Option<usize>) {
    definitions.iter().fold((0, Some(0)), |(min, max), definition| match definition.arity {
        Arity::One => (min + 1, max.map(|max| max + 1)),
        Arity::Optional => (min, max.map(|max| max + 1)),
        Arity::Any => (min, None),
        Arity::Some => (min + 1, None),
    })
}

fn check_values(
    ir: &Ir,
    op: OpId,
    what: &str,
    definitions: &'static [ValueDefinition],
    values: &[ValueId],
    findings: &mut Findings,
) {
    let (min, max) = bounds(definitions);
    let count = values.len();
    if count < min || max.is_some_and(|max| count > max) {
        let wanted = match max {
            Some(max) if max == min => min.to_string(),
            Some(max) => format!("{min} to {max}"),
            None => format!("at least {min}"),
        };
        let names: Vec<_> = definitions.iter().map(|definition| definition.name).collect();
        let listed = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
        findings.error(ir, op, "value-count", format!("has {count} {what}s where {wanted}{listed} belong"));
        return;
    }
    for (index, &value) in values.iter().enumerate() {
        let Some(definition) = definitions.get(index).or(definitions.last()) else { continue };
        let ty = ir.value_type(value);
        if ir.tensor(ty).is_some_and(|tensor| tensor.shape.contains(&Some(0))) {
            let message = format!("has {what} #{index} of type {}, which has no elements", ir.show_type(ty));
            findings.error(ir, op, "empty-tensor", message);
        } else if !accepts(ir, definition.constraint, ty) {
            let (name, wanted) = (definition.name, definition.constraint.describe());
            let message = format!("has {what} #{index} `{name}` of type {}; {wanted} is needed", ir.show_type(ty));
            findings.error(ir, op, "value-type", message);
        }
    }
}

/// Whether a type satisfies a constraint.
pub(super) fn accepts(ir: &Ir, constraint: TypeConstraint, ty: Type) -> bool {
    let tensor = |rank: Option<usize>, fixed: bool| {
        ir.tensor(ty).is_some_and(|tensor| {
            let element_fits = match ir.type_kind(tensor.element) {
                TypeKind::Float(FloatKind::F32) => !fixed,
                TypeKind::Integer { width: 8, signed: None } => fixed && tensor.fix_point().is_some(),
                _ => false,
            };
            element_fits && rank.is_none_or(|rank| tensor.shape.len() == rank)
        })
    };
    match constraint {
        TypeConstraint::Any => true,
        TypeConstraint::FloatTensor => tensor(None, false),
        TypeConstraint::FloatMap => tensor(Some(4), false),
        TypeConstraint::FixTensor => tensor(None, true),
        TypeConstraint::FixMap => tensor(Some(4), true),
        TypeConstraint::AnyTensor => tensor(None, false) || tensor(None, true),
    }
}

fn check_blocks(ir: &Ir, op: OpId, definition: &'static OpDefinition, findings: &mut Findings) {
    let needs_terminator = !definition.traits.has(Traits::NO_TERMINATOR);
    for &region in ir.op_regions(op) {
        let blocks = ir.region_blocks(region);
        if !needs_terminator && blocks.len() != 1 {
            findings.error(
                ir,
                op,
                "block-count",
                format!("has a region with {} blocks where one belongs", blocks.len()),
            );
        }
        for &block in blocks {
            let last = ir.last_op(block);
            for inner in ir.ops(block) {
                if ir.has_traits(inner, Traits::TERMINATOR) && Some(inner) != last {
                    findings.error(ir, inner, "terminator", "ends its block, but more operations follow");
                }
            }
            let ends =
                last.is_some_and(|last| ir.definition(last).is_none_or(|own| own.traits.has(Traits::TERMINATOR)));
            if needs_terminator && !ends {
                findings.error(
                    ir,
                    last.unwrap_or(op),
                    "terminator",
                    "is last in a block that must end with a terminator",
                );
            }
        }
    }
}

fn check_symbols(ir: &Ir, table: OpId, findings: &mut Findings) {
    let mut seen: FxHashMap<&str, OpId> = FxHashMap::default();
    for &region in ir.op_regions(table) {
        for &block in ir.region_blocks(region) {
            for op in ir.ops(block).filter(|&op| ir.has_traits(op, Traits::SYMBOL)) {
                let Some(name) = ir.symbol_name(op) else { continue };
                if seen.insert(name, op).is_some() {
                    findings.error(ir, op, "duplicate-symbol", format!("defines `@{name}` a second time"));
                }
            }
        }
    }
}
