//! Random instructions and programs for fuzz tests, reproducible from a seed.
//!
//! Two kinds: *encodable* instructions, any field anywhere in its range, for encoders and text; and *legal* ones, which a target
//! executes, for the accelerator model. Sizes are drawn evenly over their magnitudes, so small ones are common and the largest
//! still occur; addresses, jumps, pads and shifts are drawn evenly over their range, with their extremes favoured.

use crate::alu_mode::AluMode;
use crate::engine::EngineSet;
use crate::instruction::{
    Alu, AluInit, Conv, ConvInit, Elew, ElewInit, End, Field, Fields, Instruction, Load, Opcode, Save,
};
use crate::legality::BROADCAST_CONSTANT;
use crate::operation::{ELEW_INPUTS, Latches};
use crate::target::{CONV_STRIDE_MAX, SHIFT_BIAS_MAX, Target};

/// A small generator of pseudo-random numbers (SplitMix64): the same seed gives the same numbers on every machine.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator that starts at `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 random bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number in `0 .. bound`; 0 for a bound of 0.
    pub fn below(&mut self, bound: u32) -> u32 {
        ((u64::from(bound) * (self.bits() >> 32)) >> 32) as u32
    }

    /// A number in `min ..= max`.
    pub fn between(&mut self, min: u32, max: u32) -> u32 {
        let span = u64::from(max - min) + 1;
        min + ((span * (self.bits() >> 32)) >> 32) as u32
    }

    /// One of `values`, which must not be empty.
    pub fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u32) as usize]
    }

    /// True once in `times`.
    pub fn one_in(&mut self, times: u32) -> bool {
        self.below(times) == 0
    }

    /// A signed byte; the extremes are frequent.
    pub fn code(&mut self) -> i8 {
        match self.below(16) {
            0 => i8::MIN,
            1 => i8::MAX,
            _ => self.below(256) as u8 as i8,
        }
    }

    /// A value of the field's range; its smallest and its largest come up in a quarter of all cases.
    pub fn field(&mut self, field: &Field) -> u32 {
        match self.below(8) {
            0 => field.min(),
            1 => field.max(),
            _ => self.between(field.min(), field.max()),
        }
    }

    /// Field values anywhere in their ranges, no tokens.
    pub fn fields<T: Fields>(&mut self) -> T {
        let mut instruction = T::default();
        instruction.map_fields(|field, _| self.field(field));
        instruction
    }

    /// An instruction with every field, and the dependency masks, anywhere in their range.
    pub fn encodable(&mut self, opcode: Opcode) -> Instruction {
        let mut instruction = Instruction::with_default_fields(opcode);
        instruction.map_fields(|field, _| self.field(field));
        let tokens = instruction.tokens_mut();
        tokens.wait = EngineSet::from_bits(self.below(16));
        tokens.notify = EngineSet::from_bits(self.below(16));
        instruction
    }

    /// [`encodable`](Self::encodable) with any opcode, those of ISA 0 included.
    pub fn any_encodable(&mut self) -> Instruction {
        let opcode = self.pick(Opcode::ALL);
        self.encodable(opcode)
    }
}

/// Bounds of generated programs.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Loads and Saves stay below this byte of every DDR region.
    pub region_bytes: u32,
    /// Largest number of multiplications, or of bytes moved, of one instruction.
    pub work: u64,
}

impl Default for Bounds {
    /// Regions of 64 KiB, 64 Ki multiplications.
    fn default() -> Self {
        Self { region_bytes: 1 << 16, work: 1 << 16 }
    }
}

/// Generator of instructions that a target executes.
#[derive(Clone, Debug)]
pub struct LegalGenerator<'t> {
    random: Random,
    target: &'t Target,
    bounds: Bounds,
    /// Magnitude, in bits, that sizes stay below. Falls with every candidate that is rejected, so that the search ends: with
    /// every size 1 each candidate is legal.
    magnitude: u32,
}

const FULL_MAGNITUDE: u32 = 16;

impl<'t> LegalGenerator<'t> {
    /// A generator for `target`.
    pub const fn new(seed: u64, target: &'t Target, bounds: Bounds) -> Self {
        Self { random: Random::new(seed), target, bounds, magnitude: FULL_MAGNITUDE }
    }

