//! What quantising costs, for people and machines.

use std::path::{Path, PathBuf};

use anyhow::Result;
use dpuc_quantise::{Report, TensorReport};

use crate::files;

/// Tensors that are listed: those that cost most.
const WORST: usize = 10;

/// Writes `quantise.json` and `quantise.html` about the network `name`; gives the page.
pub(crate) fn write(report: &Report, name: &str, folder: &Path) -> Result<PathBuf> {
    let json = serde_json::to_string(report)? + "\n";
    files::write(&folder.join("quantise.json"), json.as_bytes())?;
    let page = folder.join("quantise.html");
    files::write(&page, dpuc_report::quantised_page(name, report).as_bytes())?;
    Ok(page)
}

/// The tensors that cost most, and the last one.
pub(crate) fn table(report: &Report) -> String {
    let mut text = String::new();
    for note in &report.notes {
        text += &format!("note: {note}\n");
    }
    let head = ["tensor", "operation", "position", "SQNR dB", "loss dB", "noise", "saturated"];
    text += &row(head.map(str::to_owned));
    let mut worst: Vec<usize> = (0..report.tensors.len()).collect();
    worst.sort_by(|&a, &b| report.tensors[b].share.total_cmp(&report.tensors[a].share));
    worst.truncate(WORST);
    let last = report.tensors.len().checked_sub(1).filter(|last| !worst.contains(last));
    text += &worst.iter().chain(&last).map(|&tensor| row(cells(&report.tensors[tensor]))).collect::<String>();
    text
}

fn cells(tensor: &TensorReport) -> [String; 7] {
    [
        tensor.name.clone(),
        tensor.operation.replace("nn.", ""),
        tensor.position.to_string(),
        format!("{:.2}", tensor.sqnr),
        format!("{:.2}", tensor.loss),
        format!("{:.1}%", 100.0 * tensor.share),
        format!("{:.4}%", 100.0 * tensor.saturated),
    ]
}

fn row([name, operation, position, sqnr, loss, share, saturated]: [String; 7]) -> String {
    format!("{name:<32} {operation:<24} {position:>8} {sqnr:>8} {loss:>8} {share:>6} {saturated:>10}\n")
}
