//! One operator as the superlayer planner sees it: correlations over a map, whatever engine computes them.
//!
//! A stage has one phase, except for transposed convolutions, whose phases write every `scale`-th row and column of one output
//! (`spec/recipes-conv.md` section 5.5 b). A *step* is an output row of a phase, so `scale` rows of the output.

use dpuc_isa::{Engine, Target};

use crate::argmax::argmax_task;
use crate::axis::{Phase, Sampling, Span};
use crate::block::{Compute, PASSES_PER_INSTRUCTION, Untouched};
use crate::combine::{ExtremeCompute, WeightedSumCompute, combine_task, sum_weights};
use crate::conv::{ConvCompute, conv_tasks, transposed_tasks};
use crate::depthwise::{DepthwiseCompute, depthwise_tasks, transposed_depthwise_tasks};
use crate::kernel::{Taps, transposed};
use crate::layer::{Convolution, ElementwiseKind, FeatureMap, Layer};
use crate::onchip::OnChip;
use crate::pointwise::{AluActivation, ElementwiseCompute, ScaleCompute, activation_task, copy_task, elementwise_task};
use crate::pool::{PoolCompute, pool_tasks};
use crate::resample::{enlarged_views, reduced_view};
use crate::source::{Source, Stored};
use crate::stream::Stream;
use crate::task::{Channels, Reach, Task, WeightSize};

/// Row interleaves that producers may write; the limit every target declares (`spec/dpuczdx8g-isa.md` section 6.3).
pub(crate) const OUTPUT_INTERLEAVE_MAX: u32 = 4;

/// Lines that the `endl` and pixel jump fields of Conv take, the narrowest of all.
const JUMP_MAX: u32 = 1024;

/// Where a layer finds its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InputPlace {
    /// In DDR: only the rows and columns that are needed get loaded.
    Ddr,
    /// On chip, with all rows and columns.
    OnChip,
}

/// One correlation of a stage.
#[derive(Clone, Debug)]
pub(crate) struct StagePhase {
    /// Rows.
    pub(crate) rows: Span,
    /// Columns.
    pub(crate) columns: Span,
    /// Taps of the stored kernel.
    pub(crate) taps: Taps,
    /// First row and column of the output that it writes.
    pub(crate) place: [u32; 2],
}

impl StagePhase {
    /// Whether every tap of every window is padding.
    pub(crate) const fn is_padding(&self) -> bool {
        self.rows.is_padding() || self.columns.is_padding()
    }
}

/// A run of rows, columns or channel groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) first: u32,
    pub(crate) count: u32,
}

impl Run {
    pub(crate) const fn end(self) -> u32 {
        self.first + self.count
    }

    pub(crate) fn union(self, other: Self) -> Self {
        if self.count == 0 {
            return other;
        }
        if other.count == 0 {
            return self;
        }
        let first = self.first.min(other.first);
        Self { first, count: self.end().max(other.end()) - first }
    }

    /// `total` cut into runs of at most `most`.
    pub(crate) fn cut(total: u32, most: u32) -> impl Iterator<Item = Self> + Clone {
        (0..total).step_by(most.max(1) as usize).map(move |first| Self { first, count: most.min(total - first) })
    }
}

/// One operator or sub-problem of one.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    /// Index of the node it belongs to.
    pub(crate) node: u32,
    /// Its correlations.
    pub(crate) phases: Vec<StagePhase>,
    /// Phases of the stages in front of it in the same layer.
    pub(crate) first_phase: usize,
    /// Output rows and columns between neighbours of a phase.
    pub(crate) scale: [u32; 2],
    /// Output rows and columns.
    pub(crate) size: [u32; 2],
    /// Where its input is in DDR.
    pub(crate) source: Source,
    /// Where its output goes in DDR.
    pub(crate) outputs: Vec<FeatureMap>,
    /// Channels.
    pub(crate) channels: Channels,
    /// What one instruction reaches.
    pub(crate) reach: Reach,
    /// Weights of all phases.
    pub(crate) weights: WeightSize,
    /// Who computes it; nobody for what only Load and Save do, which save their operand.
    pub(crate) engine: Option<Engine>,
    /// What is saved of its result.
    pub(crate) stored: Stored,
    /// Whether Elew computes it.
    pub(crate) elementwise: bool,
}

