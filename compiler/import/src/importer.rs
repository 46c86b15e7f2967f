//! Walking the graph.

use std::collections::HashMap;

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::func;
use dpuc_dialects::verify::verify;
use dpuc_dialects::{Attribute, BlockId, Ir, Location, OpBuilder, OpId, Type, ValueId};
use dpuc_xmodel::{Attr, Attributed, DataType, Graph, GraphIndex, Op, Representation, Subgraph};

use crate::constants::ConstantBudget;
use crate::error::{ImportError, Refusal, Warning};
use crate::names::ValueNames;
use crate::node::Node;

/// Which of its two forms a graph has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As a quantiser writes it: float operators and `fix`.
    Quantised,
    /// As AMD's compiler writes it: `*-fix` operators, partitioned.
    Compiled,
}

/// A network in the IR.
#[derive(Debug)]
pub struct Imported {
    /// The module with the function `@main` and the constants. It is verified.
    pub ir: Ir,
    /// The form it was read from.
    pub form: Form,
    /// What the IR does not say.
    pub warnings: Vec<Warning>,
}

/// Imports a graph.
///
/// Inputs are the ops of type `data` and `data-fix`, in graph order. Outputs are the ops that the graph attribute `return_ops` names,
/// in its order, then the ops without consumers, in graph order. Memory is bounded by a small multiple of the graph's size.
///
/// # Errors
/// A missing or senseless attribute or argument, a constant without data, a tensor without a form in the IR, contradicting dimensions.
pub fn import_xmodel(graph: &Graph) -> Result<Imported, ImportError> {
    let mut importer = Importer::new(graph)?;
    for op in &graph.ops {
        importer.import(op)?;
    }
    importer.finish()
}

/// The function being built, and what is known of the graph.
pub(crate) struct Importer<'a> {
    pub(crate) index: GraphIndex<'a>,
    pub(crate) ir: Ir,
    entry: BlockId,
    /// Values of the ops imported so far, by op name.
    values: HashMap<&'a str, ValueId>,
    names: ValueNames,
    pub(crate) warnings: Vec<Warning>,
    /// The child of the root that each op is in, by op name.
    pub(crate) device_subgraphs: HashMap<&'a str, &'a Subgraph>,
    pub(crate) budget: ConstantBudget<'a>,
    /// Elements of the factors and offsets made so far.
    pub(crate) affine_elements: usize,
}

fn is_input(op: &Op) -> bool {
    matches!(op.kind.as_str(), "data" | "data-fix")
}

fn is_constant(op: &Op) -> bool {
    matches!(op.kind.as_str(), "const" | "const-fix")
}

/// Whether an attribute of a graph is one that this project's exporter writes and the IR's text can say. The side file of the constants is
/// the text's own.
fn is_own_attribute(name: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    name.strip_prefix("dpuc.").is_some_and(is_word) && name != "dpuc.weights"
}

/// What this project's exporter says about the layouts of inputs or outputs.
fn set_layouts(ir: &mut Ir, function: OpId, attribute: &str, ops: &[&Op]) {
    let layouts: Vec<&str> = ops.iter().map(|op| op.attr("dpuc.layout").unwrap_or("same")).collect();
    if layouts.iter().any(|&layout| layout != "same") {
        ir.set_attribute(function, attribute, Attribute::Array(layouts.into_iter().map(Attribute::string).collect()));
    }
}

