//! Integer networks in a form that a script in another language reads without a parser of the IR.

use dpuc_dialects::dialects::{func, int8};
use dpuc_dialects::weights::{Weight, Weights};
use dpuc_dialects::{BlockId, Ir, OpId, ValueId};
use dpuc_evaluate::Evaluator;
use serde_json::{Map, Value, json};

/// A network as JSON, and its constants.
pub struct Description {
    /// `inputs` (name, shape, fix), `ops` (op, inputs, name, shape, fix, attributes with their defaults) and `outputs` (names); constants are
    /// operations `int8.constant` whose name is the tensor's.
    pub json: Value,
    /// Constants as safetensors.
    pub constants: Vec<u8>,
}

/// Describes `@main`; `None` if it is no integer network, or a constant is not there.
pub fn describe(ir: &Ir) -> Option<Description> {
    let body = func::body(ir, ir.find_symbol("main")?)?;
    let mut ops = Vec::new();
    for op in ir.ops(body) {
        let Some(&result) = ir.results(op).first() else { continue };
        let operands: Vec<String> = int8::inputs(ir, op).iter().map(|&operand| name(operand)).collect();
        let mut description = tensor(ir, result);
        description.insert("op".to_owned(), json!(ir.op_name(op)));
        description.insert("inputs".to_owned(), json!(operands));
        description.insert("attributes".to_owned(), Value::Object(attributes(ir, op)?));
        ops.push(Value::Object(description));
    }
    let inputs: Vec<Value> = ir.arguments(body).iter().map(|&input| Value::Object(tensor(ir, input))).collect();
    let outputs: Vec<String> = ir.operands(ir.last_op(body)?).iter().map(|&output| name(output)).collect();
    Some(Description {
        json: json!({"inputs": inputs, "ops": ops, "outputs": outputs}),
        constants: constants(ir, body)?.to_safetensors().ok()?,
    })
}

fn name(value: ValueId) -> String {
    value.to_string()
}

fn tensor(ir: &Ir, value: ValueId) -> Map<String, Value> {
    let description =
        [("name", json!(name(value))), ("shape", json!(ir.shape_of(value))), ("fix", json!(ir.fix_of(value)))];
    description.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// All attributes but the elements of constants, with their defaults.
fn attributes(ir: &Ir, op: OpId) -> Option<Map<String, Value>> {
    let definitions = ir.definition(op)?.attributes;
    let value = |name: &str| -> Value {
        let number = || ir.int(op, name).map(|number| json!(number));
        let truth = || ir.bool(op, name).map(|truth| json!(truth));
        let text = || ir.str(op, name).map(|text| json!(text));
        ir.ints(op, name).map(|numbers| json!(numbers)).or_else(number).or_else(truth).or_else(text).unwrap_or_default()
    };
    let named = definitions.iter().filter(|definition| definition.name != "value");
    Some(named.map(|definition| (definition.name.to_owned(), value(definition.name))).collect())
}

fn constants(ir: &Ir, body: BlockId) -> Option<Weights> {
    let values: Vec<ValueId> = ir.ops(body).filter(|&op| ir.is(op, &int8::CONSTANT)).map(|op| ir.result(op)).collect();
    let tensors = Evaluator::new(ir).values("main", &values, &mut |_, _| {}).ok()?;
    let mut constants = Weights::default();
    for (value, tensor) in values.into_iter().zip(tensors) {
        let elements: Vec<i8> = tensor.as_i8()?.iter().copied().collect();
        constants.insert(name(value), Weight::from_i8(tensor.shape(), &elements).ok()?);
    }
    Some(constants)
}
