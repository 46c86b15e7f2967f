//! What is where in DDR, and when.

use std::ops::Range;

use dpuc_xmodel::{DpuSubgraph, Op, RegisterRole};

use crate::attribution::{emits_code, memory_range};
use crate::model::{Region, Tensor};
use crate::network::{Members, Network};
use crate::transfers::Transfers;

/// How many operators without code, such as reshapes, may follow each other between one that writes a tensor and one that reads it.
const VIEWS_MAX: usize = 8;

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

/// The tensors of a subgraph that have a place in memory, with the time from the first transfer to the last.
///
/// Inputs are there from the start and outputs to the end. Constants are in memory all the time; theirs is the time in which they are read.
pub(crate) fn tensors(network: &Network<'_>, members: &Members<'_>, transfers: &Transfers, cycles: u64) -> Vec<Tensor> {
    let uses = Uses { network, members, transfers };
    let mut tensors = Vec::new();
    for op in members.subgraph.all_ops().filter_map(|name| network.index.op(name)).filter(|op| op.kind != "download") {
        let Some((region, range)) = memory_range(op) else { continue };
        let place = (region, range.clone());
        let saved = uses.saved(op, &place, VIEWS_MAX);
        let loaded = uses.loaded(op, &place, VIEWS_MAX);
        let mut readers = network.index.consumers(&op.name).peekable();
        let leaves = readers.peek().is_none() || readers.any(|reader| reader.kind == "download");
        let given = matches!(op.kind.as_str(), "upload" | "const-fix");
        let first = if op.kind == "upload" { Some(0) } else { saved.or(loaded).map(|(from, _)| from) };
        let last = loaded.or(saved).map(|(_, until)| until).max(saved.map(|(_, until)| until));
        let from = first.unwrap_or(0);
        let dense = op.tensor.num_bytes();
        tensors.push(Tensor {
            name: op.tensor.name.clone(),
            region,
            start: range.start,
            end: range.end,
            strided: dense.is_some_and(|dense| dense < range.end - range.start),
            on_chip: !given && saved.is_none(),
            from,
            until: if leaves && !given { cycles } else { last.unwrap_or(from).max(from) },
        });
    }
    tensors.sort_by_key(|tensor| (tensor.region, tensor.start, tensor.from));
    tensors
}

/// Looks up who moves the bytes of a tensor.
struct Uses<'a> {
    network: &'a Network<'a>,
    members: &'a Members<'a>,
    transfers: &'a Transfers,
}

impl Uses<'_> {
    /// When a tensor is written: by its own superlayer, or, if that has no code, by those of its inputs.
    fn saved(&self, op: &Op, place: &(u8, Range<u64>), views: usize) -> Option<(u64, u64)> {
        let superlayer = self.superlayer(op)?;
        if emits_code(&self.members.superlayers[superlayer]) || views == 0 {
            return self.transfers.saved(superlayer, place.0, &place.1);
        }
        both(op.producers().filter_map(|name| self.saved(self.network.index.op(name)?, place, views - 1)))
    }

    /// When a tensor is read: by the superlayers of its readers, or, if they have no code, by those of the readers of their results.
    fn loaded(&self, op: &Op, place: &(u8, Range<u64>), views: usize) -> Option<(u64, u64)> {
        both(self.network.index.consumers(&op.name).filter_map(|reader| {
            let superlayer = self.superlayer(reader)?;
            if emits_code(&self.members.superlayers[superlayer]) || views == 0 {
                return self.transfers.loaded(superlayer, place.0, &place.1);
            }
            self.loaded(reader, place, views - 1)
        }))
    }

    /// The superlayer of an operator of this subgraph.
    fn superlayer(&self, op: &Op) -> Option<usize> {
        let number = self.network.operations.get(self.network.position(&op.name)?)?.superlayer?;
        self.members.superlayers.get(number).map(|_| number)
    }
}

fn both(times: impl Iterator<Item = (u64, u64)>) -> Option<(u64, u64)> {
    times.reduce(|(from, until), own| (from.min(own.0), until.max(own.1)))
}
