//! The order in which the rows of a superlayer are loaded and computed.
//!
//! The last stages pull: a block of theirs first makes the stages in front of it compute what it reads, and loads what nobody
//! computes. Simulating that order once tells how many passes each ring of rows must keep.

use dpuc_isa::Target;

use crate::draft::{Draft, Filler};
use crate::onchip::OnChip;
use crate::stage::Run;

/// One step of a superlayer; the same for every stripe of columns and chunk of channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Loads rows of a buffer.
    Load { buffer: usize, rows: Run },
    /// Computes a block of a stage, and saves its rows if they go to DDR.
    Compute { stage: usize, steps: Run },
}

/// The steps of a superlayer, and what they need.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    /// In order.
    pub(crate) steps: Vec<Step>,
    /// Passes each buffer must keep, at least.
    pub(crate) passes_needed: Vec<u32>,
    /// Passes of all rows of each buffer.
    pub(crate) passes_total: Vec<u32>,
}

impl Rows {
    /// Orders the rows of a draft. With `ahead`, a stage computes a block more than its reader needs at the moment if another engine
    /// computes the reader, so that both engines have work at any time.
    ///
    /// `None` if some window is beyond the reach of an instruction.
    pub(crate) fn of(draft: &Draft, ahead: bool, target: &Target) -> Option<Self> {
        let shapes: Vec<OnChip> = draft.buffers.iter().map(|buffer| buffer.shape(target)).collect();
        let passes_total = draft.buffers.iter().zip(&shapes).map(|(buffer, shape)| passes(shape, 0, buffer.size[0]));
        let passes_total: Vec<u32> = passes_total.collect();
        let mut simulation = Simulation {
            draft,
            ahead,
            loaded: draft.buffers.iter().map(|_| 0).collect(),
            next: vec![0; draft.stages.len()],
            passes: vec![1; draft.buffers.len()],
            shapes,
            steps: Vec::new(),
        };
        simulation.run()?;
        let Simulation { steps, passes: needed, .. } = simulation;
        let passes_needed =
            needed.iter().zip(&passes_total).map(|(&needed, &total)| needed.min(total.max(1))).collect();
        Some(Self { steps, passes_needed, passes_total })
    }
}

/// Passes from the one of row `first` to the one in front of row `end`.
fn passes(shape: &OnChip, first: u32, end: u32) -> u32 {
    (shape.pass(i64::from(end.max(1)) - 1) - shape.pass(i64::from(first)) + 1).max(1) as u32
}

struct Simulation<'a> {
    draft: &'a Draft,
    ahead: bool,
    shapes: Vec<OnChip>,
    /// The row behind the last loaded one of each buffer.
    loaded: Vec<u32>,
    /// The next step of each stage.
    next: Vec<u32>,
    passes: Vec<u32>,
    steps: Vec<Step>,
}

impl Simulation<'_> {
    fn run(&mut self) -> Option<()> {
        let stages = &self.draft.stages;
        let complete: Vec<usize> = (0..stages.len()).filter(|&stage| self.draft.is_complete(stage)).collect();
        let sinks: Vec<usize> = complete.iter().copied().filter(|&stage| self.draft.is_sink(stage)).collect();
        // The stage that is furthest behind goes next; a sink drags the others along.
        for wanted in [sinks, complete] {
            loop {
                let unfinished = wanted.iter().copied().filter(|&stage| !self.is_finished(stage));
                let progress =
                    |&stage: &usize| (u64::from(self.next[stage]) << 16) / u64::from(stages[stage].steps().max(1));
                let Some(stage) = unfinished.min_by_key(progress) else { break };
                self.advance(stage)?;
            }
        }
        Some(())
    }

    fn is_finished(&self, stage: usize) -> bool {
        self.next[stage] >= self.draft.stages[stage].steps()
    }

    fn advance(&mut self, stage: usize) -> Option<()> {
        let draft = self.draft;
        let (own, step) = (&draft.stages[stage], self.next[stage]);
        let inputs: Vec<OnChip> = draft.operands[stage].iter().map(|&buffer| self.shapes[buffer]).collect();
        let result = draft.results[stage];
        let output = result.map(|result| self.shapes[result.buffer]);
        let count = own.block(step, &inputs, output.as_ref())?;
        for &buffer in &draft.operands[stage] {
            self.ensure(buffer, own.input_end(step + count))?;
            if self.ahead && self.is_handed_over(buffer, stage) {
                self.ensure(buffer, own.input_end((step + 2 * count).min(own.steps())))?;
            }
        }
        if let Some(result) = result {
            let rows = own.rows_of(Run { first: step, count });
            let newest = self.newest(result.buffer).max(rows.end());
            self.keep(result.buffer, rows.first, newest);
        }
        self.next[stage] = step + count;
        self.steps.push(Step::Compute { stage, steps: Run { first: step, count } });
        Some(())
    }

    /// Whether another engine than that of its reader computes a buffer.
    fn is_handed_over(&self, buffer: usize, reader: usize) -> bool {
        let engine = self.draft.stages[reader].engine;
        self.draft.buffers[buffer].producers.iter().any(|&producer| self.draft.stages[producer].engine != engine)
    }

    /// Makes the rows in front of `end` available in a buffer.
    fn ensure(&mut self, buffer: usize, end: u32) -> Option<()> {
        let draft = self.draft;
        if let Filler::Loads { .. } = draft.buffers[buffer].filler {
            let consumers = draft.buffers[buffer].consumers.iter();
            let first_used = consumers.map(|&stage| draft.stages[stage].first_input_row(0)).min().unwrap_or(0);
            let first = self.loaded[buffer].max(first_used);
            if first < end {
                self.keep(buffer, first, end);
                self.loaded[buffer] = end;
                self.steps.push(Step::Load { buffer, rows: Run { first, count: end - first } });
            }
            return Some(());
        }
        for &producer in &draft.buffers[buffer].producers {
            while !self.is_finished(producer) && self.computed(producer) < end {
                self.advance(producer)?;
            }
        }
        Some(())
    }

    /// Rows that a stage has computed.
    fn computed(&self, stage: usize) -> u32 {
        self.draft.stages[stage].rows_of(Run { first: 0, count: self.next[stage] }).end()
    }

    /// The row behind the newest one that any stage has computed in a buffer.
    fn newest(&self, buffer: usize) -> u32 {
        self.draft.buffers[buffer].producers.iter().map(|&stage| self.computed(stage)).max().unwrap_or(0)
    }

    /// Notes that a buffer takes rows up to `end`, from `first` on, while its readers still need older ones.
    fn keep(&mut self, buffer: usize, first: u32, end: u32) {
        let readers = self.draft.buffers[buffer].consumers.iter().filter(|&&stage| !self.is_finished(stage));
        let oldest = readers.map(|&stage| self.draft.stages[stage].first_input_row(self.next[stage])).min();
        let oldest = oldest.unwrap_or(first).min(first);
        let needed = passes(&self.shapes[buffer], oldest, end);
        self.passes[buffer] = self.passes[buffer].max(needed);
    }
}
