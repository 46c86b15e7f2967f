//! The `func` dialect: functions.

use crate::define::{AttributeKind, Dialect, OpDefinition, Traits, TypeConstraint, any_number, maybe, op, required};
use crate::ir::{Attribute, BlockId, Ir, OpBuilder, OpId, Type, TypeKind};
use crate::verify::Findings;

/// A function.
pub static FUNC: OpDefinition = op("func.func", "A function; without a body, a declaration.")
    .attributes(&[
        required("sym_name", AttributeKind::Str, "Its name."),
        required("function_type", AttributeKind::Type, "Its arguments' and results' types."),
        maybe("sym_visibility", AttributeKind::Choice(&["public", "private", "nested"]), "Who may call it."),
    ])
    .regions(1)
    .traits(Traits::ISOLATED.and(Traits::SYMBOL).and(Traits::FUNCTION).and(Traits::OPEN_ATTRIBUTES))
    .verify(verify_function);

/// Returns from a function.
pub static RETURN: OpDefinition = op("func.return", "Ends a function and gives its results.")
    .operands(&[any_number("values", TypeConstraint::Any)])
    .traits(Traits::TERMINATOR)
    .verify(verify_return);

/// Calls a function.
pub static CALL: OpDefinition = op("func.call", "Calls a function or a subgraph of the module.")
    .operands(&[any_number("arguments", TypeConstraint::Any)])
    .results(&[any_number("results", TypeConstraint::Any)])
    .attributes(&[required("callee", AttributeKind::Symbol, "The function's name.").positional()])
    .verify(verify_call);

/// The dialect.
pub static DIALECT: Dialect =
    Dialect { name: "func", description: "Functions, as in MLIR.", operations: &[&FUNC, &RETURN, &CALL] };

/// Argument and result types of a function-like operation.
pub fn signature(ir: &Ir, function: OpId) -> Option<(&[Type], &[Type])> {
    match ir.type_kind(ir.attribute(function, "function_type")?.as_type()?) {
        TypeKind::Function { inputs, results } => Some((inputs, results)),
        _ => None,
    }
}

/// The entry block of a function-like operation, unless it is a declaration.
pub fn body(ir: &Ir, function: OpId) -> Option<BlockId> {
    ir.op_regions(function).first().and_then(|&region| ir.region_blocks(region).first().copied())
}

/// The entry block of a function-like operation with a body.
///
/// # Panics
/// If it has no body.
pub fn entry(ir: &Ir, function: OpId) -> BlockId {
    ir.region_blocks(ir.op_regions(function)[0])[0]
}

/// Appends a `func.func` with an empty entry block to `block`.
pub fn build(ir: &mut Ir, block: BlockId, name: &str, inputs: &[(&str, Type)], results: &[Type]) -> OpId {
    build_like(ir, &FUNC, block, name, inputs, results)
}

/// Appends a function-like operation with an empty entry block to `block`.
pub fn build_like(
    ir: &mut Ir,
    kind: &'static OpDefinition,
    block: BlockId,
    name: &str,
    inputs: &[(&str, Type)],
    results: &[Type],
) -> OpId {
    let input_types = inputs.iter().map(|&(_, ty)| ty).collect();
    let ty = ir.intern_type(TypeKind::Function { inputs: input_types, results: results.into() });
    let function = OpBuilder::new(kind)
        .attribute("sym_name", Attribute::string(name))
        .attribute("function_type", Attribute::Type(ty))
        .append(ir, block);
    let body = ir.op_regions(function)[0];
    let entry = ir.add_block(body);
    for &(name, ty) in inputs {
        let argument = ir.add_argument(entry, ty);
        if !name.is_empty() {
            ir.set_value_name(argument, name);
        }
    }
    function
}

/// Sets the function's type from its entry block's arguments and its terminator's operands.
pub fn refresh_signature(ir: &mut Ir, function: OpId) {
    let entry = entry(ir, function);
    let types = |ir: &Ir, values: &[_]| values.iter().map(|&value| ir.value_type(value)).collect::<Box<[Type]>>();
    let inputs = types(ir, ir.arguments(entry));
    let results = ir.last_op(entry).map(|end| types(ir, ir.operands(end))).unwrap_or_default();
    let ty = ir.intern_type(TypeKind::Function { inputs, results });
    ir.set_attribute(function, "function_type", Attribute::Type(ty));
}

/// Checks the entry block of a function-like operation against its type.
pub(super) fn verify_function(ir: &Ir, op: OpId, findings: &mut Findings) {
    let Some((inputs, _)) = signature(ir, op) else {
        findings.error(ir, op, "function-type", "`function_type` is not a function type");
        return;
    };
    let Some(&entry) = ir.region_blocks(ir.op_regions(op)[0]).first() else { return };
    let arguments: Vec<Type> = ir.arguments(entry).iter().map(|&argument| ir.value_type(argument)).collect();
    if arguments != inputs {
        findings.error(ir, op, "function-type", "the entry block's arguments do not have the types of `function_type`");
    }
}

/// Checks the operands of a function's terminator against the function's result types.
pub(super) fn verify_return(ir: &Ir, op: OpId, findings: &mut Findings) {
    let Some(function) = ir.parent_op(op).filter(|&parent| ir.has_traits(parent, Traits::FUNCTION)) else {
        findings.error(ir, op, "misplaced-return", "is not directly inside a function");
        return;
    };
    let Some((_, results)) = signature(ir, function) else { return };
    let returned: Vec<Type> = ir.operands(op).iter().map(|&value| ir.value_type(value)).collect();
    if returned.len() != results.len() {
        let message = format!("returns {} values, but the function has {} results", returned.len(), results.len());
        findings.error(ir, op, "return-types", message);
        return;
    }
    for (index, (&returned, &declared)) in returned.iter().zip(results).enumerate() {
        if returned != declared {
            let message = format!(
                "returns {} as result #{index}, but the function declares {}",
                ir.show_type(returned),
                ir.show_type(declared)
            );
            findings.error(ir, op, "return-types", message);
        }
    }
}

fn verify_call(ir: &Ir, op: OpId, findings: &mut Findings) {
    let Some(callee) = ir.attribute(op, "callee").and_then(Attribute::as_symbol) else { return };
    let Some(function) = ir.find_symbol(callee).filter(|&target| ir.has_traits(target, Traits::FUNCTION)) else {
        findings.error(ir, op, "unknown-function", format!("no function is called `@{callee}`"));
        return;
    };
    let Some((inputs, results)) = signature(ir, function) else { return };
    let types = |values: &[_]| values.iter().map(|&value| ir.value_type(value)).collect::<Vec<_>>();
    if types(ir.operands(op)) != inputs || types(ir.results(op)) != results {
        findings.error(ir, op, "call-types", format!("does not have the argument and result types of `@{callee}`"));
    }
}
