//! Sample models of the shared folder.

use dpuc_runtime::DpuProgram;
use dpuc_xmodel::{Graph, GraphIndex};

/// A sample by its path below `models/xmodel`; `None`, with a notice, if it is not there.
pub fn sample(name: &str) -> Option<Graph> {
    let path = dpuc_samples::shared(&format!("models/xmodel/{name}"))?;
    dpuc_xmodel::read(&std::fs::read(path).ok()?).ok()
}

/// The first DPU program of a sample.
pub fn sample_program(name: &str) -> Option<DpuProgram> {
    let graph = sample(name)?;
    let index = GraphIndex::new(&graph);
    let subgraphs = index.dpu_subgraphs().ok()?;
    DpuProgram::load(subgraphs.first()?).ok()
}
