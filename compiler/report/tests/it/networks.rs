//! Real networks: sums agree with the program, however it was compiled.

use std::collections::BTreeMap;

use dpuc_accel::Statistics;
use dpuc_accel::timing::Board;
use dpuc_backend::{Compiled, Options, compile};
use dpuc_isa::Target;
use dpuc_report::{Attribution, Device, Explanation, Source, explain};
use dpuc_runtime::Session;
use dpuc_xmodel::Graph;
use serde_json::Value;

fn board() -> &'static Board {
    Board::named("kv260").unwrap()
}

/// A sample, taken out of its compiled file and compiled here.
fn recompiled(graph: &Graph) -> Compiled {
    let mut ir = dpuc_import::import_xmodel(graph).unwrap().ir;
    dpuc_passes::lower_to_int8(&mut ir).unwrap();
    compile(ir, &Target::resolve("kv260").unwrap(), &Options::default()).unwrap()
}

fn sample(name: &str) -> Option<Graph> {
    let path = dpuc_samples::models()?.join(name);
    Some(dpuc_xmodel::read(&std::fs::read(path).unwrap()).unwrap())
}

/// Figures of superlayers add up to those of the program.
fn check_sums(explanation: &Explanation, graph: &Graph) {
    let session = Session::new(graph).unwrap();
    for (number, (subgraph, run)) in explanation.report.subgraphs.iter().zip(&explanation.runs).enumerate() {
        let program = session.find_program(&subgraph.name).unwrap();
        let statistics = Statistics::of(&program.instructions, &program.target).unwrap();
        let sum = |figure: fn(&dpuc_report::Superlayer) -> u64| subgraph.superlayers.iter().map(figure).sum::<u64>();
        assert_eq!(sum(|own| own.figures.instructions), statistics.instruction_count());
        assert_eq!(sum(|own| own.figures.cycles), subgraph.cycles);
        assert_eq!(sum(|own| own.figures.bytes.saved), statistics.saved_bytes);
        assert_eq!(sum(|own| own.figures.array_macs), statistics.conv_macs);
        let loaded = (sum(|own| own.figures.bytes.parameters), sum(|own| own.figures.bytes.features));
        assert_eq!(loaded, program.loaded_bytes(&statistics));
        let own = |operation: &&dpuc_report::Operation| operation.subgraph == Some(number);
        let of_operations = explanation.report.operations.iter().filter(own).filter_map(|operation| operation.figures);
        let of_operations = of_operations.fold((0, 0), |sum, own| (sum.0 + own.cycles, sum.1 + own.instructions));
        assert_eq!(of_operations, (subgraph.cycles, statistics.instruction_count()));
        assert_eq!(run.critical.last().map(|stretch| stretch.end), Some(subgraph.cycles));
        for superlayer in &subgraph.superlayers {
            assert!(
                (0.0..=1.0).contains(&superlayer.figures.utilisation),
                "{}: {}",
                superlayer.name,
                superlayer.figures.utilisation
            );
            let path = superlayer.figures.critical;
            assert!(path.load + path.save + path.conv + path.misc <= superlayer.figures.cycles);
        }
        for group in &subgraph.banks {
            assert!(group.peak <= group.lines && group.mean <= group.peak as f64, "{}", group.name);
        }
    }
}

/// The events of a trace are JSON, in time, and those of one track do not overlap.
fn check_trace(explanation: &Explanation) {
    let trace: Value = serde_json::from_str(&explanation.trace()).unwrap();
    let mut ends: BTreeMap<(u64, u64), u64> = BTreeMap::new();
    let mut spans = 0;
    for event in trace["traceEvents"].as_array().unwrap().iter().filter(|event| event["ph"] == "X") {
        let nanoseconds = |field: &str| (event[field].as_f64().unwrap() * 1e3).round() as u64;
        let track = (event["pid"].as_u64().unwrap(), event["tid"].as_u64().unwrap());
        let end = ends.entry(track).or_default();
        assert!(nanoseconds("ts") >= *end, "{event} starts before {end} ns");
        *end = nanoseconds("ts") + nanoseconds("dur");
        spans += 1;
    }
    assert!(spans > 0 || explanation.report.subgraphs.is_empty());
}

/// The page refers to nothing outside of itself.
fn check_page(explanation: &Explanation) {
    let page = explanation.html();
    for reference in ["http:", "https:", "src=", "@import", "url(", "<link", "{{"] {
        assert!(!page.contains(reference), "{reference}");
    }
    assert!(page.contains("modelled") && page.len() < 8 << 20, "{} bytes", page.len());
}

#[test]
fn files_of_amds_compiler_are_explained() {
    for name in dpuc_samples::COMPILED {
        let Some(graph) = sample(name) else { return };
        let explanation = explain(&Source::file(&graph), board()).unwrap();
        check_sums(&explanation, &graph);
        check_trace(&explanation);
        check_page(&explanation);
        for subgraph in &explanation.report.subgraphs {
            let with_code =
                subgraph.superlayers.iter().filter(|superlayer| superlayer.figures.instructions > 0).count();
            assert!(2 * with_code > subgraph.superlayers.len(), "{name}: {with_code} superlayers have instructions");
        }
    }
}

#[test]
fn addresses_tell_what_the_compiler_knows() {
    for name in ["squeezenet/compiled_b4096.xmodel", "unet2d_liver/compiled_b4096.xmodel"] {
        let Some(graph) = sample(name) else { return };
        let compiled = recompiled(&graph);
        let known = explain(&Source::compiled(&compiled), board()).unwrap();
        let found = explain(&Source::file(&compiled.graph), board()).unwrap();
        check_sums(&known, &compiled.graph);
        check_trace(&known);
        check_page(&known);
        let with_code = known.report.subgraphs.iter().flat_map(|subgraph| &subgraph.superlayers);
        for superlayer in with_code.filter(|superlayer| superlayer.figures.instructions > 0) {
            assert!(!superlayer.decisions.is_empty(), "{}: nothing was decided for {}", name, superlayer.name);
        }
        for (known, found) in known.report.subgraphs.iter().zip(&found.report.subgraphs) {
            assert_eq!((known.attribution, found.attribution), (Attribution::Compiler, Attribution::Addresses));
            let pairs = known.superlayers.iter().zip(&found.superlayers);
            let wrong: u64 =
                pairs.map(|(known, found)| known.figures.instructions.abs_diff(found.figures.instructions)).sum();
            let all: u64 = known.superlayers.iter().map(|superlayer| superlayer.figures.instructions).sum();
            assert!(100 * wrong <= all, "{name}: {wrong} of {all} instructions are given to another superlayer");
        }
    }
}

#[test]
fn operations_of_the_host_have_reasons_and_hints() {
    let Some(graph) = sample("pointpillars/quantised.xmodel") else { return };
    let report = explain(&Source::compiled(&recompiled(&graph)), board()).unwrap().report;
    assert!(report.totals.dpu_operations > 10);
    for operation in report.operations.iter().filter(|operation| operation.device == Device::Cpu) {
        assert!(!operation.obstacles.is_empty(), "{}", operation.name);
    }
}
