//! A program's time and work, divided among superlayers and operations.

use std::collections::BTreeMap;

use dpuc_accel::timing::Timeline;
use dpuc_backend::SuperlayerCode;
use dpuc_isa::{IllegalInstruction, Instruction, Latches, Target};

use rustc_hash::FxHashMap;

use crate::Source;
use crate::figures::Tally;
use crate::model::{Figures, Superlayer};
use crate::network::{Members, Network};
use crate::spans::Stretch;

/// Superlayers and operations while their figures are summed up.
pub(crate) struct Ledger {
    superlayers: Vec<(Superlayer, Tally)>,
    operations: BTreeMap<usize, (usize, Tally)>,
}

impl Ledger {
    pub(crate) fn new(network: &Network<'_>, members: &Members<'_>, source: &Source<'_>) -> Self {
        let mut ledger = Self { superlayers: Vec::new(), operations: BTreeMap::new() };
        let code =
            source.code.iter().filter(|code| code.name == members.subgraph.name).flat_map(|code| &code.superlayers);
        let decided: FxHashMap<&str, &SuperlayerCode> =
            code.flat_map(|own| own.operations.iter().map(move |name| (name.as_str(), own))).collect();
        for (number, layer) in members.superlayers.iter().enumerate() {
            let mut macs = 0u64;
            for &operation in &layer.operations {
                let own = network.macs(operation);
                macs = macs.saturating_add(own);
                ledger.operations.insert(operation, (number, Tally::new(own)));
            }
            let mut names = layer.operations.iter().map(|&operation| network.operations[operation].name.as_str());
            let code = names.clone().find_map(|name| decided.get(name));
            let tally = Tally::new(macs);
            let superlayer = Superlayer {
                name: names.next().unwrap_or_default().to_owned(),
                operations: layer.operations.clone(),
                start: u64::MAX,
                end: 0,
                figures: tally.close(0),
                decisions: code.map(|code| code.decisions.clone()).unwrap_or_default(),
                alternatives: code.map(|code| code.alternatives.clone()).unwrap_or_default(),
            };
            ledger.superlayers.push((superlayer, tally));
        }
        ledger
    }

    /// Adds all instructions; `owners` are the operations they belong to, and `is_constant` tells which regions hold constants.
    pub(crate) fn add_work(
        &mut self,
        instructions: &[Instruction],
        timeline: &Timeline,
        owners: &[usize],
        target: &Target,
        is_constant: impl Fn(u32) -> bool,
    ) -> Result<(), IllegalInstruction> {
        let mut latches = Latches::new();
        for ((instruction, span), owner) in instructions.iter().zip(&timeline.spans).zip(owners) {
            let work = latches.resolve(instruction)?;
            let Some((number, tally)) = self.operations.get_mut(owner) else { continue };
            let constant = matches!(instruction, Instruction::Load(load) if is_constant(load.reg_id));
            tally.add(&work, span, target, constant);
            let (superlayer, tally) = &mut self.superlayers[*number];
            tally.add(&work, span, target, constant);
            superlayer.end = superlayer.end.max(span.complete);
            if !is_init(instruction) {
                superlayer.start = superlayer.start.min(span.start);
            }
        }
        Ok(())
    }

    /// Divides the run. Each superlayer has the time from when all before it are complete until it is complete itself, and what the critical
    /// path does meanwhile tells what bounds it. Operations may run row by row in turn, so each has its own pieces of the path.
    pub(crate) fn add_time(&mut self, critical: &[Stretch]) {
        let mut start = 0;
        for stretch in critical {
            if let Some((_, tally)) = self.operations.get_mut(&stretch.operation) {
                tally.add_time(stretch.engine, stretch.end - start);
            }
            start = stretch.end;
        }
        let mut path = critical.iter().peekable();
        let mut reached = 0;
        for (superlayer, tally) in &mut self.superlayers {
            while let Some(stretch) = path.peek().copied().filter(|_| reached < superlayer.end) {
                let end = stretch.end.min(superlayer.end);
                tally.add_time(stretch.engine, end - reached);
                reached = end;
                path.next_if(|stretch| stretch.end == end);
            }
            // A superlayer without work happens when the one before it is complete.
            if superlayer.start == u64::MAX {
                superlayer.start = reached.max(superlayer.end);
                superlayer.end = superlayer.start;
            }
        }
    }

    /// The superlayers in order, and the figures of operations.
    pub(crate) fn close(self, peak_macs: u64) -> (Vec<Superlayer>, Vec<(usize, Figures)>) {
        let superlayers = self.superlayers.into_iter();
        let superlayers = superlayers
            .map(|(superlayer, tally)| Superlayer { figures: tally.close(peak_macs), ..superlayer })
            .collect();
        let operations = self.operations.into_iter();
        (superlayers, operations.map(|(operation, (_, tally))| (operation, tally.close(peak_macs))).collect())
    }
}

/// Whether an instruction only latches fields. An engine may do so long before the work starts.
fn is_init(instruction: &Instruction) -> bool {
    matches!(instruction, Instruction::ConvInit(_) | Instruction::AluInit(_) | Instruction::ElewInit(_))
}
