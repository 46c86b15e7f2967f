//! Explains compiled networks: where the time goes, what is in which memory, and why operations are on the CPU.
//!
//! [`explain`] joins the graph of a compiled file, the modelled time of its programs and what the compiler decided to an
//! [`Explanation`], which is shown in four ways: [`table`](Explanation::table) for people at a terminal, [`json`](Explanation::json) for
//! programs, [`trace`](Explanation::trace) for Perfetto, and [`html`](Explanation::html), a page that needs nothing but itself.
//! [`quantised_page`] is such a page about what quantising cost.
//!
//! All times come from the model in `dpuc_accel::timing`, and all output says so.

mod attribution;
mod critical;
mod error;
mod figures;
mod flow;
mod html;
mod layered;
mod ledger;
mod memory;
mod model;
mod names;
mod network;
mod picture;
mod plan;
mod program;
mod quantised;
mod spans;
mod steps;
mod table;
mod trace;
mod transfers;

use dpuc_accel::timing::Board;
use dpuc_backend::{Compiled, OperationReport, SubgraphCode};
use dpuc_dialects::Ir;
use dpuc_xmodel::Graph;

pub use error::ReportError;
pub use model::{
    Attribution, BankGroup, BoardFacts, Bound, Bytes, Device, Figures, Obstacle, Operation, PerEngine, Region, Report,
    Subgraph, Superlayer, Tensor, Totals,
};
pub use names::dimensions;
pub use network::macs;
pub use plan::{Flow, Part, Plan};
pub use quantised::quantised_page;
pub use spans::{Run, Stretch, Track, Work};

use network::Network;

/// Version of the format of `report.json`.
pub const FORMAT: u32 = 1;

/// What there is to explain.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The compiled network.
    pub graph: &'a Graph,
    /// Its programs with locations, and the network they come from, if it was compiled just now.
    pub ir: Option<&'a Ir>,
    /// Where each operation runs and why; empty if not known.
    pub operations: &'a [OperationReport],
    /// What the planner decided; empty if not known.
    pub code: &'a [SubgraphCode],
}

impl<'a> Source<'a> {
    /// A compiled file of any compiler.
    pub fn file(graph: &'a Graph) -> Self {
        Self { graph, ir: None, operations: &[], code: &[] }
    }

    /// A network compiled just now.
    pub fn compiled(compiled: &'a Compiled) -> Self {
        let Compiled { graph, ir, report, code } = compiled;
        Self { graph, ir: Some(ir), operations: &report.operations, code: &code.subgraphs }
    }
}

/// A report and the runs it sums up.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// What is said.
    pub report: Report,
    /// When every instruction of each DPU subgraph runs; like [`Report::subgraphs`].
    pub runs: Vec<Run>,
}

/// Explains a compiled network on a board of which one core is busy.
///
/// # Errors
/// See [`ReportError`].
pub fn explain(source: &Source<'_>, board: &Board) -> Result<Explanation, ReportError> {
    let network = Network::new(source)?;
    let mut figures = Vec::new();
    let mut subgraphs = Vec::new();
    let mut runs = Vec::new();
    for members in &network.subgraphs {
        let explained = program::explain(&network, members, source, board)?;
        subgraphs.push(explained.subgraph);
        runs.push(explained.run);
        figures.extend(explained.operations);
    }
    let mut operations = network.operations;
    for (operation, figures) in figures {
        operations[operation].figures = Some(figures);
    }
    let totals = totals(&operations, &subgraphs, board);
    let board = BoardFacts { name: board.name.to_string(), clock_mhz: board.clock_mhz, times_are: "modelled" };
    let name = source.graph.name.clone();
    let report = Report { format: FORMAT, name, board, totals, operations, subgraphs };
    Ok(Explanation { report, runs })
}

impl Explanation {
    /// The report as JSON on one line.
    pub fn json(&self) -> String {
        // Maps with text keys and finite numbers can always be written.
        serde_json::to_string(&self.report).unwrap_or_default() + "\n"
    }
}

fn totals(operations: &[Operation], subgraphs: &[Subgraph], board: &Board) -> Totals {
    let mut totals = Totals::default();
    let mut possible = 0u128;
    for subgraph in subgraphs {
        totals.cycles = totals.cycles.saturating_add(subgraph.cycles);
        possible += u128::from(subgraph.cycles) * u128::from(subgraph.peak_macs);
        for Superlayer { figures, .. } in &subgraph.superlayers {
            totals.instructions += figures.instructions;
            totals.bytes += figures.bytes;
            totals.macs = totals.macs.saturating_add(figures.macs);
            totals.array_macs = totals.array_macs.saturating_add(figures.array_macs);
        }
    }
    let milliseconds = board.milliseconds(totals.cycles);
    totals.milliseconds = rounded(milliseconds, 4);
    totals.frames_per_second = if milliseconds > 0.0 { rounded(1e3 / milliseconds, 2) } else { 0.0 };
    totals.utilisation = ratio(u128::from(totals.macs), possible);
    let count = |device| operations.iter().filter(|operation| operation.device == device).count();
    (totals.dpu_operations, totals.cpu_operations) = (count(Device::Dpu), count(Device::Cpu));
    totals
}

/// A share, to four decimals; 0 of nothing.
fn ratio(part: u128, whole: u128) -> f64 {
    if whole == 0 { 0.0 } else { rounded(part as f64 / whole as f64, 4) }
}

/// Keeps figures as short as they are exact.
fn rounded(value: f64, decimals: i32) -> f64 {
    let factor = 10f64.powi(decimals);
    (value * factor).round() / factor
}
