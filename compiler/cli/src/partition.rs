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
    for operation in report.operations.iter().filter(|operation| operation.device == Device::Cpu) {
        text += &format!("  on the CPU: {} ({})\n", operation.name, operation.kind);
        for reason in &operation.reasons {
            text += &format!("      {reason}\n");
        }
    }
    text
}

pub(crate) fn to_json(report: &PartitionReport) -> Value {
    let operations = report.operations.iter().map(|operation| {
        let device = match operation.device {
            Device::Dpu => "DPU",
            Device::Cpu => "CPU",
        };
        let reasons: Vec<String> = operation.reasons.iter().map(ToString::to_string).collect();
        json!({"name": operation.name, "kind": operation.kind, "device": device,
               "subgraph": operation.subgraph, "reasons": reasons})
    });
    let subgraphs = report.subgraphs.iter().map(|subgraph| {
        json!({"name": subgraph.name, "operations": subgraph.operations,
               "inputs": subgraph.inputs, "outputs": subgraph.outputs})
    });
    json!({"operations": operations.collect::<Vec<_>>(), "subgraphs": subgraphs.collect::<Vec<_>>()})
}