    /// A program of `operations` Loads, Saves, Convs, Alus and Elews with the Init instructions they need, then End.
    ///
    /// Every instruction waits for and notifies its own engine only: the program has its meaning in stream order, as AMD's
    /// functional simulator runs it, but nothing orders the engines.
    pub fn program(&mut self, operations: usize) -> Vec<Instruction> {
        let mut program: Vec<Instruction> = (0..operations).flat_map(|_| self.operation()).collect();
        program.push(End::default().into());
        for instruction in &mut program {
            let own = EngineSet::only(instruction.engine());
            let tokens = instruction.tokens_mut();
            (tokens.wait, tokens.notify) = (own, own);
        }
        program
    }

    /// One legal operation, with the Init instructions it needs in front.
    pub fn operation(&mut self) -> Vec<Instruction> {
        let opcode = self.random.pick(&[Opcode::Load, Opcode::Save, Opcode::Conv, Opcode::Alu, Opcode::Elew]);
        self.operation_of(opcode)
    }

    /// One legal operation of the kind `opcode`, with the Init instructions it needs in front. An Init opcode, End and the
    /// opcodes of ISA 0 are no operations and give nothing.
    pub fn operation_of(&mut self, opcode: Opcode) -> Vec<Instruction> {
        self.magnitude = FULL_MAGNITUDE;
        loop {
            let candidate = match opcode {
                Opcode::Load => vec![self.load().into()],
                Opcode::Save => vec![self.save().into()],
                Opcode::Conv => self.conv(),
                Opcode::Alu => self.alu(),
                Opcode::Elew => self.elew(),
                _ => return Vec::new(),
            };
            if self.accepts(&candidate) {
                return candidate;
            }
            if self.random.one_in(4) {
                self.magnitude = self.magnitude.saturating_sub(1);
            }
        }
    }

    fn accepts(&self, candidate: &[Instruction]) -> bool {
        let mut latches = Latches::new();
        candidate.iter().all(|instruction| {
            latches.resolve(instruction).is_ok_and(|operation| {
                operation.check(self.target).is_ok()
                    && operation.region_span().is_none_or(|span| span.end <= self.bounds.region_bytes)
                    && operation.work(self.target) <= self.bounds.work
            })
        })
    }

    /// A size in `1 ..= max`, evenly over the magnitudes.
    fn size(&mut self, max: u32) -> u32 {
        let bits = self.random.between(0, self.magnitude);
        self.random.between(1, 1 << bits).min(max)
    }

    fn feature_bank(&mut self) -> u32 {
        self.random.below(self.target.feature_banks() as u32)
    }

    fn activation(&mut self, leaky_relu: bool) -> u32 {
        self.random.pick(if leaky_relu { &[0, 1, 3, 4] } else { &[0, 1, 4] })
    }

    /// Rows at once: up to the engine's parallelism and the three bits of the field.
    fn rows(&mut self, parallel: usize) -> u32 {
        self.random.between(1, parallel.min(self.target.pixel_parallel) as u32)
    }

    /// Pad of a window's side: mostly inside the kernel, else anything up to `max`.
    fn pad(&mut self, kernel: u32, max: u32) -> u32 {
        if self.random.one_in(8) { self.random.between(0, max) } else { self.random.below(kernel).min(max) }
    }

    /// Channels to mask: mostly some of the last line, else anything.
    fn channel_offset(&mut self) -> u32 {
        let bound = if self.random.one_in(8) { 32 } else { self.target.line_bytes() as u32 };
        self.random.below(bound)
    }

    fn region_address(&mut self, pixels: u32, jump: u32, bytes: u32) -> u32 {
        let span = (pixels - 1) * jump + bytes;
        self.random.below(self.bounds.region_bytes.saturating_sub(span) + 1)
    }

    fn load(&mut self) -> Load {
        let mut load = self.random.fields::<Load>();
        load.bank_id = self.random.below(self.target.bank_count() as u32);
        load.mode_avg = 0;
        load.broadcast = if self.random.one_in(4) { BROADCAST_CONSTANT } else { 0 };
        load.length = self.size(1024);
        load.channel = self.size(16_384);
        load.jump_read = if self.random.one_in(2) { load.channel } else { self.size(65_536) };
        load.ddr_addr = self.region_address(load.length, load.jump_read, load.channel);
        if load.masks() {
            load.pad_start = self.random.below(load.channel.min(32));
            load.pad_idx = self.size(32);
            load.pad_end = self.random.below(32);
        }
        load
    }

