//! Operators of a graph under construction: those of operations that are not part of a DPU subgraph.

use std::ops::Range;

use dpuc_dialects::dialects::{func, int8, nn};
use dpuc_dialects::weights::ElementType;
use dpuc_dialects::{BlockId, Ir, OpId, ValueId};
use dpuc_xmodel::{Attributed, DataType, Op, Representation, Tensor};
use rustc_hash::FxHashMap;

use super::attributes::{dims, fix_attributes, fixed_tensor};
use super::fixed::{Form, fixed_form, value_dims};
use super::float::{custom_attributes, float_form};
use super::movement::split_forms;
use crate::constants::{float_elements, int8_elements};
use crate::error::BackendError;
use crate::names::{UniqueNames, operation_name, tensor_name};
use crate::partition::is_constant;

/// The operators so far, producers first.
pub(super) struct Operators<'a> {
    ir: &'a Ir,
    pub(super) ops: Vec<Op>,
    names: UniqueNames,
    tensor_names: UniqueNames,
    /// The operator in `ops` that gives each value of `@main`.
    pub(super) producers: FxHashMap<ValueId, usize>,
}

impl<'a> Operators<'a> {
    pub(super) fn new(ir: &'a Ir) -> Self {
        Self {
            ir,
            ops: Vec::new(),
            names: UniqueNames::default(),
            tensor_names: UniqueNames::default(),
            producers: FxHashMap::default(),
        }
    }

    /// Adds an operator, whose name and tensor name are wishes; returns its index.
    pub(super) fn push(&mut self, mut op: Op) -> usize {
        op.name = self.names.claim(&op.name);
        op.tensor.name = self.tensor_names.claim(&op.tensor.name);
        self.ops.push(op);
        self.ops.len() - 1
    }

    pub(super) fn name(&self, index: usize) -> String {
        self.ops[index].name.clone()
    }

    pub(super) fn refuse(&self, op: OpId, reason: impl Into<String>) -> BackendError {
        BackendError::NotExportable { name: operation_name(self.ir, op).to_owned(), reason: reason.into() }
    }

    /// An operator made from a form, with the producers of its operands.
    pub(super) fn operator(&self, name: String, form: Form, operands: &[usize], tensor: Tensor) -> Op {
        let mut op = Op::new(name, form.kind, tensor);
        op.attrs = form.attrs;
        for (argument, range) in form.args {
            let producers = operands.get(range).unwrap_or_default().iter().map(|&producer| self.name(producer));
            op = op.with_arg(argument, producers);
        }
        op
    }

    /// Adds the input number `number` of the network. The operations `quantised` round it: the operator gives their result.
    pub(super) fn argument(
        &mut self,
        block: BlockId,
        number: usize,
        quantised: &[OpId],
    ) -> Result<usize, BackendError> {
        let ir = self.ir;
        let argument = ir.arguments(block)[number];
        let given = function_text(ir, block, "argument_names", number);
        let value_name = ir.value_name(argument);
        let name = given.or(value_name).map_or_else(|| format!("input_{number}"), str::to_owned);
        let refuse = |reason: &str| BackendError::NotExportable { name: name.clone(), reason: reason.to_owned() };
        let shape = ir.shape_of(argument).and_then(|shape| dims(&shape));
        let shape = shape.ok_or_else(|| refuse("its dimensions do not fit 31 bits"))?;
        let (kind, tensor) = match (ir.fix_of(argument), quantised) {
            (Some(fix), _) => {
                let tensor = given.and(value_name).unwrap_or(&name).to_owned();
                ("data-fix", fixed_tensor(tensor, shape.clone(), fix))
            }
            (None, &[first, ..]) => {
                let fix = ir.fix_of(ir.result(first)).ok_or_else(|| refuse("it has no fix point"))?;
                ("data-fix", fixed_tensor(tensor_name(ir, first).to_owned(), shape.clone(), fix))
            }
            (None, []) => ("data", Tensor::new(name.clone(), shape.clone(), DataType::FLOAT32)),
        };
        let data_type = tensor.data_type.to_string();
        let op = Op::new(name, kind, tensor).with_attr("shape", shape).with_attr("data_type", data_type);
        let index = self.push(op);
        self.set_layout(index, function_text(ir, block, "argument_layouts", number));
        self.producers.insert(argument, index);
        self.producers.extend(quantised.iter().map(|&op| (ir.result(op), index)));
        Ok(index)
    }

