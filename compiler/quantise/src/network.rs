//! The float network while it is being quantised.

use std::collections::HashMap;

use dpuc_dialects::define::Traits;
use dpuc_dialects::dialects::{func, nn};
use dpuc_dialects::weights::Weight;
use dpuc_dialects::{Attribute, BlockId, DenseElements, Ir, OpBuilder, OpId, OpKind, ValueId};

use crate::error::Error;

/// Name of the function that is quantised.
pub(crate) const MAIN: &str = "main";

/// The body of `main`.
pub(crate) fn body(ir: &Ir) -> Result<BlockId, Error> {
    let function = ir.find_symbol(MAIN).filter(|&op| ir.has_traits(op, Traits::FUNCTION));
    function.and_then(|op| func::body(ir, op)).ok_or(Error::NoFunction)
}

/// What messages and files call a value: its name, or that of the framework's node, or its place among the operations.
pub(crate) fn value_name(ir: &Ir, value: ValueId) -> String {
    let node = || ir.defining_op(value).and_then(|op| ir.location_name(ir.op(op).location));
    ir.value_name(value).or_else(node).map_or_else(|| format!("value_{}", value.as_u32()), str::to_owned)
}

/// The elements of a float constant, C order.
pub(crate) fn constant(ir: &Ir, value: ValueId) -> Option<Vec<f32>> {
    let op = ir.defining_op(value).filter(|&op| ir.is(op, &nn::CONSTANT))?;
    match ir.attribute(op, "value")? {
        Attribute::Symbol(path) => ir.weights.get(path.first()?)?.to_f32(),
        Attribute::Dense(dense) => {
            let count = ir.shape_of(value)?.iter().product();
            let elements: Vec<f32> = match &dense.elements {
                DenseElements::Floats(values) => values.iter().map(|&value| value as f32).collect(),
                DenseElements::Integers(values) => values.iter().map(|&value| value as f32).collect(),
                DenseElements::Text(_) => return None,
            };
            match elements[..] {
                [one] if count <= MAX_SPLAT => Some(vec![one; count]),
                _ => (elements.len() == count).then_some(elements),
            }
        }
        _ => None,
    }
}

/// Largest number of elements a splat is expanded to, far above the constants of a network.
const MAX_SPLAT: usize = 1 << 26;

/// Makes an operand a constant of its own, so that changing it changes nothing else; gives its symbol.
pub(crate) fn own_constant(ir: &mut Ir, op: OpId, index: usize, elements: &[f32]) -> String {
    let value = ir.operand(op, index);
    let shape = ir.shape_of(value).unwrap_or_default();
    let symbol = ir.defining_op(value).and_then(|op| ir.attribute(op, "value")).and_then(Attribute::as_symbol);
    let wish = symbol.map_or_else(|| value_name(ir, value), str::to_owned);
    // A constant that nobody else reads keeps its name.
    let is_shared = ir.use_count(value) > 1 || symbol.is_none() || symbol_uses(ir, &wish) > 1;
    if !is_shared {
        set_constant(ir, &wish, &shape, elements);
        return wish;
    }
    let name = ir.weights.free_name(&wish);
    set_constant(ir, &name, &shape, elements);
    let own = new_constant(ir, op, &name, &shape, &name);
    ir.set_operand(op, index, own);
    name
}

fn symbol_uses(ir: &Ir, symbol: &str) -> usize {
    let is_user = |&op: &OpId| ir.attribute(op, "value").and_then(Attribute::as_symbol) == Some(symbol);
    ir.walk(ir.root()).into_iter().filter(is_user).count()
}

/// A constant of the side file in front of `op`.
pub(crate) fn new_constant(ir: &mut Ir, op: OpId, symbol: &str, shape: &[usize], name: &str) -> ValueId {
    let ty = ir.float_tensor(shape);
    let location = ir.named_location(name);
    let builder = OpBuilder::new(&nn::CONSTANT).attribute("value", Attribute::symbol(symbol));
    let constant = builder.at(location).result(ty, name).insert_before(ir, op);
    ir.result(constant)
}

