//! From a layer to instructions.

use dpuc_isa::Target;
use thiserror::Error;

use crate::axis::Sampling;
use crate::check::check_quantities;
use crate::conv::{ConvCompute, conv_tasks, transposed_tasks};
use crate::depthwise::{DepthwiseCompute, depthwise_tasks, transposed_depthwise_tasks};
use crate::kernel::Taps;
use crate::layer::{ElementwiseKind, FeatureMap, Layer};
use crate::limits::{self, Findings, Violation};
use crate::plan::Plan;
use crate::pointwise::{AluActivation, ElementwiseCompute, Relu6Compute, activation_task, copy_task, elementwise_task};
use crate::pool::{PoolCompute, pool_tasks};
use crate::recipe::{Compute, Untouched, emit_task};
use crate::resample::{enlarged_views, reduced_view};
use crate::stream::Stream;
use crate::task::{Task, WeightSize};

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
    plan(layer, target).map(drop)
}

/// Appends the instructions of a layer to a stream.
///
/// # Errors
/// [`check`] refuses the layer; the stream is then unchanged.
pub fn emit(layer: &Layer, stream: &mut Stream) -> Result<(), EmitError> {
    let work = plan(layer, stream.target()).map_err(|violations| EmitError { violations })?;
    stream.begin_layer();
    match layer {
        Layer::Conv2d { convolution, augment_channels } => {
            let mut compute = ConvCompute::new(convolution, *augment_channels, stream);
            emit_selecting(&work, &mut compute, ConvCompute::select, stream);
        }
        Layer::TransposedConv2d(convolution) => {
            let mut compute = ConvCompute::new(convolution, false, stream);
            emit_selecting(&work, &mut compute, ConvCompute::select, stream);
        }
        Layer::DepthwiseConv2d(convolution) | Layer::TransposedDepthwiseConv2d(convolution) => {
            let mut compute = DepthwiseCompute::new(convolution, stream);
            emit_selecting(&work, &mut compute, DepthwiseCompute::select, stream);
        }
        Layer::Pool(pool) => emit_all(&work, &mut PoolCompute::new(pool), stream),
        Layer::Elementwise { kind, inputs, output, relu } => {
            emit_all(&work, &mut ElementwiseCompute::new(*kind, inputs, output, *relu), stream);
        }
        Layer::Copy { input, output, relu } => emit_copy(&work, input, output, *relu, stream),
        Layer::UpsampleNearest { input, output, .. } | Layer::Downsample { input, output, .. } => {
            emit_copy(&work, input, output, false, stream);
        }
        Layer::Relu6 { input, output, scale } => {
            emit_all(&work, &mut Relu6Compute::new(input, output, *scale), stream);
        }
        Layer::LeakyRelu { input, output, slope, slope_fix_point } => {
            emit_all(&work, &mut AluActivation::leaky_relu(input, output, *slope, *slope_fix_point), stream);
        }
        Layer::HardSigmoid { input, output } => {
            emit_all(&work, &mut AluActivation::hard_sigmoid(input, output), stream);
        }
    }
    Ok(())
}

/// A planned sub-problem and the kernel taps it uses, if it has a kernel with weights.
struct Work {
    task: Task,
    taps: Taps,
    plan: Plan,
}

fn plan(layer: &Layer, target: &Target) -> Result<Vec<Work>, Vec<Violation>> {
    if target.feature_groups < FEATURE_GROUPS {
        let reason =
            format!("{} has {}: one is needed for inputs, one for outputs", target.name, target.feature_groups);
        return Err(vec![Violation::Unsupported { what: "code for fewer than two feature-map bank groups", reason }]);
    }
    check_quantities(layer, target)?;
    let mut work = Vec::new();
    let mut instructions = 0u64;
    for (task, taps) in tasks(layer, target) {
        let plan = Plan::choose(&task, target).map_err(|violation| vec![violation])?;
        instructions = instructions.saturating_add(plan.instructions(&task, target));
        work.push(Work { task, taps, plan });
    }
    let mut findings = Findings::default();
    findings.require(limits::INSTRUCTIONS, instructions.min(i64::MAX as u64) as i64);
    findings.into_result().map(|()| work)
}

fn tasks(layer: &Layer, target: &Target) -> Vec<(Task, Taps)> {
    let whole = |tasks: Vec<Task>| tasks.into_iter().map(|task| (task, [Sampling::all(1); 2])).collect();
    match layer {
        Layer::Conv2d { convolution, augment_channels } => conv_tasks(convolution, *augment_channels, target),
        Layer::TransposedConv2d(convolution) => transposed_tasks(convolution, target),
        Layer::DepthwiseConv2d(convolution) => depthwise_tasks(convolution, target),
        Layer::TransposedDepthwiseConv2d(convolution) => transposed_depthwise_tasks(convolution, target),
        Layer::Pool(pool) => whole(pool_tasks(pool, target)),
        Layer::Elementwise { inputs, output, .. } => whole(vec![elementwise_task(inputs, output, target)]),
        Layer::Copy { input, output, relu } => {
            whole(vec![copy_task(input, vec![*output], *relu || rescales(input, output), target)])
        }
        Layer::UpsampleNearest { input, output, scale } => {
            let views = enlarged_views(input, output, *scale);
            whole(vec![copy_task(input, views, rescales(input, output), target)])
        }
        Layer::Downsample { input, output, scale } => {
            let view = reduced_view(input, output, *scale);
            whole(vec![copy_task(&view, vec![*output], rescales(input, output), target)])
        }
        Layer::Relu6 { input, output, .. } => {
            let weights = WeightSize { lines: 1, bytes: target.line_bytes() as u32 };
            whole(vec![activation_task(input, output, weights, target)])
        }
        Layer::LeakyRelu { input, output, .. } | Layer::HardSigmoid { input, output } => {
            whole(vec![activation_task(input, output, WeightSize::NONE, target)])
        }
    }
}

const fn rescales(input: &FeatureMap, output: &FeatureMap) -> bool {
    input.fix_point != output.fix_point
}

fn emit_copy(work: &[Work], input: &FeatureMap, output: &FeatureMap, relu: bool, stream: &mut Stream) {
    if work.iter().all(|work| work.task.computes) {
        let mut compute = ElementwiseCompute::new(ElementwiseKind::Add, &[*input], output, relu);
        emit_all(work, &mut compute, stream);
    } else {
        emit_all(work, &mut Untouched, stream);
    }
}

fn emit_all(work: &[Work], compute: &mut dyn Compute, stream: &mut Stream) {
    for Work { task, plan, .. } in work {
        emit_task(task, plan, compute, stream);
    }
}

/// Emits sub-problems that use different taps of one kernel.
fn emit_selecting<C: Compute>(work: &[Work], compute: &mut C, select: fn(&mut C, Taps), stream: &mut Stream) {
    for Work { task, plan, taps } in work {
        select(compute, *taps);
        emit_task(task, plan, compute, stream);
    }
}
