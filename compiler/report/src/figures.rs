//! Sums over the instructions of a superlayer or an operation.

use dpuc_accel::Statistics;
use dpuc_accel::timing::Span;
use dpuc_isa::{Engine, Operation, Target};

use crate::model::{Bound, Bytes, Figures, PerEngine};
use crate::ratio;

/// Figures while they are summed up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tally {
    figures: Figures,
    /// Until when each engine is known to be busy.
    busy_until: [u64; Engine::ALL.len()],
}

impl Tally {
    /// No instructions yet; convolutions need `macs` multiply-accumulates.
    pub(crate) fn new(macs: u64) -> Self {
        let figures = Figures {
            instructions: 0,
            cycles: 0,
            critical: PerEngine::default(),
            busy: PerEngine::default(),
            bound: Bound::Hidden,
            macs,
            array_macs: 0,
            utilisation: 0.0,
            bytes: Bytes::default(),
        };
        Self { figures, busy_until: [0; Engine::ALL.len()] }
    }

    /// Adds an instruction. `constant` tells whether it loads from a region of constants.
    pub(crate) fn add(&mut self, operation: &Operation, span: &Span, target: &Target, constant: bool) {
        let figures = &mut self.figures;
        figures.instructions += 1;
        // Saves run side by side on two ports; the engine is busy once.
        let until = &mut self.busy_until[span.engine.index()];
        *figures.busy.of(span.engine) += span.end.saturating_sub(span.start.max(*until));
        *until = span.end.max(*until);
        match operation {
            Operation::Load(load) if !load.is_constant() => {
                let bytes = &mut figures.bytes;
                let kind = if constant { &mut bytes.parameters } else { &mut bytes.features };
                *kind += u64::from(load.length) * u64::from(load.channel);
            }
            Operation::Save(save) => figures.bytes.saved += Statistics::saved_by(save),
            Operation::Conv(..) => figures.array_macs = figures.array_macs.saturating_add(operation.work(target)),
            _ => {}
        }
    }

    /// Adds a piece of the critical path.
    pub(crate) fn add_time(&mut self, engine: Option<Engine>, cycles: u64) {
        self.figures.cycles += cycles;
        if let Some(engine) = engine {
            *self.figures.critical.of(engine) += cycles;
        }
    }

    /// The sums, and what follows from them for an array of `peak_macs` multiply-accumulates per cycle.
    pub(crate) fn close(self, peak_macs: u64) -> Figures {
        let mut figures = self.figures;
        figures.bound = bound(&figures);
        let time = figures.cycles.max(figures.busy.conv);
        figures.utilisation = ratio(u128::from(figures.macs), u128::from(time) * u128::from(peak_macs));
        figures
    }
}

/// The engine that has at least half of the critical path.
fn bound(figures: &Figures) -> Bound {
    let PerEngine { load, save, conv, misc } = figures.critical;
    let engines = [(conv, Bound::Array), (misc, Bound::Misc), (load, Bound::Load), (save, Bound::Save)];
    let (most, bound) =
        engines.into_iter().fold((0, Bound::Tokens), |best, own| if own.0 > best.0 { own } else { best });
    match figures.cycles {
        0 => Bound::Hidden,
        cycles if 2 * most >= cycles => bound,
        _ => Bound::Tokens,
    }
}
