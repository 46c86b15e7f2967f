//! Uncompiled networks on the reference.

use dpuc_dialects::dialects::func;
use dpuc_dialects::Ir;
use dpuc_evaluate::{EvalError, Tensor, evaluate};

use crate::port::Port;

/// Inputs of a function: names from the values, or from the framework if the location says one.
pub fn function_inputs(ir: &Ir, function: &str) -> Vec<Port> {
    let Some(op) = ir.find_symbol(function) else { return Vec::new() };
    let arguments = ir.arguments(func::entry(ir, op));
    let port = |(number, &value): (usize, &dpuc_dialects::ValueId)| {
        let name = ir.value_name(value).map_or_else(|| format!("input{number}"), str::to_owned);
        Some(Port { op: name.clone(), name, shape: ir.shape_of(value)?, fix_point: ir.fix_of(value) })
    };
    arguments.iter().enumerate().filter_map(port).collect()
}

/// Results of a function under the names of the tensors they are.
pub fn function_outputs(ir: &Ir, function: &str) -> Vec<Port> {
    let Some(op) = ir.find_symbol(function) else { return Vec::new() };
    let Some(end) = ir.last_op(func::entry(ir, op)) else { return Vec::new() };
    let port = |(number, &value): (usize, &dpuc_dialects::ValueId)| {
        let name = ir.value_name(value).map_or_else(|| format!("output{number}"), str::to_owned);
        Some(Port { op: name.clone(), name, shape: ir.shape_of(value)?, fix_point: ir.fix_of(value) })
    };
    ir.operands(end).iter().enumerate().filter_map(port).collect()
}

/// Runs `@main` of a network on the reference.
pub fn run_reference(ir: &Ir, inputs: &[Tensor]) -> Result<Vec<Tensor>, EvalError> {
    evaluate(ir, "main", inputs, &mut |_, _| {})
}
