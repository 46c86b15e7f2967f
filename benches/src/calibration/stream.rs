//! Instruction streams of superlayers in the manner of AMD's compiler.
//!
//! The streams have the instructions, sizes, order and tokens on which time depends, but no addresses: they are to be timed, not run.
//! Like the vendor's they stream rows that are in memory through a ring of bank lines, keep weights in a ring, make chunks of output
//! channels the outer loop when a superlayer's weights do not fit, cut columns when rows do not fit, and save rows in pairs.

use std::collections::VecDeque;

use dpuc_isa::{Alu, AluInit, BANK_LINES, Conv, ConvInit, Elew, ElewInit, End, Instruction, Load, Save, Target};

use super::network::{Kind, Network, Operator};
use super::tokens::Draft;
use super::vendor::{Cut, Superlayer, cut};

const BANK: u32 = BANK_LINES as u32;

/// The program of a network for a target.
pub(super) fn program(network: &Network, target: &Target) -> Vec<Instruction> {
    let cut = cut(network, target);
    let mut draft = Draft::default();
    for &superlayer in &cut.superlayers {
        let barrier = draft.last();
        let mut writer = Writer::new(network, target, &cut, superlayer, barrier, &mut draft);
        writer.write();
    }
    let last = draft.last();
    draft.push(End::default(), &[last]);
    draft.finish()
}

/// A superlayer being written.
struct Writer<'a> {
    network: &'a Network,
    target: &'a Target,
    cut: &'a Cut,
    conv: Option<&'a Operator>,
    misc: Option<&'a Operator>,
    /// The last instruction of the superlayer before; the first one of this waits for it.
    barrier: Option<usize>,
    draft: &'a mut Draft,
    /// Weights in the ring: lines of a group of output channels, its last Load, and its last Conv.
    weights: VecDeque<Group>,
}

#[derive(Clone, Copy)]
struct Group {
    number: u32,
    lines: u32,
    loaded: usize,
    used: Option<usize>,
}

/// The columns and output channels that one pass over the rows computes.
#[derive(Clone, Copy)]
struct Part {
    /// Columns of the input, of the convolution's result, and of the superlayer's result.
    columns: [u32; 3],
    /// First channel group and number of groups of the result.
    first: u32,
    groups: u32,
}

/// What a pass over the rows has done so far: the last instruction that concerns each block or row.
#[derive(Default)]
struct Progress {
    /// Input rows loaded, and the last Load.
    loaded: u32,
    load: Option<usize>,
    /// The last instruction that reads the input for each block.
    read: Vec<usize>,
    /// The instruction that computes each block of the convolution.
    computed: Vec<usize>,
    /// Rows of the result written, by the misc engine if there is one, and the instruction for each.
    results: Vec<usize>,
    /// The Save of each row.
    saved: Vec<usize>,
    /// The Load of each row of the second operand of a sum.
    operands: Vec<usize>,
}

impl<'a> Writer<'a> {
    fn new(
        network: &'a Network,
        target: &'a Target,
        cut: &'a Cut,
        superlayer: Superlayer,
        barrier: Option<usize>,
        draft: &'a mut Draft,
    ) -> Self {
        let operator = |at: Option<usize>| at.map(|at| &network.operators[at]);
        let (conv, misc) = (operator(superlayer.conv), operator(superlayer.misc));
        Self { network, target, cut, conv, misc, barrier, draft, weights: VecDeque::new() }
    }

    fn write(&mut self) {
        let [height, _, channels] = self.network.shape(self.result().output);
        let groups = self.groups(channels);
        let chunk = self.conv.map_or(groups, |conv| self.chunk(conv, groups));
        let stripes = self.stripes(chunk);
        for first in (0..groups).step_by(chunk as usize) {
            let groups = chunk.min(groups - first);
            self.parameters(first, groups, channels);
            for stripe in 0..stripes {
                let columns =
                    self.widths().map(|width| (width * (stripe + 1) / stripes - width * stripe / stripes).max(1));
                self.rows(Part { columns, first, groups }, height, first > 0 && stripes == 1);
            }
        }
    }

