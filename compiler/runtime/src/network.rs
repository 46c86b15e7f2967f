//! Uncompiled networks, as machine code or on the reference.

use dpuc_dialects::define::Traits;
use dpuc_dialects::dialects::{func, int8, nn};
use dpuc_dialects::{BlockId, Ir, ValueId};
use dpuc_evaluate::{EvalError, Tensor, evaluate};
use dpuc_kernels::reference::round::dequantise;

use crate::error::RuntimeError;
use crate::port::Port;

/// Inputs of a function, under the names of its arguments. A float argument that is only quantised, always with one fix point, has that fix
/// point.
pub fn function_inputs(ir: &Ir, function: &str) -> Vec<Port> {
    let Some(entry) = entry(ir, function) else { return Vec::new() };
    let input = |(number, &value): (usize, &ValueId)| {
        let port = port(ir, value, None, format!("input{number}"))?;
        Some(Port { fix_point: port.fix_point.or_else(|| quantised_with(ir, value)), ..port })
    };
    ir.arguments(entry).iter().enumerate().filter_map(input).collect()
}

/// Results of a function, under the names of the framework's tensors where the locations say them.
pub fn function_outputs(ir: &Ir, function: &str) -> Vec<Port> {
    let Some(entry) = entry(ir, function) else { return Vec::new() };
    let Some(end) = ir.last_op(entry) else { return Vec::new() };
    let results = ir.operands(end).iter().enumerate();
    results
        .filter_map(|(number, &value)| {
            let names = ir.defining_op(value).map(|op| ir.location_names(ir.op(op).location)).unwrap_or_default();
            port(ir, value, names.last().copied(), format!("output{number}"))
        })
        .collect()
}

/// Checks that there is a function `@main` with a body whose arguments have known dimensions, so that it can be run.
pub fn check_main(ir: &Ir) -> Result<(), RuntimeError> {
    let entry = entry(ir, "main").ok_or(RuntimeError::NoMain)?;
    let unknown = ir.arguments(entry).iter().find(|&&argument| ir.shape_of(argument).is_none());
    unknown
        .map_or(Ok(()), |&argument| Err(RuntimeError::Shape(ir.value_name(argument).unwrap_or("argument").to_owned())))
}

/// The entry block of a function that has a body.
fn entry(ir: &Ir, function: &str) -> Option<BlockId> {
    let op = ir.find_symbol(function).filter(|&op| ir.has_traits(op, Traits::FUNCTION))?;
    func::body(ir, op)
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
    evaluate(ir, "main", &arguments(ir, inputs), &mut |_, _| {})
}

/// Compiles `@main` of a network and runs it; inputs as for [`run_reference`].
pub fn run_compiled(ir: &Ir, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, dpuc_jit::Error> {
    dpuc_jit::compile(ir, "main", &dpuc_jit::Options::default())?.run(&arguments(ir, inputs))
}

/// Inputs as the arguments of `@main` have them: codes become floats where it takes floats.
pub(crate) fn arguments(ir: &Ir, inputs: Vec<Tensor>) -> Vec<Tensor> {
    let arguments = entry(ir, "main").map(|block| ir.arguments(block).to_vec()).unwrap_or_default();
    let ports = function_inputs(ir, "main");
    let converted = inputs.into_iter().enumerate().map(|(number, tensor)| {
        let takes_floats = arguments.get(number).is_some_and(|&argument| ir.fix_of(argument).is_none());
        match (tensor, ports.get(number).and_then(|port| port.fix_point)) {
            (Tensor::I8(codes), Some(point)) if takes_floats => Tensor::F32(codes.mapv(|code| dequantise(code, point))),
            (tensor, _) => tensor,
        }
    });
    converted.collect()
}
