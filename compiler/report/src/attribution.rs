//! Which operation an instruction belongs to, and through it which superlayer.
//!
//! A program compiled here says it: every instruction has the location of the operation it computes. For any other file it follows from
//! what the instruction touches. Constants and saved tensors have known places in memory, so Loads of parameters and Saves tell their
//! operation; an instruction that reads parameters belongs to the operation that has them, and everything else to the one that first reads
//! what it wrote.

use std::ops::Range;

use dpuc_backend::program_symbol;
use dpuc_dialects::dialects::dpu;
use dpuc_dialects::{Ir, OpId};
use dpuc_isa::{Engine, Instruction, Load, Save};
use dpuc_xmodel::{Attributed, Op, Placement};
use rustc_hash::FxHashSet;

use crate::flow::{Flow, NONE};
use crate::model::Attribution;
use crate::network::{Layer, Members, Network};

/// The operation of each instruction of a program, and how it was found.
pub(crate) fn attribute(
    network: &Network<'_>,
    members: &Members<'_>,
    ir: Option<&Ir>,
    program: &[Instruction],
    flow: &Flow,
) -> (Vec<usize>, Attribution) {
    if let Some(owners) = ir.and_then(|ir| by_location(network, members, ir, program.len())) {
        return (owners, Attribution::Compiler);
    }
    let owners = by_address(&Places::of(network, members), program, flow);
    let first = members.superlayers.iter().flat_map(|layer| &layer.operations).next().copied().unwrap_or(0);
    (fill(&owners, program, first), Attribution::Addresses)
}

/// The operation that each instruction's location names.
fn by_location(network: &Network<'_>, members: &Members<'_>, ir: &Ir, count: usize) -> Option<Vec<usize>> {
    let program = ir.find_symbol(&program_symbol(&members.subgraph.name)).filter(|&op| ir.is(op, &dpu::PROGRAM))?;
    let inside: FxHashSet<usize> = members.superlayers.iter().flat_map(|layer| &layer.operations).copied().collect();
    let operation_of = |op: OpId| {
        let names = ir.location_names(ir.op(op).location);
        names.into_iter().filter_map(|name| network.position(name)).find(|operation| inside.contains(operation))
    };
    let blocks = ir.op_regions(program).iter().flat_map(|&region| ir.region_blocks(region));
    let mut owners: Vec<usize> = Vec::with_capacity(count);
    for op in blocks.flat_map(|&block| ir.ops(block)) {
        // The end of the program has no operation of its own.
        let last = owners.last().copied();
        let own = if ir.is(op, &dpu::END) { operation_of(op).or(last) } else { operation_of(op) };
        owners.push(own?);
    }
    (owners.len() == count).then_some(owners)
}

/// What the operations have in memory.
struct Places {
    constants: Vec<(u32, Range<u64>, usize)>,
    results: Vec<ResultPlace>,
}

/// The place of a tensor that an operation saves.
struct ResultPlace {
    region: u32,
    range: Range<u64>,
    /// Bytes of a pixel and between pixels; tensors concatenated in place differ in nothing else.
    channels: u64,
    pixel_stride: u64,
    operation: usize,
    superlayer: usize,
}

impl Places {
    fn of(network: &Network<'_>, members: &Members<'_>) -> Self {
        let mut places = Self { constants: Vec::new(), results: Vec::new() };
        for (superlayer, layer) in members.superlayers.iter().enumerate() {
            for op in layer.node.all_ops().filter_map(|name| network.index.op(name)) {
                let Some((region, range)) = memory_range(op) else { continue };
                let region = u32::from(region);
                if op.kind == "const-fix" {
                    let mut readers = network.index.consumers(&op.name).filter_map(|op| network.position(&op.name));
                    places.constants.extend(readers.next().map(|reader| (region, range, reader)));
                } else if let Some(operation) = network.position(&op.name).filter(|_| emits_code(layer)) {
                    let (channels, pixel_stride) = pixel(op);
                    places.results.push(ResultPlace { region, range, channels, pixel_stride, operation, superlayer });
                }
            }
        }
        places.constants.sort_by_key(|(region, range, _)| (*region, range.start));
        places
    }

