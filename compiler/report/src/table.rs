//! Reports as text for a terminal.

use crate::model::{Attribution, PerEngine};
use crate::names::ending;
use crate::{Explanation, Report, Subgraph, Superlayer};

/// Rows of a table at most.
const ROWS_MAX: usize = 500;
/// Characters of the operations in a row at most.
const NAMES_MAX: usize = 60;

impl Explanation {
    /// The table of superlayers of the DPU subgraph with this index, each line indented by two blanks.
    pub fn table(&self, subgraph: usize) -> String {
        self.report.subgraphs.get(subgraph).map_or_else(String::new, |own| table(&self.report, own))
    }
}

fn table(report: &Report, subgraph: &Subgraph) -> String {
    let board = &report.board;
    let milliseconds = subgraph.cycles as f64 / (board.clock_mhz * 1e3);
    let share = |cycles: u64| percent(cycles as f64, subgraph.cycles as f64);
    let PerEngine { load, save, conv, misc } = subgraph.busy;
    let mut text = format!(
        "  modelled on {} at {} MHz: {} cycles, {milliseconds:.3} ms; busy: load {}, save {}, conv {}, misc {}\n",
        board.name,
        board.clock_mhz,
        subgraph.cycles,
        share(load),
        share(save),
        share(conv),
        share(misc)
    );
    let used: Vec<String> = subgraph
        .banks
        .iter()
        .filter(|group| group.peak > 0)
        .map(|group| format!("{} {}", group.name, percent(group.peak as f64, group.lines as f64)))
        .collect();
    if !used.is_empty() {
        text += &format!("  banks live at most: {}\n", used.join(", "));
    }
    if subgraph.attribution == Attribution::Addresses {
        text += "  superlayers by the addresses their instructions touch:\n";
    }
    text += &format!(
        "  {:>4} {:>9} {:>6}  {:<6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>9} {:>9} {:>9} {:>6}  operations\n",
        "#",
        "cycles",
        "time",
        "bound",
        "load",
        "save",
        "conv",
        "misc",
        "array",
        "features",
        "params",
        "saved",
        "instr."
    );
    for (number, superlayer) in subgraph.superlayers.iter().enumerate().take(ROWS_MAX) {
        text += &row(report, subgraph, number, superlayer);
    }
    if subgraph.superlayers.len() > ROWS_MAX {
        text += &format!("  … and {} more; see --json\n", subgraph.superlayers.len() - ROWS_MAX);
    }
    text
}

fn row(report: &Report, subgraph: &Subgraph, number: usize, superlayer: &Superlayer) -> String {
    let figures = &superlayer.figures;
    let busy = |cycles: u64| percent(cycles as f64, figures.cycles as f64);
    let array = if figures.macs == 0 { "-".to_owned() } else { percent(figures.utilisation, 1.0) };
    format!(
        "  {number:>4} {:>9} {:>6}  {:<6} {:>6} {:>6} {:>6} {:>6} {array:>6} {:>9} {:>9} {:>9} {:>6}  {}\n",
        figures.cycles,
        percent(figures.cycles as f64, subgraph.cycles as f64),
        figures.bound.name(),
        busy(figures.busy.load),
        busy(figures.busy.save),
        busy(figures.busy.conv),
        busy(figures.busy.misc),
        figures.bytes.features,
        figures.bytes.parameters,
        figures.bytes.saved,
        figures.instructions,
        names(report, superlayer)
    )
}

/// The operations of a superlayer: all of few, the first and the last of many. Control characters are not for terminals.
fn names(report: &Report, superlayer: &Superlayer) -> String {
    let operations = superlayer.operations.iter().filter_map(|&operation| report.operations.get(operation));
    let names: Vec<&str> = operations.map(|operation| operation.name.as_str()).collect();
    let text = match &names[..] {
        [] => superlayer.name.clone(),
        [only] => ending(only, NAMES_MAX),
        [first, second] => format!("{} + {}", ending(first, NAMES_MAX / 2), ending(second, NAMES_MAX / 2)),
        [first, .., last] => {
            format!("{} … {} ({})", ending(first, NAMES_MAX / 2), ending(last, NAMES_MAX / 2), names.len())
        }
    };
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn percent(part: f64, whole: f64) -> String {
    if whole == 0.0 { "-".to_owned() } else { format!("{:.1}%", 100.0 * part / whole) }
}