    /// Output-channel groups of a chunk: their weights fit into the ring, and the rows that the misc engine needs at once into half a bank
    /// group.
    fn chunk(&self, conv: &Operator, groups: u32) -> u32 {
        let weights = BANK / self.weight_lines(conv);
        let rows = self.misc.map_or(1, |misc| misc.kernel[0]);
        let blocks = rows.div_ceil(self.target.pixel_parallel as u32);
        let results = if rows > self.target.pixel_parallel as u32 {
            BANK / 2 / (blocks * self.network.shape(conv.output)[1])
        } else {
            groups
        };
        let most = weights.min(results).clamp(1, groups);
        groups.div_ceil(groups.div_ceil(most))
    }

    /// The operator whose result leaves the superlayer.
    fn result(&self) -> &'a Operator {
        self.misc.or(self.conv).expect("a superlayer has an operator")
    }

    /// The operator that reads the superlayer's input.
    fn reader(&self) -> &'a Operator {
        self.conv.or(self.misc).expect("a superlayer has an operator")
    }

    /// Channel groups of a number of channels.
    fn groups(&self, channels: u32) -> u32 {
        self.target.lines(channels as usize) as u32
    }

    /// Kernel columns that Load folds into channels: those of a first layer.
    fn folded(&self, operator: &Operator) -> u32 {
        let folded = self.network.shape(operator.inputs[0])[2] * operator.kernel[1];
        let fits = operator.kind == Kind::Conv && folded as usize <= self.target.augmented_channels_max();
        if fits { operator.kernel[1] } else { 1 }
    }

    /// Lines of an input pixel.
    fn pixel_lines(&self, operator: &Operator) -> u32 {
        self.groups(self.network.shape(operator.inputs[0])[2] * self.folded(operator))
    }

    /// Lines of one group of output channels in each weight bank.
    fn weight_lines(&self, conv: &Operator) -> u32 {
        conv.kernel[0] * conv.kernel[1] / self.folded(conv) * self.pixel_lines(conv)
    }

    /// Columns of the input, of the convolution's result and of the superlayer's result.
    fn widths(&self) -> [u32; 3] {
        let width = |map| self.network.shape(map)[1];
        [width(self.reader().inputs[0]), width(self.reader().output), width(self.result().output)]
    }

    /// Columns are cut until two passes of input rows fit into a bank group, and blocks of results into half of one.
    fn stripes(&self, chunk: u32) -> u32 {
        let reader = self.reader();
        let [input, middle, output] = self.widths();
        let input = if self.folded(reader) > 1 { middle } else { input };
        let pixel = if self.conv.is_some() { self.pixel_lines(reader) } else { chunk };
        let fits = |stripes: &u32| {
            let part = |width: u32| width.div_ceil(*stripes);
            part(input) * pixel * reader.stride <= BANK / 2
                && part(middle) * chunk <= BANK / 2
                && part(output) * chunk <= BANK / 2
        };
        (1..output.max(1)).find(fits).unwrap_or(output.max(1))
    }

    /// Pushes an instruction; the first one of the superlayer waits for the barrier.
    fn push(&mut self, instruction: impl Into<Instruction>, needs: &[Option<usize>]) -> usize {
        let mut needs = needs.to_vec();
        needs.push(self.barrier.take());
        self.draft.push(instruction, &needs)
    }

    /// Biases and depthwise weights of some output channels.
    fn parameters(&mut self, first: u32, groups: u32, channels: u32) {
        let width = self.target.line_bytes() as u32;
        let bytes = (groups * width).min(channels - first * width);
        let bias = |bank: usize| Load { bank_id: bank as u32, channel: bytes, jump_read: bytes, ..Load::default() };
        let (bias_bank, depthwise_bank) = (self.target.bias_bank(), self.target.depthwise_weight_bank());
        if self.conv.is_some() {
            self.push(bias(bias_bank), &[]);
        }
        if let Some(misc) = self.misc.filter(|misc| misc.kind == Kind::Depthwise) {
            self.push(bias(bias_bank), &[]);
            let taps = misc.kernel[0] * misc.kernel[1];
            self.push(Load { length: taps, ..bias(depthwise_bank) }, &[]);
        }
    }

    /// One pass over the rows. `again` says that earlier chunks have read the same rows.
    fn rows(&mut self, part: Part, height: u32, again: bool) {
        let mut progress = Progress::default();
        let reader = self.reader();
        if again && self.capacity(&part) >= self.network.shape(reader.inputs[0])[0] {
            progress.loaded = self.network.shape(reader.inputs[0])[0];
        }
        if let Some(conv) = self.conv {
            let rows = self.network.shape(conv.output)[0];
            let block = self.target.pixel_parallel as u32;
            for first in (0..rows).step_by(block as usize) {
                let count = block.min(rows - first);
                self.load_rows(&part, &mut progress, first, count);
                self.conv_block(conv, &part, &mut progress, first, count);
                match self.misc {
                    Some(misc) => self.misc_rows(misc, &part, &mut progress, Some(first + count)),
                    None => progress.results.extend((0..count).map(|_| *progress.computed.last().expect("a Conv"))),
                }
                self.save_rows(&part, &mut progress);
            }
        } else if let Some(misc) = self.misc {
            let block = self.target.alu_pixel_parallel as u32;
            for first in (0..height).step_by(block as usize) {
                self.load_rows(&part, &mut progress, first, block.min(height - first));
                self.misc_rows(misc, &part, &mut progress, None);
                self.save_rows(&part, &mut progress);
            }
        }
    }

    /// Rows that the input ring of a part holds.
    fn capacity(&self, part: &Part) -> u32 {
        let reader = self.reader();
        let pixel = if self.conv.is_some() { self.pixel_lines(reader) } else { part.groups };
        let columns = if self.folded(reader) > 1 { part.columns[1] } else { part.columns[0] };
        let pass = columns * pixel * reader.stride;
        (BANK / pass).max(2) * self.target.pixel_parallel as u32 * reader.stride
    }

    /// Loads the input rows for the outputs `first .. first + count` of the reader that are not yet there.
    fn load_rows(&mut self, part: &Part, progress: &mut Progress, first: u32, count: u32) {
        let reader = self.reader();
        let input = reader.inputs[0];
        if self.cut.on_chip[input.0] {
            return;
        }
        let [height, _, channels] = self.network.shape(input);
        let needed =
            ((first + count - 1) * reader.stride + reader.kernel[0]).saturating_sub(reader.pad_top).min(height);
        let capacity = self.capacity(part);
        let folded = self.folded(reader);
        let (length, bytes, jump) = if folded > 1 {
            (part.columns[1], channels * folded, channels * reader.stride)
        } else if self.conv.is_some() {
            (part.columns[0], channels, self.cut.pixel_stride[input.0])
        } else {
            let bytes = (part.groups * self.target.line_bytes() as u32).min(channels);
            (part.columns[0], bytes, self.cut.pixel_stride[input.0])
        };
        let rows_per_block =
            if self.conv.is_some() { self.target.pixel_parallel } else { self.target.alu_pixel_parallel };
        while progress.loaded < needed {
            // Rows between the windows of a stride larger than the kernel are left out.
            if (progress.loaded + reader.pad_top) % reader.stride >= reader.kernel[0] {
                progress.loaded += 1;
                continue;
            }
            // The row whose place this one takes, and the last block that reads it.
            let freed = progress.loaded.checked_sub(capacity).and_then(|row| {
                let block = (row + reader.pad_top) / reader.stride / rows_per_block as u32;
                progress.read.get(block as usize).copied()
            });
            let bank = progress.loaded / reader.stride % self.target.pixel_parallel as u32;
            let load = Load {
                bank_id: bank,
                length,
                channel: bytes,
                jump_read: jump,
                jump_write: self.groups(bytes),
                ..Load::default()
            };
            progress.load = Some(self.push(load, &[freed]));
            progress.loaded += 1;
        }
    }

    /// All channel groups of a block of rows.
    fn conv_block(&mut self, conv: &Operator, part: &Part, progress: &mut Progress, first: u32, count: u32) {
        let folded = self.folded(conv);
        let init = ConvInit {
            kernel_h: conv.kernel[0],
            kernel_w: conv.kernel[1] / folded,
            stride_h: conv.stride,
            stride_w: if folded > 1 { 1 } else { conv.stride },
            valid_pixel_parallel: count,
            ..ConvInit::default()
        };
        let block = first / self.target.pixel_parallel as u32;
        if first == 0 || count < self.target.pixel_parallel as u32 {
            self.push(init, &[]);
        }
        // The block whose place this one takes in the ring of results.
        let blocks = (BANK / (part.columns[1] * part.groups)).max(2);
        let freed = block.checked_sub(blocks).and_then(|block| match self.misc {
            Some(_) => progress.read_of_results(block, self.target, self.misc),
            None => progress.saved.get((block * self.target.pixel_parallel as u32) as usize).copied(),
        });
        let mut last = 0;
        for group in part.first..part.first + part.groups {
            let weights = self.group_weights(conv, group);
            let instruction = Conv {
                length: part.columns[1],
                channel_group: self.pixel_lines(conv),
                bank_id_out: self.target.pixel_parallel as u32,
                ..Conv::default()
            };
            last = self.push(instruction, &[progress.load, Some(weights), freed]);
            if let Some(entry) = self.weights.iter_mut().find(|entry| entry.number == group) {
                entry.used = Some(last);
            }
        }
        progress.computed.push(last);
        progress.read.push(last);
    }

    /// Brings the weights of a channel group on chip unless they are there; the result is their last Load.
    fn group_weights(&mut self, conv: &Operator, group: u32) -> usize {
        if let Some(entry) = self.weights.iter().find(|entry| entry.number == group) {
            return entry.loaded;
        }
        let lines = self.weight_lines(conv);
        let mut freed = None;
        while self.weights.iter().map(|entry| entry.lines).sum::<u32>() + lines > BANK {
            let Some(entry) = self.weights.pop_front() else { break };
            freed = entry.used;
        }
        let width = self.target.line_bytes() as u32;
        let [channels, outputs] = [conv.inputs[0], conv.output].map(|map| self.network.shape(map)[2]);
        let bytes = channels * self.folded(conv);
        let mut loaded = 0;
        for output in 0..width.min(outputs - group * width) {
            let load = Load {
                bank_id: self.target.conv_weight_bank() as u32 + output,
                length: conv.kernel[0] * conv.kernel[1] / self.folded(conv),
                channel: bytes,
                jump_read: bytes,
                jump_write: self.groups(bytes),
                ..Load::default()
            };
            loaded = self.push(load, &[freed]);
        }
        self.weights.push_back(Group { number: group, lines, loaded, used: None });
        loaded
    }

    /// The rows of the misc engine's result for which `available` rows of the convolution are there; one more block if it reads the
    /// superlayer's input.
    fn misc_rows(&mut self, misc: &Operator, part: &Part, progress: &mut Progress, available: Option<u32>) {
        let height = self.network.shape(misc.output)[0];
        let rows = self.target.alu_pixel_parallel as u32;
        loop {
            let first = progress.results.len() as u32;
            let count = rows.min(height - first);
            if count == 0 {
                return;
            }
            let inputs = self.network.shape(misc.inputs[0])[0];
            let needed = ((first + count - 1) * misc.stride + misc.kernel[0]).saturating_sub(misc.pad_top).min(inputs);
            if available.is_some_and(|available| available < needed) {
                return;
            }
            let block = (needed - 1) / self.target.pixel_parallel as u32;
            let computed = progress.computed.get(block as usize).copied();
            // The rows whose place these take.
            let ring = (BANK / (part.columns[2] * part.groups)).max(2) * self.target.pixel_parallel as u32;
            let freed = first.checked_sub(ring).and_then(|row| progress.saved.get(row as usize).copied());
            let last = if misc.kind == Kind::Add {
                let operand = self.load_operand(misc, part, progress, first, count);
                self.elew(part, count, &[computed, operand, freed])
            } else {
                self.alu(misc, part, first, count, &[computed, progress.load, freed])
            };
            progress.results.extend((0..count).map(|_| last));
            if available.is_none() {
                progress.read.push(last);
                return;
            }
        }
    }

    fn alu(&mut self, misc: &Operator, part: &Part, first: u32, count: u32, needs: &[Option<usize>]) -> usize {
        if first == 0 {
            let init = AluInit {
                kernel_h: misc.kernel[0],
                kernel_w: misc.kernel[1],
                stride_h: misc.stride,
                stride_w: misc.stride,
                exec_mode: if misc.kind == Kind::Depthwise { 0 } else { 3 },
                length: part.columns[2],
                channel_group: part.groups,
                ..AluInit::default()
            };
            self.push(init, &[]);
        }
        self.push(Alu { valid_pixel_parallel: count, ..Alu::default() }, needs)
    }

    fn elew(&mut self, part: &Part, count: u32, needs: &[Option<usize>]) -> usize {
        for id in 0..2 {
            self.push(ElewInit { id, ..ElewInit::default() }, &[]);
        }
        let elew = Elew {
            length: part.columns[2],
            num: 2,
            channel_group: part.groups,
            valid_pixel_parallel: count,
            ..Elew::default()
        };
        self.push(elew, needs)
    }

    /// Loads the rows of a sum's other operand if it is in memory; the result is the last Load.
    fn load_operand(
        &mut self,
        sum: &Operator,
        part: &Part,
        progress: &mut Progress,
        first: u32,
        count: u32,
    ) -> Option<usize> {
        let mine = self.conv.map(|conv| conv.output);
        let other = sum.inputs.iter().copied().find(|&input| Some(input) != mine)?;
        if self.cut.on_chip[other.0] {
            return None;
        }
        let channels = self.network.shape(other)[2];
        let bytes = (part.groups * self.target.line_bytes() as u32).min(channels);
        let ring = (BANK / (part.columns[2] * part.groups)).max(2) * self.target.pixel_parallel as u32;
        for row in first..first + count {
            let freed = row.checked_sub(ring).and_then(|row| progress.results.get(row as usize).copied());
            let load = Load {
                bank_id: row % self.target.pixel_parallel as u32,
                length: part.columns[2],
                channel: bytes,
                jump_read: self.cut.pixel_stride[other.0],
                jump_write: part.groups,
                ..Load::default()
            };
            let load = self.push(load, &[freed]);
            progress.operands.push(load);
        }
        progress.operands.last().copied()
    }

    /// Saves the rows of the result that are there, if it goes to memory.
    fn save_rows(&mut self, part: &Part, progress: &mut Progress) {
        let output = self.result().output;
        if self.cut.on_chip[output.0] {
            return;
        }
        let width = self.target.line_bytes() as u32;
        let channels = self.network.shape(output)[2];
        // Pairs never reach over a block: the first of a pair waits for what both save.
        for (number, row) in (progress.saved.len()..progress.results.len()).enumerate() {
            let save = Save {
                bank_id: row as u32 % self.target.pixel_parallel as u32,
                length: part.columns[2],
                channel: (part.groups * width).min(channels - part.first * width),
                jump_read: part.groups,
                jump_write: self.cut.pixel_stride[output.0],
                hp_id: number as u32 % 2,
                ..Save::default()
            };
            let result = progress.results[row];
            let save = self.push(save, &[Some(result)]);
            progress.saved.push(save);
        }
    }
}

impl Progress {
    /// The misc instruction after which a block of the convolution's results is no longer read.
    fn read_of_results(&self, block: u32, target: &Target, misc: Option<&Operator>) -> Option<usize> {
        let misc = misc?;
        let row = ((block + 1) * target.pixel_parallel as u32 - 1 + misc.pad_top) / misc.stride;
        self.results.get(row as usize).or(self.results.last()).copied()
    }
}
