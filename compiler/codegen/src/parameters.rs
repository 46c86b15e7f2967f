//! Constants that all engines' parameter memories take.

use dpuc_isa::{BANK_LINES, Load};

use crate::block::Block;
use crate::layer::Constant;
use crate::source::{BankLine, DdrPixels};
use crate::stream::{ParameterKey, ParameterMemory, Stream};

const CHANNELS_PER_LOAD: u32 = 16_384;

/// Loads a vector of one byte per channel to new lines of the bias memory and returns the first line.
pub(crate) fn load_bias(stream: &mut Stream, owner: u32, bias: Constant, channels: u32) -> u32 {
    let bank = stream.target().bias_bank() as u32;
    let lines = stream.target().lines(channels as usize) as u32;
    let key = ParameterKey { owner, phase: 0, first_group: 0, groups: lines };
    let line = stream.allocate(ParameterMemory::Bias, key, lines);
    load_vector(stream, bias, channels, bank, line);
    line
}

/// Loads bytes to consecutive lines of a bank.
pub(crate) fn load_vector(stream: &mut Stream, vector: Constant, bytes: u32, bank: u32, line: u32) {
    let line_bytes = stream.target().line_bytes() as u32;
    let most = CHANNELS_PER_LOAD / line_bytes * line_bytes;
    for first in (0..bytes).step_by(most as usize) {
        let channel = most.min(bytes - first);
        stream.push(Load {
            bank_id: bank,
            bank_addr: (line + first / line_bytes) % BANK_LINES as u32,
            length: 1,
            channel,
            jump_read: channel,
            reg_id: u32::from(vector.region),
            ddr_addr: vector.address + first,
            ..Load::default()
        });
    }
}

/// Vectors of one byte per channel in the depthwise weight memory, loaded chunk by chunk as blocks need them.
pub(crate) struct Vectors {
    place: Constant,
    count: u32,
    channels: u32,
    owner: u32,
}

impl Vectors {
    /// `count` vectors of `channels` bytes, one behind the other in DDR.
    pub(crate) const fn new(place: Constant, count: u32, channels: u32, owner: u32) -> Self {
        Self { place, count, channels, owner }
    }

    /// First line of the part that a block needs; that of vector `k` follows after `k · block.groups` lines.
    pub(crate) fn line(&self, stream: &mut Stream, block: &Block) -> u32 {
        let key = ParameterKey { owner: self.owner, phase: 0, first_group: block.first_group, groups: block.groups };
        if let Some(line) = stream.resident(ParameterMemory::DepthwiseWeights, key) {
            return line;
        }
        let line = stream.allocate(ParameterMemory::DepthwiseWeights, key, self.count * block.groups);
        let pixels = DdrPixels {
            region: self.place.region,
            address: self.place.address + block.first_group * stream.target().line_bytes() as u32,
            stride: self.channels,
            count: self.count,
            bytes: block.inputs[0].channels,
        };
        let bank = stream.target().depthwise_weight_bank() as u32;
        pixels.load(stream, BankLine { bank, line }, block.groups);
        line
    }
}
