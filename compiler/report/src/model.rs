//! What a report says, as plain data.
//!
//! Serialised, this is `report.json`. Times are cycles of the core's clock on the modelled board; every one of them is **modelled**.
//! Vectors that refer to each other do so by index.

use dpuc_isa::Engine;
use serde::Serialize;

/// Everything a report says about one compiled network on one board.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Version of this format.
    pub format: u32,
    /// Name of the network.
    pub name: String,
    /// What the times hold for.
    pub board: BoardFacts,
    /// Sums over all DPU subgraphs.
    pub totals: Totals,
    /// The operations of the network, producers first; constants are not listed.
    pub operations: Vec<Operation>,
    /// The DPU subgraphs, in execution order.
    pub subgraphs: Vec<Subgraph>,
}

/// The board of the time model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BoardFacts {
    /// Its name in the table of boards.
    pub name: String,
    /// Clock of the core.
    pub clock_mhz: f64,
    /// Where times come from: always `modelled`.
    pub times_are: &'static str,
}

/// Sums over all DPU subgraphs. The CPU's time is not part of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Totals {
    /// Modelled cycles of all subgraphs, one after another.
    pub cycles: u64,
    /// The same in milliseconds.
    pub milliseconds: f64,
    /// Images per second of one core, if nothing but the DPU takes time.
    pub frames_per_second: f64,
    /// Operations on the DPU.
    pub dpu_operations: usize,
    /// Operations on the CPU, the network's inputs not counted.
    pub cpu_operations: usize,
    /// Instructions.
    pub instructions: u64,
    /// DDR traffic.
    pub bytes: Bytes,
    /// Multiply-accumulates that the convolutions need.
    pub macs: u64,
    /// Multiply-accumulates that the array spends on them.
    pub array_macs: u64,
    /// Needed multiply-accumulates divided by what the array could do in the time, 0 to 1.
    pub utilisation: f64,
}

/// DDR traffic in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Bytes {
    /// Loaded feature maps.
    pub features: u64,
    /// Loaded weights and biases.
    pub parameters: u64,
    /// Saved feature maps.
    pub saved: u64,
}

impl Bytes {
    /// All traffic.
    pub const fn total(&self) -> u64 {
        self.features + self.parameters + self.saved
    }
}

impl std::ops::AddAssign for Bytes {
    fn add_assign(&mut self, other: Self) {
        self.features += other.features;
        self.parameters += other.parameters;
        self.saved += other.saved;
    }
}

/// Where an operation runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Device {
    /// The accelerator.
    #[serde(rename = "DPU")]
    Dpu,
    /// The host.
    #[serde(rename = "CPU")]
    Cpu,
    /// It is an input of the network.
    #[serde(rename = "input")]
    Input,
}

/// One operation of the network.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Operation {
    /// Its name in the compiled file.
    pub name: String,
    /// What it computes: the kind in the network where that is known, else the operator type of the file.
    pub kind: String,
    /// Shape of its result.
    pub shape: Vec<i32>,
    /// Where it runs.
    pub device: Device,
    /// The operations whose results it reads.
    pub inputs: Vec<usize>,
    /// The DPU subgraph it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subgraph: Option<usize>,
    /// Its superlayer in that subgraph.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub superlayer: Option<usize>,
    /// What it costs, if it is on the DPU. `cycles` are those of the critical path that belong to it, so the operations of a subgraph add up
    /// to its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub figures: Option<Figures>,
    /// The framework's nodes it comes from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// Where it is in a text file, as `file:line:column`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Why it is on the CPU; empty if it is not, or if the file was compiled elsewhere and does not say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub obstacles: Vec<Obstacle>,
}

/// One reason why an operation is on the CPU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Obstacle {
    /// The reason.
    pub reason: String,
    /// The change to the network that would remove it, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// A number for each engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PerEngine {
    /// DDR to banks.
    pub load: u64,
    /// Banks to DDR.
    pub save: u64,
    /// Convolution array.
    pub conv: u64,
    /// ALU and elementwise units.
    pub misc: u64,
}

impl PerEngine {
    /// The number of one engine.
    pub const fn of(&mut self, engine: Engine) -> &mut u64 {
        match engine {
            Engine::Load => &mut self.load,
            Engine::Save => &mut self.save,
            Engine::Conv => &mut self.conv,
            Engine::Misc => &mut self.misc,
        }
    }
}

