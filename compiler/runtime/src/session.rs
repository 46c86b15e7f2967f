//! Compiled networks: DPU subgraphs on the accelerator model, the CPU's parts as machine code, in the order of the file.

use std::collections::BTreeMap;

use dpuc_accel::Statistics;
use dpuc_evaluate::{Operators, Tensor};
use dpuc_xmodel::{Attributed, Graph, GraphIndex, Op};
use ndarray::ArrayD;

use crate::dpu::DpuProgram;
use crate::error::RuntimeError;
use crate::host::{Host, HostPart};
use crate::port::Port;

/// A compiled network, ready to run any number of times.
#[derive(Debug)]
pub struct Session {
    stages: Vec<Stage>,
    inputs: Vec<Port>,
    outputs: Vec<Port>,
    /// How many of the outputs are the network's.
    results: usize,
}

#[derive(Debug)]
enum Stage {
    Dpu(Box<DpuProgram>),
    Host(Box<HostPart>),
}

/// What a run gave.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Tensors by name: every output of the network, and every tensor that leaves a DPU subgraph.
    pub tensors: Vec<(Port, Tensor)>,
    /// What each DPU subgraph did, by name.
    pub statistics: Vec<(String, Statistics)>,
}

impl Session {
    /// Prepares a compiled network: decodes every DPU subgraph. The CPU's parts are compiled when they are first run.
    pub fn new(graph: &Graph) -> Result<Self, RuntimeError> {
        Self::on_host(graph, Host::default(), &Operators::new())
    }

    /// As [`Session::new`], with a choice of what runs the CPU's parts, and user-supplied operators for them.
    pub fn on_host(graph: &Graph, host: Host, operators: &Operators) -> Result<Self, RuntimeError> {
        let index = GraphIndex::new(graph);
        let final_ops = final_ops(graph, &index);
        let mut stages = Vec::new();
        let mut inputs = Vec::new();
        for child in &graph.root.children {
            let device: &str = child.attr("device")?;
            if device == "DPU" {
                let view = dpuc_xmodel::DpuSubgraph::new(&index, child)?;
                let program = DpuProgram::load(&view)
                    .map_err(|error| RuntimeError::Dpu { subgraph: child.name.clone(), error })?;
                stages.push(Stage::Dpu(Box::new(program)));
                continue;
            }
            let mut members: Vec<&Op> = child.all_ops().filter_map(|name| index.op(name)).collect();
            members.sort_by_key(|op| index.position(&op.name));
            let mut computed = Vec::new();
            for op in members {
                match op.kind.as_str() {
                    "data" | "data-fix" => inputs.push(Port::of(op).ok_or_else(|| RuntimeError::shape(op))?),
                    "const" | "const-fix" => {}
                    _ => computed.push(op),
                }
            }
            let size = if HostPart::has_twins(&computed) { 1 } else { computed.len().max(1) };
            for members in computed.chunks(size) {
                let is_result = |op: &Op| final_ops.iter().any(|known| known.name == op.name);
                let part = HostPart::new(&index, &child.name, members, is_result, host, operators.clone());
                stages.push(Stage::Host(Box::new(part)));
            }
        }
        let mut outputs = final_ops
            .into_iter()
            .map(|op| Port::of(op).ok_or_else(|| RuntimeError::shape(op)))
            .collect::<Result<Vec<_>, _>>()?;
        let results = outputs.len();
        for stage in &stages {
            let Stage::Dpu(program) = stage else { continue };
            for output in &program.outputs {
                if !outputs.iter().any(|port| port.name == output.port.name) {
                    outputs.push(output.port.clone());
                }
            }
        }
        Ok(Self { stages, inputs, outputs, results })
    }

    /// Inputs of the network.
    pub fn inputs(&self) -> &[Port] {
        &self.inputs
    }

    /// What [`Session::run`] gives: outputs of the network, then the tensors that leave DPU subgraphs.
    pub fn outputs(&self) -> &[Port] {
        &self.outputs
    }

    /// How many of [`Session::outputs`] are outputs of the network.
    pub const fn results(&self) -> usize {
        self.results
    }

    /// The DPU subgraphs in order.
    pub fn programs(&self) -> impl Iterator<Item = &DpuProgram> {
        self.stages.iter().filter_map(|stage| match stage {
            Stage::Dpu(program) => Some(&**program),
            Stage::Host(_) => None,
        })
    }

