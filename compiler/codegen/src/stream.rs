//! The instruction stream that layers are appended to, and what the core latches between instructions.

use std::collections::VecDeque;

use dpuc_isa::{AluInit, BANK_LINES, ConvInit, IllegalInstruction, Instruction, Target};

use crate::tokens::place_tokens;

/// A finished program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Instructions with tokens, ending with End.
    pub instructions: Vec<Instruction>,
    /// For each instruction, the node it belongs to: its index in the network, or which call of [`emit`](crate::emit) made it,
    /// counted from 0. End counts to the last one.
    pub nodes: Vec<u32>,
}

/// Collects the instructions of layer after layer.
#[derive(Clone, Debug)]
pub struct Stream {
    target: Target,
    instructions: Vec<Instruction>,
    nodes: Vec<u32>,
    node: u32,
    emitted: u32,
    conv_init: Option<ConvInit>,
    alu_init: Option<AluInit>,
    parameters: [ParameterRing; ParameterMemory::COUNT],
    owners: u32,
    /// For each feature-map group, the line behind the latest allocation.
    heads: Vec<u32>,
}

/// The parameter memories. All banks of a memory are allocated together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ParameterMemory {
    /// Convolution weights.
    ConvWeights,
    /// Depthwise weights.
    DepthwiseWeights,
    /// Bias vectors.
    Bias,
}

impl ParameterMemory {
    const COUNT: usize = 3;
}

/// Parameters on chip: whose, which phase of the kernel, which channel groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ParameterKey {
    pub(crate) owner: u32,
    pub(crate) phase: u32,
    pub(crate) first_group: u32,
    pub(crate) groups: u32,
}

/// A parameter memory: each allocation starts where the previous one ended, and replaces the oldest ones.
#[derive(Clone, Debug, Default)]
struct ParameterRing {
    head: u32,
    live: VecDeque<(ParameterKey, u32, u32)>,
    used: u32,
}

impl ParameterRing {
    fn line(&self, key: ParameterKey) -> Option<u32> {
        self.live.iter().find(|entry| entry.0 == key).map(|entry| entry.1)
    }

    fn allocate(&mut self, key: ParameterKey, lines: u32) -> u32 {
        let line = self.head;
        self.head = wrap_line(i64::from(line) + i64::from(lines));
        self.used += lines;
        self.live.push_back((key, line, lines));
        while self.used > BANK_LINES as u32 {
            let Some((_, _, lines)) = self.live.pop_front() else { break };
            self.used -= lines;
        }
        line
    }
}

impl Stream {
    /// An empty stream for one target.
    pub fn new(target: &Target) -> Self {
        Self {
            target: target.clone(),
            instructions: Vec::new(),
            nodes: Vec::new(),
            node: 0,
            emitted: 0,
            conv_init: None,
            alu_init: None,
            parameters: Default::default(),
            owners: 0,
            heads: vec![0; target.feature_groups],
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
        let Self { target, mut instructions, nodes, .. } = self;
        place_tokens(&mut instructions, &target)?;
        Ok(Program { instructions, nodes })
    }

    /// The number of the next call of `emit`.
    pub(crate) fn next_emission(&mut self) -> u32 {
        self.emitted += 1;
        self.emitted - 1
    }

    /// What follows belongs to this node.
    pub(crate) fn enter(&mut self, node: u32) {
        self.node = node;
    }

    pub(crate) fn push(&mut self, instruction: impl Into<Instruction>) {
        self.instructions.push(instruction.into());
        self.nodes.push(self.node);
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

    /// A number that no other owner of parameters has.
    pub(crate) fn new_owner(&mut self) -> u32 {
        self.owners += 1;
        self.owners
    }

    /// The line of parameters that are still on chip.
    pub(crate) fn resident(&self, memory: ParameterMemory, key: ParameterKey) -> Option<u32> {
        self.parameters[memory as usize].line(key)
    }

    /// Lines for parameters that are not on chip. Tokens make later writers wait for earlier users of the same lines.
    pub(crate) fn allocate(&mut self, memory: ParameterMemory, key: ParameterKey, lines: u32) -> u32 {
        self.parameters[memory as usize].allocate(key, lines)
    }

    /// For each feature-map group, where the next superlayer should start, so that it does not wait for the previous one.
    pub(crate) fn heads(&mut self) -> &mut Vec<u32> {
        &mut self.heads
    }
}

/// A line number modulo the size of a bank.
pub(crate) const fn wrap_line(line: i64) -> u32 {
    line.rem_euclid(BANK_LINES as i64) as u32
}
