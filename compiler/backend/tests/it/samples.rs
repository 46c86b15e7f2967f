//! Networks of AMD's compiled files, compiled again for the same target: the graph is the vendor's, and the golden outputs come out.

use std::collections::{BTreeMap, BTreeSet};

use dpuc_backend::{Options, compile};
use dpuc_evaluate::Tensor;
use dpuc_isa::Target;
use dpuc_runtime::{Port, Session};
use dpuc_tests::{COMPILED, golden, import, models, read};
use dpuc_xmodel::{Attributed, DpuSubgraph, Graph, GraphIndex, Subgraph};

/// The target that a sample's file name ends with.
fn target_of(sample: &str) -> Target {
    let size = sample.trim_end_matches(".xmodel").rsplit('b').next().unwrap();
    Target::registered().into_iter().find(|target| target.peak_operations().to_string() == size).unwrap()
}

fn recompiled(sample: &str, vendor: &Graph, models: &std::path::Path) -> Graph {
    let ir = import(models, sample);
    let name = Some(vendor.name.clone());
    let options = Options { name, ..Options::default() };
    compile(ir, &target_of(sample), &options).unwrap_or_else(|error| panic!("{sample}: {error}")).graph
}

/// Device and name of the children of the root. Inputs come first in ours.
fn devices(graph: &Graph) -> (BTreeSet<&str>, Vec<(&str, &str)>) {
    let children = graph.device_subgraphs().unwrap();
    let (users, others): (Vec<_>, Vec<_>) = children.into_iter().partition(|(_, device)| *device == "USER");
    let names = users.into_iter().map(|(child, _)| child.name.as_str()).collect();
    (names, others.into_iter().map(|(child, device)| (device, child.name.as_str())).collect())
}

/// Number of operators of each type.
fn kinds<'a>(graph: &'a Graph, subgraph: &Subgraph) -> BTreeMap<&'a str, usize> {
    let mut kinds = BTreeMap::new();
    for op in subgraph.all_ops().filter_map(|name| graph.ops.iter().find(|op| op.name == name)) {
        *kinds.entry(op.kind.as_str()).or_default() += 1;
    }
    kinds
}

/// Name, shape and fix point of inputs and outputs.
fn boundaries<'a>(view: &'a DpuSubgraph<'_>) -> Vec<(&'a str, &'a [i32], i32)> {
    let boundaries = view.inputs.iter().chain(&view.outputs);
    boundaries.map(|b| (b.tensor.name.as_str(), b.tensor.dims.as_slice(), b.fix_point)).collect()
}

/// Same subgraphs on the same devices under the same names, with the same operators, workloads, boundaries and fix points.
#[test]
fn the_graph_is_the_vendor_s() {
    let Some(models) = models() else { return };
    for sample in COMPILED {
        let vendor = read(&models, sample);
        let ours = recompiled(sample, &vendor, &models);
        assert_eq!(devices(&ours), devices(&vendor), "{sample}");
        let (our_index, vendor_index) = (GraphIndex::new(&ours), GraphIndex::new(&vendor));
        let views = our_index.dpu_subgraphs().unwrap().into_iter().zip(vendor_index.dpu_subgraphs().unwrap());
        for (our_view, vendor_view) in views {
            let name = &vendor_view.subgraph.name;
            assert_eq!(kinds(&ours, our_view.subgraph), kinds(&vendor, vendor_view.subgraph), "{sample}, {name}");
            assert_eq!(boundaries(&our_view), boundaries(&vendor_view), "{sample}, {name}");
            for key in ["workload", "workload_on_arch"] {
                let (found, expected) = (our_view.subgraph.attr::<u64>(key), vendor_view.subgraph.attr::<u64>(key));
                assert_eq!(found.unwrap(), expected.unwrap(), "{sample}, {name}: {key}");
            }
        }
        for op in &vendor.ops {
            let Some(own) = our_index.op(&op.name) else { panic!("{sample}: {} is missing", op.name) };
            assert_eq!((&own.kind, &own.tensor.dims), (&op.kind, &op.tensor.dims), "{sample}, {}", op.name);
            let fix = |op: &dpuc_xmodel::Op| op.tensor.attr_opt::<i32>("fix_point").unwrap();
            assert_eq!(fix(own), fix(op), "{sample}, {}", op.name);
            for key in ["kernel", "stride", "dilation", "pad", "order", "shape"] {
                let list = |op: &dpuc_xmodel::Op| op.attr_opt::<&[i32]>(key).unwrap().map(<[i32]>::to_vec);
                assert_eq!(list(own), list(op), "{sample}, {}: {key}", op.name);
            }
        }
    }
}

#[test]
fn golden_outputs_come_out() {
    let Some(models) = models() else { return };
    for sample in COMPILED {
        let vendor = read(&models, sample);
        let session = Session::new(&recompiled(sample, &vendor, &models)).unwrap();
        for program in session.programs() {
            let report = dpuc_accel::check(&program.instructions, &program.target, 5);
            assert!(report.is_clean(), "{sample}: {:#?}", report.findings);
            let load = |port: &Port, direction: &str| {
                let bytes = golden(&models, sample, &format!("{direction}:{}", port.name));
                Tensor::from_i8(&port.shape, bytes).unwrap()
            };
            let inputs: Vec<Tensor> = program.inputs.iter().map(|placed| load(&placed.port, "in")).collect();
            let outcome = session.run_subgraph(&program.name, &inputs).unwrap();
            assert!(!outcome.tensors.is_empty());
            for (port, found) in &outcome.tensors {
                assert!(*found == load(port, "out"), "{sample}, {}: {} differs", program.name, port.name);
            }
        }
    }
}
