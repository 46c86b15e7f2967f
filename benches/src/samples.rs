//! Sample models of the shared folder.

use std::path::{Path, PathBuf};

use dpuc_runtime::DpuProgram;
use dpuc_xmodel::{Graph, GraphIndex};

/// The folder of sample models: `DPUC_SHARED`, or `../shared` beside the checkout.
fn folder() -> PathBuf {
    let shared = std::env::var_os("DPUC_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    shared.join("models/xmodel")
}

/// A sample by its path below `models/xmodel`; `None`, with a notice, if it is not there.
pub fn sample(name: &str) -> Option<Graph> {
    let path = folder().join(name);
    match std::fs::read(&path) {
        Ok(bytes) => dpuc_xmodel::read(&bytes).ok(),
        Err(error) => {
            eprintln!("SKIPPED: {}: {error}", path.display());
            None
        }
    }
}

/// The first DPU program of a sample.
pub fn sample_program(name: &str) -> Option<DpuProgram> {
    let graph = sample(name)?;
    let index = GraphIndex::new(&graph);
    let subgraphs = index.dpu_subgraphs().ok()?;
    DpuProgram::load(subgraphs.first()?).ok()
}
