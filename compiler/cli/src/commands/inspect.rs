//! `dpuc inspect`

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use dpuc_accel::Statistics;
use dpuc_report::{Explanation, Report, Source, Subgraph, explain};
use dpuc_runtime::{DpuProgram, Port, Session, function_inputs, function_outputs};
use dpuc_xmodel::{Graph, GraphIndex};
use serde_json::{Value, json};

use crate::onnx::{self, ImportOptions};
use crate::{files, network, report};

/// Show what is in an .xmodel: subgraphs, tensors, instructions, bytes, multiplications.
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// Compiled or quantised .xmodel, or ONNX model.
    model: PathBuf,
    #[command(flatten)]
    import: ImportOptions,
    /// Machine-readable output.
    #[arg(long)]
    json: bool,
    /// The board whose time is modelled.
    #[arg(long, value_name = "NAME")]
    board: Option<String>,
    /// Write when each instruction runs, in the trace event format of Perfetto. Times are modelled.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Write report.html, report.json and trace.json to this folder. Times are modelled.
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
}

impl Inspect {
    pub(crate) fn run(self) -> Result<()> {
        if onnx::is_onnx(&self.model) {
            return self.inspect_onnx();
        }
        let board = report::board(self.board.as_deref())?;
        let graph = network::read_graph(&self.model)?;
        if graph.ops.is_empty() {
            bail!("{} has no operators", self.model.display());
        }
        let explanation = super::run::is_compiled(&graph).then(|| explain(&Source::file(&graph), board)).transpose()?;
        if let Some(explanation) = &explanation {
            self.write(explanation)?;
        } else if self.trace.is_some() || self.report.is_some() {
            bail!("{} is not compiled, so there is no time to model; compile it with --report", self.model.display());
        }
        let summary = summarise(&graph, explanation.as_ref())?;
        if self.json {
            files::print(&format!("{}\n", serde_json::to_string_pretty(&summary)?));
        } else {
            files::print(&show(&summary, explanation.as_ref()));
        }
        Ok(())
    }

    /// Inputs, outputs and operators of an ONNX model, and what of them cannot be imported.
    fn inspect_onnx(&self) -> Result<()> {
        if self.trace.is_some() || self.report.is_some() {
            bail!("{} is not compiled, so there is no time to model", self.model.display());
        }
        let model = onnx::read(&self.model)?;
        let graph = model.graph.as_ref();
        let mut kinds = std::collections::BTreeMap::<&str, usize>::new();
        for node in graph.iter().flat_map(|graph| &graph.nodes) {
            *kinds.entry(&node.op_type).or_default() += 1;
        }
        let name = graph.map_or("", |graph| &graph.name);
        let mut summary = json!({"name": name, "compiled": false, "operators": kinds});
        let refused = match onnx::import(&self.model, &self.import) {
            Ok(ir) => {
                let framework = |port: Port| Port { shape: port.framework_shape(), ..port };
                let inputs: Vec<Port> = function_inputs(&ir, "main").into_iter().map(framework).collect();
                let outputs: Vec<Port> = function_outputs(&ir, "main").into_iter().map(framework).collect();
                summary["inputs"] = ports(inputs.iter());
                summary["outputs"] = ports(outputs.iter());
                None
            }
            Err(error) => {
                summary["refused"] = json!(error.to_string());
                Some(error.to_string())
            }
        };
        if self.json {
            files::print(&format!("{}\n", serde_json::to_string_pretty(&summary)?));
        } else {
            files::print(&show(&summary, None));
            if let Some(refused) = refused {
                files::print(&format!("{refused}\n"));
            }
        }
        Ok(())
    }

    fn write(&self, explanation: &Explanation) -> Result<()> {
        if let Some(path) = &self.trace {
            files::keep_input(&self.model, path)?;
            files::write(path, explanation.trace().as_bytes())?;
        }
        if let Some(folder) = &self.report {
            report::keep_input(&self.model, folder)?;
            report::write(explanation, folder)?;
        }
        Ok(())
    }
}

fn summarise(graph: &Graph, explanation: Option<&Explanation>) -> Result<Value> {
    let index = GraphIndex::new(graph);
    let mut kinds = std::collections::BTreeMap::<&str, usize>::new();
    for op in &graph.ops {
        *kinds.entry(&op.kind).or_default() += 1;
    }
    let mut summary = json!({"name": graph.name, "compiled": explanation.is_some(), "operators": kinds});
    let Some(explanation) = explanation else { return Ok(summary) };
    let session = Session::new(graph)?;
    let mut subgraphs = Vec::new();
    let mut explained = explanation.report.subgraphs.iter();
    for (subgraph, device) in graph.device_subgraphs()? {
        let mut entry = json!({"name": subgraph.name, "device": device});
        if device == "DPU" {
            let program = session.find_program(&subgraph.name)?;
            let ops = subgraph.all_ops().filter_map(|name| index.op(name));
            let macs: u64 = ops.map(|op| dpuc_report::macs(&index, op)).sum();
            extend(&mut entry, &dpu_summary(program, macs)?);
            if let Some(own) = explained.next() {
                extend(&mut entry, &modelled(&explanation.report, own)?);
            }
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

/// The modelled time of a subgraph and of its superlayers; what is longer is in `report.json`.
fn modelled(report: &Report, subgraph: &Subgraph) -> Result<Value> {
    let name = |&operation: &usize| report.operations.get(operation).map(|operation| operation.name.as_str());
    let mut superlayers = Vec::new();
    for superlayer in &subgraph.superlayers {
        let mut entry = serde_json::to_value(superlayer)?;
        entry["operations"] = superlayer.operations.iter().filter_map(name).collect();
        superlayers.push(entry);
    }
    let banks: serde_json::Map<String, Value> = subgraph
        .banks
        .iter()
        .map(|group| (group.name.clone(), json!({"lines": group.lines, "peak": group.peak, "mean": group.mean})))
        .collect();
    Ok(json!({
        "modelled": {
            "board": report.board.name,
            "clock_mhz": report.board.clock_mhz,
            "cycles": subgraph.cycles,
            "busy": subgraph.busy,
            "live_lines": banks,
        },
        "superlayers": superlayers,
    }))
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

fn show(summary: &Value, explanation: Option<&Explanation>) -> String {
    let mut text = format!("{}\n", summary["name"].as_str().unwrap_or_default());
    let kinds = summary["operators"].as_object().into_iter().flatten();
    let kinds: Vec<_> = kinds.map(|(kind, count)| format!("{kind} {count}")).collect();
    text += &format!("operators: {}\n", kinds.join(", "));
    for (label, key) in [("input", "inputs"), ("output", "outputs")] {
        for port in summary[key].as_array().into_iter().flatten() {
            text += &format!("{label}: {}\n", show_port(port));
        }
    }
    let mut number = 0;
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
        if let Some(explanation) = explanation {
            text += &explanation.table(number);
            number += 1;
        }
    }
    text
}

fn show_port(port: &Value) -> String {
    let fix = port["fix_point"].as_i64().map_or_else(String::new, |point| format!(", fix point {point}"));
    format!("{} {}{fix}", port["name"].as_str().unwrap_or_default(), port["shape"])
}
