//! Uncompiled networks on the reference.

use dpuc_dialects::dialects::func;
use dpuc_dialects::{Ir, ValueId};
use dpuc_evaluate::{EvalError, Tensor, evaluate};

use crate::port::Port;

/// Inputs of a function, under the names of its arguments.
pub fn function_inputs(ir: &Ir, function: &str) -> Vec<Port> {
    let Some(op) = ir.find_symbol(function) else { return Vec::new() };
    let arguments = ir.arguments(func::entry(ir, op));
    arguments
        .iter()
        .enumerate()
        .filter_map(|(number, &value)| port(ir, value, None, format!("input{number}")))
        .collect()
}

/// Results of a function, under the names of the framework's tensors where the locations say them.
pub fn function_outputs(ir: &Ir, function: &str) -> Vec<Port> {
    let Some(op) = ir.find_symbol(function) else { return Vec::new() };
    let Some(end) = ir.last_op(func::entry(ir, op)) else { return Vec::new() };
    let results = ir.operands(end).iter().enumerate();
    results
        .filter_map(|(number, &value)| {
            let names = ir.defining_op(value).map(|op| ir.location_names(ir.op(op).location)).unwrap_or_default();
            port(ir, value, names.last().copied(), format!("output{number}"))
        })
        .collect()
}

/// The port of a value: the framework's name, or the value's own, or the last resort.
fn port(ir: &Ir, value: ValueId, framework: Option<&str>, last_resort: String) -> Option<Port> {
    let name = framework.or(ir.value_name(value)).map_or(last_resort, str::to_owned);
    Some(Port { op: name.clone(), name, shape: ir.shape_of(value)?, fix_point: ir.fix_of(value) })
}

/// Runs `@main` of a network on the reference.
pub fn run_reference(ir: &Ir, inputs: &[Tensor]) -> Result<Vec<Tensor>, EvalError> {
    evaluate(ir, "main", inputs, &mut |_, _| {})
}
