//! The operations of a network, from the graph of its compiled file.
//!
//! What the compiler alone knows (kinds in the IR, the framework's nodes, reasons) is joined by the names of operations, which locations and
//! file share.

use dpuc_backend::OperationReport;
use dpuc_dialects::{Ir, Location, LocationKind};
use dpuc_xmodel::{Graph, GraphIndex, Op, Subgraph};
use rustc_hash::FxHashMap;

use crate::Source;
use crate::error::ReportError;
use crate::model::{Device, Obstacle, Operation};

/// The network with look-up tables.
pub(crate) struct Network<'a> {
    pub(crate) index: GraphIndex<'a>,
    pub(crate) operations: Vec<Operation>,
    /// The DPU subgraphs, in execution order.
    pub(crate) subgraphs: Vec<Members<'a>>,
    position: FxHashMap<&'a str, usize>,
}

/// A DPU subgraph and what its superlayers hold.
pub(crate) struct Members<'a> {
    pub(crate) subgraph: &'a Subgraph,
    pub(crate) superlayers: Vec<Layer<'a>>,
}

/// A superlayer of a compiled file.
pub(crate) struct Layer<'a> {
    /// Its node in the file.
    pub(crate) node: &'a Subgraph,
    /// Its operations.
    pub(crate) operations: Vec<usize>,
}

impl<'a> Network<'a> {
    pub(crate) fn new(source: &Source<'a>) -> Result<Self, ReportError> {
        let graph = source.graph;
        let index = GraphIndex::new(graph);
        let devices = graph.device_subgraphs().map_err(|_| ReportError::NotCompiled)?;
        let mut device_of: FxHashMap<&str, &str> = FxHashMap::default();
        for (subgraph, device) in &devices {
            device_of.extend(subgraph.all_ops().map(|name| (name, *device)));
        }
        let mut network = Self {
            index,
            operations: Vec::new(),
            subgraphs: devices
                .iter()
                .filter(|(_, device)| *device == "DPU")
                .map(|(subgraph, _)| Members { subgraph, superlayers: Vec::new() })
                .collect(),
            position: FxHashMap::default(),
        };
        network.add_operations(graph, &device_of);
        network.add_superlayers();
        network.add_origins(source.ir, source.operations);
        Ok(network)
    }

    /// The operation with this name; none for constants and boundary operators.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.position.get(name).copied()
    }

    /// Multiply-accumulates an operation needs.
    pub(crate) fn macs(&self, operation: usize) -> u64 {
        let op = self.operations.get(operation).and_then(|operation| self.index.op(&operation.name));
        op.map_or(0, |op| macs(&self.index, op))
    }

    fn add_operations(&mut self, graph: &'a Graph, device_of: &FxHashMap<&str, &str>) {
        for op in graph.ops.iter().filter(|op| !is_constant(op) && !is_boundary(op)) {
            let device = match device_of.get(op.name.as_str()) {
                Some(&"DPU") => Device::Dpu,
                _ if matches!(op.kind.as_str(), "data" | "data-fix") => Device::Input,
                _ => Device::Cpu,
            };
            let mut inputs: Vec<usize> = self.index.producers(op).filter_map(|op| self.through_boundary(op)).collect();
            inputs.dedup();
            self.position.insert(&op.name, self.operations.len());
            self.operations.push(Operation {
                name: op.name.clone(),
                kind: op.kind.clone(),
                shape: op.tensor.dims.clone(),
                device,
                inputs,
                subgraph: None,
                superlayer: None,
                figures: None,
                sources: Vec::new(),
                location: None,
                obstacles: Vec::new(),
            });
        }
    }

    /// The operation whose result `op` is or passes on. Boundary operators read one operator each, and no chain of them is longer than
    /// an upload behind a download.
    fn through_boundary(&self, op: &'a Op) -> Option<usize> {
        let mut op = op;
        for _ in 0..4 {
            if !is_boundary(op) {
                break;
            }
            op = self.index.producers(op).next()?;
        }
        self.position(&op.name)
    }

    fn add_superlayers(&mut self) {
        for number in 0..self.subgraphs.len() {
            let subgraph = self.subgraphs[number].subgraph;
            let nodes = if subgraph.children.is_empty() { std::slice::from_ref(subgraph) } else { &subgraph.children };
            for node in nodes {
                let operations: Vec<usize> = node.all_ops().filter_map(|name| self.position(name)).collect();
                if operations.is_empty() {
                    continue;
                }
                for &operation in &operations {
                    self.operations[operation].subgraph = Some(number);
                    self.operations[operation].superlayer = Some(self.subgraphs[number].superlayers.len());
                }
                self.subgraphs[number].superlayers.push(Layer { node, operations });
            }
        }
    }

    fn add_origins(&mut self, ir: Option<&Ir>, reports: &[OperationReport]) {
        for report in reports {
            let Some(operation) = self.position(&report.name).map(|position| &mut self.operations[position]) else {
                continue;
            };
            operation.kind.clone_from(&report.kind);
            let obstacles = report.reasons.iter();
            operation.obstacles = obstacles
                .map(|reason| Obstacle { reason: reason.to_string(), hint: reason.hint(&report.kind) })
                .collect();
        }
        let Some(ir) = ir else { return };
        for op in ir.walk(ir.root()) {
            if ir.results(op).is_empty() || ir.op_name(op).starts_with("dpu.") {
                continue;
            }
            let names = ir.location_names(ir.op(op).location);
            let Some(position) = names.first().and_then(|name| self.position(name)) else { continue };
            let operation = &mut self.operations[position];
            if operation.sources.is_empty() {
                operation.sources = names.into_iter().map(str::to_owned).collect();
                operation.location = file_location(ir, ir.op(op).location);
            }
        }
    }
}

/// The first place in a file that a location has. Fused locations do not nest deeply: they are made flat.
fn file_location(ir: &Ir, location: Location) -> Option<String> {
    let mut pending = vec![location];
    while let Some(location) = pending.pop() {
        match ir.location_kind(location) {
            LocationKind::File { file, line, column, .. } => return Some(format!("{file}:{line}:{column}")),
            LocationKind::Name(_, inner) => pending.extend(*inner),
            LocationKind::Fused(parts) => pending.extend(parts.iter().rev()),
            LocationKind::Unknown => {}
        }
    }
    None
}

fn is_constant(op: &Op) -> bool {
    matches!(op.kind.as_str(), "const" | "const-fix")
}

fn is_boundary(op: &Op) -> bool {
    matches!(op.kind.as_str(), "upload" | "download")
}

/// Multiply-accumulates a convolution needs: products of its weights with real inputs, padding included. 0 for other operators.
pub fn macs(index: &GraphIndex<'_>, op: &Op) -> u64 {
    let elements = |op: &Op| op.tensor.num_elements().unwrap_or(0);
    let producer = |argument: &str| op.arg(argument).first().and_then(|name| index.op(name));
    let (Some(weights), Some(input)) = (producer("weights"), producer("input")) else { return 0 };
    let channels = |op: &Op| op.tensor.dims.last().map_or(1, |&dim| u64::try_from(dim).unwrap_or(1)).max(1);
    // Each output element (input element, if transposed) takes part in as many products as one channel has weights.
    match op.kind.as_str() {
        "conv2d-fix" | "depthwise-conv2d-fix" => elements(op).saturating_mul(elements(weights) / channels(op)),
        "transposed-conv2d-fix" | "transposed-depthwise-conv2d-fix" => {
            elements(input).saturating_mul(elements(weights) / channels(input))
        }
        _ => 0,
    }
}