impl Stage {
    /// The stages of a layer. More than one exchange nothing on chip.
    pub(crate) fn of_layer(layer: &Layer, node: u32, place: InputPlace, target: &Target) -> Vec<Self> {
        if let Some(stage) = interleaved(layer, node, target) {
            return vec![stage];
        }
        let tasks = tasks(layer, place, target);
        let engine = |task: &Task| match layer {
            _ if !task.computes => None,
            Layer::Conv2d { .. } | Layer::TransposedConv2d(_) => Some(Engine::Conv),
            _ => Some(Engine::Misc),
        };
        let elementwise = matches!(
            layer,
            Layer::Elementwise { .. } | Layer::Copy { .. } | Layer::UpsampleNearest { .. } | Layer::Downsample { .. }
        );
        let stored = if matches!(layer, Layer::Argmax { .. }) { Stored::Argmax } else { Stored::Channels };
        let stage = |(task, taps): (Task, Taps)| Self {
            node,
            phases: vec![StagePhase { rows: task.rows, columns: task.columns, taps, place: [0, 0] }],
            first_phase: 0,
            scale: [1, 1],
            size: [task.rows.count, task.columns.count],
            engine: engine(&task),
            stored,
            source: task.source,
            outputs: task.outputs,
            channels: task.channels,
            // A window that moves further than the engine does is at one column at a time.
            reach: task.reach.for_stride(task.columns.stride),
            weights: task.weights,
            elementwise,
        };
        tasks.into_iter().map(stage).collect()
    }

    /// Steps of rows.
    pub(crate) fn steps(&self) -> u32 {
        self.phases.iter().map(|phase| phase.rows.count).max().unwrap_or(0)
    }

    /// Steps of columns.
    pub(crate) fn column_steps(&self) -> u32 {
        self.phases.iter().map(|phase| phase.columns.count).max().unwrap_or(0)
    }

    /// The rows that some steps give.
    pub(crate) fn rows_of(&self, steps: Run) -> Run {
        scaled(steps, self.scale[0], self.size[0])
    }

    /// The columns that some steps give.
    pub(crate) fn columns_of(&self, steps: Run) -> Run {
        scaled(steps, self.scale[1], self.size[1])
    }

    /// The steps of columns that cover some columns.
    pub(crate) const fn column_steps_of(&self, columns: Run) -> Run {
        let first = columns.first / self.scale[1];
        Run { first, count: columns.end().div_ceil(self.scale[1]) - first }
    }

    /// The input columns that some steps of columns read.
    pub(crate) fn input_columns(&self, steps: Run) -> Run {
        self.phases.iter().filter(|phase| !phase.is_padding()).fold(Run { first: 0, count: 0 }, |all, phase| {
            let count = steps.end().min(phase.columns.count).saturating_sub(steps.first);
            if count == 0 {
                return all;
            }
            let (first, count) = phase.columns.inputs(steps.first, count);
            all.union(Run { first, count })
        })
    }

    /// First input row that step `step` and later ones read.
    pub(crate) fn first_input_row(&self, step: u32) -> u32 {
        let phases = self.phases.iter().filter(|phase| !phase.is_padding() && step < phase.rows.count);
        let first = phases.map(|phase| phase.rows.window_start(step)).min().unwrap_or(0);
        first.clamp(0, i64::from(u32::MAX)) as u32
    }

    /// The input row behind the last one that the steps before `end` read.
    pub(crate) fn input_end(&self, end: u32) -> u32 {
        let reach = |phase: &StagePhase| {
            let last = end.min(phase.rows.count).checked_sub(1);
            last.map_or(0, |last| (phase.rows.window_last(last) + 1).clamp(0, i64::from(phase.rows.size)) as u32)
        };
        self.phases.iter().filter(|phase| !phase.is_padding()).map(reach).max().unwrap_or(0)
    }

    /// Rows and columns of the input, as the phases count them.
    pub(crate) fn input_size(&self) -> [u32; 2] {
        let size = |axis: fn(&StagePhase) -> u32| self.phases.iter().map(axis).max().unwrap_or(0);
        [size(|phase| phase.rows.size), size(|phase| phase.columns.size)]
    }

    /// Whether the engine strides as far as the stage does.
    pub(crate) fn strides_are_legal(&self) -> bool {
        self.phases.iter().all(|phase| phase.rows.stride.max(phase.columns.stride) <= self.reach.interleave)
    }

    /// The row interleave the input must have; `None` if any will do.
    pub(crate) fn input_interleave(&self) -> Option<u32> {
        let single_row = self.steps() <= 1 && self.phases.len() == 1;
        (self.engine.is_some() && !self.elementwise && !single_row).then(|| self.phases[0].rows.stride)
    }

    /// The row interleaves that the output can have.
    pub(crate) const fn output_interleaves(&self) -> (u32, u32) {
        if self.phases.len() > 1 { (self.scale[0], self.scale[0]) } else { (1, OUTPUT_INTERLEAVE_MAX) }
    }

