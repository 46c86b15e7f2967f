//! The CPU's parts of a compiled file.
//!
//! Each is run as a whole: a graph of its operators, their constants and an input for every tensor that comes from outside is imported
//! and compiled once, or evaluated. So the importer and the evaluator say what an operator means, here as everywhere. An operator without
//! meaning is an error only when it is run: the rest of the file may still be of use.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use dpuc_dialects::Ir;
use dpuc_evaluate::{Evaluator, Operators, Tensor};
use dpuc_import::import_xmodel;
use dpuc_jit::{Compiled, Options, compile};
use dpuc_xmodel::{Attributed, Graph, GraphIndex, Op};

use crate::error::RuntimeError;

/// What runs the operators that a compiled file leaves to the CPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Host {
    /// Machine code, made when it is first needed.
    #[default]
    Compiled,
    /// The evaluator.
    Reference,
}

/// One of the CPU's parts.
#[derive(Debug)]
pub(crate) struct HostPart {
    graph: Graph,
    /// Tensors it takes, in the order of the graph's inputs.
    inputs: Vec<String>,
    /// Tensors it gives, in the order of the graph's outputs.
    outputs: Vec<String>,
    host: Host,
    operators: Operators,
    code: OnceLock<Code>,
}

/// A function `@main` that can be run.
#[derive(Debug)]
pub(crate) enum Code {
    Compiled(Box<Compiled>),
    Reference(Box<Ir>, Operators),
}

impl Code {
    /// Prepares the function; `part` is its name in messages.
    pub(crate) fn new(ir: Ir, part: &str, host: Host, operators: Operators) -> Result<Self, RuntimeError> {
        match host {
            Host::Reference => Ok(Self::Reference(Box::new(ir), operators)),
            Host::Compiled => compile(&ir, "main", &Options { operators, ..Options::default() })
                .map(|compiled| Self::Compiled(Box::new(compiled)))
                .map_err(|error| RuntimeError::Compile { part: part.to_owned(), error }),
        }
    }

    /// Runs it; one tensor for each argument, in order.
    pub(crate) fn run(&self, part: &str, inputs: &[Tensor]) -> Result<Vec<Tensor>, RuntimeError> {
        let part = || part.to_owned();
        match self {
            Self::Compiled(compiled) => {
                compiled.run(inputs).map_err(|error| RuntimeError::Compile { part: part(), error })
            }
            Self::Reference(ir, operators) => Evaluator::new(ir)
                .with_operators(operators.clone())
                .run("main", inputs, &mut |_, _| {})
                .map_err(|error| RuntimeError::Evaluate { part: part(), error }),
        }
    }
}

impl HostPart {
    /// Whether the importer would take the result of one operator for that of another: it takes `x_`, a conversion to float, for a named
    /// `x`. Such a part is run operator by operator.
    pub(crate) fn has_twins(members: &[&Op]) -> bool {
        let converts = |op: &&&Op| op.kind == "fix2float";
        let twin = |op: &Op| op.name.strip_suffix('_').is_some_and(|name| members.iter().any(|own| own.name == name));
        members.iter().filter(converts).any(|op| twin(op))
    }

    /// The part of these operators, in execution order; `is_result` says which of them the network gives.
    pub(crate) fn new(
        index: &GraphIndex<'_>,
        name: &str,
        members: &[&Op],
        is_result: impl Fn(&Op) -> bool,
        host: Host,
        operators: Operators,
    ) -> Self {
        let is_member = |op: &str| members.iter().any(|member| member.name == op);
        let mut ops: Vec<Op> = Vec::new();
        let mut inputs = Vec::new();
        for &op in members {
            for producer in op.producers() {
                let Some(source) = index.op(producer) else { continue };
                if is_member(producer) || ops.iter().any(|known| known.name == source.name) {
                    continue;
                }
                if matches!(source.kind.as_str(), "const" | "const-fix") {
                    ops.push(source.clone());
                    continue;
                }
                let kind = if source.tensor.data_type.bit_width == 8 { "data-fix" } else { "data" };
                let argument = Op::new(&source.name, kind, source.tensor.clone())
                    .with_attr("shape", source.tensor.dims.clone())
                    .with_attr("data_type", source.tensor.data_type.to_string());
                inputs.push(source.tensor.name.clone());
                ops.push(argument);
            }
            ops.push(op.clone());
        }
        let leaves = |op: &&&Op| {
            is_result(op)
                || index.consumers(&op.name).next().is_none()
                || index.consumers(&op.name).any(|reader| !is_member(&reader.name))
        };
        let results: Vec<&Op> = members.iter().filter(leaves).copied().collect();
        let names: Vec<String> = results.iter().map(|op| op.name.clone()).collect();
        let outputs = results.iter().map(|op| op.tensor.name.clone()).collect();
        let graph = Graph::uncompiled(name, ops).with_attr("return_ops", names);
        Self { graph, inputs, outputs, host, operators, code: OnceLock::new() }
    }

    /// Runs it on tensors by name; gives its results by name.
    pub(crate) fn run(&self, values: &BTreeMap<String, Tensor>) -> Result<Vec<(String, Tensor)>, RuntimeError> {
        let take = |name: &String| values.get(name).cloned().ok_or_else(|| RuntimeError::MissingTensor(name.clone()));
        let inputs = self.inputs.iter().map(take).collect::<Result<Vec<_>, _>>()?;
        let outputs = self.code()?.run(&self.graph.name, &inputs)?;
        Ok(self.outputs.iter().cloned().zip(outputs).collect())
    }

    fn code(&self) -> Result<&Code, RuntimeError> {
        if let Some(code) = self.code.get() {
            return Ok(code);
        }
        let name = &self.graph.name;
        let imported =
            import_xmodel(&self.graph).map_err(|error| RuntimeError::Import { part: name.clone(), error })?;
        let code = Code::new(imported.ir, name, self.host, self.operators.clone())?;
        Ok(self.code.get_or_init(|| code))
    }
}
