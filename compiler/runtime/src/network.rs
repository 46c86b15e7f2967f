//! Uncompiled networks on the reference.

use dpuc_dialects::dialects::{func, int8, nn};
use dpuc_dialects::{Ir, ValueId};
use dpuc_evaluate::{EvalError, Tensor, evaluate};
use dpuc_kernels::reference::round::dequantise;

use crate::port::Port;

/// Inputs of a function, under the names of its arguments. A float argument that is only quantised, always with one fix point, has that fix
/// point.
pub fn function_inputs(ir: &Ir, function: &str) -> Vec<Port> {
    let Some(op) = ir.find_symbol(function) else { return Vec::new() };
    let input = |(number, &value): (usize, &ValueId)| {
        let port = port(ir, value, None, format!("input{number}"))?;
        Some(Port { fix_point: port.fix_point.or_else(|| quantised_with(ir, value)), ..port })
    };
    ir.arguments(func::entry(ir, op)).iter().enumerate().filter_map(input).collect()
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

/// The fix point that every user of a float value quantises it with.
fn quantised_with(ir: &Ir, value: ValueId) -> Option<i32> {
    let points = ir.users(value).into_iter().map(|user| {
        let quantises = ir.is(user, &int8::QUANTISE) || ir.is(user, &nn::FIX);
        let attribute = || ir.int(user, "fix_point").and_then(|point| i32::try_from(point).ok());
        quantises.then(|| ir.fix_of(ir.result(user)).or_else(attribute))?
    });
    let points: Vec<i32> = points.collect::<Option<_>>()?;
    points.first().copied().filter(|first| points.iter().all(|point| point == first))
}

/// The port of a value: the framework's name, or the value's own, or the last resort.
fn port(ir: &Ir, value: ValueId, framework: Option<&str>, last_resort: String) -> Option<Port> {
    let name = framework.or(ir.value_name(value)).map_or(last_resort, str::to_owned);
    Some(Port { op: name.clone(), name, shape: ir.shape_of(value)?, fix_point: ir.fix_of(value) })
}

/// Runs `@main` of a network on the reference. Signed bytes for a float argument stand for `q * 2^-fix_point` of its port, exactly.
pub fn run_reference(ir: &Ir, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, EvalError> {
    let arguments = ir.find_symbol("main").map(|op| ir.arguments(func::entry(ir, op)).to_vec()).unwrap_or_default();
    let ports = function_inputs(ir, "main");
    let mut converted = Vec::with_capacity(inputs.len());
    for (number, tensor) in inputs.into_iter().enumerate() {
        let takes_floats = arguments.get(number).is_some_and(|&argument| ir.fix_of(argument).is_none());
        converted.push(match (tensor, ports.get(number).and_then(|port| port.fix_point)) {
            (Tensor::I8(codes), Some(point)) if takes_floats => Tensor::F32(codes.mapv(|code| dequantise(code, point))),
            (tensor, _) => tensor,
        });
    }
    evaluate(ir, "main", &converted, &mut |_, _| {})
}