    /// The steps that one block computes, from `step` on: as many as one instruction reaches in `input`, without leaving the
    /// pass of `output`, so that no instruction's output wraps from the last bank to the first. `None` if not even one step is within reach.
    pub(crate) fn block(&self, step: u32, inputs: &[OnChip], output: Option<&OnChip>) -> Option<u32> {
        let total = self.steps();
        let mut most = total - step;
        if let Some(output) = output {
            let row = i64::from(step * self.scale[0]);
            let pass_end = (output.pass(row) + 1) * i64::from(output.banks) * i64::from(output.interleave);
            most = most.min(((pass_end - row) / i64::from(self.scale[0])).max(1) as u32);
            if self.elementwise {
                return Some(most.min(self.reach.rows * output.interleave).max(1));
            }
        }
        let most = most.min(self.reach.rows);
        if self.elementwise || self.engine.is_none() {
            return Some(most);
        }
        let input = inputs.first()?;
        (1..=most).rev().find(|&steps| self.reaches(step, steps, input))
    }

    /// Whether the base addresses of an instruction reach all rows that `steps` steps from `step` on read.
    fn reaches(&self, step: u32, steps: u32, input: &OnChip) -> bool {
        self.phases.iter().filter(|phase| !phase.is_padding()).all(|phase| {
            let steps = (step + steps).min(phase.rows.count).saturating_sub(step);
            if steps == 0 {
                return true;
            }
            let stride_fits = steps == 1 || phase.rows.stride == input.interleave;
            let first = phase.rows.window_start(step);
            let height = u64::from(steps - 1) * u64::from(phase.rows.stride) + u64::from(phase.rows.taps);
            let banks = (u64::from(input.slot(first)) + height).div_ceil(u64::from(input.interleave));
            let last = u64::from(input.bank_in_group(first)) + banks - 1;
            stride_fits && last / u64::from(input.banks) < PASSES_PER_INSTRUCTION
        })
    }

    /// Output-channel groups.
    pub(crate) fn groups(&self, target: &Target) -> u32 {
        target.lines(self.channels.output() as usize) as u32
    }

    /// Lines of an input pixel with the channels of `groups` output groups.
    pub(crate) fn input_lines(&self, groups: u32, target: &Target) -> u32 {
        match self.channels {
            Channels::All { input, .. } => (target.lines(input as usize) as u32).max(1),
            Channels::Same(_) => groups,
        }
    }
}

fn scaled(steps: Run, scale: u32, size: u32) -> Run {
    let first = steps.first * scale;
    Run { first, count: (steps.end() * scale).min(size).saturating_sub(first) }
}

/// A transposed convolution whose phases share input and output maps, if its strides allow that.
fn interleaved(layer: &Layer, node: u32, target: &Target) -> Option<Stage> {
    let (convolution, dense) = match layer {
        Layer::TransposedConv2d(convolution) => (convolution, true),
        Layer::TransposedDepthwiseConv2d(convolution) => (convolution, false),
        _ => return None,
    };
    let Convolution { input, output, kernel, strides, .. } = convolution;
    let groups = target.lines(output.channels as usize) as u32;
    let legal = strides[0] <= OUTPUT_INTERLEAVE_MAX
        && strides[0] * strides[1] > 1
        && strides[0] <= output.height
        && strides[1] <= output.width
        && strides[1].checked_mul(groups).is_some_and(|jump| jump <= JUMP_MAX);
    if !legal {
        return None;
    }
    let [rows, columns] = transposed(convolution);
    let place = |row: &Phase, column: &Phase| {
        let phase = StagePhase {
            rows: row.span,
            columns: column.span,
            taps: [row.taps, column.taps],
            place: [row.output.offset, column.output.offset],
        };
        if phase.is_padding() {
            let nothing = |span: &Span| Span { size: 0, ..Span::identity(span.count) };
            return StagePhase { rows: nothing(&phase.rows), columns: nothing(&phase.columns), ..phase };
        }
        phase
    };
    let phases = rows.iter().flat_map(|row| columns.iter().map(|column| place(row, column))).collect();
    let taps = kernel[0] * kernel[1];
    let (channels, reach, lines, bytes) = if dense {
        let channels = Channels::All { input: input.channels, output: output.channels };
        let lines = taps * target.lines(input.channels as usize) as u32;
        (channels, Reach::conv(target), lines, taps * input.channels * target.channel_parallel as u32)
    } else {
        (Channels::Same(input.channels), Reach::misc(target), taps, taps * target.line_bytes() as u32)
    };
    Some(Stage {
        node,
        phases,
        first_phase: 0,
        scale: *strides,
        size: [output.height, output.width],
        source: Source::Maps(vec![*input]),
        outputs: vec![*output],
        channels,
        reach,
        weights: WeightSize { lines, bytes },
        engine: Some(if dense { Engine::Conv } else { Engine::Misc }),
        stored: Stored::Channels,
        elementwise: false,
    })
}