impl<'a> Importer<'a> {
    fn new(graph: &'a Graph) -> Result<Self, ImportError> {
        let mut ir = Ir::new();
        if !graph.name.is_empty() {
            ir.set_attribute(ir.root(), "sym_name", Attribute::string(graph.name.as_str()));
        }
        // What the compiler wrote for this project's own tools.
        for (name, value) in graph.attrs.iter().filter(|(name, _)| is_own_attribute(name)) {
            if let Attr::String(text) = value {
                ir.set_attribute(ir.root(), name, Attribute::string(text.as_str()));
            }
        }
        let children = graph.root.children.iter();
        let device_subgraphs = children.flat_map(|child| child.all_ops().map(move |op| (op, child))).collect();
        let inputs: Vec<&Op> = graph.ops.iter().filter(|op| is_input(op)).collect();
        let mut names = ValueNames::default();
        let mut arguments: Vec<(String, Type)> = Vec::with_capacity(inputs.len());
        for op in &inputs {
            arguments.push((names.claim(&op.tensor.name), tensor_type(&mut ir, op)?));
        }
        let arguments: Vec<(&str, Type)> = arguments.iter().map(|(name, ty)| (name.as_str(), *ty)).collect();
        let body = ir.body();
        let function = func::build(&mut ir, body, "main", &arguments, &[]);
        let input_names = inputs.iter().map(|op| Attribute::string(op.name.as_str())).collect();
        ir.set_attribute(function, "argument_names", Attribute::Array(input_names));
        set_layouts(&mut ir, function, "argument_layouts", &inputs);
        let entry = func::entry(&ir, function);
        let values = inputs.iter().map(|op| op.name.as_str()).zip(ir.arguments(entry).iter().copied()).collect();
        Ok(Self {
            index: GraphIndex::new(graph),
            ir,
            entry,
            values,
            names,
            warnings: Vec::new(),
            device_subgraphs,
            budget: ConstantBudget::default(),
            affine_elements: 0,
        })
    }

    fn import(&mut self, op: &'a Op) -> Result<(), ImportError> {
        // Constants are imported where they are first read; a `stack` only carries a shape, which its reader's dimensions have as well.
        if is_input(op) || is_constant(op) || op.kind == "stack" {
            return Ok(());
        }
        let outcome = match op.kind.as_str() {
            "upload" | "download" | "identity" => self.pass_through(op),
            kind if kind.ends_with("-fix") || matches!(kind, "fix2float" | "float2fix") => self.fixed_op(Node(op)),
            "transpose" if op.tensor.data_type == DataType::XINT8 => self.fixed_op(Node(op)),
            _ => self.float_op(Node(op)),
        };
        match outcome {
            Ok(()) => Ok(()),
            Err(Refusal::Error(error)) => Err(error),
            Err(Refusal::Unsupported(reason)) => self.custom(Node(op), &reason),
        }
    }

    fn finish(mut self) -> Result<Imported, ImportError> {
        let mut outputs = Vec::new();
        let returned = self.outputs()?;
        for op in &returned {
            outputs.push(self.value(Node(op), "output", &op.name)?);
        }
        OpBuilder::new(&func::RETURN).operands(outputs).append(&mut self.ir, self.entry);
        if let Some(function) = self.ir.find_symbol("main") {
            func::refresh_signature(&mut self.ir, function);
            set_layouts(&mut self.ir, function, "result_layouts", &returned);
        }
        let findings = verify(&self.ir);
        if !findings.is_empty() {
            return Err(ImportError::Inconsistent(findings));
        }
        let is_fixed = |op: &Op| op.tensor.data_type == DataType::XINT8;
        let form = if self.index.graph().ops.iter().any(is_fixed) { Form::Compiled } else { Form::Quantised };
        Ok(Imported { ir: self.ir, form, warnings: self.warnings })
    }

