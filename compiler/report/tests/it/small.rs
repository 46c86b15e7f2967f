//! The report of a file written by hand, in full.

use dpuc_report::{Attribution, Bound, Explanation, PerEngine, Source, explain};
use serde_json::Value;

use crate::file::{PLAIN, board, graph};

fn small() -> Explanation {
    explain(&Source::file(&graph(PLAIN)), &board()).unwrap()
}

#[test]
fn the_report_is_this() {
    let mut report: Value = serde_json::from_str(&small().json()).unwrap();
    for group in report["subgraphs"][0]["banks"].as_array_mut().unwrap() {
        let samples = group["samples"].as_array().unwrap();
        assert_eq!(samples.iter().filter_map(Value::as_u64).max(), group["peak"].as_u64());
        group["samples"] = Value::from(format!("{} samples", samples.len()));
    }
    insta::assert_snapshot!(serde_json::to_string_pretty(&report).unwrap());
}

#[test]
fn the_table_is_this() {
    insta::assert_snapshot!(small().table(0));
}

#[test]
fn every_instruction_finds_its_superlayer() {
    let subgraph = &small().report.subgraphs[0];
    assert_eq!(subgraph.attribution, Attribution::Addresses);
    let [conv, pool] = &subgraph.superlayers[..] else { panic!("two superlayers") };
    // Bias, sixteen Loads of weights, four of rows, ConvInit, Conv, four Saves; four Loads, AluInit, Alu, four Saves, End.
    assert_eq!((conv.instructions, pool.instructions), (27, 11));
    assert_eq!((conv.bytes.parameters, conv.bytes.features, conv.bytes.saved), (17 * 16, 4 * 64, 4 * 64));
    assert_eq!((pool.bytes.parameters, pool.bytes.features, pool.bytes.saved), (0, 4 * 64, 4 * 64));
    assert_eq!((conv.macs, conv.array_macs), (16 * 16 * 16, 16 * 16 * 16));
}

#[test]
fn times_are_those_of_the_costs() {
    let subgraph = &small().report.subgraphs[0];
    let [conv, pool] = &subgraph.superlayers[..] else { panic!("two superlayers") };
    // 10 + 16/16 for the 17 Loads of parameters and 10 + 64/16 for the rows; 10 + 64/8 for Saves on one port; Inits take 1.
    let busy = PerEngine { load: 17 * 11 + 4 * 14, save: 4 * 18, conv: 1 + 24, misc: 0 };
    assert_eq!(conv.busy, busy);
    assert_eq!((pool.busy.load, pool.busy.misc), (4 * 14, 1 + 24));
    assert_eq!(conv.cycles + pool.cycles, subgraph.cycles);
    // Start, latencies and other engines are more than half of it.
    assert_eq!((conv.cycles, conv.bound), (conv.end, Bound::Tokens));
    for layer in [conv, pool] {
        let PerEngine { load, save, conv, misc } = layer.critical;
        assert!(load + save + conv + misc <= layer.cycles && layer.end - layer.start >= layer.busy.load);
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
    let subgraph = &small().report.subgraphs[0];
    let tensor = |name: &str| subgraph.tensors.iter().find(|tensor| tensor.name == name).unwrap();
    let between = tensor("net/conv_fix");
    assert_eq!((between.region, between.start, between.end), (1, 0, 256));
    assert_eq!((between.from, between.until), (subgraph.superlayers[0].start, subgraph.superlayers[1].end));
    assert_eq!(tensor("input_fix_upload_0").from, 0);
    assert_eq!(tensor("net/pool_fix_download_0").until, subgraph.cycles);
}
