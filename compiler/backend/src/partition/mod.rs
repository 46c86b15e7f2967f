//! Which operations run on the DPU, and in which subgraphs.
//!
//! Every operation of `@main` is judged by itself (see [`Reason`](crate::Reason)); concatenations and reshapes follow their inputs.
//! The operations the DPU takes are grouped into maximal convex groups, and each group is moved to a `dpu.subgraph` that
//! `@main` calls. What stays in `@main` runs on the host.

mod clusters;
mod outline;
mod report;
mod support;

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::{func, int8};
use dpuc_dialects::{BlockId, Ir, OpId, ValueId};
use dpuc_isa::Target;
use rustc_hash::FxHashMap;

pub use report::{Device, OperationReport, PartitionReport, SubgraphReport};

pub(crate) use clusters::{Dag, clusters, order};
pub(crate) use support::is_convolution;

use crate::error::BackendError;
use crate::names::{name_operations, operation_name};
use crate::operator::Reason;

/// How many subgraphs a network becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subgraphs {
    /// As many as it takes to run all the DPU can run.
    #[default]
    All,
    /// One, that with the most operations, the first of equals: what "TVM with Vitis AI" does (`spec/tvm-flow.md` section 7).
    Largest,
}

impl std::str::FromStr for Subgraphs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(Self::All),
            "largest" => Ok(Self::Largest),
            _ => Err(format!("`{text}` is no choice of subgraphs; `all` and `largest` are")),
        }
    }
}

/// Moves what the DPU can run from `@main` to `dpu.subgraph`s, and reports the reasons for the rest.
///
/// Operations without a node name get one, unused ones are removed, and constants of the DPU move to their subgraphs.
///
/// # Errors
/// There is no `@main` with one block, or a shape in it is unknown.
pub fn partition(ir: &mut Ir, target: &Target, subgraphs: Subgraphs) -> Result<PartitionReport, BackendError> {
    let block = main_block(ir)?;
    require_shapes(ir, block)?;
    name_operations(ir, block);
    remove_unused(ir, block);

    let network = Network::new(ir, block);
    let mut reasons: Vec<Vec<Reason>> = network.ops.iter().map(|&op| own_reasons(ir, op, target)).collect();
    let group_of = loop {
        network.follow_inputs(ir, &mut reasons);
        let joinable: Vec<bool> = network.ops.iter().zip(&reasons).map(|(&op, own)| on_dpu(ir, op, own)).collect();
        let groups = clusters(&network.dag, &joinable, &network.siblings);
        let idle = idle_members(ir, &network.ops, &joinable, &groups);
        for &member in &idle {
            reasons[member].push(Reason::NothingToCompute);
        }
        if !idle.is_empty() {
            continue;
        }
        let smaller = if subgraphs == Subgraphs::Largest { smaller_groups(&joinable, &groups) } else { Vec::new() };
        if smaller.is_empty() {
            break groups.into_iter().zip(joinable).collect::<Vec<_>>();
        }
        for member in smaller {
            reasons[member].push(Reason::SmallerSubgraph);
        }
    };

    let mut operations = Vec::new();
    let mut row_of = FxHashMap::default();
    for (&op, reasons) in network.ops.iter().zip(reasons).filter(|&(&op, _)| !is_constant(ir, op)) {
        let device = if reasons.is_empty() { Device::Dpu } else { Device::Cpu };
        let (name, kind) = (operation_name(ir, op).to_owned(), ir.op_name(op).to_owned());
        row_of.insert(op, operations.len());
        operations.push(OperationReport { name, kind, device, reasons, subgraph: None });
    }
    let outlined = outline::outline(ir, block, &network, &group_of, target);
    let mut reports = Vec::new();
    for (report, members) in outlined {
        for row in members.iter().filter_map(|member| row_of.get(member)) {
            operations[*row].subgraph = Some(report.name.clone());
        }
        reports.push(report);
    }
    Ok(PartitionReport { operations, subgraphs: reports })
}

/// The operations of `@main` before its terminator, as a graph.
struct Network {
    ops: Vec<OpId>,
    dag: Dag,
    /// For each value that several operations read: its readers.
    siblings: Vec<Vec<usize>>,
}

impl Network {
    fn new(ir: &Ir, block: BlockId) -> Self {
        let terminator = ir.last_op(block);
        let ops: Vec<OpId> = ir.ops(block).filter(|&op| Some(op) != terminator).collect();
        let index_of: FxHashMap<OpId, usize> = ops.iter().enumerate().map(|(index, &op)| (op, index)).collect();
        let producer = |value: ValueId| ir.defining_op(value).and_then(|owner| index_of.get(&owner).copied());
        let predecessors =
            ops.iter().map(|&op| ir.operands(op).iter().filter_map(|&value| producer(value)).collect()).collect();
        let readers = |value: ValueId| ir.users(value).iter().filter_map(|user| index_of.get(user).copied()).collect();
        let computed = ops.iter().filter(|&&op| !is_constant(ir, op)).flat_map(|&op| ir.results(op));
        let mut siblings: Vec<Vec<usize>> =
            ir.arguments(block).iter().chain(computed).map(|&value| readers(value)).collect();
        for readers in &mut siblings {
            readers.sort_unstable();
        }
        siblings.retain(|readers| readers.len() > 1);
        Self { ops, dag: Dag { predecessors }, siblings }
    }

