//! Every compiled sample model gives AMD's golden outputs, from garbage-filled memories, and moves the bytes that were counted
//! in the decoded streams.

mod common;

use dpuc_accel::{Core, Statistics};
use serde_json::{Value, json};

#[test]
fn every_sample_is_bit_exact() {
    let Some(models) = common::models() else { return };
    let counted: Value = serde_json::from_slice(&std::fs::read(models.join("vendor_streams.json")).unwrap()).unwrap();
    for sample in common::SAMPLES {
        for (position, program) in common::programs(&models, sample).into_iter().enumerate() {
            assert!(!program.inputs.is_empty() && !program.outputs.is_empty(), "{sample} has boundary tensors");
            let mut core = Core::new(&program.target);
            program.prepare(&mut core, 1);
            let statistics = core.run(&program.instructions);
            let statistics = statistics.unwrap_or_else(|error| panic!("{sample}, {}: {error}", program.name));
            assert_eq!(program.wrong_outputs(core.regions()), Vec::<&str>::new(), "{sample}, {}", program.name);
            let expected = counted[sample].as_array().unwrap().iter().filter(|entry| entry["subgraph"] == program.name);
            let expected: Vec<_> = expected.collect();
            assert_eq!(expected, [&summary(&program, &statistics)], "{sample}, subgraph {position}");
        }
    }
}

/// The counts of a run, as `vendor_streams.json` has them.
fn summary(program: &common::Program, statistics: &Statistics) -> Value {
    let words: usize = program.instructions.iter().map(|instruction| instruction.opcode().words()).sum();
    let instructions = statistics.instructions.iter().map(|(opcode, count)| (opcode.name().to_owned(), json!(count)));
    let loaded: u64 = statistics.loaded_from.iter().sum();
    assert_eq!(loaded, statistics.loaded.parameters() + statistics.loaded.features);
    let parameters: u64 = program.constants.iter().map(|&(region, _)| statistics.loaded_from[region]).sum();
    json!({
        "subgraph": program.name,
        "words": words,
        "instructions": Value::Object(instructions.collect()),
        "load_bytes_parameters": parameters,
        "load_bytes_features": loaded - parameters,
        "save_bytes": statistics.saved_bytes,
    })
}
