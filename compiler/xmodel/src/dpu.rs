//! A checked view of a subgraph that runs on the DPU: what a runtime needs to load and run it (§3.4, §3.6, §3.7, §8).

mod boundary;
mod error;
mod placement;
mod register;

use std::collections::{BTreeMap, HashSet};

use bytes::Bytes;

use crate::attr::Attributed;
use crate::graph::{Op, Subgraph};
use crate::index::GraphIndex;

pub use boundary::Boundary;
pub use error::{DpuSubgraphError, DpuSubgraphProblem};
pub use placement::Placement;
pub use register::{Register, RegisterRole};

/// A level-1 subgraph of device `DPU` with everything AMD's runtime requires of it present and consistent.
#[derive(Clone, Debug, PartialEq)]
pub struct DpuSubgraph<'a> {
    /// The subgraph itself.
    pub subgraph: &'a Subgraph,
    /// Name of the target it was compiled for (`dpu_name`), if stated.
    pub target: Option<&'a str>,
    /// Fingerprint of that target. 0 or absent: the runtime does not compare it with the hardware.
    pub fingerprint: Option<u64>,
    /// The instruction stream: little-endian 32-bit words.
    pub mc_code: &'a Bytes,
    /// The memory regions the instructions address, by number.
    pub registers: Vec<Register<'a>>,
    /// Where the inputs go, ordered by the name of the tensor as the runtime does.
    pub inputs: Vec<Boundary<'a>>,
    /// Where the outputs come from, ordered by the name of the tensor.
    pub outputs: Vec<Boundary<'a>>,
}

impl<'a> DpuSubgraph<'a> {
    /// The view of `subgraph`, a child of the root of the indexed graph.
    pub fn new(index: &GraphIndex<'a>, subgraph: &'a Subgraph) -> Result<Self, DpuSubgraphError> {
        Self::check(index, subgraph).map_err(|problem| problem.of(subgraph))
    }

    /// The register `number`, if the subgraph has it.
    pub fn register(&self, number: u8) -> Option<&Register<'a>> {
        self.registers.iter().find(|register| register.number == number)
    }

    fn check(index: &GraphIndex<'a>, subgraph: &'a Subgraph) -> Result<Self, DpuSubgraphProblem> {
        let device: &str = subgraph.attr("device")?;
        if device != "DPU" {
            return Err(DpuSubgraphProblem::Device(device.to_owned()));
        }
        let runner: &BTreeMap<String, String> = subgraph.attr("runner")?;
        if !runner.contains_key("run") {
            return Err(DpuSubgraphProblem::NoRunner);
        }
        let mc_code: &Bytes = subgraph.attr("mc_code")?;
        if mc_code.is_empty() || !mc_code.len().is_multiple_of(4) {
            return Err(DpuSubgraphProblem::CodeLength(mc_code.len()));
        }
        let registers = register::registers(subgraph)?;
        let ops: Vec<&'a Op> = subgraph.all_ops().filter_map(|name| index.op(name)).collect();
        let members: HashSet<&str> = ops.iter().map(|op| op.name.as_str()).collect();
        let inputs = boundary::inputs(index, &ops, &members)?;
        let outputs = boundary::outputs(index, &ops, &members)?;
        check_placements(&ops, &registers)?;
        check_boundaries(&inputs, &outputs, &registers)?;
        Ok(Self {
            subgraph,
            target: subgraph.attr_opt("dpu_name")?,
            fingerprint: subgraph.attr_opt("dpu_fingerprint")?,
            mc_code,
            registers,
            inputs,
            outputs,
        })
    }
}

/// Every tensor inside has a place; the outputs of `download` ops are outside.
fn check_placements(ops: &[&Op], registers: &[Register<'_>]) -> Result<(), DpuSubgraphProblem> {
    for op in ops.iter().filter(|op| op.kind != "download") {
        let Placement::Memory { register, .. } = Placement::of(&op.tensor)? else { continue };
        if !registers.iter().any(|declared| declared.number == register) {
            return Err(DpuSubgraphProblem::UndeclaredRegister { tensor: op.tensor.name.clone(), register });
        }
    }
    Ok(())
}

/// Boundary tensors lie within their registers, and no interface register is without one.
fn check_boundaries(
    inputs: &[Boundary<'_>],
    outputs: &[Boundary<'_>],
    registers: &[Register<'_>],
) -> Result<(), DpuSubgraphProblem> {
    let mut unused: Vec<&Register<'_>> =
        registers.iter().filter(|register| register.role == RegisterRole::Interface).collect();
    for boundary in inputs.iter().chain(outputs) {
        let tensor = || boundary.tensor.name.clone();
        let Some(register) = registers.iter().find(|register| register.number == boundary.register) else {
            return Err(DpuSubgraphProblem::UndeclaredRegister { tensor: tensor(), register: boundary.register });
        };
        let end = u64::from(boundary.address).saturating_add(boundary.num_bytes);
        if end > u64::from(register.size) {
            return Err(DpuSubgraphProblem::OutsideRegister {
                tensor: tensor(),
                register: register.number,
                end,
                size: register.size,
            });
        }
        unused.retain(|register| register.number != boundary.register);
    }
    match unused.first() {
        Some(register) => Err(DpuSubgraphProblem::UnusedInterface(register.number)),
        None => Ok(()),
    }
}
