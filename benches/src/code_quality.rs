//! Our code against the vendor's: the networks of AMD's compiled files, compiled again for the same targets.
//!
//! Both programs are measured by the same model on the same board, summed over the DPU subgraphs of a file. Bytes and instructions are
//! counted, cycles are modelled.

use std::fmt::Write;
use std::time::{Duration, Instant};

use dpuc_accel::Statistics;
use dpuc_accel::timing::{Board, simulate};
use dpuc_backend::{Options, compile};
use dpuc_isa::{Engine, Target};
use dpuc_runtime::DpuProgram;
use dpuc_xmodel::{Graph, GraphIndex, Op};

use crate::sample;

/// The board whose clock and memory all samples are modelled with, whatever their target; `queue` limits how far its engines run ahead.
pub fn board(queue: Option<u32>) -> Board {
    let mut board = Board::named("kv260").expect("a board of the table").clone();
    board.core.queue = queue;
    board
}

/// What the DPU programs of one file do.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// Bytes from DDR.
    pub loaded: u64,
    /// Bytes to DDR.
    pub saved: u64,
    /// Instructions.
    pub instructions: u64,
    /// Modelled cycles.
    pub cycles: u64,
    /// Modelled cycles in which each engine is occupied, by [`Engine::index`].
    pub busy: [u64; 4],
    /// Multiply-accumulates that the convolutions of the DPU subgraphs need.
    pub macs: u64,
    /// Multiply-accumulates the array could do in those cycles.
    pub array: u64,
}

impl Figures {
    /// Figures of the DPU subgraphs of a compiled file.
    ///
    /// # Panics
    /// If a subgraph has no valid program.
    pub fn of(graph: &Graph, board: &Board) -> Self {
        let index = GraphIndex::new(graph);
        let mut sum = Self::default();
        for view in index.dpu_subgraphs().unwrap_or_else(|error| panic!("{}: {error}", graph.name)) {
            let program = DpuProgram::load(&view).unwrap_or_else(|error| panic!("{}: {error}", graph.name));
            let (instructions, target) = (&program.instructions, &program.target);
            let statistics = Statistics::of(instructions, target).expect("a legal program");
            let timeline = simulate(instructions, target, board, 1).expect("a legal program without deadlock");
            sum.loaded += statistics.loaded_from.iter().sum::<u64>();
            sum.saved += statistics.saved_bytes;
            sum.instructions += instructions.len() as u64;
            sum.cycles += timeline.cycles;
            sum.array += timeline.cycles * target.peak_operations() as u64 / 2;
            sum.macs +=
                view.subgraph.all_ops().filter_map(|name| index.op(name)).map(|op| macs(&index, op)).sum::<u64>();
            for (sum, busy) in sum.busy.iter_mut().zip(timeline.busy) {
                *sum += busy;
            }
        }
        sum
    }

    /// The share of the array's multiply-accumulates that the network needed.
    pub fn utilisation(&self) -> f64 {
        self.macs as f64 / self.array.max(1) as f64
    }
}

/// Multiply-accumulates of a convolution over all channels.
fn macs(index: &GraphIndex<'_>, op: &Op) -> u64 {
    let elements = |op: &Op| op.tensor.num_elements().unwrap_or(0);
    let producer = |argument: &str| op.arg(argument).first().and_then(|name| index.op(name));
    let (Some(weights), Some(input)) = (producer("weights"), producer("input")) else { return 0 };
    let channels = |op: &Op| op.tensor.dims.last().map_or(1, |&dim| u64::try_from(dim).unwrap_or(1)).max(1);
    match op.kind.as_str() {
        "conv2d-fix" => elements(op) * (elements(weights) / channels(op)),
        "transposed-conv2d-fix" => elements(input) * (elements(weights) / channels(input)),
        _ => 0,
    }
}

/// One sample, compiled by both.
#[derive(Clone, Debug)]
pub struct Row {
    /// Path of the sample.
    pub sample: &'static str,
    /// Our program.
    pub ours: Figures,
    /// The vendor's.
    pub vendor: Figures,
    /// Time our compiler took, measured.
    pub compile_time: Duration,
}

/// Compiles a sample again; `None`, with a notice, if it is not there.
///
/// # Panics
/// If it cannot be compiled.
pub fn measure(name: &'static str, board: &Board) -> Option<Row> {
    let vendor = sample(name)?;
    let ir = dpuc_import::import_xmodel(&vendor).unwrap_or_else(|error| panic!("{name}: {error}")).ir;
    let options = Options { name: Some(vendor.name.clone()), ..Options::default() };
    let start = Instant::now();
    let compiled = compile(ir, &target_of(name), &options).unwrap_or_else(|error| panic!("{name}: {error}"));
    let compile_time = start.elapsed();
    Some(Row {
        sample: name,
        ours: Figures::of(&compiled.graph, board),
        vendor: Figures::of(&vendor, board),
        compile_time,
    })
}

