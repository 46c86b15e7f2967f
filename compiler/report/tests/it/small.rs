//! The report of a file written by hand, in full.

use dpuc_accel::timing::Costs;
use dpuc_isa::{Engine, Latches, Target};
use dpuc_report::{Attribution, Explanation, PerEngine, Source, explain};
use serde_json::Value;

use crate::file::{PLAIN, board, graph, program};

fn small() -> Explanation {
    explain(&Source::file(&graph(PLAIN)), board()).unwrap()
}

/// Figures that follow from the time model, which calibration changes.
const TIMES: [&str; 14] = [
    "cycles",
    "milliseconds",
    "frames_per_second",
    "utilisation",
    "clock_mhz",
    "start",
    "end",
    "from",
    "until",
    "busy",
    "critical",
    "bound",
    "mean",
    "samples",
];

/// Replaces times by their names. Addresses, which are called `start` and `end` too, stay.
fn without_times(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(without_times),
        Value::Object(entries) => {
            let is_tensor = entries.contains_key("strided");
            for (key, value) in entries.iter_mut() {
                let address = is_tensor && ["start", "end"].contains(&key.as_str());
                if TIMES.contains(&key.as_str()) && !address {
                    *value = Value::from("modelled");
                } else {
                    without_times(value);
                }
            }
        }
        _ => {}
    }
}

#[test]
fn the_report_is_this() {
    let mut report: Value = serde_json::from_str(&small().json()).unwrap();
    for group in report["subgraphs"][0]["banks"].as_array().unwrap() {
        let samples = group["samples"].as_array().unwrap();
        assert_eq!(samples.iter().filter_map(Value::as_u64).max(), group["peak"].as_u64());
    }
    without_times(&mut report);
    insta::assert_snapshot!(serde_json::to_string_pretty(&report).unwrap());
}

#[test]
fn the_table_has_a_row_for_each_superlayer() {
    let table = small().table(0);
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    let [_, _, _, head, conv, pool] = &rows[..] else { panic!("{table}") };
    assert_eq!(head[..4], ["#", "cycles", "time", "bound"]);
    assert_eq!(head[9..], ["features", "params", "saved", "instr.", "operations"]);
    assert_eq!(conv[9..], ["256", "272", "256", "27", "net/conv"]);
    assert_eq!(pool[9..], ["256", "0", "256", "11", "net/pool"]);
}

#[test]
fn every_instruction_finds_its_superlayer() {
    let subgraph = &small().report.subgraphs[0];
    assert_eq!(subgraph.attribution, Attribution::Addresses);
    let [conv, pool] = &subgraph.superlayers[..] else { panic!("two superlayers") };
    // Bias, sixteen Loads of weights, four of rows, ConvInit, Conv, four Saves; four Loads, AluInit, Alu, four Saves, End.
    assert_eq!((conv.figures.instructions, pool.figures.instructions), (27, 11));
    assert_eq!(
        (conv.figures.bytes.parameters, conv.figures.bytes.features, conv.figures.bytes.saved),
        (17 * 16, 4 * 64, 4 * 64)
    );
    assert_eq!(
        (pool.figures.bytes.parameters, pool.figures.bytes.features, pool.figures.bytes.saved),
        (0, 4 * 64, 4 * 64)
    );
    assert_eq!((conv.figures.macs, conv.figures.array_macs), (16 * 16 * 16, 16 * 16 * 16));
}

#[test]
fn times_are_those_of_the_costs() {
    let subgraph = &small().report.subgraphs[0];
    let [conv, pool] = &subgraph.superlayers[..] else { panic!("two superlayers") };
    let costs = Costs::new(&Target::resolve("B4096").unwrap(), board(), 1);
    let mut latches = Latches::new();
    let mut sum = [PerEngine::default(); 2];
    for (index, instruction) in program().iter().enumerate() {
        let operation = latches.resolve(instruction).unwrap();
        *sum[usize::from(index >= 27)].of(instruction.engine()) += costs.of(&operation).busy;
    }
    // Saves of the same port follow each other.
    assert_eq!([conv.figures.busy, pool.figures.busy], sum);
    assert_eq!(conv.figures.cycles + pool.figures.cycles, subgraph.cycles);
    assert_eq!(conv.figures.cycles, conv.end);
    for layer in [conv, pool] {
        let PerEngine { load, save, conv, misc } = layer.figures.critical;
        assert!(
            load + save + conv + misc <= layer.figures.cycles && layer.end - layer.start >= layer.figures.busy.load
        );
    }
}

#[test]
fn banks_are_live_from_write_to_last_read() {
    let subgraph = &small().report.subgraphs[0];
    let peak = |name: &str| subgraph.banks.iter().find(|group| group.name == name).unwrap().peak;
    // Four lines in each of four rows; sixteen lines of weights; one of bias. The Conv writes VB1 at line 0, the pool at line 8.
    assert_eq!([peak("VB0"), peak("VB1"), peak("CONVW"), peak("BIAS"), peak("DWCONVW")], [16, 16, 16, 1, 0]);
}

#[test]
fn tensors_have_places_and_lifetimes() {
    let Explanation { report, runs } = small();
    let (subgraph, run) = (&report.subgraphs[0], &runs[0]);
    let tensor = |name: &str| subgraph.tensors.iter().find(|tensor| tensor.name == name).unwrap();
    let between = tensor("net/conv_fix");
    assert_eq!((between.region, between.start, between.end), (1, 0, 256));
    // From the start of the first Save that writes it until the last Load that reads it has its data.
    let spans = |engine| &run.tracks.iter().find(|track| track.engine == engine && track.lane == 0).unwrap().spans;
    assert_eq!(between.from, spans(Engine::Save)[0].start);
    let last_load = spans(Engine::Load).last().unwrap();
    assert_eq!(between.until, last_load.end + board().memory_latency());
    assert!(!between.on_chip && !between.strided);
    assert_eq!(tensor("input_fix_upload_0").from, 0);
    assert_eq!(tensor("net/pool_fix_download_0").until, subgraph.cycles);
}
