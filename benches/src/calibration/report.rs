//! The comparison as a table and as JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{Role, Row, Subject};

/// Published DDR traffic of ResNet-50 on a KV260, in bytes: `spec/boards.md` section 3.2. Held back.
const RESNET50_TRAFFIC: f64 = 36.99e6;

/// Headings of the roles, in order.
const HEADINGS: [(Role, &str); 4] = [
    (Role::Fitted, "AMD's own programs; the model's constants are fitted to these times"),
    (Role::Compared, "Programs in the manner of AMD's compiler; KV260, B4096, 300 MHz"),
    (Role::HeldBack, "Held back: Ultra96, B1600, 287 MHz; programs in the manner of AMD's compiler"),
    (Role::Shared, "Several cores busy at once, time of one; programs in the manner of AMD's compiler"),
];

/// A Markdown table for each role, and the traffic of ResNet-50.
pub fn markdown(rows: &[Row]) -> String {
    let mut text = String::new();
    for (role, heading) in HEADINGS {
        let rows: Vec<&Row> = rows.iter().filter(|row| row.published.role == role).collect();
        if rows.is_empty() {
            continue;
        }
        let _ = writeln!(text, "**{heading}**\n");
        let _ = writeln!(
            text,
            "| network | size | board | published ms | modelled ms | error | modelled cycles | MB loaded | MB saved |"
        );
        let _ = writeln!(text, "|---|---|---|---:|---:|---:|---:|---:|---:|");
        for row in &rows {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {:.3} | {:.3} | {:+.1} % | {} | {:.2} | {:.2} |",
                row.published.name,
                row.published.target,
                board(row),
                row.published.milliseconds,
                row.modelled,
                100.0 * row.error(),
                row.cycles,
                row.bytes[0] as f64 * 1e-6,
                row.bytes[1] as f64 * 1e-6,
            );
        }
        let errors: Vec<f64> = rows.iter().map(|row| row.error().abs()).collect();
        let mean = errors.iter().sum::<f64>() / errors.len() as f64;
        let largest = errors.iter().copied().fold(0.0, f64::max);
        let _ =
            writeln!(text, "\nMean of the errors' sizes {:.1} %, largest {:.1} %.\n", 100.0 * mean, 100.0 * largest);
    }
    if let Some(bytes) = resnet50_bytes(rows) {
        let _ = writeln!(
            text,
            "DDR traffic of ResNet-50 (resnet50_pt, held back): published {:.2} MB, modelled {:.2} MB, error {:+.1} %.",
            RESNET50_TRAFFIC * 1e-6,
            bytes * 1e-6,
            100.0 * (bytes / RESNET50_TRAFFIC - 1.0)
        );
    }
    text
}

/// Board, clock if unusual, and cores if several.
fn board(row: &Row) -> String {
    match row.published.cores {
        1 => row.published.board().name.into_owned(),
        cores => format!("{}, {cores} cores", row.published.board().name),
    }
}

fn resnet50_bytes(rows: &[Row]) -> Option<f64> {
    let row = rows.iter().find(|row| row.published.name == "resnet50_pt" && row.published.role == Role::Compared)?;
    Some(row.bytes.iter().sum::<u64>() as f64)
}

/// The same for a machine.
pub fn json(rows: &[Row]) -> Value {
    let row = |row: &Row| {
        json!({
            "network": row.published.name,
            "target": row.published.target,
            "board": row.published.board().name,
            "clock_mhz": row.published.board().clock_mhz,
            "cores": row.published.cores,
            "role": format!("{:?}", row.published.role),
            "program": match row.published.subject {
                Subject::Sample(sample) => sample,
                Subject::Shapes(_) => "in the manner of AMD's compiler",
            },
            "source": row.published.source,
            "published_ms": row.published.milliseconds,
            "modelled_ms": row.modelled,
            "error": row.error(),
            "modelled_cycles": row.cycles,
            "instructions": row.instructions,
            "loaded_bytes": row.bytes[0],
            "saved_bytes": row.bytes[1],
            "busy_cycles": {"load": row.busy[0], "save": row.busy[1], "conv": row.busy[2], "misc": row.busy[3]},
        })
    };
    let traffic = json!({"published_bytes": RESNET50_TRAFFIC, "modelled_bytes": resnet50_bytes(rows)});
    json!({"times": rows.iter().map(row).collect::<Vec<_>>(), "resnet50_pt_traffic": traffic})
}