/// The target that a sample's file name ends with.
fn target_of(sample: &str) -> Target {
    let size = sample.trim_end_matches(".xmodel").rsplit('b').next().unwrap_or_default();
    let mut targets = Target::registered().into_iter();
    targets.find(|target| target.peak_operations().to_string() == size).unwrap_or_else(|| panic!("{sample}: no target"))
}

/// The heading of [`line()`]s.
pub fn heading(board: &Board) -> String {
    let queue = board.core.queue.map_or_else(String::new, |depth| format!(", queues of {depth}"));
    format!(
        "ours, the vendor's, ours / vendor's; cycles modelled ({}{queue}), bytes and instructions counted\n{:<18} {:>26} {:>26} {:>20} {:>28} {:>13} {:>9}\n",
        board.name,
        "sample",
        "bytes loaded",
        "bytes saved",
        "instructions",
        "modelled cycles",
        "array use %",
        "compile"
    )
}

/// One row as text.
pub fn line(row: &Row) -> String {
    let Row { sample, ours, vendor, compile_time } = row;
    let pair = |ours: u64, vendor: u64| format!("{ours} {vendor} {:.2}", ratio(ours, vendor));
    let unequal = if ours.macs == vendor.macs { "" } else { "  NOT THE SAME CONVOLUTIONS ON THE DPU" };
    format!(
        "{:<18} {:>26} {:>26} {:>20} {:>28} {:>13} {:>6} ms{unequal}\n",
        sample.trim_end_matches(".xmodel").replace("/compiled", "").replace("_b4096", ""),
        pair(ours.loaded, vendor.loaded),
        pair(ours.saved, vendor.saved),
        pair(ours.instructions, vendor.instructions),
        pair(ours.cycles, vendor.cycles),
        format!("{:.1} {:.1}", 100.0 * ours.utilisation(), 100.0 * vendor.utilisation()),
        compile_time.as_millis(),
    )
}

/// Geometric mean of the cycles, sums of the bytes, and where the engines of both spend their time.
pub fn totals(rows: &[Row]) -> String {
    let sum = |of: fn(&Figures) -> u64| -> [u64; 2] {
        [rows.iter().map(|row| of(&row.ours)).sum(), rows.iter().map(|row| of(&row.vendor)).sum()]
    };
    let logs: f64 = rows.iter().map(|row| ratio(row.ours.cycles, row.vendor.cycles).ln()).sum();
    let slower: Vec<_> = rows.iter().filter(|row| row.ours.cycles > row.vendor.cycles).map(|row| row.sample).collect();
    let mut text = String::new();
    let mut add = |label: &str, [ours, vendor]: [u64; 2]| {
        let _ = writeln!(text, "{label}: {ours} {vendor} {:.3}", ratio(ours, vendor));
    };
    add("bytes loaded", sum(|figures| figures.loaded));
    add("bytes saved", sum(|figures| figures.saved));
    add("DDR bytes", sum(|figures| figures.loaded + figures.saved));
    add("modelled cycles", sum(|figures| figures.cycles));
    for engine in Engine::ALL {
        let busy = |of: fn(&Row) -> Figures| rows.iter().map(|row| of(row).busy[engine.index()]).sum();
        add(&format!("  {} busy", engine.name()), [busy(|row| row.ours), busy(|row| row.vendor)]);
    }
    let _ = writeln!(text, "geometric mean of cycles, ours / vendor's: {:.3}", (logs / rows.len() as f64).exp());
    let _ = writeln!(
        text,
        "slower than the vendor's: {}",
        if slower.is_empty() { "none".to_owned() } else { slower.join(", ") }
    );
    text
}

fn ratio(ours: u64, vendor: u64) -> f64 {
    ours as f64 / vendor.max(1) as f64
}

/// Measures the samples whose path contains `filter` and hands out the text piece by piece.
pub fn report(filter: &str, board: &Board, mut out: impl FnMut(&str)) {
    out(&heading(board));
    let mut rows = Vec::new();
    for name in dpuc_samples::COMPILED.into_iter().filter(|name| name.contains(filter)) {
        let Some(row) = measure(name, board) else { continue };
        out(&line(&row));
        rows.push(row);
    }
    if !rows.is_empty() {
        out(&totals(&rows));
    }
}