/// Replaces the elements of a constant of the side file.
pub(crate) fn set_constant(ir: &mut Ir, symbol: &str, shape: &[usize], elements: &[f32]) {
    if let Ok(weight) = Weight::from_f32(shape, elements) {
        ir.weights.insert(symbol, weight);
    }
}

/// A part of a function as a function of its own.
pub(crate) struct Part {
    /// A module whose `main` is the part.
    pub(crate) ir: Ir,
    /// Where the values of the whole function went.
    pub(crate) values: HashMap<ValueId, ValueId>,
    /// Where its operations went.
    pub(crate) ops: HashMap<OpId, OpId>,
}

/// The operations of `block` that compute `outputs` from `inputs`, as `main` of a copy of the module. Function arguments that are not
/// among the inputs must not be needed.
pub(crate) fn extract(ir: &Ir, block: BlockId, inputs: &[ValueId], outputs: &[ValueId]) -> Part {
    let needed = needed_ops(ir, block, inputs, outputs);
    let mut copy = ir.clone();
    let body = copy.body();
    let arguments: Vec<_> = inputs.iter().map(|&input| ("", copy.value_type(input))).collect();
    let results: Vec<_> = outputs.iter().map(|&output| copy.value_type(output)).collect();
    let whole = copy.find_symbol(MAIN);
    let function = func::build(&mut copy, body, MAIN, &arguments, &results);
    let entry = func::entry(&copy, function);
    let mut values: HashMap<ValueId, ValueId> = HashMap::new();
    for (index, &input) in inputs.iter().enumerate() {
        let argument = copy.arguments(entry)[index];
        copy.set_value_name(argument, &format!("input_{index}"));
        values.insert(input, argument);
    }
    let mut ops = HashMap::new();
    for op in needed {
        let new = clone_op(&mut copy, op, &mut values);
        copy.append(entry, new);
        ops.insert(op, new);
    }
    let returned: Vec<ValueId> = outputs.iter().map(|output| values.get(output).copied().unwrap_or(*output)).collect();
    OpBuilder::new(&func::RETURN).operands(returned).append(&mut copy, entry);
    if let Some(whole) = whole {
        copy.erase(whole);
    }
    Part { ir: copy, values, ops }
}

/// The operations between two sets of values, in order.
fn needed_ops(ir: &Ir, block: BlockId, inputs: &[ValueId], outputs: &[ValueId]) -> Vec<OpId> {
    let mut wanted: std::collections::HashSet<ValueId> = outputs.iter().copied().collect();
    for input in inputs {
        wanted.remove(input);
    }
    let ops: Vec<OpId> = ir.ops(block).collect();
    let mut needed = Vec::new();
    for op in ops.into_iter().rev() {
        if ir.results(op).iter().any(|result| wanted.contains(result)) {
            wanted.extend(ir.operands(op).iter().filter(|operand| !inputs.contains(operand)));
            needed.push(op);
        }
    }
    needed.reverse();
    needed
}

/// An unplaced copy of an operation whose operands are looked up in `values`, to which its results are added.
fn clone_op(ir: &mut Ir, op: OpId, values: &mut HashMap<ValueId, ValueId>) -> OpId {
    let record = ir.op(op);
    let (kind, location): (OpKind, _) = (record.kind, record.location);
    let operands = ir.operands(op).to_vec();
    let attributes: Vec<(String, Attribute)> =
        ir.attributes(op).iter().map(|(name, value)| (ir.text(*name).to_owned(), value.clone())).collect();
    let results = ir.results(op).to_vec();
    let new = ir.create_op(kind, location);
    for operand in operands {
        let operand = values.get(&operand).copied().unwrap_or(operand);
        ir.add_operand(new, operand);
    }
    for (name, value) in attributes {
        ir.set_attribute(new, &name, value);
    }
    for result in results {
        let (ty, name) = (ir.value_type(result), ir.value_name(result).map(str::to_owned));
        let own = ir.add_result(new, ty);
        if let Some(name) = name {
            ir.set_value_name(own, &name);
        }
        values.insert(result, own);
    }
    new
}