    /// The ops whose tensors the network gives, in the order of the function's results.
    fn outputs(&self) -> Result<Vec<&'a Op>, ImportError> {
        let graph = self.index.graph();
        let is_result = |op: &&Op| !is_input(op) && !is_constant(op) && op.kind != "stack";
        let named: &[String] = graph.attr_opt("return_ops")?.unwrap_or_default();
        let mut outputs: Vec<&Op> = Vec::new();
        let unread = graph.ops.iter().filter(|op| self.index.consumers(&op.name).next().is_none());
        for op in named.iter().filter_map(|name| self.returned(name)).chain(unread).filter(is_result) {
            if !outputs.iter().any(|own| std::ptr::eq(*own, op)) {
                outputs.push(op);
            }
        }
        if outputs.is_empty() { Err(ImportError::NoOutput) } else { Ok(outputs) }
    }

    /// The op that stands for the output `name` of the uncompiled graph: the compiler adds `_` to the name for the conversion to float.
    fn returned(&self, name: &str) -> Option<&'a Op> {
        self.index.op(&format!("{name}_")).filter(|op| op.kind == "fix2float").or_else(|| self.index.op(name))
    }

    /// Copies between memories change nothing.
    fn pass_through(&mut self, op: &'a Op) -> Result<(), Refusal> {
        let value = self.input(Node(op))?;
        self.values.insert(&op.name, value);
        Ok(())
    }

    /// The value of the op `producer`, which the argument `argument` of `reader` names.
    pub(crate) fn value(
        &mut self,
        reader: Node<'_>,
        argument: &'static str,
        producer: &str,
    ) -> Result<ValueId, ImportError> {
        if let Some(&value) = self.values.get(producer) {
            return Ok(value);
        }
        match self.index.op(producer) {
            Some(op) if is_constant(op) => {
                let value = self.constant(op)?;
                self.values.insert(&op.name, value);
                Ok(value)
            }
            Some(op) => {
                let problem = format!("is fed by {producer:?} of type {}, which gives no tensor", op.kind);
                Err(reader.argument_error(argument, problem))
            }
            None => Err(reader.argument_error(argument, format!("is fed by {producer:?}, which does not exist"))),
        }
    }

    /// The value of an op that is imported already.
    pub(crate) fn known(&self, op: &str) -> Option<ValueId> {
        self.values.get(op).copied()
    }

    /// Whether the graph names the op as an output.
    pub(crate) fn is_returned(&self, op: &str) -> bool {
        let named: Result<Option<&[String]>, _> = self.index.graph().attr_opt("return_ops");
        named.ok().flatten().is_some_and(|named| named.iter().any(|name| name == op))
    }

    /// Says which value an op gives.
    pub(crate) fn define(&mut self, node: Node<'a>, value: ValueId) {
        self.values.insert(&node.0.name, value);
    }

    /// Removes an operation that stands for the op `name`, which nobody reads any more, and the constants that only it read.
    pub(crate) fn remove(&mut self, name: &str, operation: OpId) {
        let operands = self.ir.operands(operation).to_vec();
        self.ir.erase(operation);
        self.values.remove(name);
        for value in operands {
            let constant = self.ir.defining_op(value).filter(|_| self.ir.use_count(value) == 0);
            let symbol = constant.and_then(|op| self.ir.attribute(op, "value")?.as_symbol().map(str::to_owned));
            if let (Some(constant), Some(symbol)) = (constant, symbol) {
                self.ir.erase(constant);
                self.ir.weights.retain(|name| name != symbol);
                self.values.remove(symbol.as_str());
            }
        }
    }

    /// The values of all producers of an argument.
    pub(crate) fn all_values(&mut self, node: Node<'a>, argument: &'static str) -> Result<Vec<ValueId>, ImportError> {
        node.0.arg(argument).iter().map(|producer| self.value(node, argument, producer)).collect()
    }

    /// The value of an argument that may be absent.
    pub(crate) fn optional(&mut self, node: Node<'a>, argument: &'static str) -> Result<Option<ValueId>, ImportError> {
        match node.0.arg(argument) {
            [] => Ok(None),
            [producer] => self.value(node, argument, producer).map(Some),
            several => Err(node.argument_error(argument, format!("has {} producers, expected one", several.len()))),
        }
    }

    /// The value of a required argument.
    pub(crate) fn required(&mut self, node: Node<'a>, argument: &'static str) -> Result<ValueId, ImportError> {
        self.optional(node, argument)?.ok_or_else(|| node.argument_error(argument, "is missing"))
    }

    /// The value of the argument `input`.
    pub(crate) fn input(&mut self, node: Node<'a>) -> Result<ValueId, ImportError> {
        self.required(node, "input")
    }

    /// Height and width of a value that is a map.
    pub(crate) fn map_size(&self, value: ValueId) -> Result<[i64; 2], Refusal> {
        match self.ir.shape_of(value).as_deref() {
            Some(&[_, height, width, _]) => Ok([height as i64, width as i64]),
            shape => Err(Refusal::Unsupported(format!("its input of dimensions {shape:?} is no NHWC map"))),
        }
    }

    /// The number of dimensions of a value.
    pub(crate) fn rank(&self, value: ValueId) -> usize {
        self.ir.tensor_of(value).map_or(0, |tensor| tensor.shape.len())
    }

    /// Adds the operation that stands for `node` and gives its tensor.
    pub(crate) fn emit<'n>(
        &mut self,
        definition: &'static OpDefinition,
        node: Node<'a>,
        operands: impl IntoIterator<Item = ValueId>,
        attributes: impl IntoIterator<Item = (&'n str, Attribute)>,
    ) -> Result<(), ImportError> {
        let value = self.append(definition, node.0, operands, attributes)?;
        self.values.insert(&node.0.name, value);
        Ok(())
    }

    /// Adds an operation with the name, type and location of `op`.
    pub(crate) fn append<'n>(
        &mut self,
        definition: &'static OpDefinition,
        op: &'a Op,
        operands: impl IntoIterator<Item = ValueId>,
        attributes: impl IntoIterator<Item = (&'n str, Attribute)>,
    ) -> Result<ValueId, ImportError> {
        let ty = tensor_type(&mut self.ir, op)?;
        let name = self.names.claim(self.tensor_name(op));
        let location = self.location(op);
        let mut builder = OpBuilder::new(definition).at(location).operands(operands).result(ty, &name);
        for (key, value) in attributes {
            if !definition.is_default(key, &value) {
                builder = builder.attribute(key, value);
            }
        }
        let op = builder.append(&mut self.ir, self.entry);
        Ok(self.ir.result(op))
    }

    /// Adds an operation in front of the one that stands for `node`: a part of the same operator.
    pub(crate) fn append_float_part(
        &mut self,
        definition: &'static OpDefinition,
        node: Node<'a>,
        operands: impl IntoIterator<Item = ValueId>,
        shape: &[usize],
    ) -> ValueId {
        let ty = self.ir.float_tensor(shape);
        self.append_part(definition, node, operands, [], ty)
    }

    /// The same for an operation on codes.
    pub(crate) fn append_fixed_part<'n>(
        &mut self,
        definition: &'static OpDefinition,
        node: Node<'a>,
        operands: impl IntoIterator<Item = ValueId>,
        attributes: impl IntoIterator<Item = (&'n str, Attribute)>,
        (shape, fix_point): (&[usize], i32),
    ) -> ValueId {
        let ty = self.ir.fix_tensor(shape, fix_point);
        self.append_part(definition, node, operands, attributes, ty)
    }

    /// The same for an operation with a result of any type.
    pub(crate) fn append_part<'n>(
        &mut self,
        definition: &'static OpDefinition,
        node: Node<'a>,
        operands: impl IntoIterator<Item = ValueId>,
        attributes: impl IntoIterator<Item = (&'n str, Attribute)>,
        ty: Type,
    ) -> ValueId {
        let location = self.location(node.0);
        let mut builder = OpBuilder::new(definition).at(location).operands(operands).result(ty, "");
        for (key, value) in attributes {
            if !definition.is_default(key, &value) {
                builder = builder.attribute(key, value);
            }
        }
        let op = builder.append(&mut self.ir, self.entry);
        self.ir.result(op)
    }

    /// The name under which a reader of the graph knows the tensor of `op`: an output of a DPU subgraph has its name at the `download`.
    fn tensor_name(&self, op: &'a Op) -> &'a str {
        let download = self.index.consumers(&op.name).find(|reader| reader.kind == "download");
        &download.unwrap_or(op).tensor.name
    }

    /// The operator's name first, the tensor's last.
    fn location(&mut self, op: &'a Op) -> Location {
        let tensor = self.tensor_name(op);
        let parts = [op.name.as_str(), tensor].map(|name| self.ir.named_location(name));
        self.ir.fused_location(parts)
    }

    /// Notes something for the reader.
    pub(crate) fn warn(&mut self, node: Node<'_>, message: impl Into<String>) {
        self.warnings.push(Warning { op: node.0.name.clone(), message: message.into() });
    }
}

/// The type of an op's tensor.
fn tensor_type(ir: &mut Ir, op: &Op) -> Result<Type, ImportError> {
    let tensor = &op.tensor;
    let unusable =
        || ImportError::Tensor { op: op.name.clone(), data_type: tensor.data_type, dims: tensor.dims.clone() };
    let shape: Vec<usize> = tensor.dims.iter().filter_map(|&dim| usize::try_from(dim).ok()).collect();
    if shape.len() != tensor.dims.len() || shape.contains(&0) {
        return Err(unusable());
    }
    match tensor.data_type {
        DataType::FLOAT32 => Ok(ir.float_tensor(&shape)),
        DataType::XINT8 => Ok(ir.fix_tensor(&shape, tensor.attr("fix_point")?)),
        // Indices are floats in the dialect.
        DataType { representation: Representation::Int, .. } if op.kind == "argmax" => Ok(ir.float_tensor(&shape)),
        _ => Err(unusable()),
    }
}
