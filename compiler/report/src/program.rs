//! One DPU subgraph: its program, run by the time model.

use dpuc_accel::timing::{Board, simulate};
use dpuc_runtime::DpuProgram;
use dpuc_xmodel::{DpuSubgraph, RegisterRole};

use crate::Source;
use crate::attribution::attribute;
use crate::error::ReportError;
use crate::flow::{Flow, FlowError};
use crate::ledger::Ledger;
use crate::memory;
use crate::model::{Figures, PerEngine, Subgraph};
use crate::network::{Members, Network};
use crate::spans::Run;
use crate::transfers::Transfers;

/// What is said of one subgraph.
pub(crate) struct Explained {
    pub(crate) subgraph: Subgraph,
    pub(crate) run: Run,
    /// The figures of its operations.
    pub(crate) operations: Vec<(usize, Figures)>,
}

/// Explains one subgraph.
pub(crate) fn explain(
    network: &Network<'_>,
    members: &Members<'_>,
    source: &Source<'_>,
    board: &Board,
) -> Result<Explained, ReportError> {
    let name = members.subgraph.name.clone();
    let view = DpuSubgraph::new(&network.index, members.subgraph)?;
    let DpuProgram { target, instructions, .. } =
        DpuProgram::load(&view).map_err(|error| ReportError::Program { subgraph: name.clone(), error })?;
    let timeline = simulate(&instructions, &target, board, 1)
        .map_err(|error| ReportError::Run { subgraph: name.clone(), error })?;
    let illegal = |error| ReportError::Instruction { subgraph: name.clone(), error };
    let flow = Flow::of(&instructions, &target, &timeline).map_err(|error| match error {
        FlowError::Illegal(error) => illegal(error),
        FlowError::TooLarge => ReportError::TooLarge { subgraph: name.clone() },
    })?;
    let (owners, attribution) = attribute(network, members, source.ir, &instructions, &flow);
    let run = Run::new(&instructions, &timeline, &owners);

    let is_constant = |region: u32| {
        let register = view.registers.iter().find(|register| u32::from(register.number) == region);
        register.is_some_and(|register| register.role == RegisterRole::Const)
    };
    let peak_macs = (target.peak_operations() / 2) as u64;
    let mut ledger = Ledger::new(network, members, source);
    ledger.add_work(&instructions, &timeline, &owners, &target, is_constant).map_err(illegal)?;
    ledger.add_time(&run.critical);
    let (superlayers, operations) = ledger.close(peak_macs);

    let superlayer_of: Vec<Option<usize>> =
        owners.iter().map(|&owner| network.operations.get(owner)?.superlayer).collect();
    let transfers = Transfers::of(&instructions, &timeline, &superlayer_of, superlayers.len());
    let [load, save, conv, misc] = timeline.busy;
    let subgraph = Subgraph {
        name,
        tensors: memory::tensors(network, members, &transfers, timeline.cycles),
        target: target.name,
        cycles: timeline.cycles,
        busy: PerEngine { load, save, conv, misc },
        peak_macs,
        attribution,
        superlayers,
        banks: flow.banks,
        regions: memory::regions(&view),
    };
    Ok(Explained { subgraph, run, operations })
}
