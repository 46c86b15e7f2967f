//! Single layers: from DDR to DDR, one after another.

use dpuc_isa::Target;
use thiserror::Error;

use crate::check::check_quantities;
use crate::cut::{Plan, choose};
use crate::draft::Draft;
use crate::kernel::Taps;
use crate::layer::Layer;
use crate::limits::{self, Findings, Violation};
use crate::rows::Rows;
use crate::space::{Slot, Space};
use crate::stage::{InputPlace, Stage, compute};
use crate::stream::Stream;

/// Feature-map bank groups that generated code uses.
const FEATURE_GROUPS: usize = 2;

/// A layer that the target cannot run.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the accelerator cannot run the layer: {}", .violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct EmitError {
    /// Every reason found.
    pub violations: Vec<Violation>,
}

/// Whether [`emit`] accepts a layer. Addresses count; shapes decide the rest.
///
/// # Errors
/// Every reason found why not.
pub fn check(layer: &Layer, target: &Target) -> Result<(), Vec<Violation>> {
    plan(layer, 0, &vec![0; target.feature_groups], &[], target).map(drop)
}

/// Appends the instructions of a layer to a stream.
///
/// # Errors
/// [`check`] refuses the layer; the stream is then unchanged.
pub fn emit(layer: &Layer, stream: &mut Stream) -> Result<(), EmitError> {
    let target = stream.target().clone();
    let heads = stream.heads().clone();
    let work = plan(layer, 0, &heads, &[], &target).map_err(|violations| EmitError { violations })?;
    let node = stream.next_emission();
    emit_planned(layer, work, node, stream);
    Ok(())
}

/// Emits the sub-problems of a layer as instructions of `node`.
pub(crate) fn emit_planned(layer: &Layer, work: Vec<Work>, node: u32, stream: &mut Stream) {
    let taps: Vec<Taps> = work.iter().flat_map(|work| &work.draft.stages[0].phases).map(|phase| phase.taps).collect();
    stream.enter(node);
    let Some(first) = work.first() else { return };
    let mut compute = compute(layer, first.draft.stages[0].engine.is_some(), taps, stream);
    let mut phases = 0;
    for Work { mut draft, plan } in work {
        draft.stages[0].node = node;
        draft.stages[0].first_phase = phases;
        phases += draft.stages[0].phases.len();
        crate::execute::execute(&draft, &plan, &mut [&mut *compute], stream);
        advance_heads(&plan, stream.heads());
    }
}

/// Lets the next superlayer start behind the buffers of this one.
pub(crate) fn advance_heads(plan: &Plan, heads: &mut [u32]) {
    for (group, head) in heads.iter_mut().enumerate() {
        let own = plan.slots.iter().filter(|slot| slot.group == group);
        let used: u32 = own.map(|slot| slot.lines).sum();
        *head = crate::stream::wrap_line(i64::from(*head) + i64::from(used));
    }
}

/// A planned sub-problem.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    pub(crate) draft: Draft,
    pub(crate) plan: Plan,
}

/// Plans the sub-problems of a layer that reads and writes DDR, around places that are taken.
pub(crate) fn plan(
    layer: &Layer,
    node: u32,
    heads: &[u32],
    taken: &[Slot],
    target: &Target,
) -> Result<Vec<Work>, Vec<Violation>> {
    if target.feature_groups < FEATURE_GROUPS {
        let reason =
            format!("{} has {}: one is needed for inputs, one for outputs", target.name, target.feature_groups);
        return Err(vec![Violation::Unsupported { what: "code for fewer than two feature-map bank groups", reason }]);
    }
    check_quantities(layer, target)?;
    let stages = Stage::of_layer(layer, node, InputPlace::Ddr, target);
    // Absurd shapes are refused before their rows are counted one by one.
    let rows: u64 = stages.iter().map(|stage| u64::from(stage.size[0].max(stage.input_size()[0]))).sum();
    let mut findings = Findings::default();
    findings.require(limits::INSTRUCTIONS, rows.min(i64::MAX as u64) as i64);
    findings.into_result()?;
    let space = Space::around(taken, heads);
    let mut work = Vec::new();
    let mut instructions = 0u64;
    for stage in stages {
        let planned = plan_stage(&stage, &space, target).map_err(|violation| vec![violation])?;
        instructions = instructions.saturating_add(planned.plan.instructions(&planned.draft, target));
        work.push(planned);
    }
    let mut findings = Findings::default();
    findings.require(limits::INSTRUCTIONS, instructions.min(i64::MAX as u64) as i64);
    findings.into_result().map(|()| work)
}

fn plan_stage(stage: &Stage, space: &Space, target: &Target) -> Result<Work, Violation> {
    let mut smallest = u64::MAX;
    for interleave in interleaves(stage) {
        let draft = Draft::of_stage(stage.clone(), interleave, target);
        let Some(rows) = Rows::of(&draft, false, target) else { continue };
        if let Some(plan) = choose(&draft, std::slice::from_ref(&rows), space, target) {
            return Ok(Work { draft, plan });
        }
        let lines = u64::from(rows.passes_needed[0]) * u64::from(interleave) * u64::from(stage.phases[0].columns.taps);
        smallest = smallest.min(lines * u64::from(stage.input_lines(1, target)));
    }
    if smallest == u64::MAX {
        let phase = &stage.phases[0];
        smallest = u64::from(phase.rows.taps) * u64::from(phase.columns.taps);
    }
    Err(limits::TILE_LINES.violated_by(smallest.min(i64::MAX as u64) as i64))
}

/// The row interleaves to try: the stride, and after it those that allow one row at a time only; with one row the `stride_h` field
/// changes nothing but the layout (`spec/recipes-conv.md` section 2.5).
fn interleaves(stage: &Stage) -> impl Iterator<Item = u32> + use<> {
    let phase = &stage.phases[0];
    let stride = phase.rows.stride;
    let most =
        if stage.elementwise || stage.engine.is_none() { 1 } else { stage.reach.interleave.min(phase.rows.taps) };
    let reached = (stride <= stage.reach.interleave).then_some(stride);
    reached.into_iter().chain((1..=most).filter(move |&interleave| interleave != stride))
}
