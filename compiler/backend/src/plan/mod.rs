//! The memory plan: where every tensor of a DPU subgraph is in DDR.
//!
//! * `REG_0`: constants. `REG_2`: inputs, packed, with the bytes channel augmentation reads around them. `REG_3`: outputs, packed; one that is
//!   also used inside stays there. `REG_1`: all other values, first fit by lifetime.
//! * A reshape shares the bytes of its input; inputs of a concatenation are written straight into it where that is exact.
//!
//! * Values that only operations of one superlayer use, or that stay on chip between superlayers, have no place in DDR: which ones those
//!   are is what the code generator's [`Schedule`] says.
//!
//! The body of each `dpu.subgraph` becomes `dpu.upload`s, `dpu.parameter`s, `dpu.superlayer`s, and `dpu.download`s.

mod allocate;
mod expand;
mod layout;
mod legalise;
mod rewrite;
mod views;

use dpuc_codegen::{Schedule, ScheduleError, group};
use dpuc_dialects::dialects::{dpu, int8};
use dpuc_dialects::{Attribute, BlockId, Ir, OpId, ValueId};
use dpuc_isa::Target;

use views::Views;

use crate::error::BackendError;
use crate::names::operation_name;
use crate::network::network;
use crate::partition::single_block;
use crate::placement::region;

/// The memory of one subgraph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubgraphPlan {
    /// The subgraph's symbol.
    pub name: String,
    /// Bytes of `REG_0` to `REG_3`.
    pub region_sizes: [u64; region::COUNT],
    /// Number of superlayers that need instructions.
    pub superlayers: usize,
    /// Number of superlayers whose results are in place already: reshapes and concatenations written by their producers.
    pub in_place: usize,
}

/// The memory of all subgraphs, in module order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanReport {
    /// One entry for each subgraph.
    pub subgraphs: Vec<SubgraphPlan>,
}

/// Places every tensor of every `dpu.subgraph` that [`partition`](crate::partition) made.
///
/// # Errors
/// An operation in a subgraph is none the DPU runs, a constant cannot be read, or a region would exceed what the DPU addresses.
pub fn plan(ir: &mut Ir, target: &Target) -> Result<PlanReport, BackendError> {
    let subgraphs = subgraphs(ir).into_iter().map(|subgraph| plan_subgraph(ir, subgraph, target));
    Ok(PlanReport { subgraphs: subgraphs.collect::<Result<_, _>>()? })
}

/// The subgraphs of the module, in order.
pub(crate) fn subgraphs(ir: &Ir) -> Vec<OpId> {
    ir.ops(ir.body()).filter(|&op| ir.is(op, &dpu::SUBGRAPH)).collect()
}

fn plan_subgraph(ir: &mut Ir, subgraph: OpId, target: &Target) -> Result<SubgraphPlan, BackendError> {
    let name = ir.symbol_name(subgraph).unwrap_or_default().to_owned();
    let block = single_block(ir, subgraph)?;
    expand::expand(ir, block, &name)?;
    legalise::legalise(ir, block, &name)?;
    let mut views = Views::new(ir, block);
    let superlayers = superlayers(ir, block, &mut views, target, &name)?;
    let layout = layout::layout(ir, block, &views, target, &name)?;
    let counts = rewrite::rewrite(ir, block, &superlayers, &layout, &name)?;
    let sizes = layout.sizes.map(|size| size as i64);
    ir.set_attribute(subgraph, "region_sizes", Attribute::ints(sizes));
    Ok(SubgraphPlan { name, region_sizes: layout.sizes, superlayers: counts.emitting, in_place: counts.in_place })
}

/// The superlayers of a block: for each, the operations that need instructions. Notes in `views` which buffers need a place in DDR,
/// and which superlayers use them.
fn superlayers(
    ir: &Ir,
    block: BlockId,
    views: &mut Views,
    target: &Target,
    subgraph: &str,
) -> Result<Vec<Vec<OpId>>, BackendError> {
    let skipped = |op: OpId| ir.is(op, &int8::CONSTANT) || ir.is(op, &dpu::RETURN);
    let ops: Vec<OpId> = ir.ops(block).filter(|&op| !skipped(op)).collect();
    let outputs: Vec<ValueId> =
        ir.last_op(block).filter(|&end| ir.is(end, &dpu::RETURN)).map_or(&[][..], |end| ir.operands(end)).to_vec();
    // Planning needs to know which values share bytes. The addresses themselves do not matter, so those of operations that run one
    // after another will do.
    views.use_at(ir, ops.iter().map(std::slice::from_ref));
    let layout = layout::layout(ir, block, views, target, subgraph)?;
    let place = |value: ValueId| layout.places.get(&value).cloned();
    let work = network(ir, &ops, &|value| value, &place, &outputs, target)
        .map_err(|(op, reason)| BackendError::not_for_dpu(ir, op, subgraph, reason))?;
    let failed = |error: ScheduleError| BackendError::Emit {
        name: operation_name(ir, work.operations[error.node]).to_owned(),
        error: error.error,
    };
    let groups = group(&work.network, target).map_err(failed)?;
    let schedule = Schedule::new(&work.network, &groups, target).map_err(failed)?;
    let stored = |value: ValueId| work.values.get(&value).is_none_or(|&value| schedule.is_stored(value));
    views.keep_in_ddr(stored);
    views.use_at(ir, groups.iter().map(|nodes| &work.operations[nodes.clone()]));
    Ok(groups.into_iter().map(|nodes| work.operations[nodes].to_vec()).collect())
}
