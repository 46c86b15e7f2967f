//! Convolutions over all input channels, plain, dilated and transposed (`spec/recipes-conv.md` sections 3 and 5).

use dpuc_isa::{BANK_LINES, Conv, ConvInit, Target};

use crate::augment::AugmentedMap;
use crate::axis::{Phase, Sampling, Span};
use crate::block::{Block, Compute};
use crate::kernel::{StoredKernel, Taps, sliding, sub_problems, transposed};
use crate::layer::{Constant, Convolution};
use crate::numeric::{activation_code, output_shift};
use crate::parameters::load_bias;
use crate::source::{BankLine, Source};
use crate::stage::InputPlace;
use crate::stream::{ParameterKey, ParameterMemory, Stream};
use crate::task::{Channels, Reach, Task, WeightSize};

const PAD_MAX: i64 = 15;

/// The sub-problems of a convolution.
pub(crate) fn conv_tasks(
    convolution: &Convolution,
    augment_channels: bool,
    place: InputPlace,
    target: &Target,
) -> Vec<(Task, Taps)> {
    let phases = sliding(convolution, place);
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
    /// The taps of each phase.
    phases: Vec<Taps>,
    /// Whether kernels are loaded with all their taps, of which each phase uses one.
    whole: bool,
    bias_line: u32,
    owner: u32,
}

impl<'a> ConvCompute<'a> {
    pub(crate) fn new(
        convolution: &'a Convolution,
        augment_channels: bool,
        phases: Vec<Taps>,
        stream: &mut Stream,
    ) -> Self {
        let Convolution { input, output, kernel: [rows, columns], weights: place, bias, .. } = *convolution;
        let kernel = if augment_channels {
            StoredKernel { place, rows, columns: 1, channels: columns * input.channels }
        } else {
            StoredKernel { place, rows, columns, channels: input.channels }
        };
        let owner = stream.new_owner();
        let bias_line = load_bias(stream, owner, bias, output.channels);
        let whole = phases.len() > 1 && phases.iter().flatten().all(|taps| taps.count == 1);
        Self { convolution, kernel, phases, whole, bias_line, owner }
    }

    /// Line of the weights of output-channel group `group` for a phase, loaded if they are not on chip.
    fn weights(&mut self, phase: usize, group: u32, stream: &mut Stream) -> u32 {
        let lines_per_tap = stream.target().lines(self.kernel.channels as usize) as u32;
        let [rows, columns] = self.phases[phase];
        if !self.whole {
            return self.loaded(phase as u32, [rows, columns], group, lines_per_tap, stream);
        }
        let all = [Sampling::all(self.kernel.rows), Sampling::all(self.kernel.columns)];
        let line = self.loaded(0, all, group, lines_per_tap, stream);
        (line + (rows.offset * self.kernel.columns + columns.offset) * lines_per_tap) % BANK_LINES as u32
    }

    fn loaded(&self, phase: u32, taps: Taps, group: u32, lines_per_tap: u32, stream: &mut Stream) -> u32 {
        let alike = self.phases.iter().position(|&own| own == taps).map_or(phase, |first| first as u32);
        let key = ParameterKey { owner: self.owner, phase: alike, first_group: group, groups: 1 };
        if let Some(line) = stream.resident(ParameterMemory::ConvWeights, key) {
            return line;
        }
        let lines = taps[0].count * taps[1].count * lines_per_tap;
        let line = stream.allocate(ParameterMemory::ConvWeights, key, lines);
        let parallel = stream.target().channel_parallel as u32;
        let channels = group * parallel..((group + 1) * parallel).min(self.convolution.output.channels);
        for (bank, channel) in (stream.target().conv_weight_bank() as u32..).zip(channels) {
            let place = self.kernel.place;
            let place = Constant { address: place.address + channel * self.kernel.bytes(), ..place };
            let kernel = StoredKernel { place, ..self.kernel };
            kernel.load(stream, taps, [0, kernel.channels], BankLine { bank, line }, lines_per_tap);
        }
        line
    }

    fn init(&self, block: &Block) -> ConvInit {
        let Convolution { input, output, activation, .. } = self.convolution;
        let shift = output_shift(input.fix_point, self.convolution.weight_fix_point, output.fix_point);
        let window = &block.inputs[0];
        ConvInit {
            kernel_h: block.kernel[0],
            kernel_w: block.kernel[1],
            stride_h: window.interleave,
            stride_w: block.column_stride,
            stride_offset_in: window.slot,
            jump_read: window.pixel_lines,
            jump_read_endl: if window.interleave > 1 { window.row_lines } else { 1 },
            jump_write: block.output.pixel_lines,
            jump_write_endl: if block.output.interleave > 1 { block.output.row_lines } else { 1 },
            stride_out: block.output.interleave,
            stride_offset_out: block.output.slot,
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
        let window = &block.inputs[0];
        let line_bytes = stream.target().line_bytes() as u32;
        let channel_group = stream.target().lines(window.channels as usize).max(1) as u32;
        for group in 0..block.groups {
            // A window of pure padding has no channels, reads no weights and takes any line of them.
            let weights =
                if window.channels > 0 { self.weights(block.phase, block.first_group + group, stream) } else { 0 };
            stream.configure_conv(self.init(block));
            stream.push(Conv {
                bank_id_in: window.bank,
                bank_addr_in: window.lines[0],
                bank_addr_in_1: window.lines[1],
                bank_addr_in_2: window.lines[2],
                bank_addr_in_3: window.lines[3],
                pad_top: pad(block.pads.top),
                pad_left: pad(block.pads.left),
                pad_bottom: pad(block.pads.bottom),
                pad_right: pad(block.pads.right),
                channel_group,
                channel_offset: channel_group * line_bytes - window.channels,
                length: block.columns,
                bank_addr_weights: weights,
                bank_addr_bias: (self.bias_line + block.first_group + group) % BANK_LINES as u32,
                bank_id_out: block.output.first.bank,
                bank_addr_out: block.output.first.after(group).line,
                ..Conv::default()
            });
        }
    }
}
