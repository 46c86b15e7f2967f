//! Convolutions over all input channels, plain, dilated and transposed (`spec/recipes-conv.md` sections 3 and 5).

use std::collections::VecDeque;

use dpuc_isa::{BANK_LINES, Conv, ConvInit, Target};

use crate::augment::AugmentedMap;
use crate::axis::{Phase, Sampling, Span};
use crate::kernel::{StoredKernel, Taps, sliding, sub_problems, transposed};
use crate::layer::{Constant, Convolution};
use crate::numeric::{activation_code, output_shift};
use crate::parameters::load_bias;
use crate::recipe::{Block, Compute};
use crate::source::{BankLine, Source};
use crate::stream::{Memory, Stream};
use crate::task::{Channels, Reach, Task, WeightSize};

const PAD_MAX: i64 = 15;

/// The sub-problems of a convolution.
pub(crate) fn conv_tasks(convolution: &Convolution, augment_channels: bool, target: &Target) -> Vec<(Task, Taps)> {
    let phases = sliding(convolution);
    if augment_channels {
        return phases[0].iter().map(|rows| augmented_task(convolution, rows, target)).collect();
    }
    tasks_of(convolution, &phases, target)
}

/// The sub-problems of a transposed convolution.
pub(crate) fn transposed_tasks(convolution: &Convolution, target: &Target) -> Vec<(Task, Taps)> {
    tasks_of(convolution, &transposed(convolution), target)
}

fn tasks_of(convolution: &Convolution, phases: &[Vec<Phase>; 2], target: &Target) -> Vec<(Task, Taps)> {
    let Convolution { input, output, .. } = convolution;
    let channels = Channels::All { input: input.channels, output: output.channels };
    let weights = |taps| weight_size(taps, input.channels, target);
    sub_problems(convolution, phases, channels, Reach::conv(target), weights)
}

fn augmented_task(convolution: &Convolution, rows: &Phase, target: &Target) -> (Task, Taps) {
    let map = AugmentedMap::new(convolution);
    let channels = Channels::All { input: map.channels() as u32, output: convolution.output.channels };
    let columns = Span::identity(convolution.output.width);
    let whole = Phase {
        span: columns,
        input: Sampling::all(columns.count),
        output: Sampling::all(columns.count),
        taps: Sampling::all(1),
    };
    let weights = weight_size(rows.taps.count, map.channels() as u32, target);
    let reach = Reach::conv(target);
    let mut task = Task::of_phases(&convolution.input, &convolution.output, [rows, &whole], channels, reach, weights);
    if let Source::Maps(_) = task.source {
        task.source = Source::Augmented(map.sampled(rows.input));
    }
    (task, [rows.taps, whole.taps])
}

fn weight_size(taps: u32, channels: u32, target: &Target) -> WeightSize {
    let lines = taps * target.lines(channels as usize) as u32;
    WeightSize { lines, bytes: taps * channels * target.channel_parallel as u32 }
}

/// Computes blocks with Conv and keeps weights on chip as long as they fit.
pub(crate) struct ConvCompute<'a> {
    convolution: &'a Convolution,
    /// The kernel of output channel 0; the others follow it. Augmentation moves kernel columns into channels.
    kernel: StoredKernel,
    taps: Taps,
    bias_line: u32,
    resident: ResidentGroups,
}

impl<'a> ConvCompute<'a> {
    pub(crate) fn new(convolution: &'a Convolution, augment_channels: bool, stream: &mut Stream) -> Self {
        let Convolution { input, output, kernel: [rows, columns], weights: place, bias, .. } = *convolution;
        let kernel = if augment_channels {
            StoredKernel { place, rows, columns: 1, channels: columns * input.channels }
        } else {
            StoredKernel { place, rows, columns, channels: input.channels }
        };
        let bias_line = load_bias(stream, bias, output.channels);
        Self { convolution, kernel, taps: [Sampling::all(0); 2], bias_line, resident: ResidentGroups::default() }
    }

    /// Uses these taps of the stored kernel from now on.
    pub(crate) fn select(&mut self, taps: Taps) {
        if self.taps != taps {
            self.taps = taps;
            self.resident = ResidentGroups::default();
        }
    }

