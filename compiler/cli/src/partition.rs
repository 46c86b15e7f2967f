//! The partition for people and for machines.

use dpuc_backend::{Device, PartitionReport};
use serde_json::{Value, json};

/// What runs where, and why the rest is on the CPU.
pub(crate) fn show(report: &PartitionReport) -> String {
    let (dpu, cpu) = (report.count(Device::Dpu), report.count(Device::Cpu));
    let mut text = format!(
        "partition: {dpu} operation(s) on the DPU in {} subgraph(s), {cpu} on the CPU\n",
        report.subgraphs.len()
    );
    for subgraph in &report.subgraphs {
        text += &format!(
            "  {}: {} operation(s), {} input(s), {} output(s)\n",
            subgraph.name, subgraph.operations, subgraph.inputs, subgraph.outputs
        );
    }
    let on_cpu = report.operations.iter().filter(|operation| operation.device == Device::Cpu);
    let (conversions, others): (Vec<_>, Vec<_>) = on_cpu.partition(|operation| is_conversion(&operation.kind));
    if !conversions.is_empty() {
        let names: Vec<_> = conversions.iter().map(|operation| operation.name.as_str()).collect();
        text += &format!("  conversions between floats and int8, on the CPU: {}\n", names.join(", "));
    }
    for operation in others {
        text += &format!("  on the CPU: {} ({})\n", operation.name, operation.kind);
        for reason in &operation.reasons {
            text += &format!("      {reason}\n");
            if let Some(hint) = reason.hint(&operation.kind) {
                text += &format!("      -> {hint}\n");
            }
        }
    }
    text
}

/// Conversions at the boundary of the integer part are always the host's.
fn is_conversion(kind: &str) -> bool {
    ["int8.quantise", "int8.dequantise"].contains(&kind)
}

pub(crate) fn to_json(report: &PartitionReport) -> Value {
    let operations = report.operations.iter().map(|operation| {
        let device = match operation.device {
            Device::Dpu => "DPU",
            Device::Cpu => "CPU",
        };
        let reasons: Vec<String> = operation.reasons.iter().map(ToString::to_string).collect();
        let hints: Vec<String> = operation.reasons.iter().filter_map(|reason| reason.hint(&operation.kind)).collect();
        json!({"name": operation.name, "kind": operation.kind, "device": device,
               "subgraph": operation.subgraph, "reasons": reasons, "hints": hints})
    });
    let subgraphs = report.subgraphs.iter().map(|subgraph| {
        json!({"name": subgraph.name, "operations": subgraph.operations,
               "inputs": subgraph.inputs, "outputs": subgraph.outputs})
    });
    json!({"operations": operations.collect::<Vec<_>>(), "subgraphs": subgraphs.collect::<Vec<_>>()})
}
