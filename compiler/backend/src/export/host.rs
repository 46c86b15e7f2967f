//! Inputs, outputs and operators of the host.

use std::collections::BTreeMap;

use dpuc_dialects::define::Traits;
use dpuc_dialects::dialects::{func, int8, nn};
use dpuc_dialects::weights::ElementType;
use dpuc_dialects::{BlockId, Ir, OpId, ValueId};
use dpuc_xmodel::{Attributed, DataType, Op, Representation, Subgraph, Tensor};
use rustc_hash::FxHashMap;

use super::attributes::{dims, fix_attributes, fixed_tensor};
use super::fixed::{Form, fixed_form, result_dims};
use super::float::{custom_attributes, float_form};
use super::workload::Workload;
use super::{Exporter, set_workload, subgraph_name};
use crate::constants::{float_elements, int8_elements};
use crate::error::BackendError;
use crate::names::{operation_name, tensor_name};
use crate::partition::{Dag, is_constant};

/// The operations of `@main` that are neither constants nor already exported as inputs.
pub(super) struct HostNetwork {
    pub(super) ops: Vec<OpId>,
    pub(super) dag: Dag,
    /// Whether an operation is one of the host; others are calls.
    pub(super) joinable: Vec<bool>,
}

impl HostNetwork {
    pub(super) fn new(ir: &Ir, block: BlockId, exported: &FxHashMap<ValueId, usize>) -> Self {
        let terminator = ir.last_op(block);
        let absorbed = |op: OpId| ir.results(op).iter().any(|result| exported.contains_key(result));
        let ops: Vec<OpId> =
            ir.ops(block).filter(|&op| Some(op) != terminator && !is_constant(ir, op) && !absorbed(op)).collect();
        let index_of: FxHashMap<OpId, usize> = ops.iter().enumerate().map(|(index, &op)| (op, index)).collect();
        let producer = |&value: &ValueId| index_of.get(&ir.defining_op(value)?).copied();
        let predecessors = ops.iter().map(|&op| ir.operands(op).iter().filter_map(producer).collect()).collect();
        let joinable = ops.iter().map(|&op| !ir.is(op, &func::CALL)).collect();
        Self { ops, dag: Dag { predecessors }, joinable }
    }
}

const CPU: &str = "CPU";
const USER: &str = "USER";

