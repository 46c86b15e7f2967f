//! The table of boards: what a core's surroundings cost in time.

use std::borrow::Cow;

/// Clock and memory of one board.
///
/// Rates and latencies of the memory are in units of time, those of the core ([`CoreTiming`]) in units of its clock, because published times
/// scale with the clock wherever a single core is not limited by the memory itself (`spec/boards.md` section 3.3).
#[derive(Clone, Debug, PartialEq)]
pub struct Board {
    /// Name as in [`dpuc_isa::Target::boards`], lower case.
    pub name: Cow<'static, str>,
    /// Clock of the core; its DSP slices run at twice that.
    pub clock_mhz: f64,
    /// Cores of the usual image, which share the memory.
    pub cores: u32,
    /// Peak rate of the DDR interface in MB/s.
    pub memory_mb_s: f64,
    /// From a read request of the core to its first data, in nanoseconds.
    pub memory_latency_ns: f64,
    /// The core itself.
    pub core: CoreTiming,
}

/// Times of the IP core, in cycles of its clock. The same on every board and for every size.
///
/// Fitted to published times of AMD's own programs: `benches/CALIBRATION.md`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CoreTiming {
    /// Bank lines that one data port moves per cycle. A Load uses both ports, a Save one.
    pub port_lines: f64,
    /// Cycles a Load or Save takes besides its data.
    pub transfer_overhead: u64,
    /// Cycles a Conv, Alu or Elew takes besides its arithmetic: filling and draining the pipeline, and the change to the next one.
    pub compute_overhead: u64,
    /// 32-bit words of the program that the instruction port fetches per cycle.
    pub fetch_words: f64,
    /// Instructions of one engine that wait between fetch and start; while one engine's queue is full, nothing is fetched. `None`: no limit.
    ///
    /// No source tells the depth, and AMD's programs take about as long with any depth from 4 on (`benches/CALIBRATION.md`); programs in
    /// which one engine runs far ahead may not.
    pub queue: Option<u32>,
}

/// The share of the peak rate that the memory gives all cores together at best: midway between what two published rates of VGG-16 ask for,
/// on three cores of a ZCU102 and two of a ZCU104, whose fully connected layers only stream weights (`benches/CALIBRATION.md`).
const MEMORY_EFFICIENCY: f64 = 0.5;

const CORE: CoreTiming =
    CoreTiming { port_lines: 0.75, transfer_overhead: 22, compute_overhead: 72, fetch_words: 1.0, queue: None };

/// Latency of the boards' memory, seen from the programmable logic. Published times hardly depend on it.
const MEMORY_LATENCY_NS: f64 = 150.0;

const fn board(name: &'static str, clock_mhz: f64, cores: u32, memory_mb_s: f64) -> Board {
    Board { name: Cow::Borrowed(name), clock_mhz, cores, memory_mb_s, memory_latency_ns: MEMORY_LATENCY_NS, core: CORE }
}

/// Source: `spec/boards.md` section 2. Boards without a published clock have the 300 MHz of most images; small boards without a published
/// memory rate (`zuboard`, `aup-zu3`) have that of Ultra96. `generic` is a core at 300 MHz with 64-bit DDR4-2400.
static BOARDS: [Board; 11] = [
    board("zcu102", 281.0, 3, 19_200.0),
    board("zcu104", 300.0, 2, 19_200.0),
    board("kv260", 300.0, 1, 19_200.0),
    board("kr260", 300.0, 1, 19_200.0),
    board("som", 300.0, 1, 19_200.0),
    board("ultra96", 287.0, 1, 4_260.0),
    board("zuboard", 300.0, 1, 4_260.0),
    board("aup-zu3", 300.0, 1, 4_260.0),
    board("leopard", 100.0, 1, 12_800.0),
    board("antelope", 100.0, 1, 8_530.0),
    board("generic", 300.0, 1, 19_200.0),
];

impl Board {
    /// All boards of the table.
    pub fn all() -> &'static [Self] {
        &BOARDS
    }

    /// The board with this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        BOARDS.iter().find(|board| board.name == name)
    }

    /// Milliseconds that `cycles` take.
    pub fn milliseconds(&self, cycles: u64) -> f64 {
        cycles as f64 / (self.clock_mhz * 1e3)
    }

    /// Bytes per cycle that the memory gives each of `cores` busy cores.
    pub fn memory_bytes(&self, cores: u32) -> f64 {
        self.memory_mb_s * MEMORY_EFFICIENCY / self.clock_mhz / f64::from(cores.max(1))
    }

    /// The memory's latency in cycles.
    pub fn memory_latency(&self) -> u64 {
        (self.memory_latency_ns * self.clock_mhz * 1e-3).ceil() as u64
    }
}
