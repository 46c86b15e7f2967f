//! Networks as `.xmodel` graphs. [`export`] makes the compiled form, what AMD's runtime and this project's own need to run the network
//! (`spec/xmodel.md` sections 3 and 8); [`export_quantised`] makes the form a quantiser writes (section 2), of the same operators.
//!
//! In the compiled form
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
mod operators;
mod quantised;
mod subgraph;
mod workload;

use std::collections::BTreeMap;

use dpuc_dialects::{Ir, OpId};
use dpuc_isa::Target;
use dpuc_xmodel::{Attributed, Graph, Subgraph, validate};
use rustc_hash::FxHashMap;

use crate::compile::Options;
use crate::error::BackendError;
use crate::partition::{clusters, main_block, order};
pub use float::foreign_operators;
use operators::Operators;
pub use quantised::export_quantised;
use workload::Workload;

/// Makes the `.xmodel` graph of a module that [`emit`](crate::emit) has finished.
///
/// # Errors
/// A subgraph is not planned or has no program, or an operation of the host has no form in the format.
pub fn export(ir: &Ir, target: &Target, options: &Options) -> Result<Graph, BackendError> {
    let block = main_block(ir)?;
    let mut exporter = Exporter::new(ir, target);
    let mut children = exporter.arguments(block)?;
    let network = host::HostNetwork::new(ir, block, &exporter.operators.producers);
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
    let mut graph = Graph::partitioned(name, exporter.operators.ops, children)
        .with_attr("files_md5sum", options.files_md5sum.clone())
        .with_attr("libs_info", libraries)
        .with_attr("return_ops", outputs);
    set_own_attributes(ir, &mut graph);
    set_workload(&mut graph.root, total);
    validate(&graph)?;
    Ok(graph)
}

/// Keeps what the module says that is for this project's own tools, such as how images become inputs: texts called `dpuc.…`. The side file
/// of the constants is not part of it.
fn set_own_attributes(ir: &Ir, graph: &mut Graph) {
    let attributes = ir.attributes(ir.root()).iter();
    let texts = attributes.filter_map(|(name, value)| Some((ir.text(*name), value.as_str()?)));
    for (name, text) in texts.filter(|(name, _)| name.starts_with("dpuc.") && *name != "dpuc.weights") {
        graph.set_attr(name, text.to_owned());
    }
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
    operators: Operators<'a>,
    /// Number of uploads of each operator's tensor.
    uploads: FxHashMap<usize, usize>,
}

impl<'a> Exporter<'a> {
    fn new(ir: &'a Ir, target: &'a Target) -> Self {
        Self { ir, target, operators: Operators::new(ir), uploads: FxHashMap::default() }
    }
}
