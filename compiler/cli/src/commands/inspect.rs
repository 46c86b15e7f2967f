//! `dpuc inspect`

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use dpuc_accel::Statistics;
use dpuc_runtime::{DpuProgram, Port, Session};
use dpuc_xmodel::{Graph, GraphIndex, Op};
use serde_json::{Value, json};

use crate::{files, network};

/// Show what is in an .xmodel: subgraphs, tensors, instructions, bytes, multiplications.
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// Compiled or quantised .xmodel.
    model: PathBuf,
    /// Machine-readable output.
    #[arg(long)]
    json: bool,
}

impl Inspect {
    pub(crate) fn run(self) -> Result<()> {
        let graph = network::read_graph(&self.model)?;
        if graph.ops.is_empty() {
            bail!("{} has no operators", self.model.display());
        }
        let summary = summarise(&graph)?;
        if self.json {
            files::print(&format!("{}\n", serde_json::to_string_pretty(&summary)?));
        } else {
            files::print(&show(&summary));
        }
        Ok(())
    }
}

fn summarise(graph: &Graph) -> Result<Value> {
    let index = GraphIndex::new(graph);
    let mut kinds = std::collections::BTreeMap::<&str, usize>::new();
    for op in &graph.ops {
        *kinds.entry(&op.kind).or_default() += 1;
    }
    let mut summary = json!({"name": graph.name, "compiled": super::run::is_compiled(graph), "operators": kinds});
    if !super::run::is_compiled(graph) {
        return Ok(summary);
    }
    let session = Session::new(graph)?;
    let mut subgraphs = Vec::new();
    for (subgraph, device) in graph.device_subgraphs()? {
        let mut entry = json!({"name": subgraph.name, "device": device});
        if device == "DPU" {
            let program = session.find_program(&subgraph.name)?;
            let ops = subgraph.all_ops().filter_map(|name| index.op(name));
            let macs: u64 = ops.map(|op| macs(&index, op)).sum();
            extend(&mut entry, &dpu_summary(program, macs)?);
        } else {
            entry["operators"] = json!(subgraph.all_ops().collect::<Vec<_>>());
        }
        subgraphs.push(entry);
    }
    summary["inputs"] = ports(session.inputs().iter());
    summary["outputs"] = ports(session.outputs().iter());
    summary["subgraphs"] = json!(subgraphs);
    Ok(summary)
}

fn extend(entry: &mut Value, other: &Value) {
    for (key, value) in other.as_object().into_iter().flatten() {
        entry[key.as_str()] = value.clone();
    }
}

fn dpu_summary(program: &DpuProgram, macs: u64) -> Result<Value> {
    let statistics = Statistics::of(&program.instructions, &program.target)?;
    let mut entry = statistics_json(program, &statistics);
    entry["target"] = json!(program.target.name);
    entry["fingerprint"] = json!(format!("{:#018x}", program.target.fingerprint));
    entry["inputs"] = ports(program.inputs.iter().map(|placed| &placed.port));
    entry["outputs"] = ports(program.outputs.iter().map(|placed| &placed.port));
    entry["macs"] = json!(macs);
    Ok(entry)
}

fn ports<'a>(ports: impl Iterator<Item = &'a Port>) -> Value {
    ports.map(|port| json!({"name": port.name, "shape": port.shape, "fix_point": port.fix_point})).collect()
}

/// Counts of a program.
pub(super) fn statistics_json(program: &DpuProgram, statistics: &Statistics) -> Value {
    let (parameters, features) = program.loaded_bytes(statistics);
    let histogram: serde_json::Map<String, Value> =
        statistics.instructions.iter().map(|(opcode, count)| (opcode.name().to_owned(), json!(count))).collect();
    json!({
        "name": program.name,
        "instructions": histogram,
        "instruction_count": statistics.instruction_count(),
        "load_bytes_parameters": parameters,
        "load_bytes_features": features,
        "save_bytes": statistics.saved_bytes,
        "array_macs": statistics.conv_macs,
        "misc_operations": statistics.misc_operations,
    })
}

/// Multiply-accumulates a convolution needs: products of its weights with real inputs, padding included.
fn macs(index: &GraphIndex<'_>, op: &Op) -> u64 {
    let elements = |op: &Op| op.tensor.num_elements().unwrap_or(0);
    let producer = |argument: &str| op.arg(argument).first().and_then(|name| index.op(name));
    let (Some(weights), Some(input)) = (producer("weights"), producer("input")) else { return 0 };
    let channels = |op: &Op| op.tensor.dims.last().map_or(1, |&dim| u64::try_from(dim).unwrap_or(1)).max(1);
    // Each output element (input element, if transposed) takes part in as many products as one channel has weights.
    match op.kind.as_str() {
        "conv2d-fix" | "depthwise-conv2d-fix" => elements(op).saturating_mul(elements(weights) / channels(op)),
        "transposed-conv2d-fix" | "transposed-depthwise-conv2d-fix" => {
            elements(input).saturating_mul(elements(weights) / channels(input))
        }
        _ => 0,
    }
}

fn show(summary: &Value) -> String {
    let mut text = format!("{}\n", summary["name"].as_str().unwrap_or_default());
    let kinds = summary["operators"].as_object().into_iter().flatten();
    let kinds: Vec<_> = kinds.map(|(kind, count)| format!("{kind} {count}")).collect();
    text += &format!("operators: {}\n", kinds.join(", "));
    for (label, key) in [("input", "inputs"), ("output", "outputs")] {
        for port in summary[key].as_array().into_iter().flatten() {
            text += &format!("{label}: {}\n", show_port(port));
        }
    }
    for subgraph in summary["subgraphs"].as_array().into_iter().flatten() {
        let word = |key: &str| subgraph[key].as_str().unwrap_or_default().to_owned();
        text += &format!("\n{} [{}]\n", word("name"), word("device"));
        if word("device") != "DPU" {
            let ops: Vec<_> =
                subgraph["operators"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            text += &format!("  operators: {}\n", ops.join(", "));
            continue;
        }
        text += &format!("  target: {} {}\n", word("target"), word("fingerprint"));
        for (label, key) in [("input", "inputs"), ("output", "outputs")] {
            for port in subgraph[key].as_array().into_iter().flatten() {
                text += &format!("  {label}: {}\n", show_port(port));
            }
        }
        let histogram = subgraph["instructions"].as_object().into_iter().flatten();
        let histogram: Vec<_> = histogram.map(|(name, count)| format!("{name} {count}")).collect();
        text += &format!("  instructions: {} ({})\n", subgraph["instruction_count"], histogram.join(", "));
        text += &format!(
            "  bytes loaded: {} parameters, {} features; saved: {}\n",
            subgraph["load_bytes_parameters"], subgraph["load_bytes_features"], subgraph["save_bytes"]
        );
        let (needed, spent) = (subgraph["macs"].as_u64().unwrap_or(0), subgraph["array_macs"].as_u64().unwrap_or(0));
        text += &format!("  multiply-accumulates: {needed} needed by convolutions, {spent} spent by the array\n");
    }
    text
}

fn show_port(port: &Value) -> String {
    let fix = port["fix_point"].as_i64().map_or_else(String::new, |point| format!(", fix point {point}"));
    format!("{} {}{fix}", port["name"].as_str().unwrap_or_default(), port["shape"])
}