    /// Adds the operators of an operation, and those of constants that are first read here.
    pub(super) fn operation(&mut self, op: OpId) -> Result<(), BackendError> {
        for (result, form) in self.forms(op)? {
            self.result(op, result, form, "")?;
        }
        Ok(())
    }

    /// Adds an operation and the product of its result with a factor, which stands for it, with names as AMD's quantisers give them.
    pub(super) fn scaled(&mut self, op: OpId, factor: f32) -> Result<(), BackendError> {
        let result = self.ir.result(op);
        for (result, form) in self.forms(op)? {
            self.result(op, result, form, "_i0")?;
        }
        let constant = format!("{}_i1", operation_name(self.ir, op));
        let constant = Op::new(constant.clone(), "const", Tensor::new(constant, [1], DataType::FLOAT32))
            .with_attr("shape", vec![1])
            .with_attr("data_type", "float32")
            .with_attr("data", factor.to_le_bytes().to_vec());
        let operands = [self.producers[&result], self.push(constant)];
        let tensor = self.ops[operands[0]].tensor.dims.clone();
        let tensor = Tensor::new(tensor_name(self.ir, op), tensor, DataType::FLOAT32);
        let form = Form::new("mul").args([("input", 0..2)]);
        let product = self.operator(operation_name(self.ir, op).to_owned(), form, &operands, tensor);
        let product = self.push(product);
        self.producers.insert(result, product);
        Ok(())
    }

    /// Adds the operator that gives a result of an operation; its names end with `suffix`.
    fn result(&mut self, op: OpId, result: ValueId, form: Form, suffix: &str) -> Result<usize, BackendError> {
        let ir = self.ir;
        let mut operands = Vec::new();
        for &value in ir.operands(op) {
            operands.push(self.value(op, value)?);
        }
        let shape = value_dims(ir, result).map_err(|reason| self.refuse(op, reason))?;
        let [name, tensor] = [operation_name(ir, op), tensor_name(ir, op)].map(|name| format!("{name}{suffix}"));
        let tensor = match ir.fix_of(result) {
            Some(fix) => fixed_tensor(tensor, shape, fix),
            None => Tensor::new(tensor, shape, DataType::FLOAT32),
        };
        let mut operator = self.operator(name, form, &operands, tensor);
        if let Some(kind) = ir.str(op, "type").filter(|_| ir.is(op, &nn::CUSTOM)) {
            kind.clone_into(&mut operator.kind);
        }
        let index = self.push(operator);
        self.producers.insert(result, index);
        Ok(index)
    }

    /// The form of each result's operator.
    fn forms(&self, op: OpId) -> Result<Vec<(ValueId, Form)>, BackendError> {
        let ir = self.ir;
        if ir.is(op, &nn::SPLIT) {
            let forms = split_forms(ir, op).map_err(|reason| self.refuse(op, reason))?;
            return Ok(ir.results(op).iter().copied().zip(forms).collect());
        }
        let conversion = |kind, value| -> Result<Form, BackendError> {
            let fix = ir.fix_of(value).ok_or_else(|| self.refuse(op, "it has no fix point"))?;
            Ok(Form { attrs: fix_attributes(fix), ..Form::new(kind) })
        };
        let form = if ir.is(op, &int8::QUANTISE) {
            conversion("float2fix", ir.result(op))?
        } else if ir.is(op, &int8::DEQUANTISE) {
            conversion("fix2float", ir.operand(op, 0))?
        } else {
            let form = if ir.is(op, &nn::CUSTOM) {
                let args = [("input", 0..ir.operands(op).len())];
                custom_attributes(ir, op).map(|attrs| Form { attrs, ..Form::new("").args(args) })
            } else if ir.op_name(op).starts_with("int8.") {
                fixed_form(ir, op)
            } else {
                float_form(ir, op)
            };
            form.map_err(|reason| self.refuse(op, reason))?
        };
        Ok(vec![(ir.result(op), form)])
    }

