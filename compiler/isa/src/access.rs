//! What an instruction touches: bank lines and DDR bytes.
//!
//! Hazards are conflicts of these sets, so the code generator places tokens by them and the accelerator model looks for races
//! with them. Padding pixels count as not read, although the simulator fetches and then overwrites them; nor are pixels and
//! weights read when every channel is masked (`spec/recipes-conv.md` sections 2.6 and 6.3). Pixels between the windows of a
//! stride larger than the kernel do count.

use crate::alu_mode::AluMode;
use crate::instruction::{Alu, AluInit, Conv, ConvInit, Elew, Instruction, Load, Save};
use crate::legality::IllegalInstruction;
use crate::line_set::{BankSets, LineSet};
use crate::operation::{ElewInputs, Latches, Operation};
use crate::target::Target;
use crate::window::{InputWindow, RowWalk};

/// `count` lines of one bank from line `first` on; line 2047 is followed by line 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lines {
    /// Bank id.
    pub bank: u16,
    /// First line, `0 .. 2048`.
    pub first: u16,
    /// Number of lines, `1 ..= 2048`.
    pub count: u16,
}

/// The bytes `start .. end` of one DDR region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bytes {
    /// Region number, `reg_id`.
    pub region: u8,
    /// First byte.
    pub start: u32,
    /// Byte after the last.
    pub end: u32,
}

/// The accesses of one instruction. All reads happen before all writes.
///
/// Lines of one bank are disjoint, ascending and as long as possible (only the last may wrap), banks ascend; bytes ascend and
/// gapless pixels are one range.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accesses {
    /// Bank lines read.
    pub bank_reads: Vec<Lines>,
    /// Bank lines written; partial lines are filled with zeros, so whole lines.
    pub bank_writes: Vec<Lines>,
    /// DDR bytes read.
    pub region_reads: Vec<Bytes>,
    /// DDR bytes written.
    pub region_writes: Vec<Bytes>,
}

impl Accesses {
    /// Forgets all accesses and keeps the memory.
    pub fn clear(&mut self) {
        self.bank_reads.clear();
        self.bank_writes.clear();
        self.region_reads.clear();
        self.region_writes.clear();
    }
}

/// Follows a stream and tells what each instruction touches.
#[derive(Clone, Debug, Default)]
pub struct AccessTracker {
    latches: Latches,
    reads: BankSets,
    writes: BankSets,
}

impl AccessTracker {
    /// A tracker at the start of a program.
    pub fn new() -> Self {
        Self::default()
    }

    /// The Init fields latched so far.
    pub fn latches(&self) -> &Latches {
        &self.latches
    }

    /// Replaces `out` by the accesses of the next instruction of the stream.
    ///
    /// # Errors
    /// The instruction is illegal on `target`; `out` is then empty.
    pub fn accesses(
        &mut self,
        instruction: &Instruction,
        target: &Target,
        out: &mut Accesses,
    ) -> Result<(), IllegalInstruction> {
        out.clear();
        let operation = self.latches.resolve(instruction)?;
        operation.check(target)?;
        match &operation {
            Operation::Load(load) => self.load(load, target, out),
            Operation::Save(save) => self.save(save, target, out),
            Operation::Conv(init, conv) => self.conv(init, conv, target),
            Operation::Alu(init, alu) => self.alu(init, alu, target),
            Operation::Elew(inputs, elew) => self.elew(inputs, elew, target),
            Operation::ConvInit(_) | Operation::AluInit(_) | Operation::ElewInit(_) | Operation::End => {}
        }
        self.reads.drain_into(&mut out.bank_reads);
        self.writes.drain_into(&mut out.bank_writes);
        Ok(())
    }

    fn load(&mut self, load: &Load, target: &Target, out: &mut Accesses) {
        if !load.is_constant() {
            push_pixels(&mut out.region_reads, load.reg_id, load.ddr_addr, load.length, load.jump_read, load.channel);
        }
        let lines = target.lines(load.channel as usize) as u32;
        let pixels = LineSet::strided(load.bank_addr, load.jump_write, load.length, lines);
        self.writes.insert(load.bank_id, &pixels);
    }

    fn save(&mut self, save: &Save, target: &Target, out: &mut Accesses) {
        let constant = save.const_en == 1;
        let bytes = save.pixel_bytes();
        push_pixels(&mut out.region_writes, save.reg_id, save.ddr_addr, save.length, save.jump_write, bytes);
        if !constant {
            let lines = target.lines(save.channel as usize) as u32;
            let pixels = LineSet::strided(save.bank_addr, save.jump_read, save.length, lines);
            self.reads.insert(save.bank_id, &pixels);
        }
    }