    /// Line of the weights of output-channel group `group`, loaded if they are not on chip.
    fn weights(&mut self, group: u32, stream: &mut Stream) -> u32 {
        if let Some(line) = self.resident.line(group) {
            return line;
        }
        let lines_per_tap = stream.target().lines(self.kernel.channels as usize) as u32;
        let lines = self.taps[0].count * self.taps[1].count * lines_per_tap;
        let line = stream.allocate(Memory::ConvWeights, lines);
        self.resident.insert(group, line, lines);
        let parallel = stream.target().channel_parallel as u32;
        let channels = group * parallel..((group + 1) * parallel).min(self.convolution.output.channels);
        for (bank, channel) in (stream.target().conv_weight_bank() as u32..).zip(channels) {
            let place = self.kernel.place;
            let place = Constant { address: place.address + channel * self.kernel.bytes(), ..place };
            let kernel = StoredKernel { place, ..self.kernel };
            kernel.load(stream, self.taps, [0, kernel.channels], BankLine { bank, line }, lines_per_tap);
        }
        line
    }

    fn init(&self, block: &Block) -> ConvInit {
        let Convolution { input, output, activation, .. } = self.convolution;
        let shift = output_shift(input.fix_point, self.convolution.weight_fix_point, output.fix_point);
        ConvInit {
            kernel_h: block.kernel[0],
            kernel_w: block.kernel[1],
            stride_h: block.input.interleave,
            stride_w: block.column_stride,
            stride_offset_in: block.input.slot,
            jump_read: block.input.pixel_lines,
            jump_read_endl: if block.input.interleave > 1 { block.input.row_lines } else { 1 },
            jump_write: block.groups,
            shift_cut: shift as u32,
            shift_bias: self.convolution.bias_shift,
            act_type: activation_code(*activation, output.fix_point),
            valid_pixel_parallel: block.rows,
            ..ConvInit::default()
        }
    }
}

impl Compute for ConvCompute<'_> {
    fn compute(&mut self, stream: &mut Stream, block: &Block) {
        let pad = |pad: i64| pad.min(PAD_MAX) as u32;
        let line_bytes = stream.target().line_bytes() as u32;
        for group in 0..block.groups {
            // A window of pure padding has no channels, reads no weights and takes any line of them.
            let weights = if block.input.channels > 0 { self.weights(block.first_group + group, stream) } else { 0 };
            stream.configure_conv(self.init(block));
            stream.push(Conv {
                bank_id_in: block.input.bank,
                bank_addr_in: block.input.lines[0],
                bank_addr_in_1: block.input.lines[1],
                bank_addr_in_2: block.input.lines[2],
                bank_addr_in_3: block.input.lines[3],
                pad_top: pad(block.pads.top),
                pad_left: pad(block.pads.left),
                pad_bottom: pad(block.pads.bottom),
                pad_right: pad(block.pads.right),
                channel_group: block.input.pixel_lines,
                channel_offset: block.input.pixel_lines * line_bytes - block.input.channels,
                length: block.columns,
                bank_addr_weights: weights,
                bank_addr_bias: (self.bias_line + block.first_group + group) % BANK_LINES as u32,
                bank_id_out: block.output.bank,
                bank_addr_out: block.output.after(group).line,
                ..Conv::default()
            });
        }
    }
}

/// Which output-channel groups have their weights in the ring; the oldest leave first.
#[derive(Default)]
struct ResidentGroups {
    groups: VecDeque<(u32, u32, u32)>,
    lines: u32,
}

impl ResidentGroups {
    fn line(&self, group: u32) -> Option<u32> {
        self.groups.iter().find(|resident| resident.0 == group).map(|resident| resident.1)
    }

    fn insert(&mut self, group: u32, line: u32, lines: u32) {
        self.lines += lines;
        self.groups.push_back((group, line, lines));
        while self.lines > BANK_LINES as u32 {
            let Some((_, _, lines)) = self.groups.pop_front() else { break };
            self.lines -= lines;
        }
    }
}
