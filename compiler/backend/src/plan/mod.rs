//! The memory plan: where every tensor of a DPU subgraph is in DDR.
//!
//! * `REG_0`: constants. `REG_2`: inputs, packed, with the bytes channel augmentation reads around them. `REG_3`: outputs, packed; one that is
//!   also used inside stays there. `REG_1`: all other values, first fit by lifetime.
//! * A reshape shares the bytes of its input; inputs of a concatenation are written straight into it where that is exact.
//!
//! The body of each `dpu.subgraph` becomes `dpu.upload`s, `dpu.parameter`s, one `dpu.superlayer` per operation, and `dpu.download`s.

mod allocate;
mod layout;
mod legalise;
mod rewrite;
mod views;

use dpuc_dialects::dialects::dpu;
use dpuc_dialects::{Attribute, Ir, OpId};
use dpuc_isa::Target;

use crate::error::BackendError;
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
    legalise::legalise(ir, block, &name)?;
    let layout = layout::layout(ir, block, target, &name)?;
    let counts = rewrite::rewrite(ir, block, &layout, &name)?;
    let sizes = layout.sizes.map(|size| size as i64);
    ir.set_attribute(subgraph, "region_sizes", Attribute::ints(sizes));
    Ok(SubgraphPlan { name, region_sizes: layout.sizes, superlayers: counts.emitting, in_place: counts.in_place })
}