    fn conv(&mut self, init: &ConvInit, conv: &Conv, target: &Target) {
        let channels = conv.channel_group * target.line_bytes() as u32;
        let window = InputWindow::of_conv(init, conv);
        if conv.channel_offset < channels && self.read_window(&window, conv.channel_group, target) {
            let lines = init.kernel_h * init.kernel_w * conv.channel_group;
            let weights = LineSet::strided(conv.bank_addr_weights, 1, 1, lines);
            let first = target.conv_weight_bank();
            for bank in first..first + target.channel_parallel {
                self.reads.insert(bank as u32, &weights);
            }
        }
        self.reads.insert(target.bias_bank() as u32, &LineSet::strided(conv.bank_addr_bias, 1, 1, 1));
        self.write_rows(&RowWalk::conv_output(init, conv), 1, target);
    }

    fn alu(&mut self, init: &AluInit, alu: &Alu, target: &Target) {
        let mode = AluMode::from_number(init.exec_mode);
        let group = init.channel_group;
        let mut window = InputWindow::of_alu(init, alu);
        if mode == Some(AluMode::MaxReduce) {
            window = window.without_padding();
        }
        let masked = mode != Some(AluMode::MaxReduce) && init.channel_offset >= group * target.line_bytes() as u32;
        let reads = !masked && self.read_window(&window, group * alu.kernel_d, target);
        let tap_lines = match mode {
            Some(AluMode::Depthwise | AluMode::DepthwiseNoBias) => group * alu.kernel_d,
            Some(AluMode::WideWeights) => 2 * group * alu.kernel_d,
            Some(AluMode::PRelu) => group,
            _ => 0,
        };
        if reads && tap_lines > 0 {
            let taps = init.kernel_h * init.kernel_w;
            let weights = LineSet::strided(alu.bank_addr_weights, init.jump_read_weights, taps, tap_lines);
            self.reads.insert(target.depthwise_weight_bank() as u32, &weights);
        }
        if mode == Some(AluMode::Depthwise) {
            self.reads.insert(target.bias_bank() as u32, &LineSet::strided(alu.bank_addr_bias, 1, 1, group));
        }
        self.write_rows(&RowWalk::alu_output(init, alu), group, target);
    }

    fn elew(&mut self, inputs: &ElewInputs, elew: &Elew, target: &Target) {
        for input in inputs.iter() {
            let walk = RowWalk::elew_input(input, elew);
            insert_rows(&mut self.reads, &walk, elew.channel_group, target);
        }
        self.write_rows(&RowWalk::elew_output(elew), elew.channel_group, target);
    }

    /// Adds the real pixels of a window, `lines` lines each, and says whether there are any.
    fn read_window(&mut self, window: &InputWindow, lines: u32, target: &Target) -> bool {
        let (rows, columns) = (window.real_rows(), window.real_columns());
        if rows.is_empty() || columns.is_empty() {
            return false;
        }
        let count = columns.end - columns.start;
        let row_pixels = LineSet::strided(columns.start * window.jump, window.jump, count, lines);
        for place in rows.filter_map(|row| window.row(row, target)) {
            self.reads.insert_shifted(place.bank, &row_pixels, place.line);
        }
        true
    }

    fn write_rows(&mut self, walk: &RowWalk, lines: u32, target: &Target) {
        insert_rows(&mut self.writes, walk, lines, target);
    }
}

fn insert_rows(sets: &mut BankSets, walk: &RowWalk, lines: u32, target: &Target) {
    let row_pixels = LineSet::strided(0, walk.jump, walk.columns, lines);
    for row in 0..walk.rows {
        let place = walk.row(row, target);
        sets.insert_shifted(place.bank, &row_pixels, place.line);
    }
}

fn push_pixels(out: &mut Vec<Bytes>, region: u32, start: u32, pixels: u32, jump: u32, bytes: u32) {
    let region = region as u8;
    if jump <= bytes {
        out.push(Bytes { region, start, end: start + (pixels - 1) * jump + bytes });
    } else {
        out.extend((0..pixels).map(|pixel| {
            let start = start + pixel * jump;
            Bytes { region, start, end: start + bytes }
        }));
    }
}
