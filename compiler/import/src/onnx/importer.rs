//! Walking the graph.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use dpuc_dialects::dialects::{func, nn};
use dpuc_dialects::verify::verify;
use dpuc_dialects::{Attribute, BlockId, Ir, Location, OpBuilder, ValueId};
use dpuc_onnx::{ElementType, Function, Graph, Model};

use super::constants::Constants;
use super::error::{OLDEST_OPSET, OnnxError, Reason, Unsupported};
use super::inputs::{Input, OnnxOptions, Scales, Symbols};
use super::literal::Literal;
use super::node::{Node, domain};
use super::operators;
use super::quantise::Codes;
use crate::error::Warning;
use crate::names::ValueNames;
use dpuc_dialects::layout::{ARGUMENT_LAYOUTS, Layout, RESULT_LAYOUTS};

/// A network in the IR.
#[derive(Debug)]
pub struct ImportedOnnx {
    /// The module with the function `@main` and the constants. It is verified.
    pub ir: Ir,
    /// What the IR does not say.
    pub warnings: Vec<Warning>,
}

/// A value that is computed when the network runs.
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    pub(crate) value: ValueId,
    /// Dimensions as the framework has them.
    pub(crate) shape: Vec<usize>,
    /// How the value's own dimensions follow from these.
    pub(crate) layout: Layout,
    /// What its elements, floats in the IR, are in the model.
    pub(crate) element: ElementType,
}

/// A value of the model.
#[derive(Clone, Debug)]
pub(crate) enum Operand {
    /// Known while importing.
    Known(Literal),
    /// Computed when the network runs.
    Computed(Tensor),
}

impl Operand {
    /// Dimensions as the framework has them.
    pub(crate) fn shape(&self) -> &[usize] {
        match self {
            Self::Known(literal) => &literal.shape,
            Self::Computed(tensor) => &tensor.shape,
        }
    }

    pub(crate) fn rank(&self) -> usize {
        self.shape().len()
    }

    /// What its elements are in the model.
    pub(crate) fn element(&self) -> ElementType {
        match self {
            Self::Known(literal) => literal.element,
            Self::Computed(tensor) => tensor.element,
        }
    }

    pub(crate) fn known(&self) -> Option<&Literal> {
        match self {
            Self::Known(literal) => Some(literal),
            Self::Computed(_) => None,
        }
    }
}

impl From<Literal> for Operand {
    fn from(literal: Literal) -> Self {
        Self::Known(literal)
    }
}

impl From<Tensor> for Operand {
    fn from(tensor: Tensor) -> Self {
        Self::Computed(tensor)
    }
}

/// What is known of a name.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    /// A value.
    Given(Operand),
    /// Its node could not be imported.
    Failed,
}

impl Entry {
    pub(crate) const fn given(&self) -> Option<&Operand> {
        match self {
            Self::Given(operand) => Some(operand),
            Self::Failed => None,
        }
    }
}

/// Whether a node was imported.
pub(crate) type Outcome = Result<(), Reason>;

/// Most nodes that are imported, those of functions each time they are called.
const MAX_NODES: usize = 1 << 18;

/// The function being built, and what is known of the model.
pub(crate) struct Importer<'m> {
    pub(crate) ir: Ir,
    pub(crate) entry: BlockId,
    /// Values of the model by name.
    pub(crate) values: HashMap<Arc<str>, Entry>,
    /// Tensors of codes by name, which only a dequantisation reads.
    pub(crate) codes: HashMap<Arc<str>, Codes>,
    pub(crate) scales: Scales,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) names: ValueNames,
    pub(crate) constants: Constants,
    /// Transpositions made so far, by what they transpose and their order.
    pub(crate) transposed: HashMap<(ValueId, Vec<usize>), ValueId>,
    /// That of the node being imported.
    pub(crate) location: Location,
    pub(crate) functions: HashMap<(&'m str, &'m str), &'m Function>,
    /// Version of the operator set of the graph or function being imported.
    pub(crate) opset: i64,
    /// Functions and graphs within graphs that are being imported.
    pub(crate) depth: usize,
    nodes: usize,
    /// Shapes that the model says, by value.
    declared: BTreeMap<&'m str, Vec<usize>>,
    problems: Vec<Unsupported>,
}

