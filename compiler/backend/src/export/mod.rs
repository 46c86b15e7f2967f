//! The compiled `.xmodel`: what AMD's runtime and this project's own need to run the network (`spec/xmodel.md` sections 3 and 8).
//!
//! * Inputs of `@main` that are quantised first become `data-fix`, others `data`; each is a subgraph of device USER.
//! * What is left in `@main` runs on the CPU: float operators between `fix2float` and `float2fix`, and `int8` operations as `-fix` operators.
//!   Connected operators share a subgraph.
//! * Each `dpu.subgraph` becomes a DPU subgraph with its program, constants and memory map.

mod attributes;
mod fixed;
mod float;
mod host;
mod movement;
mod subgraph;
mod workload;

use std::collections::BTreeMap;

use dpuc_dialects::{Ir, OpId, ValueId};
use dpuc_isa::Target;
use dpuc_xmodel::{Attributed, Graph, Op, Subgraph, Tensor, validate};
use rustc_hash::FxHashMap;

use crate::compile::Options;
use crate::error::BackendError;
use crate::names::{UniqueNames, operation_name};
use crate::partition::{clusters, main_block, order};
use workload::Workload;

/// Makes the `.xmodel` graph of a module that [`emit`](crate::emit) has finished.
///
/// # Errors
/// A subgraph is not planned or has no program, or an operation of the host has no form in the format.
pub fn export(ir: &Ir, target: &Target, options: &Options) -> Result<Graph, BackendError> {
    let block = main_block(ir)?;
    let mut exporter = Exporter::new(ir, target);
    let mut children = exporter.arguments(block)?;
    let network = host::HostNetwork::new(ir, block, &exporter.producers);
    let group_of = clusters(&network.dag, &network.joinable, &[]);
    let mut members: FxHashMap<usize, Vec<OpId>> = FxHashMap::default();
    for (&op, &group) in network.ops.iter().zip(&group_of) {
        members.entry(group).or_default().push(op);
    }
    let mut total = Workload::default();
    for group in order(&network.dag, &group_of) {
        let members = members.remove(&group).unwrap_or_default();
        if network.joinable[group] {
            children.push(exporter.host_subgraph(&members)?);
        } else {
            let (child, workload) = exporter.dpu_subgraph(members[0])?;
            total += workload;
            children.push(child);
        }
    }
    let outputs = exporter.outputs(block, &mut children)?;

    let name = options.name.as_deref().or_else(|| ir.symbol_name(ir.root())).unwrap_or("network");
    let libraries = BTreeMap::from([("dpuc".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]);
    let mut graph = Graph::partitioned(name, exporter.ops, children)
        .with_attr("files_md5sum", options.files_md5sum.clone())
        .with_attr("libs_info", libraries)
        .with_attr("return_ops", outputs);
    for (name, text) in own_attributes(ir) {
        graph.set_attr(name, text.to_owned());
    }
    set_workload(&mut graph.root, total);
    validate(&graph)?;
    Ok(graph)
}

/// What the module says that is for this project's own tools, such as how images become inputs: texts called `dpuc.…`. The side file of the
/// constants is not part of it.
fn own_attributes(ir: &Ir) -> impl Iterator<Item = (&str, &str)> {
    let attributes = ir.attributes(ir.root()).iter();
    let texts = attributes.filter_map(|(name, value)| Some((ir.text(*name), value.as_str()?)));
    texts.filter(|(name, _)| name.starts_with("dpuc.") && *name != "dpuc.weights")
}

fn set_workload(subgraph: &mut Subgraph, workload: Workload) {
    subgraph.set_attr("workload", workload.plain);
    subgraph.set_attr("workload_on_arch", workload.on_arch);
}

/// The name of a subgraph with these operators (`spec/xmodel.md` section 3.2).
fn subgraph_name<'n>(ops: impl IntoIterator<Item = &'n str>) -> String {
    format!("subgraph_{}", ops.into_iter().min().unwrap_or_default())
}

/// The graph under construction.
struct Exporter<'a> {
    ir: &'a Ir,
    target: &'a Target,
    ops: Vec<Op>,
    op_names: UniqueNames,
    tensor_names: UniqueNames,
    /// The operator in `ops` that gives each value of `@main`.
    producers: FxHashMap<ValueId, usize>,
    /// Number of uploads of each operator's tensor.
    uploads: FxHashMap<usize, usize>,
}

impl<'a> Exporter<'a> {
    fn new(ir: &'a Ir, target: &'a Target) -> Self {
        Self {
            ir,
            target,
            ops: Vec::new(),
            op_names: UniqueNames::default(),
            tensor_names: UniqueNames::default(),
            producers: FxHashMap::default(),
            uploads: FxHashMap::default(),
        }
    }

    /// Adds an operator, whose name and tensor name are wishes; returns its index.
    fn push(&mut self, mut op: Op, device: &str) -> usize {
        op.name = self.op_names.claim(&op.name);
        op.tensor.name = self.tensor_names.claim(&op.tensor.name);
        op.set_attr("device", device);
        self.ops.push(op);
        self.ops.len() - 1
    }

    fn name(&self, index: usize) -> String {
        self.ops[index].name.clone()
    }

    fn refuse(&self, op: OpId, reason: impl Into<String>) -> BackendError {
        BackendError::NotExportable { name: operation_name(self.ir, op).to_owned(), reason: reason.into() }
    }

    /// An operator made from a form, with the producers of its operands.
    fn operator(&self, name: String, form: fixed::Form, operands: &[usize], tensor: Tensor) -> Op {
        let mut op = Op::new(name, form.kind, tensor);
        op.attrs = form.attrs;
        for (argument, range) in form.args {
            let producers = operands.get(range).unwrap_or_default().iter().map(|&producer| self.name(producer));
            op = op.with_arg(argument, producers);
        }
        op
    }
}
