//! Real files, made by AMD's tools.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;

use dpuc_xmodel::{Attributed, Graph, GraphIndex, Subgraph, md5_hex, read, write};
use serde_json::Value;

use crate::models::{sample, samples};

#[test]
fn every_sample_survives_a_round_trip() {
    for path in samples() {
        let graph = read(&fs::read(&path).unwrap()).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let written = write(&graph).unwrap();
        let again = read(&written).unwrap();
        assert!(again == graph, "{} changes in a round trip", path.display());
        assert!(write(&again).unwrap() == written, "{} is not written the same twice", path.display());
    }
}

/// Name, dimensions and, for outputs, fix point of a tensor at the edge of the DPU.
type Edge = (String, Vec<i64>, Option<i64>);

fn recorded_edges(tensors: &Value) -> BTreeSet<Edge> {
    let edge = |tensor: &Value| {
        let shape = tensor["shape"].as_array().unwrap().iter().map(|dim| dim.as_i64().unwrap()).collect();
        (tensor["name"].as_str().unwrap().to_owned(), shape, tensor["fix_point"].as_i64())
    };
    tensors.as_array().unwrap().iter().map(edge).collect()
}

/// The boundaries found here are those with which the simulator was run.
#[test]
fn boundaries_are_those_of_the_recorded_runs() {
    for path in samples() {
        let file = path.file_stem().unwrap().to_str().unwrap();
        let graph = read(&fs::read(&path).unwrap()).unwrap();
        let dpu = GraphIndex::new(&graph).dpu_subgraphs().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        if file == "quantised" {
            assert!(dpu.is_empty(), "{}", path.display());
            continue;
        }
        let golden = fs::read(path.with_file_name(format!("golden_{file}.json"))).unwrap();
        let golden: Value = serde_json::from_slice(&golden).unwrap();
        let dims = |dims: &[i32]| dims.iter().copied().map(i64::from).collect();
        let inputs: BTreeSet<Edge> = dpu
            .iter()
            .flat_map(|dpu| &dpu.inputs)
            .map(|input| (input.tensor.name.clone(), dims(&input.tensor.dims), None))
            .collect();
        let outputs: BTreeSet<Edge> = dpu
            .iter()
            .flat_map(|dpu| &dpu.outputs)
            .map(|output| (output.tensor.name.clone(), dims(&output.tensor.dims), Some(output.fix_point.into())))
            .collect();
        assert_eq!(inputs, recorded_edges(&golden["inputs"]), "{}", path.display());
        assert_eq!(outputs, recorded_edges(&golden["outputs"]), "{}", path.display());
    }
}

/// A compiled file records the MD5 of the quantised file it was made from.
#[test]
fn md5_is_that_of_the_vendor_compiler() {
    for model in ["mnist_cnn", "pointpillars", "zero_dce"] {
        let (Some(compiled), Some(quantised)) =
            (sample(&format!("{model}/compiled_b4096.xmodel")), sample(&format!("{model}/quantised.xmodel")))
        else {
            return;
        };
        let compiled = read(&compiled).unwrap();
        let recorded: &BTreeMap<String, String> = compiled.attr("files_md5sum").unwrap();
        assert_eq!(recorded.values().collect::<Vec<_>>(), [&md5_hex(&quantised)], "{model}");
    }
}

fn outline(graph: &Graph) -> String {
    let mut text = format!("graph {:?}\n", graph.name);
    for op in &graph.ops {
        let tensor = &op.tensor;
        let _ = writeln!(text, "{:20} {} {:?} {}", op.kind, tensor.data_type, tensor.dims, op.name);
        for arg in &op.args {
            let _ = writeln!(text, "    {} = {:?}", arg.name, arg.ops);
        }
    }
    outline_subgraph(&graph.root, 0, &mut text);
    text
}

fn outline_subgraph(subgraph: &Subgraph, level: usize, text: &mut String) {
    let device = subgraph.attr_opt("device").unwrap().unwrap_or("-");
    let _ = writeln!(text, "{:indent$}subgraph {device} {}", "", subgraph.name, indent = 2 * level);
    let keys: Vec<String> = subgraph.attrs.iter().map(|(key, attr)| format!("{key}: {}", attr.kind())).collect();
    let _ = writeln!(text, "{:indent$}  {{{}}}", "", keys.join(", "), indent = 2 * level);
    for op in &subgraph.ops {
        let _ = writeln!(text, "{:indent$}  {op}", "", indent = 2 * level);
    }
    for child in &subgraph.children {
        outline_subgraph(child, level + 1, text);
    }
}

#[test]
fn outline_of_a_compiled_file() {
    let Some(file) = sample("mnist_cnn/compiled_b4096.xmodel") else { return };
    insta::assert_snapshot!(outline(&read(&file).unwrap()));
}
