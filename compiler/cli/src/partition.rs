//! The partition for people and for machines.

use dpuc_backend::{Device, PartitionReport};
use dpuc_report::Plan;
use serde_json::{Value, json};

/// Parts that are listed.
const PARTS_SHOWN: usize = 60;
/// Characters of a part's name.
const NAME_LENGTH: usize = 48;

/// What runs where, and why the rest is on the CPU.
pub(crate) fn show(report: &PartitionReport, plan: &Plan) -> String {
    let (dpu, cpu) = (report.count(Device::Dpu), report.count(Device::Cpu));
    let head = format!(
        "partition: {dpu} operation(s) on the DPU in {} subgraph(s), {cpu} on the CPU\n",
        report.subgraphs.len()
    );
    head + &table(plan) + &reasons(report)
}

/// The parts in the order of execution.
fn table(plan: &Plan) -> String {
    let row = |number: &str, device: &str, operations: &str, reads: &str, gives: &str, name: &str| {
        format!("  {number:>4}  {device:<6} {operations:>10}  {reads:<10} {gives:<28} {name}\n")
    };
    let mut text = row("part", "device", "operations", "reads", "gives", "name");
    for (number, part) in plan.parts.iter().enumerate().take(PARTS_SHOWN) {
        let device = match part.device {
            dpuc_report::Device::Dpu => "DPU",
            dpuc_report::Device::Cpu => "CPU",
            dpuc_report::Device::Input => "input",
        };
        let incoming = plan.flows.iter().filter(|flow| flow.to == number);
        let reads: Vec<String> = incoming.map(|flow| flow.from.to_string()).collect();
        let gives: Vec<String> = plan
            .results(number)
            .into_iter()
            .map(|tensor| dpuc_report::dimensions(&plan.operations[tensor].shape))
            .collect();
        text += &row(
            &number.to_string(),
            device,
            &part.operations.len().to_string(),
            &listed(&reads, 3),
            &listed(&gives, 2),
            &plan.title(number, NAME_LENGTH),
        );
    }
    if plan.parts.len() > PARTS_SHOWN {
        text += &format!("  … and {} more parts\n", plan.parts.len() - PARTS_SHOWN);
    }
    text
}

/// The first of some words, and how many there are besides.
fn listed(words: &[String], shown: usize) -> String {
    let text = words.iter().take(shown).map(String::as_str).collect::<Vec<_>>().join(", ");
    if words.len() > shown { format!("{text}, +{}", words.len() - shown) } else { text }
}

/// Why operations are on the CPU.
fn reasons(report: &PartitionReport) -> String {
    let mut text = String::new();
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

pub(crate) fn to_json(report: &PartitionReport, plan: &Plan) -> Value {
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
    let name = |&operation: &usize| plan.operations[operation].name.as_str();
    let parts = plan.parts.iter().map(|part| {
        json!({"name": part.name, "device": part.device, "operations": part.operations.iter().map(name).collect::<Vec<_>>()})
    });
    let flows = plan.flows.iter().map(
        |flow| json!({"from": flow.from, "to": flow.to, "tensors": flow.tensors.iter().map(name).collect::<Vec<_>>()}),
    );
    json!({"operations": operations.collect::<Vec<_>>(), "subgraphs": subgraphs.collect::<Vec<_>>(),
           "parts": parts.collect::<Vec<_>>(), "flows": flows.collect::<Vec<_>>()})
}
