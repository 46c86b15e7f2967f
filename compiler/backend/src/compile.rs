//! All steps in one call.

use std::collections::BTreeMap;

use dpuc_dialects::Ir;
use dpuc_isa::Target;
use dpuc_xmodel::Graph;

use crate::emit::{EmitReport, emit};
use crate::error::{BackendError, check};
use crate::export::export;
use crate::partition::{PartitionReport, Subgraphs, partition};
use crate::plan::plan;

/// What the compiled file says besides the network, and how the network is divided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Name of the graph; the module's name if absent.
    pub name: Option<String>,
    /// MD5 of the input files in hexadecimal, by path as the user gave it.
    pub files_md5sum: BTreeMap<String, String>,
    /// How many DPU subgraphs the network becomes.
    pub subgraphs: Subgraphs,
}

/// A compiled network.
#[derive(Debug)]
pub struct Compiled {
    /// The `.xmodel`.
    pub graph: Graph,
    /// The module at all levels: `@main` with calls, planned subgraphs, machine programs.
    pub ir: Ir,
    /// Where each operation runs, and why.
    pub report: PartitionReport,
    /// How the operations of the DPU became code.
    pub code: EmitReport,
}

/// Compiles the function `@main` of a module of `int8` operations for a target.
///
/// The module is verified before and after every step.
///
/// # Errors
/// See [`BackendError`].
pub fn compile(mut ir: Ir, target: &Target, options: &Options) -> Result<Compiled, BackendError> {
    check(&ir, "to compile")?;
    let report = partition(&mut ir, target, options.subgraphs)?;
    check(&ir, "after `partition`")?;
    plan(&mut ir, target)?;
    check(&ir, "after `plan`")?;
    let code = emit(&mut ir, target)?;
    check(&ir, "after `emit`")?;
    let graph = export(&ir, target, options)?;
    Ok(Compiled { graph, ir, report, code })
}
