//! What each instruction costs.

use dpuc_isa::{Alu, AluInit, AluMode, Conv, ConvInit, Elew, Load, Operation, Save, Target};

use super::board::{Board, CoreTiming};

/// Time of one instruction, in cycles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// How long its engine (for Save: its port) is occupied.
    pub busy: u64,
    /// From then until its tokens reach other engines: data still on the way.
    pub latency: u64,
}

/// Data ports of a core, 128 bits each (`spec/boards.md` section 2). A Load uses both.
const DATA_PORTS: u64 = 2;

/// Costs of instructions on one target and board.
///
/// Formulas of the array and the misc engine: `spec/dpuczdx8g-isa.md` section 7; they reproduce AMD's own `workload_on_arch`. The constants
/// besides them are calibrated, see `benches/CALIBRATION.md`.
#[derive(Clone, Debug)]
pub struct Costs {
    line_bytes: u64,
    load_bytes: f64,
    save_bytes: f64,
    memory_latency: u64,
    core: CoreTiming,
}

impl Costs {
    /// Costs for one of `cores` cores that are busy at the same time and share the memory's rate evenly.
    pub fn new(target: &Target, board: &Board, cores: u32) -> Self {
        let share = board.memory_bytes(cores);
        Self {
            line_bytes: target.line_bytes() as u64,
            load_bytes: board.core.load_bytes.min(share),
            save_bytes: board.core.save_bytes.min(share),
            memory_latency: board.memory_latency(),
            core: board.core,
        }
    }

    /// The cost of any operation.
    pub fn of(&self, operation: &Operation) -> Cost {
        match operation {
            Operation::Load(load) => self.load(load),
            Operation::Save(save) => self.save(save),
            Operation::Conv(init, conv) => self.conv(init, conv),
            Operation::Alu(init, alu) => self.alu(init, alu),
            Operation::Elew(_, elew) => self.elew(elew),
            Operation::ConvInit(_) | Operation::AluInit(_) | Operation::ElewInit(_) | Operation::End => {
                Cost { busy: 1, latency: 0 }
            }
        }
    }

    /// A Load: its bytes at the rate of the ports or of the memory, but no more than one bank line per cycle and port. Data arrive a
    /// memory latency after they are asked for; the next Load can ask meanwhile.
    pub fn load(&self, load: &Load) -> Cost {
        let lines = u64::from(load.length) * u64::from(load.channel).div_ceil(self.line_bytes);
        if load.is_constant() {
            return Cost { busy: self.core.load_overhead + lines, latency: 0 };
        }
        let beats = cycles(u64::from(load.length) * u64::from(load.channel), self.load_bytes);
        Cost { busy: self.core.load_overhead + beats.max(lines.div_ceil(DATA_PORTS)), latency: self.memory_latency }
    }

    /// A Save: like a Load, on one port. Its tokens follow the memory's acknowledgement.
    pub fn save(&self, save: &Save) -> Cost {
        let lines = u64::from(save.length) * u64::from(save.channel).div_ceil(self.line_bytes);
        let bytes = if save.argmax >= 2 && save.const_en == 0 { 1 } else { u64::from(save.channel) };
        let beats = cycles(u64::from(save.length) * bytes, self.save_bytes);
        Cost { busy: self.core.save_overhead + beats.max(lines), latency: self.memory_latency }
    }

    /// A Conv: one column, tap and input channel group per cycle, for all rows and output channels at once, however many of them are
    /// valid.
    pub fn conv(&self, init: &ConvInit, conv: &Conv) -> Cost {
        let array = product(&[conv.length, init.kernel_h, init.kernel_w, conv.channel_group]);
        Cost { busy: self.core.conv_overhead + array, latency: 0 }
    }

    /// An Alu: one column, tap and channel group per cycle for all rows; one tap in the pointwise modes.
    pub fn alu(&self, init: &AluInit, alu: &Alu) -> Cost {
        let pixels = product(&[init.length, init.channel_group]);
        let taps = match AluMode::from_number(init.exec_mode) {
            Some(AluMode::PRelu | AluMode::LeakyRelu | AluMode::HardSigmoid) => 1,
            _ => product(&[init.kernel_h, init.kernel_w, alu.kernel_d]),
        };
        Cost { busy: self.core.misc_overhead + pixels * taps, latency: 0 }
    }

    /// An Elew: one input, column and channel group per cycle for all rows.
    pub fn elew(&self, elew: &Elew) -> Cost {
        Cost { busy: self.core.misc_overhead + product(&[elew.length, elew.channel_group, elew.num]), latency: 0 }
    }
}

/// Cycles for `bytes` at a rate.
fn cycles(bytes: u64, bytes_per_cycle: f64) -> u64 {
    (bytes as f64 / bytes_per_cycle).ceil() as u64
}

/// Fields of legal instructions: four of them stay far below 64 bits.
fn product(factors: &[u32]) -> u64 {
    factors.iter().map(|&factor| u64::from(factor)).product()
}
