//! Depthwise convolutions, plain, dilated and transposed (`spec/recipes-conv.md` sections 3, 5.3 and 5.5).

use dpuc_isa::{AluInit, AluMode, BANK_LINES, Load, Target};

use crate::alu::{AluParameters, push_alu};
use crate::axis::{Phase, Sampling, convolution_phases, transposed_phases};
use crate::layer::Convolution;
use crate::numeric::{activation_code, output_shift};
use crate::parameters::load_bias;
use crate::recipe::{Block, Compute};
use crate::stream::{Memory, Stream};
use crate::task::{Channels, Reach, Task, WeightSize};

const PIXELS_PER_LOAD: u32 = 1024;

/// A sub-problem and the kernel taps `[rows, columns]` it uses.
pub(crate) type DepthwiseTask = (Task, [Sampling; 2]);

/// The sub-problems of a depthwise convolution.
pub(crate) fn depthwise_tasks(convolution: &Convolution, target: &Target) -> Vec<DepthwiseTask> {
    let Convolution { input, output, kernel, strides, pads, dilations, .. } = convolution;
    let rows = convolution_phases(input.height, output.height, kernel[0], strides[0], pads[0], dilations[0]);
    let columns = convolution_phases(input.width, output.width, kernel[1], strides[1], pads[1], dilations[1]);
    tasks_of(convolution, &rows, &columns, target)
}

/// The sub-problems of a transposed depthwise convolution.
pub(crate) fn transposed_depthwise_tasks(convolution: &Convolution, target: &Target) -> Vec<DepthwiseTask> {
    let Convolution { input, output, kernel, strides, pads, .. } = convolution;
    let rows = transposed_phases(input.height, output.height, kernel[0], strides[0], pads[0]);
    let columns = transposed_phases(input.width, output.width, kernel[1], strides[1], pads[1]);
    tasks_of(convolution, &rows, &columns, target)
}

fn tasks_of(convolution: &Convolution, rows: &[Phase], columns: &[Phase], target: &Target) -> Vec<DepthwiseTask> {
    let channels = Channels::Same(convolution.input.channels);
    let task = |rows: &Phase, columns: &Phase| {
        let taps = rows.taps.count * columns.taps.count;
        let weights = WeightSize { lines: taps, bytes: taps * target.line_bytes() as u32 };
        let reach = Reach::misc(target);
        let task = Task::of_phases(&convolution.input, &convolution.output, [rows, columns], channels, reach, weights);
        (task, [rows.taps, columns.taps])
    };
    rows.iter().flat_map(|rows| columns.iter().map(move |columns| task(rows, columns))).collect()
}

/// Computes blocks with Alu mode 0.
pub(crate) struct DepthwiseCompute<'a> {
    convolution: &'a Convolution,
    taps: [Sampling; 2],
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
    pub(crate) fn select(&mut self, taps: [Sampling; 2]) {
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
        self.load_taps(block, line, stream);
        line
    }

    /// Loads the selected taps: as one run if they are the whole kernel, else row by row.
    fn load_taps(&self, block: &Block, line: u32, stream: &mut Stream) {
        let [rows, columns] = self.convolution.kernel;
        let [taps_y, taps_x] = self.taps;
        if taps_y == Sampling::all(rows) && taps_x == Sampling::all(columns) {
            self.load_run(block, line, Sampling::all(rows * columns), stream);
            return;
        }
        for row in 0..taps_y.count {
            let offset = (taps_y.offset + row * taps_y.step) * columns + taps_x.offset;
            self.load_run(block, line + row * taps_x.count * block.groups, Sampling { offset, ..taps_x }, stream);
        }
    }

    fn load_run(&self, block: &Block, line: u32, taps: Sampling, stream: &mut Stream) {
        let Convolution { weights, input, .. } = self.convolution;
        let first_channel = block.first_group * stream.target().line_bytes() as u32;
        for before in (0..taps.count).step_by(PIXELS_PER_LOAD as usize) {
            let length = PIXELS_PER_LOAD.min(taps.count - before);
            let tap = taps.offset + before * taps.step;
            stream.push(Load {
                bank_id: stream.target().depthwise_weight_bank() as u32,
                bank_addr: (line + before * block.groups) % BANK_LINES as u32,
                jump_write: block.groups,
                jump_read: if length == 1 { block.input.channels } else { taps.step * input.channels },
                length,
                channel: block.input.channels,
                reg_id: u32::from(weights.region),
                ddr_addr: weights.address + tap * input.channels + first_channel,
                ..Load::default()
            });
        }
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
