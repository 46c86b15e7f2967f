//! Constants that all engines' parameter memories take.

use dpuc_isa::{BANK_LINES, Load};

use crate::layer::Constant;
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
