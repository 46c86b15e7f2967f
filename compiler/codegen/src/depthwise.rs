//! Depthwise convolutions, plain, dilated and transposed (`spec/recipes-conv.md` sections 3, 5.3 and 5.5).

use dpuc_isa::{AluInit, AluMode, BANK_LINES, Target};

use crate::alu::{AluParameters, push_alu};
use crate::axis::{Phase, Sampling};
use crate::kernel::{StoredKernel, Taps, sliding, sub_problems, transposed};
use crate::layer::Convolution;
use crate::numeric::{activation_code, output_shift};
use crate::parameters::load_bias;
use crate::recipe::{Block, Compute};
use crate::source::BankLine;
use crate::stream::{Memory, Stream};
use crate::task::{Channels, Reach, Task, WeightSize};

/// The sub-problems of a depthwise convolution.
pub(crate) fn depthwise_tasks(convolution: &Convolution, target: &Target) -> Vec<(Task, Taps)> {
    tasks_of(convolution, &sliding(convolution), target)
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
    taps: Taps,
    bias_line: u32,
    resident: Option<ResidentChunk>,
}

/// The chunk whose weights were loaded last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ResidentChunk {
    first_group: u32,
    groups: u32,
    line: u32,
}

impl<'a> DepthwiseCompute<'a> {
    pub(crate) fn new(convolution: &'a Convolution, stream: &mut Stream) -> Self {
        let bias_line = load_bias(stream, convolution.bias, convolution.output.channels);
        Self { convolution, taps: [Sampling::all(0); 2], bias_line, resident: None }
    }

    /// Uses these taps of the stored kernel from now on.
    pub(crate) fn select(&mut self, taps: Taps) {
        if self.taps != taps {
            self.taps = taps;
            self.resident = None;
        }
    }

    /// Line of the weights of a block's chunk, loaded if they are not on chip.
    fn weights(&mut self, block: &Block, stream: &mut Stream) -> u32 {
        let (first_group, groups) = (block.first_group, block.groups);
        if let Some(chunk) = self.resident
            && (chunk.first_group, chunk.groups) == (first_group, groups)
        {
            return chunk.line;
        }
        let taps = self.taps[0].count * self.taps[1].count;
        let line = stream.allocate(Memory::DepthwiseWeights, taps * groups);
        self.resident = Some(ResidentChunk { first_group, groups, line });
        let Convolution { weights: place, kernel: [rows, columns], input, .. } = *self.convolution;
        let kernel = StoredKernel { place, rows, columns, channels: input.channels };
        let bank = stream.target().depthwise_weight_bank() as u32;
        let first_channel = first_group * stream.target().line_bytes() as u32;
        let channels = [first_channel, block.input.channels];
        kernel.load(stream, self.taps, channels, BankLine { bank, line }, groups);
        line
    }
}

impl Compute for DepthwiseCompute<'_> {
    fn compute(&mut self, stream: &mut Stream, block: &Block) {
        let Convolution { input, output, weight_fix_point, bias_shift, activation, .. } = self.convolution;
        let weights = if self.taps.iter().all(|taps| taps.count > 0) { self.weights(block, stream) } else { 0 };
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
