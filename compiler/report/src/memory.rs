//! What is where in DDR, and when.

use dpuc_xmodel::{DpuSubgraph, Op, RegisterRole};

use crate::attribution::memory_range;
use crate::model::{Region, Superlayer, Tensor};
use crate::network::{Members, Network};

/// The regions of a subgraph.
pub(crate) fn regions(subgraph: &DpuSubgraph<'_>) -> Vec<Region> {
    let role = |role: RegisterRole| match role {
        RegisterRole::Const => "constants",
        RegisterRole::Workspace => "workspace",
        RegisterRole::Interface => "interface",
        RegisterRole::Data => "data",
    };
    let registers = subgraph.registers.iter();
    registers
        .map(|register| Region { number: register.number, role: role(register.role), size: u64::from(register.size) })
        .collect()
}

/// The tensors a subgraph has in memory, with the time from the first superlayer that needs their place to the last.
///
/// Inputs are there from the start and outputs to the end. Constants are in memory all the time; theirs is the time in which they are read.
pub(crate) fn tensors(
    network: &Network<'_>,
    members: &Members<'_>,
    superlayers: &[Superlayer],
    cycles: u64,
) -> Vec<Tensor> {
    let mut tensors = Vec::new();
    for op in members.subgraph.all_ops().filter_map(|name| network.index.op(name)).filter(|op| op.kind != "download") {
        let Some((region, range)) = memory_range(op) else { continue };
        let producer = superlayer_of(network, op).and_then(|number| superlayers.get(number));
        let readers = || network.index.consumers(&op.name);
        let reading =
            || readers().filter_map(|reader| superlayer_of(network, reader)).filter_map(|at| superlayers.get(at));
        let leaves = readers().any(|reader| reader.kind == "download") || readers().next().is_none();
        let from = match op.kind.as_str() {
            "upload" => 0,
            "const-fix" => reading().map(|layer| layer.start).min().unwrap_or(0),
            _ => producer.map_or(0, |layer| layer.start),
        };
        let own_end = producer.map_or(0, |layer| layer.end);
        let until = if leaves { cycles } else { reading().map(|layer| layer.end).fold(own_end, u64::max) };
        let dense = op.tensor.num_bytes();
        tensors.push(Tensor {
            name: op.tensor.name.clone(),
            region,
            start: range.start,
            end: range.end,
            strided: dense.is_some_and(|dense| dense < range.end - range.start),
            from,
            until: until.max(from),
        });
    }
    tensors.sort_by_key(|tensor| (tensor.region, tensor.start, tensor.from));
    tensors
}

fn superlayer_of(network: &Network<'_>, op: &Op) -> Option<usize> {
    network.operations.get(network.position(&op.name)?)?.superlayer
}