/// The sub-problems of a layer, each with the taps of the kernel it uses.
fn tasks(layer: &Layer, place: InputPlace, target: &Target) -> Vec<(Task, Taps)> {
    let whole = |tasks: Vec<Task>| tasks.into_iter().map(|task| (task, [Sampling::all(1); 2])).collect();
    match layer {
        Layer::Conv2d { convolution, augment_channels } => conv_tasks(convolution, *augment_channels, place, target),
        Layer::TransposedConv2d(convolution) => transposed_tasks(convolution, target),
        Layer::DepthwiseConv2d(convolution) => depthwise_tasks(convolution, place, target),
        Layer::TransposedDepthwiseConv2d(convolution) => transposed_depthwise_tasks(convolution, target),
        Layer::Pool(pool) => whole(pool_tasks(pool, place, target)),
        Layer::Elementwise { inputs, output, .. } => whole(vec![elementwise_task(inputs, output, target)]),
        Layer::WeightedSum(sum) => {
            whole(vec![combine_task(&sum.inputs, &sum.output, sum_weights(sum, target), target)])
        }
        Layer::Extreme(extreme) => {
            whole(vec![combine_task(&extreme.inputs, &extreme.output, WeightSize::NONE, target)])
        }
        Layer::Copy { input, output, relu } => {
            whole(vec![copy_task(input, vec![*output], *relu || rescales(input, output), target)])
        }
        Layer::Argmax { input, output } => whole(vec![argmax_task(input, output, target)]),
        Layer::UpsampleNearest { input, output, scale } => {
            let views = enlarged_views(input, output, *scale);
            whole(vec![copy_task(input, views, rescales(input, output), target)])
        }
        Layer::Downsample { input, output, scale } => {
            let view = reduced_view(input, output, *scale);
            whole(vec![copy_task(&view, vec![*output], rescales(input, output), target)])
        }
        Layer::Relu6 { input, output, .. } | Layer::ChannelScale { input, output, .. } => {
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

/// What computes the blocks of a layer's stages.
/// `phases` are the taps of the phases of all its stages.
pub(crate) fn compute<'a>(
    layer: &'a Layer,
    computes: bool,
    phases: Vec<Taps>,
    stream: &mut Stream,
) -> Box<dyn Compute + 'a> {
    if !computes {
        return Box::new(Untouched);
    }
    match layer {
        Layer::Conv2d { convolution, augment_channels } => {
            Box::new(ConvCompute::new(convolution, *augment_channels, phases, stream))
        }
        Layer::TransposedConv2d(convolution) => Box::new(ConvCompute::new(convolution, false, phases, stream)),
        Layer::DepthwiseConv2d(convolution) | Layer::TransposedDepthwiseConv2d(convolution) => {
            Box::new(DepthwiseCompute::new(convolution, phases, stream))
        }
        Layer::Pool(pool) => Box::new(PoolCompute::new(pool)),
        Layer::Elementwise { kind, inputs, output, relu } => {
            Box::new(ElementwiseCompute::new(*kind, inputs, output, *relu))
        }
        Layer::Copy { input, output, relu } => {
            Box::new(ElementwiseCompute::new(ElementwiseKind::Add, &[*input], output, *relu))
        }
        Layer::UpsampleNearest { input, output, .. } | Layer::Downsample { input, output, .. } => {
            Box::new(ElementwiseCompute::new(ElementwiseKind::Add, &[*input], output, false))
        }
        Layer::Argmax { .. } => Box::new(Untouched),
        Layer::WeightedSum(sum) => Box::new(WeightedSumCompute::new(sum, stream)),
        Layer::Extreme(extreme) => Box::new(ExtremeCompute::new(extreme, stream)),
        Layer::ChannelScale { input, output, scale, scale_fix_point, activation } => {
            Box::new(ScaleCompute::new(input, output, (*scale, *scale_fix_point), *activation, stream))
        }
        Layer::Relu6 { input, output, scale } => Box::new(ScaleCompute::relu6(input, output, *scale, stream)),
        Layer::LeakyRelu { input, output, slope, slope_fix_point } => {
            Box::new(AluActivation::leaky_relu(input, output, *slope, *slope_fix_point))
        }
        Layer::HardSigmoid { input, output } => Box::new(AluActivation::hard_sigmoid(input, output)),
    }
}
