//! Uncompiled networks, as machine code or on the reference.

use dpuc_dialects::define::Traits;
use dpuc_dialects::dialects::{func, int8, nn};
use dpuc_dialects::layout::{ARGUMENT_LAYOUTS, Layout, RESULT_LAYOUTS};
use dpuc_dialects::{Attribute, BlockId, Ir, ValueId};
use dpuc_evaluate::{Operators, Tensor};
use dpuc_kernels::reference::round::dequantise;

use crate::error::RuntimeError;
use crate::host::{Code, Host};
use crate::port::Port;
use crate::session::Outcome;

/// An uncompiled network, ready to run on the CPU any number of times.
#[derive(Debug)]
pub struct Network {
    code: Code,
    /// The fix point of each argument that takes floats and is only quantised.
    points: Vec<Option<i32>>,
    inputs: Vec<Port>,
    outputs: Vec<Port>,
}

impl Network {
    /// Prepares `@main` of a module, with inputs and outputs called as in the module itself.
    pub fn new(ir: Ir, host: Host, operators: &Operators) -> Result<Self, RuntimeError> {
        let (inputs, outputs) = (function_inputs(&ir, "main"), function_outputs(&ir, "main"));
        Self::with_ports(ir, inputs, outputs, host, operators)
    }

    /// As [`Network::new`], with inputs and outputs of the network that `ir` was made from.
    pub fn with_ports(
        ir: Ir,
        inputs: Vec<Port>,
        outputs: Vec<Port>,
        host: Host,
        operators: &Operators,
    ) -> Result<Self, RuntimeError> {
        check_main(&ir)?;
        let points = argument_points(&ir);
        let code = Code::new(ir, "main", host, operators.clone())?;
        Ok(Self { code, points, inputs, outputs })
    }

    /// Inputs of the network.
    pub fn inputs(&self) -> &[Port] {
        &self.inputs
    }

    /// What [`Network::run`] gives.
    pub fn outputs(&self) -> &[Port] {
        &self.outputs
    }

    /// Runs it; one tensor for each input. Signed bytes for a float input stand for `q * 2^-fix_point` of its port, exactly.
    pub fn run(&self, inputs: Vec<Tensor>) -> Result<Outcome, RuntimeError> {
        for (port, tensor) in self.inputs.iter().zip(&inputs) {
            port.check(tensor)?;
        }
        let results = self.code.run("main", &dequantised(&self.points, inputs))?;
        Ok(Outcome { tensors: self.outputs.iter().cloned().zip(results).collect(), statistics: Vec::new() })
    }
}

/// Inputs of a function, under the names of its arguments and, as their operators, of the framework's inputs. A float argument that is only quantised, always with one fix point, has that fix
/// point.
pub fn function_inputs(ir: &Ir, function: &str) -> Vec<Port> {
    let Some(entry) = entry(ir, function) else { return Vec::new() };
    let names =
        ir.find_symbol(function).and_then(|op| ir.attribute(op, "argument_names")).and_then(Attribute::as_array);
    let input = |(number, &value): (usize, &ValueId)| {
        let port = port(ir, value, None, format!("input{number}"))?;
        let fix_point = port.fix_point.or_else(|| quantised_with(ir, value));
        let op = names.and_then(|names| names.get(number)?.as_str()).map_or_else(|| port.op.clone(), str::to_owned);
        Some(Port { op, fix_point, layout: layout(ir, function, ARGUMENT_LAYOUTS, number), ..port })
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
            // A location names one tensor only.
            let source = ir.defining_op(value).filter(|&op| ir.results(op).len() == 1);
            let names = source.map(|op| ir.location_names(ir.op(op).location)).unwrap_or_default();
            let port = port(ir, value, names.last().copied(), format!("output{number}"))?;
            Some(Port { layout: layout(ir, function, RESULT_LAYOUTS, number), ..port })
        })
        .collect()
}

/// What a function says about the layout of an argument or result.
fn layout(ir: &Ir, function: &str, attribute: &str, number: usize) -> Layout {
    ir.find_symbol(function).map_or(Layout::Same, |op| Layout::of(ir, op, attribute, number))
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
    let (shape, fix_point) = (ir.shape_of(value)?, ir.fix_of(value));
    Some(Port { op: name.clone(), name, shape, fix_point, layout: Layout::Same })
}

/// Inputs as the arguments of `@main` have them: codes become floats where it takes floats.
pub(crate) fn arguments(ir: &Ir, inputs: Vec<Tensor>) -> Vec<Tensor> {
    dequantised(&argument_points(ir), inputs)
}

/// The fix point of each argument of `@main` that takes floats and is only quantised.
fn argument_points(ir: &Ir) -> Vec<Option<i32>> {
    let arguments = entry(ir, "main").map(|block| ir.arguments(block).to_vec()).unwrap_or_default();
    let ports = function_inputs(ir, "main");
    let point = |(&argument, port): (&ValueId, &Port)| port.fix_point.filter(|_| ir.fix_of(argument).is_none());
    arguments.iter().zip(&ports).map(point).collect()
}

fn dequantised(points: &[Option<i32>], inputs: Vec<Tensor>) -> Vec<Tensor> {
    let points = points.iter().copied().chain(std::iter::repeat(None));
    let converted = inputs.into_iter().zip(points).map(|(tensor, point)| match (tensor, point) {
        (Tensor::I8(codes), Some(point)) => Tensor::F32(codes.mapv(|code| dequantise(code, point))),
        (tensor, _) => tensor,
    });
    converted.collect()
}
