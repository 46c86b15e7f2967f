//! Host operators of a compiled file.
//!
//! Each is run by itself: a graph of the operator, its constants and an input for every tensor it takes is imported and evaluated. So
//! the importer and the evaluator say what an operator means, here as everywhere. An operator without meaning is an error only when it is
//! run: the rest of the file may still be of use.

use std::collections::BTreeMap;

use dpuc_evaluate::{Tensor, evaluate};
use dpuc_import::import_xmodel;
use dpuc_xmodel::{Attributed, Graph, GraphIndex, Op};

use crate::error::RuntimeError;

/// A host operator.
#[derive(Debug)]
pub(crate) struct HostOp {
    /// The operator with its surroundings.
    graph: Graph,
    /// Tensors it takes, in the order of the graph's inputs.
    inputs: Vec<String>,
    name: String,
    output: String,
}

impl HostOp {
    pub(crate) fn new(index: &GraphIndex<'_>, op: &Op) -> Self {
        let mut ops: Vec<Op> = Vec::new();
        let mut inputs = Vec::new();
        for producer in op.producers() {
            let Some(source) = index.op(producer) else { continue };
            if ops.iter().any(|known| known.name == source.name) {
                continue;
            }
            if matches!(source.kind.as_str(), "const" | "const-fix") {
                ops.push(source.clone());
                continue;
            }
            let kind = if source.tensor.data_type.bit_width == 8 { "data-fix" } else { "data" };
            let shape = Op::new(&source.name, kind, source.tensor.clone())
                .with_attr("shape", source.tensor.dims.clone())
                .with_attr("data_type", source.tensor.data_type.to_string());
            inputs.push(source.tensor.name.clone());
            ops.push(shape);
        }
        ops.push(op.clone());
        let graph = Graph::uncompiled(&op.name, ops);
        Self { graph, inputs, name: op.name.clone(), output: op.tensor.name.clone() }
    }

    /// Name of the tensor it gives.
    pub(crate) fn output(&self) -> &str {
        &self.output
    }

    pub(crate) fn run(&self, values: &BTreeMap<String, Tensor>) -> Result<Tensor, RuntimeError> {
        let imported =
            import_xmodel(&self.graph).map_err(|error| RuntimeError::Import { op: self.name.clone(), error })?;
        let take = |name: &String| values.get(name).cloned().ok_or_else(|| RuntimeError::MissingTensor(name.clone()));
        let inputs = self.inputs.iter().map(take).collect::<Result<Vec<_>, _>>()?;
        let outputs = evaluate(&imported.ir, "main", &inputs, &mut |_, _| {})
            .map_err(|error| RuntimeError::Evaluate { op: self.name.clone(), error })?;
        outputs.into_iter().next().ok_or_else(|| RuntimeError::MissingTensor(self.output.clone()))
    }
}