/// Imports a model. External data must have been loaded.
///
/// # Errors
/// See [`OnnxError`]; nodes without a form here are found all at once.
pub fn import_onnx(model: &Model, options: &OnnxOptions) -> Result<ImportedOnnx, OnnxError> {
    let graph = model.graph.as_ref().ok_or(OnnxError::NoOutput)?;
    let opset =
        operators::version(&model.opset_import).ok_or_else(|| OnnxError::Opset("names no operator set".to_owned()))?;
    if opset < OLDEST_OPSET {
        return Err(OnnxError::Opset(format!("uses operator set {opset}")));
    }
    let mut symbols = Symbols::default();
    let inputs = symbols.inputs(graph, options)?;
    let mut importer = Importer::new(model, graph, opset, &inputs);
    importer.declared = graph
        .value_info
        .iter()
        .chain(&graph.outputs)
        .filter_map(|value| Some((value.name.as_str(), symbols.known(value)?)))
        .collect();
    importer.scales = options.scales;
    importer.initializers(graph)?;
    importer.graph_nodes(graph);
    importer.finish(graph)
}

impl<'m> Importer<'m> {
    fn new(model: &'m Model, graph: &'m Graph, opset: i64, inputs: &[Input<'m>]) -> Self {
        let mut ir = Ir::new();
        if !graph.name.is_empty() {
            ir.set_attribute(ir.root(), "sym_name", Attribute::string(graph.name.as_str()));
        }
        let mut names = ValueNames::default();
        let layouts: Vec<Layout> = inputs.iter().map(|input| argument_layout(graph, input)).collect();
        let mut arguments = Vec::with_capacity(inputs.len());
        for (input, layout) in inputs.iter().zip(&layouts) {
            arguments.push((names.claim(input.name), ir.float_tensor(&layout.arrange(&input.shape))));
        }
        let arguments: Vec<_> = arguments.iter().map(|(name, ty)| (name.as_str(), *ty)).collect();
        let body = ir.body();
        let function = func::build(&mut ir, body, "main", &arguments, &[]);
        let input_names = inputs.iter().map(|input| Attribute::string(input.name)).collect();
        ir.set_attribute(function, "argument_names", Attribute::Array(input_names));
        ir.set_attribute(function, ARGUMENT_LAYOUTS, layout_names(&layouts));
        let entry = func::entry(&ir, function);
        let tensors = inputs.iter().zip(&layouts).zip(ir.arguments(entry)).map(|((input, &layout), &value)| {
            let tensor = Tensor { value, shape: input.shape.clone(), layout, element: input.element };
            (input.name.into(), Entry::Given(tensor.into()))
        });
        let functions = model.functions.iter().map(|function| ((domain(&function.domain), &*function.name), function));
        Self {
            values: tensors.collect(),
            location: ir.unknown_location(),
            entry,
            codes: HashMap::new(),
            scales: Scales::default(),
            warnings: Vec::new(),
            names,
            constants: Constants::new(graph),
            transposed: HashMap::new(),
            functions: functions.collect(),
            opset,
            depth: 0,
            nodes: 0,
            declared: BTreeMap::new(),
            problems: Vec::new(),
            ir,
        }
    }

    /// Reads the constants of a graph.
    pub(crate) fn initializers(&mut self, graph: &Graph) -> Result<(), OnnxError> {
        let fail = |name: &str, problem: String| OnnxError::Initializer { name: name.to_owned(), problem };
        for tensor in &graph.initializers {
            let literal = Literal::new(tensor).map_err(|reason| fail(&tensor.name, reason.0))?;
            self.values.insert(tensor.name.as_str().into(), Entry::Given(literal.into()));
        }
        match graph.sparse_initializers.first() {
            Some(sparse) => {
                let name = sparse.values.as_ref().map_or("", |values| &values.name);
                Err(fail(name, "it is sparse, which is not supported; store it as a dense tensor".to_owned()))
            }
            None => Ok(()),
        }
    }

    pub(crate) fn graph_nodes(&mut self, graph: &Graph) {
        for proto in &graph.nodes {
            self.node(Node { proto, opset: self.opset });
        }
    }

    /// Imports a node, or notes why it cannot be.
    pub(crate) fn node(&mut self, node: Node<'_>) {
        self.nodes += 1;
        if self.nodes > MAX_NODES + 1 {
            // That there are too many is noted already; functions that call each other must come to an end.
            return self.give_up(node);
        }
        let outer = std::mem::replace(&mut self.location, self.ir.unknown_location());
        let parts = [Some(node.name()), node.proto.outputs.first().map(String::as_str)];
        let parts: Vec<Location> = parts
            .into_iter()
            .flatten()
            .filter(|name| !name.is_empty())
            .map(|name| self.ir.named_location(name))
            .collect();
        self.location = self.ir.fused_location(parts);
        if let Err(Reason(reason)) = self.try_node(node) {
            let (name, operator) = (node.name().to_owned(), node.operator());
            self.problems.push(Unsupported { node: name, operator, reason });
            self.give_up(node);
        }
        self.location = outer;
    }

    fn try_node(&mut self, node: Node<'_>) -> Outcome {
        if self.nodes > MAX_NODES {
            return Err(format!("it is behind the first {MAX_NODES} nodes, the most that are imported").into());
        }
        let called = self.functions.get(&(domain(&node.proto.domain), node.proto.op_type.as_str())).copied();
        if let Some(function) = called {
            return self.call(node, function);
        }
        let operator = operators::find(node)?;
        // A node behind one that could not be imported is only looked up.
        let names = node.proto.inputs.iter().filter(|name| !name.is_empty());
        if names.clone().any(|name| matches!(self.values.get(name.as_str()), Some(Entry::Failed))) {
            self.give_up(node);
            return Ok(());
        }
        if let Some(name) = names.clone().find(|name| self.codes.contains_key(name.as_str()))
            && node.operator() != "DequantizeLinear"
        {
            return Err(format!("it reads the codes {name:?}; only DequantizeLinear can").into());
        }
        let is_known = |name: &str| self.values.contains_key(name) || self.codes.contains_key(name);
        if let Some(name) = names.clone().find(|name| !is_known(name)) {
            return Err(format!("its input {name:?} is given by nobody before it").into());
        }
        if let Some(fold) = operator.fold
            && let Some(literals) = self.literals(node)
        {
            let results = fold(node, &literals)?;
            for (index, literal) in results.into_iter().enumerate() {
                self.constants.spend(literal.stored())?;
                self.define(node, index, literal);
            }
            return Ok(());
        }
        (operator.import)(self, node)
    }

    /// The inputs of a node if all are known while importing.
    fn literals(&self, node: Node<'_>) -> Option<Vec<Option<Literal>>> {
        let literal = |name: &String| match name.as_str() {
            "" => Some(None),
            name => Some(Some(self.values.get(name)?.given()?.known()?.clone())),
        };
        node.proto.inputs.iter().map(literal).collect()
    }

    /// Lets the nodes behind one that could not be imported be looked at: its outputs get the types that the model says, if it does.
    fn give_up(&mut self, node: Node<'_>) {
        for name in node.proto.outputs.iter().filter(|name| !name.is_empty()) {
            let placeholder = self.declared.get(name.as_str()).cloned().map(|shape| {
                let ty = self.ir.float_tensor(&shape);
                let value = self.ir.add_argument(self.entry, ty);
                Operand::Computed(Tensor { value, shape, layout: Layout::Same, element: ElementType::FLOAT })
            });
            self.values.insert(name.as_str().into(), placeholder.map_or(Entry::Failed, Entry::Given));
        }
    }

    /// An input of a node, if it is there.
    pub(crate) fn optional(&self, node: Node<'_>, index: usize) -> Option<Operand> {
        self.values.get(node.input(index)?)?.given().cloned()
    }

    /// An input that must be there.
    pub(crate) fn operand(&self, node: Node<'_>, index: usize) -> Result<Operand, Reason> {
        self.optional(node, index).ok_or_else(|| format!("its input {index} is missing").into())
    }

    /// All inputs of a node.
    pub(crate) fn operands(&self, node: Node<'_>) -> Result<Vec<Operand>, Reason> {
        (0..node.proto.inputs.len()).map(|index| self.operand(node, index)).collect()
    }

    /// An input that must be known while importing, if it is there; `what` says what it is.
    pub(crate) fn optional_literal(&self, node: Node<'_>, index: usize, what: &str) -> Result<Option<Literal>, Reason> {
        match self.optional(node, index) {
            None => Ok(None),
            Some(Operand::Known(literal)) => Ok(Some(literal)),
            Some(Operand::Computed(_)) => {
                Err(format!("its input {index}, {what}, is computed by the network, not constant").into())
            }
        }
    }

    /// Integers that an input or, in older versions, an attribute of the same meaning holds.
    pub(crate) fn integers(&self, node: Node<'_>, index: usize, name: &str) -> Result<Option<Vec<i64>>, Reason> {
        if let Some(values) = node.ints(name)? {
            return Ok(Some(values.to_vec()));
        }
        let Some(literal) = self.optional_literal(node, index, name)? else { return Ok(None) };
        literal.to_integers().map(Some).ok_or_else(|| format!("its {name} are no integers").into())
    }

    /// Says what an output of a node is.
    pub(crate) fn define(&mut self, node: Node<'_>, index: usize, operand: impl Into<Operand>) {
        if !node.has_output(index) {
            return;
        }
        let name = node.proto.outputs[index].as_str();
        let mut operand = operand.into();
        match &mut operand {
            Operand::Known(literal) => literal.name = Some(name.into()),
            Operand::Computed(tensor) => {
                if self.ir.value_name(tensor.value).is_none() {
                    let claimed = self.names.claim(name);
                    self.ir.set_value_name(tensor.value, &claimed);
                }
            }
        }
        self.values.insert(name.into(), Entry::Given(operand));
    }

    /// Notes something for the reader.
    pub(crate) fn warn(&mut self, node: Node<'_>, message: impl Into<String>) {
        self.warnings.push(Warning { op: node.name().to_owned(), message: message.into() });
    }

    fn finish(mut self, graph: &Graph) -> Result<ImportedOnnx, OnnxError> {
        if !self.problems.is_empty() {
            return Err(OnnxError::Unsupported(self.problems));
        }
        if graph.outputs.is_empty() {
            return Err(OnnxError::NoOutput);
        }
        self.location = self.ir.unknown_location();
        let mut results: Vec<ValueId> = Vec::new();
        let mut layouts = Vec::new();
        for output in &graph.outputs {
            let undefined = || OnnxError::Output(output.name.clone());
            let operand = match self.codes.get(output.name.as_str()).cloned() {
                Some(codes) => self.code_numbers(&codes).map_err(|_| undefined())?,
                None => self.values.get(output.name.as_str()).and_then(Entry::given).cloned().ok_or_else(undefined)?,
            };
            let tensor = self.result(&operand, &output.name, &results).map_err(|_| undefined())?;
            results.push(tensor.value);
            layouts.push(tensor.layout);
        }
        OpBuilder::new(&func::RETURN).operands(results).append(&mut self.ir, self.entry);
        if let Some(function) = self.ir.find_symbol("main") {
            func::refresh_signature(&mut self.ir, function);
            let names = graph.outputs.iter().map(|output| Attribute::string(output.name.as_str())).collect();
            self.ir.set_attribute(function, "result_names", Attribute::Array(names));
            self.ir.set_attribute(function, RESULT_LAYOUTS, layout_names(&layouts));
        }
        let findings = verify(&self.ir);
        if !findings.is_empty() {
            return Err(OnnxError::Inconsistent(findings));
        }
        Ok(ImportedOnnx { ir: self.ir, warnings: self.warnings })
    }

    /// A value of its own for a result: no argument, no constant, and none that is a result already.
    fn result(&mut self, operand: &Operand, name: &str, others: &[ValueId]) -> Result<Tensor, Reason> {
        let tensor = self.tensor(operand)?;
        let source = self.ir.defining_op(tensor.value);
        let is_own = source.is_some_and(|op| !self.ir.is(op, &nn::CONSTANT)) && !others.contains(&tensor.value);
        if is_own {
            return Ok(tensor);
        }
        let location = self.ir.named_location(name);
        self.location = location;
        let shape = tensor.layout.arrange(&tensor.shape);
        let value = self.emit(&nn::RESHAPE, &[tensor.value], Vec::new(), &shape)?;
        let claimed = self.names.claim(name);
        self.ir.set_value_name(value, &claimed);
        Ok(Tensor { value, ..tensor })
    }
}

fn layout_names(layouts: &[Layout]) -> Attribute {
    Attribute::Array(layouts.iter().map(|layout| Attribute::string(layout.name())).collect())
}

/// Maps are NHWC. An input that the model itself only transposes is as the framework has it: its channels are last already.
fn argument_layout(graph: &Graph, input: &Input<'_>) -> Layout {
    let mut readers = graph.nodes.iter().filter(|node| node.inputs.iter().any(|name| name == input.name)).peekable();
    let is_transposed = readers.peek().is_some() && readers.all(|node| node.op_type == "Transpose");
    if input.shape.len() == 4 && !is_transposed { Layout::ChannelsLast } else { Layout::Same }
}
