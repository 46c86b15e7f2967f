//! One DPU subgraph: its program's time, divided among superlayers.

use dpuc_accel::Statistics;
use dpuc_accel::timing::{Board, Timeline, simulate};
use dpuc_isa::{Engine, Instruction, Latches, Operation, Target};
use dpuc_runtime::DpuProgram;
use dpuc_xmodel::{DpuSubgraph, RegisterRole};

use crate::attribution::attribute;
use crate::error::ReportError;
use crate::flow::{Flow, FlowError};
use crate::memory;
use crate::model::{Bound, Bytes, PerEngine, Subgraph, Superlayer};
use crate::network::{Members, Network};
use crate::spans::{Run, Stretch};
use crate::{Source, ratio};

/// Explains one subgraph.
pub(crate) fn explain(
    network: &Network<'_>,
    members: &Members<'_>,
    source: &Source<'_>,
    board: &Board,
) -> Result<(Subgraph, Run), ReportError> {
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

    let constants = |region: u32| {
        let register = view.registers.iter().find(|register| u32::from(register.number) == region);
        register.is_some_and(|register| register.role == RegisterRole::Const)
    };
    let mut ledger = Ledger::new(network, members, source);
    ledger.add_times(&instructions, &timeline, &owners);
    let run = Run::new(&instructions, &timeline, &owners);
    ledger.divide(&run.critical);
    ledger.add_work(&instructions, &target, &owners, constants).map_err(illegal)?;
    let peak_macs = (target.peak_operations() / 2) as u64;
    let superlayers = ledger.close(peak_macs);

    let tensors = memory::tensors(network, members, &superlayers, timeline.cycles);
    let [load, save, conv, misc] = timeline.busy;
    let subgraph = Subgraph {
        name,
        target: target.name,
        cycles: timeline.cycles,
        busy: PerEngine { load, save, conv, misc },
        peak_macs,
        attribution,
        superlayers,
        banks: flow.banks,
        regions: memory::regions(&view),
        tensors,
    };
    Ok((subgraph, run))
}

/// Superlayers while their figures are summed up.
struct Ledger {
    superlayers: Vec<Superlayer>,
    /// Until when each engine is known to be busy with each superlayer.
    busy_until: Vec<[u64; Engine::ALL.len()]>,
}

impl Ledger {
    fn new(network: &Network<'_>, members: &Members<'_>, source: &Source<'_>) -> Self {
        let superlayers = members.superlayers.iter().map(|layer| {
            let operations = || layer.operations.iter().map(|&operation| &network.operations[operation]);
            let decisions = operations().filter_map(|operation| source.decisions.get(&operation.name));
            Superlayer {
                name: operations().next().map(|operation| operation.name.clone()).unwrap_or_default(),
                operations: layer.operations.clone(),
                instructions: 0,
                start: u64::MAX,
                end: 0,
                cycles: 0,
                critical: PerEngine::default(),
                busy: PerEngine::default(),
                bound: Bound::Hidden,
                macs: operations().map(|operation| operation.macs).fold(0, u64::saturating_add),
                array_macs: 0,
                utilisation: 0.0,
                bytes: Bytes::default(),
                decisions: decisions.flatten().cloned().collect(),
            }
        });
        let superlayers: Vec<_> = superlayers.collect();
        let busy_until = vec![[0; Engine::ALL.len()]; superlayers.len()];
        Self { superlayers, busy_until }
    }

    fn add_times(&mut self, instructions: &[Instruction], timeline: &Timeline, owners: &[usize]) {
        for ((instruction, span), &owner) in instructions.iter().zip(&timeline.spans).zip(owners) {
            let Some(superlayer) = self.superlayers.get_mut(owner) else { continue };
            superlayer.instructions += 1;
            if !is_init(instruction) {
                superlayer.start = superlayer.start.min(span.start);
            }
            superlayer.end = superlayer.end.max(span.complete);
            // Saves run side by side on two ports; the engine is busy once.
            let until = &mut self.busy_until[owner][span.engine.index()];
            *superlayer.busy.of(span.engine) += span.end.saturating_sub(span.start.max(*until));
            *until = span.end.max(*until);
        }
    }

    /// Divides the run among the superlayers: each has the time from when all before it are complete until it is complete itself. What
    /// the critical path does meanwhile tells what bounds it.
    fn divide(&mut self, critical: &[Stretch]) {
        let mut path = critical.iter().peekable();
        let mut reached = 0;
        for superlayer in &mut self.superlayers {
            let start = reached;
            while let Some(stretch) = path.peek().copied().filter(|_| reached < superlayer.end) {
                let end = stretch.end.min(superlayer.end);
                if let Some(engine) = stretch.engine {
                    *superlayer.critical.of(engine) += end - reached;
                }
                reached = end;
                path.next_if(|stretch| stretch.end == end);
            }
            superlayer.cycles = reached - start;
        }
    }

    fn add_work(
        &mut self,
        instructions: &[Instruction],
        target: &Target,
        owners: &[usize],
        is_constant: impl Fn(u32) -> bool,
    ) -> Result<(), dpuc_isa::IllegalInstruction> {
        let mut latches = Latches::new();
        for (instruction, &owner) in instructions.iter().zip(owners) {
            let operation = latches.resolve(instruction)?;
            let Some(superlayer) = self.superlayers.get_mut(owner) else { continue };
            match &operation {
                Operation::Load(load) if !load.is_constant() => {
                    let bytes = u64::from(load.length) * u64::from(load.channel);
                    *(if is_constant(load.reg_id) {
                        &mut superlayer.bytes.parameters
                    } else {
                        &mut superlayer.bytes.features
                    }) += bytes;
                }
                Operation::Save(save) => superlayer.bytes.saved += Statistics::saved_by(save),
                Operation::Conv(..) => {
                    superlayer.array_macs = superlayer.array_macs.saturating_add(operation.work(target));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn close(self, peak_macs: u64) -> Vec<Superlayer> {
        let mut superlayers = self.superlayers;
        let mut reached = 0;
        for superlayer in &mut superlayers {
            // A superlayer without work happens when the one before it is complete.
            if superlayer.start == u64::MAX {
                superlayer.start = reached.max(superlayer.end);
                superlayer.end = superlayer.start;
            }
            reached = reached.max(superlayer.end);
            superlayer.bound = bound(superlayer);
            let time = superlayer.cycles.max(superlayer.busy.conv);
            superlayer.utilisation = ratio(u128::from(superlayer.macs), u128::from(time) * u128::from(peak_macs));
        }
        superlayers
    }
}

/// Whether an instruction only latches fields. An engine may do so long before the work starts.
fn is_init(instruction: &Instruction) -> bool {
    matches!(instruction, Instruction::ConvInit(_) | Instruction::AluInit(_) | Instruction::ElewInit(_))
}

/// The engine that has at least half of the critical path.
fn bound(superlayer: &Superlayer) -> Bound {
    let PerEngine { load, save, conv, misc } = superlayer.critical;
    let engines = [(conv, Bound::Array), (misc, Bound::Misc), (load, Bound::Load), (save, Bound::Save)];
    let (most, bound) =
        engines.into_iter().fold((0, Bound::Tokens), |best, own| if own.0 > best.0 { own } else { best });
    match superlayer.cycles {
        0 => Bound::Hidden,
        cycles if 2 * most >= cycles => bound,
        _ => Bound::Tokens,
    }
}