    /// Keeps concatenations, reshapes, slices and transpositions on the host whose inputs are there (`spec/xmodel.md` section 6.1).
    fn follow_inputs(&self, ir: &Ir, reasons: &mut [Vec<Reason>]) {
        for (index, &op) in self.ops.iter().enumerate() {
            if !reasons[index].is_empty() {
                continue;
            }
            let producers = &self.dag.predecessors[index];
            let dpu = |&producer: &usize| on_dpu(ir, self.ops[producer], &reasons[producer]);
            let from_dpu = producers.iter().filter(|producer| dpu(producer)).count();
            // A constant is wherever it is needed.
            let constants = producers.iter().filter(|&&producer| is_constant(ir, self.ops[producer])).count();
            let from_host = ir.operands(op).len() - from_dpu - constants;
            if follows_input(ir, op) && from_dpu == 0 {
                reasons[index].push(Reason::InputNotOnDpu);
            } else if ir.is(op, &int8::CONCAT) {
                reasons[index].extend(concat_reason(ir, op, from_dpu, from_host));
            }
        }
    }
}

fn concat_reason(ir: &Ir, op: OpId, from_dpu: usize, from_host: usize) -> Option<Reason> {
    if from_dpu == 0 {
        return Some(Reason::NoInputOnDpu);
    }
    let axis = ir.int(op, "axis").unwrap_or_default();
    let joins_channels = axis == 3 && ir.shape_of(ir.result(op)).is_some_and(|shape| shape.len() == 4);
    (from_host > 0 && !joins_channels).then_some(Reason::MixedConcat { axis })
}

fn own_reasons(ir: &Ir, op: OpId, target: &Target) -> Vec<Reason> {
    if is_constant(ir, op) { Vec::new() } else { support::obstacles(ir, op, target) }
}

fn on_dpu(ir: &Ir, op: OpId, reasons: &[Reason]) -> bool {
    reasons.is_empty() && !is_constant(ir, op)
}

/// Whether an operation only holds elements.
pub(crate) fn is_constant(ir: &Ir, op: OpId) -> bool {
    matches!(ir.op_name(op), "int8.constant" | "nn.constant")
}

/// Operations that compute nothing.
const MOVEMENTS: [&OpDefinition; 7] = [
    &int8::RESHAPE,
    &int8::CONCAT,
    &int8::STRIDED_SLICE,
    &int8::TRANSPOSE,
    &int8::PAD,
    &int8::SPACE_TO_DEPTH,
    &int8::DEPTH_TO_SPACE,
];

/// Whether an operation computes nothing.
pub(crate) fn moves_only(ir: &Ir, op: OpId) -> bool {
    MOVEMENTS.into_iter().any(|movement| ir.is(op, movement))
}

/// Whether an operation belongs where its input is, because there it costs nothing.
fn follows_input(ir: &Ir, op: OpId) -> bool {
    [&int8::RESHAPE, &int8::STRIDED_SLICE, &int8::TRANSPOSE].into_iter().any(|kind| ir.is(op, kind))
}

/// Members of groups that compute nothing.
fn idle_members(ir: &Ir, ops: &[OpId], joinable: &[bool], group_of: &[usize]) -> Vec<usize> {
    let mut computes = vec![false; ops.len()];
    for (index, &group) in group_of.iter().enumerate() {
        computes[group] |= joinable[index] && !moves_only(ir, ops[index]);
    }
    (0..ops.len()).filter(|&index| joinable[index] && !computes[group_of[index]]).collect()
}

/// Members of all groups but the largest.
fn smaller_groups(joinable: &[bool], group_of: &[usize]) -> Vec<usize> {
    let members = || (0..group_of.len()).filter(|&index| joinable[index]);
    let mut sizes = vec![0usize; group_of.len()];
    members().for_each(|index| sizes[group_of[index]] += 1);
    let largest = (0..sizes.len()).max_by_key(|&group| (sizes[group], std::cmp::Reverse(group)));
    members().filter(|&index| Some(group_of[index]) != largest).collect()
}

/// The block of `@main`.
pub(crate) fn main_block(ir: &Ir) -> Result<BlockId, BackendError> {
    let main = ir.find_symbol("main").filter(|&op| ir.is(op, &func::FUNC)).ok_or(BackendError::NoMain)?;
    single_block(ir, main)
}

/// The only block of a function-like operation.
pub(crate) fn single_block(ir: &Ir, function: OpId) -> Result<BlockId, BackendError> {
    let blocks = ir.op_regions(function).first().map_or(&[][..], |&region| ir.region_blocks(region));
    match blocks {
        &[block] if ir.last_op(block).is_some() => Ok(block),
        _ => {
            let function = ir.symbol_name(function).unwrap_or_default().to_owned();
            Err(BackendError::Blocks { function, blocks: blocks.len() })
        }
    }
}

fn require_shapes(ir: &Ir, block: BlockId) -> Result<(), BackendError> {
    let unknown = |name: &str, value: ValueId| match ir.shape_of(value) {
        Some(_) => Ok(()),
        None => {
            let ty = ir.show_type(ir.value_type(value));
            Err(BackendError::UnknownShape { name: name.to_owned(), ty })
        }
    };
    for &argument in ir.arguments(block) {
        unknown(ir.value_name(argument).unwrap_or("an argument"), argument)?;
    }
    for op in ir.ops(block) {
        for &result in ir.results(op) {
            unknown(operation_name(ir, op), result)?;
        }
    }
    Ok(())
}

/// Removes operations whose results nobody uses; the DPU runtime would take them for outputs.
fn remove_unused(ir: &mut Ir, block: BlockId) {
    let ops: Vec<OpId> = ir.ops(block).collect();
    for op in ops.into_iter().rev() {
        let used = ir.results(op).iter().any(|&result| ir.use_count(result) > 0);
        if !used && ir.has_traits(op, dpuc_dialects::define::Traits::PURE) {
            ir.erase(op);
        }
    }
}