    /// Runs the whole network; one tensor for each of [`Session::inputs`], in order.
    pub fn run(&self, inputs: Vec<Tensor>) -> Result<Outcome, RuntimeError> {
        let mut values: BTreeMap<String, Tensor> = BTreeMap::new();
        for (port, tensor) in self.inputs.iter().zip(inputs) {
            port.check(&tensor)?;
            values.insert(port.name.clone(), tensor);
        }
        let mut outcome = Outcome::default();
        for stage in &self.stages {
            match stage {
                Stage::Host(part) => {
                    let outputs = part.run(&values)?;
                    values.extend(outputs);
                }
                Stage::Dpu(program) => {
                    let inputs = program
                        .inputs
                        .iter()
                        .map(|placed| find(&values, &placed.port))
                        .collect::<Result<Vec<_>, _>>()?;
                    let run = run_program(program, &inputs)?;
                    outcome.statistics.push((program.name.clone(), run.statistics));
                    for (placed, output) in program.outputs.iter().zip(run.outputs) {
                        values.insert(placed.port.name.clone(), output);
                    }
                }
            }
        }
        for port in &self.outputs {
            if let Some(tensor) = values.remove(&port.name) {
                outcome.tensors.push((port.clone(), tensor));
            }
        }
        Ok(outcome)
    }

    /// Runs one DPU subgraph on inputs of its own, in the order of [`DpuProgram::inputs`].
    pub fn run_subgraph(&self, name: &str, inputs: &[Tensor]) -> Result<Outcome, RuntimeError> {
        let program = self.find_program(name)?;
        let refs: Vec<&Tensor> = inputs.iter().collect();
        for (placed, input) in program.inputs.iter().zip(inputs) {
            placed.port.check(input)?;
        }
        let run = run_program(program, &refs)?;
        let ports = program.outputs.iter().map(|placed| placed.port.clone());
        Ok(Outcome {
            tensors: ports.zip(run.outputs).collect(),
            statistics: vec![(program.name.clone(), run.statistics)],
        })
    }

    /// The DPU subgraph called `name`.
    pub fn find_program(&self, name: &str) -> Result<&DpuProgram, RuntimeError> {
        self.programs().find(|program| program.name == name).ok_or_else(|| RuntimeError::NoSubgraph {
            name: name.to_owned(),
            known: self.programs().map(|program| program.name.clone()).collect(),
        })
    }
}

/// The operators whose tensors are the outputs: those the graph names, if it has them, or else those without consumers.
fn final_ops<'a>(graph: &'a Graph, index: &GraphIndex<'a>) -> Vec<&'a Op> {
    let names: &[String] = graph.attr_opt("return_ops").ok().flatten().unwrap_or_default();
    let named: Vec<&Op> = names.iter().filter_map(|name| index.op(name)).collect();
    if !named.is_empty() && named.len() == names.len() {
        return named;
    }
    let holds_data = |op: &Op| matches!(op.kind.as_str(), "const" | "const-fix" | "download");
    graph.ops.iter().filter(|op| !holds_data(op) && index.consumers(&op.name).next().is_none()).collect()
}

fn run_program(program: &DpuProgram, inputs: &[&Tensor]) -> Result<crate::dpu::DpuRun, RuntimeError> {
    let mut arrays = Vec::with_capacity(inputs.len());
    for (number, placed) in program.inputs.iter().enumerate() {
        let input = inputs.get(number).ok_or_else(|| RuntimeError::MissingTensor(placed.port.name.clone()))?;
        arrays.push(as_int8(&placed.port, input)?);
    }
    program.run(&arrays).map_err(|error| RuntimeError::Dpu { subgraph: program.name.clone(), error })
}

fn find<'a>(values: &'a BTreeMap<String, Tensor>, port: &Port) -> Result<&'a Tensor, RuntimeError> {
    values.get(&port.name).ok_or_else(|| RuntimeError::MissingTensor(port.name.clone()))
}

fn as_int8<'a>(port: &Port, tensor: &'a Tensor) -> Result<&'a ArrayD<i8>, RuntimeError> {
    match tensor {
        Tensor::I8(array) => Ok(array),
        Tensor::F32(_) => Err(RuntimeError::NotInt8(port.name.clone())),
    }
}
