//! DPU programs of compiled sample models with AMD's golden inputs and outputs.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use dpuc_accel::{Core, Regions};
use dpuc_isa::{Instruction, Target, decode};
pub(crate) use dpuc_samples::{COMPILED as SAMPLES, models};
use dpuc_xmodel::{Attributed, Graph, Subgraph, Tensor};
use npyz::npz::NpzArchive;

/// A tensor at its place in DDR: dense int8 NHWC.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) name: String,
    pub(crate) region: usize,
    pub(crate) start: usize,
    pub(crate) data: Vec<u8>,
}

/// One DPU subgraph: program, memory and golden data.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) target: Target,
    pub(crate) instructions: Vec<Instruction>,
    /// Size of each region.
    pub(crate) sizes: Vec<(usize, usize)>,
    /// Contents of the constant regions.
    pub(crate) constants: Vec<(usize, Vec<u8>)>,
    pub(crate) inputs: Vec<Placed>,
    pub(crate) outputs: Vec<Placed>,
}

impl Program {
    /// Defines and fills the regions; everything that is neither constant nor input, and all banks, hold garbage.
    pub(crate) fn prepare(&self, core: &mut Core, seed: u64) {
        core.scramble_banks(seed);
        for &(region, size) in &self.sizes {
            core.regions_mut().define(region, size).unwrap();
            core.scramble_region(region, seed ^ region as u64);
        }
        for (region, data) in &self.constants {
            core.regions_mut().write(*region, 0, data).unwrap();
        }
        for input in &self.inputs {
            core.regions_mut().write(input.region, input.start, &input.data).unwrap();
        }
    }

    /// Names of the outputs that differ from the golden data.
    pub(crate) fn wrong_outputs(&self, regions: &Regions) -> Vec<&str> {
        let differs =
            |output: &&Placed| regions.bytes(output.region, output.start, output.data.len()).unwrap() != output.data;
        self.outputs.iter().filter(differs).map(|output| output.name.as_str()).collect()
    }
}

/// The DPU subgraphs of a sample, in execution order.
pub(crate) fn programs(models: &Path, sample: &str) -> Vec<Program> {
    let path = models.join(sample);
    let graph = dpuc_xmodel::read(&std::fs::read(&path).unwrap()).unwrap();
    let mut golden = NpzArchive::open(path.with_file_name("golden_compiled.npz")).unwrap();
    let target = target_of(sample);
    let dpu = graph.root.children.iter().filter(|child| child.attr::<&str>("device") == Ok("DPU"));
    dpu.map(|subgraph| program(&graph, subgraph, &target, &mut golden)).collect()
}

/// The target that a sample's file name ends with.
fn target_of(sample: &str) -> Target {
    let size = sample.trim_end_matches(".xmodel").rsplit('b').next().unwrap();
    Target::registered().into_iter().find(|target| target.peak_operations().to_string() == size).unwrap()
}

fn program(graph: &Graph, subgraph: &Subgraph, target: &Target, golden: &mut NpzArchive<BufReader<File>>) -> Program {
    let bytes: &bytes::Bytes = subgraph.attr("mc_code").unwrap();
    let sizes: &std::collections::BTreeMap<String, i32> = subgraph.attr("reg_id_to_size").unwrap();
    let constants: &std::collections::BTreeMap<String, bytes::Bytes> =
        subgraph.attr("reg_id_to_parameter_value").unwrap();
    let region = |name: &String| name.trim_start_matches("REG_").parse::<usize>().unwrap();
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    for name in subgraph.all_ops() {
        let op = graph.ops.iter().find(|op| op.name == name).unwrap();
        let source = op.producers().next().and_then(|name| graph.ops.iter().find(|op| op.name == name));
        match (op.kind.as_str(), source) {
            ("upload", Some(source)) => inputs.push(placed("in:", &source.tensor, &op.tensor, golden)),
            ("download", Some(source)) => outputs.push(placed("out:", &op.tensor, &source.tensor, golden)),
            _ => {}
        }
    }
    Program {
        name: subgraph.name.clone(),
        target: target.clone(),
        instructions: decode(bytes).unwrap(),
        sizes: sizes.iter().map(|(name, &size)| (region(name), size as usize)).collect(),
        constants: constants.iter().map(|(name, data)| (region(name), data.to_vec())).collect(),
        inputs,
        outputs,
    }
}

/// The golden data of tensor `named` at the DDR place of tensor `located`.
fn placed(prefix: &str, named: &Tensor, located: &Tensor, golden: &mut NpzArchive<BufReader<File>>) -> Placed {
    let key = format!("{prefix}{}", named.name);
    let array = golden.by_name(&key).unwrap().unwrap_or_else(|| panic!("no golden data {key:?}"));
    let data: Vec<u8> = array.into_vec::<i8>().unwrap().into_iter().map(|value| value as u8).collect();
    let number = |attribute| located.attr::<i32>(attribute).unwrap() as usize;
    Placed { name: named.name.clone(), region: number("reg_id"), start: number("ddr_addr"), data }
}
