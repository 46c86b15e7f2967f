//! Machine code: planned superlayers to instructions.

use std::ops::Range;

use dpuc_codegen::{Explanation, Program, Schedule, ScheduleError, Stream};
use dpuc_dialects::{Ir, Location, OpId, ValueId};
use dpuc_isa::Target;

use crate::error::BackendError;
use crate::names::operation_name;
use crate::network::{Work, network};
use crate::partition::single_block;
use crate::plan::subgraphs;
use crate::program::program_from_instructions;
use crate::superlayer::Flat;

/// The code of one subgraph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubgraphCode {
    /// The subgraph's symbol.
    pub name: String,
    /// Number of instructions.
    pub instructions: usize,
    /// Its superlayers that need instructions, in order.
    pub superlayers: Vec<SuperlayerCode>,
}

/// What was decided for a superlayer, in words. Cycles are the planner's estimates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuperlayerCode {
    /// Names of its operations.
    pub operations: Vec<String>,
    /// How it is cut, and which values keep lines of their own meanwhile.
    pub decisions: Vec<String>,
    /// Other ways to run it, cheapest first.
    pub alternatives: Vec<String>,
}

/// The code of all subgraphs, in module order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EmitReport {
    /// One entry for each subgraph.
    pub subgraphs: Vec<SubgraphCode>,
}

/// The symbol of the program that implements the subgraph `@subgraph`.
pub fn program_symbol(subgraph: &str) -> String {
    format!("{subgraph}_program")
}

/// Adds a `dpu.program` for every `dpu.subgraph` that [`plan`](crate::plan) has placed.
///
/// Each instruction has the location of the operation it computes.
///
/// # Errors
/// A subgraph is not planned, or a layer is beyond the accelerator's limits at its place.
pub fn emit(ir: &mut Ir, target: &Target) -> Result<EmitReport, BackendError> {
    let mut report = EmitReport::default();
    for subgraph in subgraphs(ir) {
        let name = ir.symbol_name(subgraph).unwrap_or_default().to_owned();
        let SubgraphProgram { program, locations, superlayers } = compile_subgraph(ir, subgraph, target, &name)?;
        let unknown = ir.unknown_location();
        let location_of = |index: usize| {
            let node = program.nodes.get(index).map_or(0, |&node| node as usize);
            locations.get(node).copied().unwrap_or(unknown)
        };
        let instructions = program.instructions.len();
        report.subgraphs.push(SubgraphCode { name: name.clone(), instructions, superlayers });
        program_from_instructions(ir, &program_symbol(&name), Some(&target.name), &program.instructions, location_of);
    }
    Ok(report)
}

/// The program of a subgraph, the location of each of its nodes, and how it came about.
struct SubgraphProgram {
    program: Program,
    locations: Vec<Location>,
    superlayers: Vec<SuperlayerCode>,
}

fn compile_subgraph(ir: &Ir, subgraph: OpId, target: &Target, name: &str) -> Result<SubgraphProgram, BackendError> {
    let (work, groups) = planned_network(ir, subgraph, target, name)?;
    let failed = |error: ScheduleError| BackendError::Emit {
        name: operation_name(ir, work.operations[error.node]).to_owned(),
        error: error.error,
    };
    let schedule = Schedule::new(&work.network, &groups, target).map_err(failed)?;
    let mut stream = Stream::new(target);
    schedule.emit(&work.network, &mut stream);
    let program = stream.finish().map_err(|error| BackendError::Illegal { subgraph: name.to_owned(), error })?;
    let superlayers = (0..groups.len()).map(|index| describe(ir, &work, &schedule, index, target)).collect();
    let locations = work.operations.iter().map(|&op| ir.op(op).location).collect();
    Ok(SubgraphProgram { program, locations, superlayers })
}

fn describe(ir: &Ir, work: &Work, schedule: &Schedule, index: usize, target: &Target) -> SuperlayerCode {
    let Explanation { chosen, alternatives, residents } = schedule.explain(&work.network, index, target);
    let mut decisions = chosen;
    let name = |value: usize| {
        let producer = work.network.nodes.iter().position(|node| node.output == value);
        producer.map(|node| operation_name(ir, work.operations[node]).to_owned())
    };
    for (value, place) in residents {
        let what = name(value).map_or("a concatenation".to_owned(), |name| format!("the result of `{name}`"));
        decisions.push(format!("{what} stays on chip: {place}"));
    }
    let operations = work.operations[schedule.groups()[index].clone()].iter();
    let operations = operations.map(|&op| operation_name(ir, op).to_owned()).collect();
    SuperlayerCode { operations, decisions, alternatives }
}

/// The network of a planned subgraph with final addresses, and the nodes of its superlayers.
fn planned_network(
    ir: &Ir,
    subgraph: OpId,
    target: &Target,
    name: &str,
) -> Result<(Work, Vec<Range<usize>>), BackendError> {
    let flat = Flat::of(ir, ir.ops(single_block(ir, subgraph)?), name, |op| unplaced(ir, op, name))?;
    let ops: Vec<OpId> = flat.superlayers.iter().flat_map(|(_, superlayer)| &superlayer.operations).copied().collect();
    let resolve = |value: ValueId| flat.resolve(value);
    let work = network(ir, &ops, &resolve, &|value| flat.place(value), &flat.outputs, target)
        .map_err(|(op, reason)| BackendError::not_for_dpu(ir, op, name, reason))?;
    let mut groups = Vec::new();
    let mut first = 0;
    for (_, superlayer) in &flat.superlayers {
        let count = superlayer.operations.iter().filter(|op| work.nodes.contains_key(op)).count();
        if count > 0 {
            groups.push(first..first + count);
            first += count;
        }
    }
    Ok((work, groups))
}

/// Complains about operations that only a subgraph without memory plan has.
fn unplaced(ir: &Ir, op: OpId, subgraph: &str) -> BackendError {
    let problem = format!("`{}` is in no superlayer; run `plan` first", operation_name(ir, op));
    BackendError::Unplanned { subgraph: subgraph.to_owned(), problem }
}