impl Exporter<'_> {
    /// Adds the network's inputs, each in a subgraph of its own.
    pub(super) fn arguments(&mut self, block: BlockId) -> Result<Vec<Subgraph>, BackendError> {
        let ir = self.ir;
        let mut children = Vec::new();
        for (index, &argument) in ir.arguments(block).iter().enumerate() {
            let given = function_text(ir, block, "argument_names", index);
            let value_name = ir.value_name(argument);
            let name = given.or(value_name).map_or_else(|| format!("input_{index}"), str::to_owned);
            let refuse = |reason: &str| BackendError::NotExportable { name: name.clone(), reason: reason.to_owned() };
            let shape = ir.shape_of(argument).and_then(|shape| dims(&shape));
            let shape = shape.ok_or_else(|| refuse("its dimensions do not fit 31 bits"))?;
            let quantised = quantised_input(ir, argument);
            let (kind, tensor) = match (ir.fix_of(argument), &quantised[..]) {
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
            let layout = function_text(ir, block, "argument_layouts", index);
            let index = self.push(op, USER);
            self.set_layout(index, layout);
            self.producers.insert(argument, index);
            for op in quantised {
                self.producers.insert(ir.result(op), index);
            }
            let mut child = Subgraph::leaf(subgraph_name([self.ops[index].name.as_str()]), [self.name(index)]);
            child.set_attr("device", USER);
            set_workload(&mut child, Workload::default());
            children.push(child);
        }
        Ok(children)
    }

    /// Adds connected operations of the host as one subgraph.
    pub(super) fn host_subgraph(&mut self, members: &[OpId]) -> Result<Subgraph, BackendError> {
        let first = self.ops.len();
        for &op in members {
            let index = self.host_operator(op)?;
            self.producers.insert(self.ir.result(op), index);
        }
        Ok(self.host_leaf(first))
    }

    /// The subgraph of all operators from `first` on.
    fn host_leaf(&self, first: usize) -> Subgraph {
        let names = || self.ops[first..].iter().map(|op| op.name.as_str());
        let runner = ["run", "sim", "ref"].map(|key| (key.to_owned(), "libvart-cpu-runner.so".to_owned()));
        let mut leaf = Subgraph::leaf(subgraph_name(names()), names())
            .with_attr("device", CPU)
            .with_attr("runner", BTreeMap::from(runner));
        set_workload(&mut leaf, Workload::default());
        leaf
    }

    fn host_operator(&mut self, op: OpId) -> Result<usize, BackendError> {
        let ir = self.ir;
        let mut operands = Vec::new();
        for &value in ir.operands(op) {
            operands.push(self.host_value(op, value)?);
        }
        let form = self.host_form(op)?;
        let shape = result_dims(ir, op).map_err(|reason| self.refuse(op, reason))?;
        let (name, tensor) = (operation_name(ir, op).to_owned(), tensor_name(ir, op).to_owned());
        let tensor = match ir.fix_of(ir.result(op)) {
            Some(fix) => fixed_tensor(tensor, shape, fix),
            None => Tensor::new(tensor, shape, DataType::FLOAT32),
        };
        let mut operator = self.operator(name, form, &operands, tensor);
        if let Some(kind) = ir.str(op, "type").filter(|_| ir.is(op, &nn::CUSTOM)) {
            kind.clone_into(&mut operator.kind);
        }
        Ok(self.push(operator, CPU))
    }

    fn host_form(&self, op: OpId) -> Result<Form, BackendError> {
        let ir = self.ir;
        let conversion = |kind, value| {
            let fix = ir.fix_of(value).ok_or_else(|| self.refuse(op, "it has no fix point"))?;
            Ok(Form { attrs: fix_attributes(fix), ..Form::new(kind) })
        };
        if ir.is(op, &int8::QUANTISE) {
            return conversion("float2fix", ir.result(op));
        }
        if ir.is(op, &int8::DEQUANTISE) {
            return conversion("fix2float", ir.operand(op, 0));
        }
        let form = if ir.is(op, &nn::CUSTOM) {
            let args = [("input", 0..ir.operands(op).len())];
            custom_attributes(ir, op).map(|attrs| Form { attrs, ..Form::new("").args(args) })
        } else if ir.op_name(op).starts_with("int8.") {
            fixed_form(ir, op)
        } else {
            float_form(ir, op)
        };
        form.map_err(|reason| self.refuse(op, reason))
    }

    /// The operator that gives a value to an operation of the host; a constant is added where it is first read.
    fn host_value(&mut self, reader: OpId, value: ValueId) -> Result<usize, BackendError> {
        if let Some(&producer) = self.producers.get(&value) {
            return Ok(producer);
        }
        let constant = self.ir.defining_op(value).filter(|&op| is_constant(self.ir, op));
        let constant = constant.ok_or_else(|| self.refuse(reader, "an operand has no operator"))?;
        let index = self.host_constant(constant)?;
        self.producers.insert(value, index);
        Ok(index)
    }

    fn host_constant(&mut self, op: OpId) -> Result<usize, BackendError> {
        let ir = self.ir;
        let shape = result_dims(ir, op).map_err(|reason| self.refuse(op, reason))?;
        let (kind, bytes, tensor) = match ir.fix_of(ir.result(op)) {
            Some(fix) => {
                let bytes = int8_elements(ir, op)?.into_owned();
                ("const-fix", bytes, fixed_tensor(tensor_name(ir, op).to_owned(), shape.clone(), fix))
            }
            None => {
                let (element, bytes) = float_elements(ir, op)?;
                ("const", bytes, Tensor::new(tensor_name(ir, op), shape.clone(), data_type(element)))
            }
        };
        let data_type = tensor.data_type.to_string();
        let op = Op::new(operation_name(ir, op), kind, tensor)
            .with_attr("shape", shape)
            .with_attr("data_type", data_type)
            .with_attr("data", bytes);
        Ok(self.push(op, CPU))
    }

    /// The names of the operators whose tensors the network gives, in order. What is given twice by an operation of the host is computed
    /// twice, because the format names every output once.
    pub(super) fn outputs(
        &mut self,
        block: BlockId,
        children: &mut Vec<Subgraph>,
    ) -> Result<Vec<String>, BackendError> {
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
                let first = self.ops.len();
                producer = self.host_operator(owner)?;
                children.push(self.host_leaf(first));
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
}

/// The text number `index` of a list that is an attribute of the function with this block.
fn function_text<'a>(ir: &'a Ir, block: BlockId, attribute: &str, index: usize) -> Option<&'a str> {
    let function = ir.region_owner(ir.block_region(block)?);
    ir.attribute(function, attribute)?.as_array()?.get(index)?.as_str()
}

/// The `int8.quantise` operations that read a float input, if nothing else does, they all give the same, and the network does not return it:
/// an input cannot be an output.
fn quantised_input(ir: &Ir, argument: ValueId) -> Vec<OpId> {
    let users = ir.users(argument);
    let is_returned = |op| ir.users(ir.result(op)).into_iter().any(|user| ir.has_traits(user, Traits::TERMINATOR));
    let same = |&op: &OpId| {
        ir.is(op, &int8::QUANTISE)
            && ir.value_type(ir.result(op)) == ir.value_type(ir.result(users[0]))
            && !is_returned(op)
    };
    if users.iter().all(same) { users } else { Vec::new() }
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
