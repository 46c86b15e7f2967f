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

/// Data ports of a core, 128 bits each (`spec/boards.md` section 2).
const DATA_PORTS: f64 = 2.0;

/// Costs of instructions on one target and board.
///
/// Formulas of the array and the misc engine: `spec/dpuczdx8g-isa.md` section 7; they reproduce AMD's own `workload_on_arch`. The constants
/// besides them are calibrated, see `benches/CALIBRATION.md`.
#[derive(Clone, Debug)]
pub struct Costs {
    line_bytes: u64,
    memory_bytes: f64,
    memory_latency: u64,
    core: CoreTiming,
}

impl Costs {
    /// Costs for one of `cores` cores that are busy at the same time and share the memory's rate evenly.
    pub fn new(target: &Target, board: &Board, cores: u32) -> Self {
        Self {
            line_bytes: target.line_bytes() as u64,
            memory_bytes: board.memory_bytes(cores),
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

    /// A Load: its bank lines at the rate of both ports, or its bytes at that of the memory. Data arrive a memory latency after they are
    /// asked for; the next Load asks meanwhile.
    pub fn load(&self, load: &Load) -> Cost {
        let lines = u64::from(load.length) * u64::from(load.channel).div_ceil(self.line_bytes);
        let bytes = if load.is_constant() { 0 } else { u64::from(load.length) * u64::from(load.channel) };
        self.transfer(lines, bytes, DATA_PORTS)
    }

    /// A Save: like a Load, on one port. Its tokens follow the memory's acknowledgement.
    pub fn save(&self, save: &Save) -> Cost {
        let lines = u64::from(save.length) * u64::from(save.channel).div_ceil(self.line_bytes);
        let pixel = if save.argmax >= 2 && save.const_en == 0 { 1 } else { u64::from(save.channel) };
        self.transfer(lines, u64::from(save.length) * pixel, 1.0)
    }

    fn transfer(&self, lines: u64, bytes: u64, ports: f64) -> Cost {
        let cycles = (lines as f64 / (ports * self.core.port_lines)).max(bytes as f64 / self.memory_bytes);
        Cost { busy: self.core.transfer_overhead + cycles.ceil() as u64, latency: self.memory_latency }
    }

    /// A Conv: one column, tap and input channel group per cycle, for all rows and output channels at once, however many of them are
    /// valid.
    pub fn conv(&self, init: &ConvInit, conv: &Conv) -> Cost {
        let array = product(&[conv.length, init.kernel_h, init.kernel_w, conv.channel_group]);
        Cost { busy: self.core.compute_overhead + array, latency: 0 }
    }

    /// An Alu: one column, tap and channel group per cycle for all rows; one tap in the pointwise modes.
    pub fn alu(&self, init: &AluInit, alu: &Alu) -> Cost {
        let pixels = product(&[init.length, init.channel_group]);
        let taps = match AluMode::from_number(init.exec_mode) {
            Some(AluMode::PRelu | AluMode::LeakyRelu | AluMode::HardSigmoid) => 1,
            _ => product(&[init.kernel_h, init.kernel_w, alu.kernel_d]),
        };
        Cost { busy: self.core.compute_overhead + pixels * taps, latency: 0 }
    }

    /// An Elew: one input, column and channel group per cycle for all rows.
    pub fn elew(&self, elew: &Elew) -> Cost {
        Cost { busy: self.core.compute_overhead + product(&[elew.length, elew.channel_group, elew.num]), latency: 0 }
    }
}

/// Fields of legal instructions: four of them stay far below 64 bits.
fn product(factors: &[u32]) -> u64 {
    factors.iter().map(|&factor| u64::from(factor)).product()
}
