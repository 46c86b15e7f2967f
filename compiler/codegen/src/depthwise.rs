//! Depthwise convolutions, plain, dilated and transposed (`spec/recipes-conv.md` sections 3, 5.3 and 5.5).

use dpuc_isa::{AluInit, AluMode, BANK_LINES, Target};

use crate::alu::{AluParameters, push_alu};
use crate::axis::Phase;
use crate::block::{Block, Compute};
use crate::kernel::{StoredKernel, Taps, sliding, sub_problems, transposed};
use crate::layer::Convolution;
use crate::numeric::{activation_code, output_shift};
use crate::parameters::load_bias;
use crate::source::BankLine;
use crate::stage::InputPlace;
use crate::stream::{ParameterKey, ParameterMemory, Stream};
use crate::task::{Channels, Reach, Task, WeightSize};

/// The sub-problems of a depthwise convolution.
pub(crate) fn depthwise_tasks(convolution: &Convolution, place: InputPlace, target: &Target) -> Vec<(Task, Taps)> {
    tasks_of(convolution, &sliding(convolution, place), target)
}

/// The sub-problems of a transposed depthwise convolution.
pub(crate) fn transposed_depthwise_tasks(convolution: &Convolution, target: &Target) -> Vec<(Task, Taps)> {
    tasks_of(convolution, &transposed(convolution), target)
}

fn tasks_of(convolution: &Convolution, phases: &[Vec<Phase>; 2], target: &Target) -> Vec<(Task, Taps)> {
    let weights = |taps| WeightSize { lines: taps, bytes: taps * target.line_bytes() as u32 };
    let channels = Channels::Same(convolution.input.channels);
    sub_problems(convolution, phases, channels, Reach::misc(target), weights)
}

/// Computes blocks with Alu mode 0.
pub(crate) struct DepthwiseCompute<'a> {
    convolution: &'a Convolution,
    phases: Vec<Taps>,
    bias_line: u32,
    owner: u32,
}

impl<'a> DepthwiseCompute<'a> {
    pub(crate) fn new(convolution: &'a Convolution, phases: Vec<Taps>, stream: &mut Stream) -> Self {
        let owner = stream.new_owner();
        let bias_line = load_bias(stream, owner, convolution.bias, convolution.output.channels);
        Self { convolution, phases, bias_line, owner }
    }

    /// Line of the weights of a chunk of channel groups for a phase, loaded if they are not on chip.
    fn weights(&mut self, phase: usize, [first_group, groups]: [u32; 2], stream: &mut Stream) -> u32 {
        let taps = self.phases[phase];
        let alike = self.phases.iter().position(|&own| own == taps).unwrap_or(phase) as u32;
        let key = ParameterKey { owner: self.owner, phase: alike, first_group, groups };
        if let Some(line) = stream.resident(ParameterMemory::DepthwiseWeights, key) {
            return line;
        }
        let line = stream.allocate(ParameterMemory::DepthwiseWeights, key, taps[0].count * taps[1].count * groups);
        let Convolution { weights: place, kernel: [rows, columns], input, .. } = *self.convolution;
        let kernel = StoredKernel { place, rows, columns, channels: input.channels };
        let bank = stream.target().depthwise_weight_bank() as u32;
        let line_bytes = stream.target().line_bytes() as u32;
        let first_channel = first_group * line_bytes;
        let channels = (groups * line_bytes).min(input.channels - first_channel);
        kernel.load(stream, taps, [first_channel, channels], BankLine { bank, line }, groups);
        line
    }
}

impl Compute for DepthwiseCompute<'_> {
    fn compute(&mut self, stream: &mut Stream, block: &Block) {
        let Convolution { input, output, weight_fix_point, bias_shift, activation, .. } = self.convolution;
        let has_taps = self.phases[block.phase].iter().all(|taps| taps.count > 0) && block.inputs[0].channels > 0;
        let chunk = [block.first_group, block.groups];
        let weights = if has_taps { self.weights(block.phase, chunk, stream) } else { 0 };
        let operation = AluInit {
            exec_mode: AluMode::Depthwise as u32,
            shift_cut: output_shift(input.fix_point, *weight_fix_point, output.fix_point) as u32,
            shift_bias: *bias_shift,
            act_type: activation_code(*activation, output.fix_point),
            jump_read_weights: block.groups,
            ..AluInit::default()
        };
        let bias = (self.bias_line + block.first_group) % BANK_LINES as u32;
        push_alu(stream, block, operation, AluParameters { weights, bias });
    }
}
