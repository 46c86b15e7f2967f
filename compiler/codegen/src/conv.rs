//! Convolutions over all input channels, plain, dilated and transposed (`spec/recipes-conv.md` sections 3 and 5).

use std::collections::VecDeque;

use dpuc_isa::{BANK_LINES, Conv, ConvInit, Load, Target};

use crate::augment::AugmentedMap;
use crate::axis::{Phase, Sampling, Span, convolution_phases, transposed_phases};
use crate::layer::Convolution;
use crate::numeric::{activation_code, output_shift};
use crate::parameters::load_bias;
use crate::recipe::{Block, Compute};
use crate::source::Source;
use crate::stream::{Memory, Stream};
use crate::task::{Channels, Reach, Task, WeightSize};

const PAD_MAX: i64 = 15;

/// A sub-problem and the kernel taps `[rows, columns]` it uses.
pub(crate) type ConvTask = (Task, [Sampling; 2]);

/// The sub-problems of a convolution.
pub(crate) fn conv_tasks(convolution: &Convolution, augment_channels: bool, target: &Target) -> Vec<ConvTask> {
    let Convolution { input, output, kernel, strides, pads, dilations, .. } = convolution;
    let rows = convolution_phases(input.height, output.height, kernel[0], strides[0], pads[0], dilations[0]);
    if augment_channels {
        return rows.iter().map(|rows| augmented_task(convolution, rows, target)).collect();
    }
    let columns = convolution_phases(input.width, output.width, kernel[1], strides[1], pads[1], dilations[1]);
    tasks_of(convolution, &rows, &columns, target)
}

/// The sub-problems of a transposed convolution.
pub(crate) fn transposed_tasks(convolution: &Convolution, target: &Target) -> Vec<ConvTask> {
    let Convolution { input, output, kernel, strides, pads, .. } = convolution;
    let rows = transposed_phases(input.height, output.height, kernel[0], strides[0], pads[0]);
    let columns = transposed_phases(input.width, output.width, kernel[1], strides[1], pads[1]);
    tasks_of(convolution, &rows, &columns, target)
}

fn tasks_of(convolution: &Convolution, rows: &[Phase], columns: &[Phase], target: &Target) -> Vec<ConvTask> {
    let channels = Channels::All { input: convolution.input.channels, output: convolution.output.channels };
    let task = |rows: &Phase, columns: &Phase| {
        let taps = rows.taps.count * columns.taps.count;
        let weights = weight_size(taps, convolution.input.channels, target);
        let reach = Reach::conv(target);
        let task = Task::of_phases(&convolution.input, &convolution.output, [rows, columns], channels, reach, weights);
        (task, [rows.taps, columns.taps])
    };
    rows.iter().flat_map(|rows| columns.iter().map(move |columns| task(rows, columns))).collect()
}

fn augmented_task(convolution: &Convolution, rows: &Phase, target: &Target) -> ConvTask {
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
    /// Kernel columns and channels as stored: augmentation moves columns into channels.
    stored: StoredKernel,
    taps: [Sampling; 2],
    bias_line: u32,
    resident: ResidentGroups,
}

/// The stored weights of one output channel: `rows · columns · channels` bytes.
#[derive(Clone, Copy, Debug)]
struct StoredKernel {
    rows: u32,
    columns: u32,
    channels: u32,
}

impl<'a> ConvCompute<'a> {
    pub(crate) fn new(convolution: &'a Convolution, augment_channels: bool, stream: &mut Stream) -> Self {
        let [rows, columns] = convolution.kernel;
        let channels = convolution.input.channels;
        let stored = if augment_channels {
            StoredKernel { rows, columns: 1, channels: columns * channels }
        } else {
            StoredKernel { rows, columns, channels }
        };
        let bias_line = load_bias(stream, convolution.bias, convolution.output.channels);
        let resident = ResidentGroups::default();
        Self { convolution, stored, taps: [Sampling::all(0); 2], bias_line, resident }
    }

    /// Uses these taps of the stored kernel from now on.
    pub(crate) fn select(&mut self, taps: [Sampling; 2]) {
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
        let lines = stream.target().lines(self.stored.channels as usize) as u32;
        let total = self.taps[0].count * self.taps[1].count * lines;
        let line = stream.allocate(Memory::ConvWeights, total);
        self.resident.insert(group, line, total);
        let parallel = stream.target().channel_parallel as u32;
        let channels = group * parallel..((group + 1) * parallel).min(self.convolution.output.channels);
        for (bank, channel) in (stream.target().conv_weight_bank() as u32..).zip(channels) {
            self.load_kernel(stream, channel, bank, line, lines);
        }
        line
    }

    /// Loads the selected taps of one output channel: at once if they are the whole kernel, else row by row.
    fn load_kernel(&self, stream: &mut Stream, channel: u32, bank: u32, line: u32, lines: u32) {
        let StoredKernel { rows, columns, channels } = self.stored;
        let [taps_y, taps_x] = self.taps;
        let start = self.convolution.weights.address + channel * rows * columns * channels;
        let load = |line: u32, first_tap: u32, length: u32, step: u32| Load {
            bank_id: bank,
            bank_addr: line % BANK_LINES as u32,
            jump_write: lines,
            jump_read: step * channels,
            length,
            channel: channels,
            reg_id: u32::from(self.convolution.weights.region),
            ddr_addr: start + first_tap * channels,
            ..Load::default()
        };
        if taps_y == Sampling::all(rows) && taps_x == Sampling::all(columns) {
            stream.push(load(line, 0, rows * columns, 1));
            return;
        }
        for row in 0..taps_y.count {
            let first_tap = (taps_y.offset + row * taps_y.step) * columns + taps_x.offset;
            let step = if taps_x.count == 1 { 1 } else { taps_x.step };
            stream.push(load(line + row * taps_x.count * lines, first_tap, taps_x.count, step));
        }
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
