//! The instruction stream under construction: instructions, their layer, the latched Init fields and the ring allocators.

use dpuc_isa::{AluInit, BANK_LINES, ConvInit, IllegalInstruction, Instruction, Target};

use crate::tokens::place_tokens;

/// A finished program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Instructions with tokens, ending with End.
    pub instructions: Vec<Instruction>,
    /// For each instruction, which call of [`emit`](crate::emit) made it, counted from 0; End counts to the last layer.
    pub layers: Vec<u32>,
}

/// Collects the instructions of layer after layer.
#[derive(Clone, Debug)]
pub struct Stream {
    target: Target,
    instructions: Vec<Instruction>,
    layers: Vec<u32>,
    layer: Option<u32>,
    conv_init: Option<ConvInit>,
    alu_init: Option<AluInit>,
    rings: [u32; Memory::COUNT],
}

/// The on-chip memories that are allocated as rings of lines. All banks of a memory are allocated together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    /// The feature-map group that holds input tiles.
    Input,
    /// The feature-map group that holds output tiles.
    Output,
    /// Convolution weights.
    ConvWeights,
    /// Depthwise weights.
    DepthwiseWeights,
    /// Bias vectors.
    Bias,
}

impl Memory {
    const COUNT: usize = 5;
}

impl Stream {
    /// An empty stream for one target.
    pub fn new(target: &Target) -> Self {
        Self {
            target: target.clone(),
            instructions: Vec::new(),
            layers: Vec::new(),
            layer: None,
            conv_init: None,
            alu_init: None,
            rings: [0; Memory::COUNT],
        }
    }

    /// The target it is for.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Instructions so far, without tokens.
    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }

    /// Adds End and places the dependency tokens.
    ///
    /// # Errors
    /// An instruction breaks a rule of the target, which would be a fault of this crate.
    pub fn finish(mut self) -> Result<Program, IllegalInstruction> {
        self.push(dpuc_isa::End::default());
        let Self { target, mut instructions, layers, .. } = self;
        place_tokens(&mut instructions, &target)?;
        Ok(Program { instructions, layers })
    }

    /// What follows belongs to the next layer.
    pub(crate) fn begin_layer(&mut self) {
        self.layer = Some(self.layer.map_or(0, |layer| layer + 1));
    }

    pub(crate) fn push(&mut self, instruction: impl Into<Instruction>) {
        self.instructions.push(instruction.into());
        self.layers.push(self.layer.unwrap_or(0));
    }

    /// Makes `init` the latched parameters of Conv.
    pub(crate) fn configure_conv(&mut self, init: ConvInit) {
        if self.conv_init != Some(init) {
            self.conv_init = Some(init);
            self.push(init);
        }
    }

    /// Makes `init` the latched parameters of Alu.
    pub(crate) fn configure_alu(&mut self, init: AluInit) {
        if self.alu_init != Some(init) {
            self.alu_init = Some(init);
            self.push(init);
        }
    }

    /// The first of `lines` lines that follow the previous allocation in the ring of `memory`.
    ///
    /// An allocation lives until later ones have gone once around: whoever allocates keeps the sum of the lines that are alive
    /// within a bank. Tokens make later writers wait for earlier users of the same lines.
    pub(crate) fn allocate(&mut self, memory: Memory, lines: u32) -> u32 {
        let head = &mut self.rings[memory as usize];
        let line = *head;
        *head = wrap_line(i64::from(line) + i64::from(lines));
        line
    }
}

/// A line number modulo the size of a bank.
pub(crate) const fn wrap_line(line: i64) -> u32 {
    line.rem_euclid(BANK_LINES as i64) as u32
}