    /// The operator that gives a value to an operation; a constant is added where it is first read.
    fn value(&mut self, reader: OpId, value: ValueId) -> Result<usize, BackendError> {
        if let Some(&producer) = self.producers.get(&value) {
            return Ok(producer);
        }
        let constant = self.ir.defining_op(value).filter(|&op| is_constant(self.ir, op));
        let constant = constant.ok_or_else(|| self.refuse(reader, "an operand has no operator"))?;
        let index = self.constant(constant)?;
        self.producers.insert(value, index);
        Ok(index)
    }

    fn constant(&mut self, op: OpId) -> Result<usize, BackendError> {
        let ir = self.ir;
        let shape = value_dims(ir, ir.result(op)).map_err(|reason| self.refuse(op, reason))?;
        let tensor = tensor_name(ir, op);
        let (kind, bytes, tensor, data_type) = match ir.fix_of(ir.result(op)) {
            Some(fix) => {
                let tensor = fixed_tensor(tensor.to_owned(), shape.clone(), fix);
                ("const-fix", int8_elements(ir, op)?.into_owned(), tensor, DataType::XINT8.to_string())
            }
            None => {
                let (element, bytes) = float_elements(ir, op)?;
                let data_type = data_type(element);
                // AMD's tools write the types of constants in lower case, those of inputs in upper case.
                let written = data_type.to_string().to_ascii_lowercase();
                ("const", bytes, Tensor::new(tensor, shape.clone(), data_type), written)
            }
        };
        let op = Op::new(operation_name(ir, op), kind, tensor)
            .with_attr("shape", shape)
            .with_attr("data_type", data_type)
            .with_attr("data", bytes);
        Ok(self.push(op))
    }

    /// The names of the operators whose tensors the network gives, in order. What is given twice is computed twice, because the format
    /// names every output once.
    pub(super) fn outputs(&mut self, block: BlockId) -> Result<Vec<String>, BackendError> {
        let ir = self.ir;
        let Some(end) = ir.last_op(block) else { return Ok(Vec::new()) };
        let mut outputs: Vec<String> = Vec::new();
        for (number, &value) in ir.operands(end).iter().enumerate() {
            let refuse =
                |reason: &str| BackendError::NotExportable { name: "@main".to_owned(), reason: reason.to_owned() };
            let computed = ir.defining_op(value).filter(|&op| !is_constant(ir, op));
            let unchanged =
                || refuse("it returns an argument or a constant, which the format cannot say; compute something");
            let owner = computed.ok_or_else(unchanged)?;
            let mut producer = self.producers.get(&value).copied().ok_or_else(unchanged)?;
            let is_input = self.ops[producer].kind.starts_with("data");
            if is_input {
                return Err(unchanged());
            }
            if outputs.contains(&self.name(producer)) {
                if ir.is(owner, &func::CALL) {
                    return Err(refuse(
                        "it returns a result of the DPU twice; return it once, or through int8.dequantise",
                    ));
                }
                let form = self.forms(owner)?.into_iter().find(|&(result, _)| result == value);
                let (_, form) = form.ok_or_else(unchanged)?;
                producer = self.result(owner, value, form, "")?;
            }
            self.set_layout(producer, function_text(ir, block, "result_layouts", number));
            outputs.push(self.name(producer));
        }
        Ok(outputs)
    }

    /// Notes how the dimensions of an input or output differ from those of the framework's tensor, for this project's own runtime.
    fn set_layout(&mut self, index: usize, layout: Option<&str>) {
        if let Some(layout) = layout {
            self.ops[index].set_attr("dpuc.layout", layout.to_owned());
        }
    }

    /// The names of some operators.
    pub(super) fn names_of(&self, range: Range<usize>) -> impl Iterator<Item = &str> {
        self.ops[range].iter().map(|op| op.name.as_str())
    }
}

/// The text number `index` of a list that is an attribute of the function with this block.
fn function_text<'a>(ir: &'a Ir, block: BlockId, attribute: &str, index: usize) -> Option<&'a str> {
    let function = ir.region_owner(ir.block_region(block)?);
    ir.attribute(function, attribute)?.as_array()?.get(index)?.as_str()
}

fn data_type(element: ElementType) -> DataType {
    let integer = |bit_width| DataType { representation: Representation::Int, bit_width };
    match element {
        ElementType::F32 => DataType::FLOAT32,
        ElementType::I8 => integer(8),
        ElementType::I32 => integer(32),
        ElementType::I64 => integer(64),
    }
}