    fn save(&mut self) -> Save {
        let mut save = self.random.fields::<Save>();
        save.bank_id = self.feature_bank();
        save.argmax = if self.target.argmax { self.random.below(4) } else { self.random.below(2) };
        // The simulator fails when the value mode finds its maximum behind channel 127.
        save.channel = self.size(if save.argmax == 3 { 128 } else { 4096 });
        save.length = self.size(1024);
        save.jump_write = if self.random.one_in(2) { save.channel } else { self.size(65_536) };
        save.ddr_addr = self.region_address(save.length, save.jump_write, save.channel);
        save
    }

    fn conv(&mut self) -> Vec<Instruction> {
        let mut init = self.random.fields::<ConvInit>();
        init.shift_bias = self.random.between(0, SHIFT_BIAS_MAX);
        init.act_type = self.activation(self.target.conv_leaky_relu);
        init.valid_pixel_parallel = self.rows(self.target.pixel_parallel);
        (init.kernel_h, init.kernel_w) = (self.size(16), self.size(16));
        (init.stride_h, init.stride_w) = (self.size(CONV_STRIDE_MAX as u32), self.size(CONV_STRIDE_MAX as u32));
        init.stride_offset_in = self.random.below(init.stride_h);
        let mut conv = self.random.fields::<Conv>();
        (conv.bank_id_in, conv.bank_id_out) = (self.feature_bank(), self.feature_bank());
        conv.length = self.size(1024);
        conv.channel_group = self.size(256);
        conv.channel_offset = self.channel_offset();
        (conv.pad_top, conv.pad_left) = (self.pad(init.kernel_h, 15), self.pad(init.kernel_w, 15));
        (conv.pad_bottom, conv.pad_right) = (self.pad(init.kernel_h, 15), self.pad(init.kernel_w, 15));
        vec![init.into(), conv.into()]
    }

    fn alu(&mut self) -> Vec<Instruction> {
        let mut init = self.random.fields::<AluInit>();
        let mode = self.random.pick(&AluMode::ALL);
        init.exec_mode = mode as u32;
        init.shift_bias = self.random.between(0, SHIFT_BIAS_MAX);
        init.act_type = self.activation(self.target.alu_leaky_relu);
        (init.kernel_h, init.kernel_w) = (self.size(256), self.size(256));
        (init.stride_h, init.stride_w) = (self.size(256), self.size(256));
        if mode.is_pointwise() {
            (init.kernel_h, init.kernel_w, init.stride_h, init.stride_w) = (1, 1, 1, 1);
        }
        init.stride_offset_in = self.random.below(init.stride_h);
        init.length = self.size(2048);
        init.channel_group = self.size(256);
        init.channel_offset = self.channel_offset();
        let mut alu = self.random.fields::<Alu>();
        (alu.bank_id_in, alu.bank_id_out) = (self.feature_bank(), self.feature_bank());
        alu.valid_pixel_parallel = self.rows(self.target.alu_pixel_parallel);
        (alu.pad_top, alu.pad_left) = (self.pad(init.kernel_h, 15), self.pad(init.kernel_w, 15));
        (alu.pad_bottom, alu.pad_right) = (self.pad(init.kernel_h, 255), self.pad(init.kernel_w, 255));
        alu.kernel_d = if mode.is_depthwise() { self.size(16) } else { 1 };
        vec![init.into(), alu.into()]
    }

    fn elew(&mut self) -> Vec<Instruction> {
        let mut elew = self.random.fields::<Elew>();
        elew.elew_type = self.random.below(2);
        elew.num = if elew.elew_type == 1 { 2 } else { self.random.between(1, ELEW_INPUTS as u32) };
        elew.valid_pixel_parallel = self.rows(self.target.alu_pixel_parallel);
        elew.bank_id_out = self.feature_bank();
        elew.length = self.size(2048);
        elew.channel_group = self.size(256);
        let mut sequence = Vec::new();
        for id in 0..elew.num {
            let mut input = self.random.fields::<ElewInit>();
            input.id = id;
            input.bank_id_in = self.feature_bank();
            input.jump_bank = self.random.between(1, self.target.pixel_parallel as u32 / elew.valid_pixel_parallel);
            sequence.push(input.into());
        }
        sequence.push(elew.into());
        sequence
    }
}