/// What bounds the time of a superlayer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Bound {
    /// The convolution array.
    Array,
    /// The misc engine.
    Misc,
    /// Loads.
    Load,
    /// Saves.
    Save,
    /// Waiting for each other: no engine has half of the critical path.
    Tokens,
    /// It takes no time of its own: it is complete before another one that comes earlier, or has no instructions.
    Hidden,
}

impl Bound {
    /// As in `report.json`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Array => "array",
            Self::Misc => "misc",
            Self::Load => "load",
            Self::Save => "save",
            Self::Tokens => "tokens",
            Self::Hidden => "hidden",
        }
    }
}

/// One DPU subgraph.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Subgraph {
    /// Its name.
    pub name: String,
    /// The target it is compiled for.
    pub target: String,
    /// Modelled cycles from start to end.
    pub cycles: u64,
    /// Cycles in which each engine is busy.
    pub busy: PerEngine,
    /// Peak multiply-accumulates of the array in a cycle.
    pub peak_macs: u64,
    /// How instructions were assigned to superlayers.
    pub attribution: Attribution,
    /// Pieces of code, in execution order.
    pub superlayers: Vec<Superlayer>,
    /// What the banks hold over time.
    pub banks: Vec<BankGroup>,
    /// The memory regions.
    pub regions: Vec<Region>,
    /// Tensors in memory.
    pub tensors: Vec<Tensor>,
}

/// How instructions were assigned to superlayers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Attribution {
    /// The compiler said so.
    Compiler,
    /// From the addresses and registers the instructions touch.
    Addresses,
}

/// Operations that run as one piece of code.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Superlayer {
    /// The name of its first operation.
    pub name: String,
    /// Its operations.
    pub operations: Vec<usize>,
    /// When its first instruction starts.
    pub start: u64,
    /// When its last instruction is complete.
    pub end: u64,
    /// What it costs. `cycles` last from when all superlayers before it are complete until it is complete itself, so they add up to the
    /// whole; superlayers overlap, so part of its work may lie before.
    #[serde(flatten)]
    pub figures: Figures,
    /// What the planner decided, in words; cycles in it are the planner's estimates.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<String>,
    /// Other ways to run it, cheapest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<String>,
}

/// What a superlayer or an operation costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// Number of instructions.
    pub instructions: u64,
    /// Its share of the subgraph's time.
    pub cycles: u64,
    /// Cycles of that share in which the critical path runs through each engine; the rest is waiting.
    pub critical: PerEngine,
    /// Cycles in which its instructions keep each engine busy, wherever they are in time.
    pub busy: PerEngine,
    /// What bounds it.
    pub bound: Bound,
    /// Multiply-accumulates that its convolutions need.
    pub macs: u64,
    /// Multiply-accumulates that the array spends.
    pub array_macs: u64,
    /// Needed multiply-accumulates divided by what the array could do in its time, 0 to 1.
    pub utilisation: f64,
    /// DDR traffic.
    pub bytes: Bytes,
}

/// Banks with one purpose.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BankGroup {
    /// AMD's name: `VB0`, `CONVW`, …
    pub name: String,
    /// Lines in the group.
    pub lines: u64,
    /// Bytes of a line.
    pub line_bytes: u64,
    /// Most lines that are live at one time.
    pub peak: u64,
    /// Live lines on average.
    pub mean: f64,
    /// Largest number of live lines in each of equally long pieces of the run.
    pub samples: Vec<u64>,
}

/// A memory region of a subgraph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Region {
    /// `n` of `REG_n`.
    pub number: u8,
    /// What it holds.
    pub role: &'static str,
    /// Its bytes.
    pub size: u64,
}

/// A tensor in memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tensor {
    /// Its name.
    pub name: String,
    /// The region it is in.
    pub region: u8,
    /// First byte in the region.
    pub start: u64,
    /// Byte behind the last; a tensor with gaps shares its range with others.
    pub end: u64,
    /// Whether it has gaps.
    pub strided: bool,
    /// Whether it never leaves the banks: its place is reserved, and not used.
    pub on_chip: bool,
    /// When it is first written, or, for constants, first read; 0 for inputs.
    pub from: u64,
    /// When it is last read; the end of the subgraph for outputs.
    pub until: u64,
}
