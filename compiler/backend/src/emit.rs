//! Machine code: planned superlayers to instructions.

use dpuc_codegen::{Program, Stream, emit as emit_layer};
use dpuc_dialects::dialects::dpu;
use dpuc_dialects::{Ir, Location, OpId};
use dpuc_isa::Target;

use crate::error::BackendError;
use crate::names::operation_name;
use crate::operator::planned_layers;
use crate::partition::single_block;
use crate::plan::subgraphs;
use crate::program::program_from_instructions;
use crate::superlayer::Superlayer;

/// The code of one subgraph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubgraphCode {
    /// The subgraph's symbol.
    pub name: String,
    /// Number of instructions.
    pub instructions: usize,
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
        let (program, locations) = compile_subgraph(ir, subgraph, target, &name)?;
        let unknown = ir.unknown_location();
        let location_of = |index: usize| {
            let layer = program.layers.get(index).map_or(0, |&layer| layer as usize);
            locations.get(layer).copied().unwrap_or(unknown)
        };
        report.subgraphs.push(SubgraphCode { name: name.clone(), instructions: program.instructions.len() });
        program_from_instructions(ir, &program_symbol(&name), Some(&target.name), &program.instructions, location_of);
    }
    Ok(report)
}

/// The program of a subgraph, and the location of each of its layers.
fn compile_subgraph(
    ir: &Ir,
    subgraph: OpId,
    target: &Target,
    name: &str,
) -> Result<(Program, Vec<Location>), BackendError> {
    let mut stream = Stream::new(target);
    let mut locations = Vec::new();
    for op in ir.ops(single_block(ir, subgraph)?) {
        if !ir.is(op, &dpu::SUPERLAYER) {
            require_placed(ir, op, name)?;
            continue;
        }
        let superlayer = Superlayer::of(ir, op, name)?;
        let named = || operation_name(ir, superlayer.operation).to_owned();
        let layers = planned_layers(ir, &superlayer, target)
            .map_err(|reason| BackendError::not_for_dpu(ir, superlayer.operation, name, reason))?;
        for layer in layers {
            emit_layer(&layer, &mut stream).map_err(|error| BackendError::Emit { name: named(), error })?;
            locations.push(ir.op(superlayer.operation).location);
        }
    }
    let program = stream.finish().map_err(|error| BackendError::Illegal { subgraph: name.to_owned(), error })?;
    Ok((program, locations))
}

/// Refuses operations that only a subgraph without memory plan has.
fn require_placed(ir: &Ir, op: OpId, subgraph: &str) -> Result<(), BackendError> {
    if [&dpu::UPLOAD, &dpu::PARAMETER, &dpu::DOWNLOAD, &dpu::RETURN].into_iter().any(|kind| ir.is(op, kind)) {
        return Ok(());
    }
    let problem = format!("`{}` is in no superlayer; run `plan` first", operation_name(ir, op));
    Err(BackendError::Unplanned { subgraph: subgraph.to_owned(), problem })
}