    /// The operation that has a constant where a Load reads.
    fn constant(&self, load: &Load) -> Option<usize> {
        let address = u64::from(load.ddr_addr);
        let behind =
            self.constants.partition_point(|(region, range, _)| (*region, range.start) <= (load.reg_id, address));
        let (region, range, operation) = self.constants.get(behind.checked_sub(1)?)?;
        (*region == load.reg_id && range.contains(&address)).then_some(*operation)
    }

    /// The place where a Save writes. Memory is used again, so the next superlayer from `current` on counts; of the operations of one, the
    /// last.
    fn result(&self, save: &Save, current: usize) -> Option<&ResultPlace> {
        let address = u64::from(save.ddr_addr);
        let here = |place: &&ResultPlace| {
            place.region == save.reg_id
                && place.range.contains(&address)
                && (address - place.range.start) % place.pixel_stride < place.channels
        };
        let candidates = || self.results.iter().filter(here);
        let next = candidates().find(|place| place.superlayer >= current).or_else(|| candidates().next_back())?;
        candidates().rfind(|place| place.superlayer == next.superlayer)
    }
}

/// Whether a superlayer has instructions at all.
pub(crate) fn emits_code(layer: &Layer<'_>) -> bool {
    !matches!(layer.node.attr_opt::<bool>("skip_code_gen"), Ok(Some(true)))
}

/// Region and bytes of an operator's result in memory.
pub(crate) fn memory_range(op: &Op) -> Option<(u8, Range<u64>)> {
    let Ok(Placement::Memory { register, address, strides }) = Placement::of(&op.tensor) else { return None };
    let bytes = match strides {
        Some(strides) if strides.len() == op.tensor.dims.len() => {
            let extents = op.tensor.dims.iter().zip(strides);
            extents.fold(1u64, |bytes, (&dim, &stride)| {
                bytes.saturating_add((dim.max(1) as u64 - 1).saturating_mul(stride.max(0) as u64))
            })
        }
        _ => op.tensor.num_bytes()?,
    };
    let start = u64::from(address);
    (bytes > 0).then(|| (register, start..start.saturating_add(bytes)))
}

/// Channels and bytes between pixels.
fn pixel(op: &Op) -> (u64, u64) {
    let channels = op.tensor.dims.last().map_or(1, |&dim| dim.max(1) as u64);
    let stride = match Placement::of(&op.tensor) {
        Ok(Placement::Memory { strides: Some(&[.., stride, _]), .. }) => stride.max(1) as u64,
        _ => channels,
    };
    (channels, stride.max(channels))
}

/// Comparisons of Saves with results before the search is given up; real programs stay far below.
const SEARCH_MAX: u64 = 1 << 32;

fn by_address(places: &Places, program: &[Instruction], flow: &Flow) -> Vec<Option<usize>> {
    let mut owners: Vec<Option<usize>> = vec![None; program.len()];
    let saves = program.iter().filter(|instruction| matches!(instruction, Instruction::Save(_))).count();
    let searchable = (saves as u64).saturating_mul(places.results.len() as u64) <= SEARCH_MAX;
    let mut current = 0;
    for (index, instruction) in program.iter().enumerate() {
        owners[index] = match instruction {
            Instruction::Load(load) if !load.is_constant() => places.constant(load),
            Instruction::Save(save) if searchable => {
                let own = places.result(save, current);
                current = own.map_or(current, |own| own.superlayer);
                own.map(|own| own.operation)
            }
            _ => owners.get(flow.parameters[index] as usize).copied().flatten(),
        };
    }
    // What an instruction writes is read by later ones, so one pass from the end settles all.
    for index in (0..program.len()).rev() {
        let reader = flow.first_reader[index];
        if owners[index].is_none() && reader != NONE {
            owners[index] = owners[reader as usize];
        }
    }
    owners
}

/// Gives those without owner that of their neighbours: an Init that of the next instruction of its engine, others that of the one before.
fn fill(owners: &[Option<usize>], program: &[Instruction], first: usize) -> Vec<usize> {
    let mut filled = owners.to_vec();
    let mut next: [Option<usize>; Engine::ALL.len()] = [None; Engine::ALL.len()];
    for (own, instruction) in filled.iter_mut().zip(program).rev() {
        let next = &mut next[instruction.engine().index()];
        *own = own.or(*next);
        *next = *own;
    }
    let mut before = filled.iter().flatten().next().copied().unwrap_or(first);
    let filled = filled.into_iter().map(|own| {
        before = own.unwrap_or(before);
        before
    });
    filled.collect()
}
