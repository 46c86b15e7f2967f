//! Emits the instructions of a planned superlayer (`spec/recipes-conv.md` sections 2, 3 and 5.1).
//!
//! Loads wait for nothing but the lines they overwrite, so the load engine runs ahead of the order here by itself.

use dpuc_isa::Target;

use crate::block::{Block, Compute, InputWindow, OutputWindow, Pads};
use crate::cut::{Plan, Stripe, rows_stay, stripes};
use crate::draft::{Draft, Filler};
use crate::onchip::OnChip;
use crate::rows::Step;
use crate::source::{BankLine, DdrPixels, RowPart};
use crate::stage::{Run, Stage, StagePhase};
use crate::stream::{Stream, wrap_line};
use crate::task::Channels;

/// Largest padding a pad field counts; a larger value means the same in every use.
const PAD_TOP_ALL: i64 = 15;

/// Emits a superlayer. `computes` has one entry for each stage, in the same order.
pub(crate) fn execute(draft: &Draft, plan: &Plan, computes: &mut [&mut dyn Compute], stream: &mut Stream) {
    let stripes = stripes(draft, plan.columns);
    let groups = draft.stages.iter().map(|stage| stage.groups(stream.target())).max().unwrap_or(1);
    let chunk = if draft.stages.len() == 1 { plan.groups.min(groups) } else { groups };
    let chunks = Run::cut(groups, chunk);
    let mut held: Option<(usize, Run)> = None;
    let mut emit = |number: usize, chunk: Run| {
        let kept = held.is_some_and(|(stripe, loaded)| serves(draft, plan, stripe == number, loaded == chunk));
        held = Some((number, chunk));
        let mut piece = Piece::new(draft, plan, &stripes[number], chunk, stream);
        for step in &plan.rows.steps {
            match *step {
                Step::Load { .. } if kept => {}
                Step::Load { buffer, rows } => piece.load(buffer, rows),
                Step::Compute { stage, steps } => piece.compute(stage, steps, computes[stage]),
            }
        }
    };
    if plan.chunks_outside {
        chunks.for_each(|chunk| (0..stripes.len()).for_each(|stripe| emit(stripe, chunk)));
    } else {
        (0..stripes.len()).for_each(|stripe| chunks.clone().for_each(|chunk| emit(stripe, chunk)));
    }
}

/// Whether the rows that were loaded for the piece before are those of this piece and still there.
fn serves(draft: &Draft, plan: &Plan, same_stripe: bool, same_chunk: bool) -> bool {
    let all_channels = draft.stages.iter().all(|stage| matches!(stage.channels, Channels::All { .. }));
    same_stripe && (same_chunk || all_channels) && rows_stay(draft, &plan.rows, &plan.maps)
}

/// One stripe of columns and chunk of channels of a superlayer.
struct Piece<'a> {
    draft: &'a Draft,
    stripe: &'a Stripe,
    chunk: Run,
    maps: Vec<OnChip>,
    stream: &'a mut Stream,
}

impl<'a> Piece<'a> {
    fn new(draft: &'a Draft, plan: &Plan, stripe: &'a Stripe, chunk: Run, stream: &'a mut Stream) -> Self {
        let map = |(index, map): (usize, &OnChip)| {
            let columns = stripe.buffers[index];
            match draft.buffers[index].filler {
                Filler::Resident(_) => *map,
                _ => OnChip { first_column: columns.first, columns: columns.count.max(1), ..*map },
            }
        };
        let maps = plan.maps.iter().enumerate().map(map).collect();
        Self { draft, stripe, chunk, maps, stream }
    }

    /// The channel groups of a stage that this piece computes.
    fn groups(&self, stage: &Stage) -> Run {
        if self.draft.stages.len() == 1 {
            self.chunk
        } else {
            Run { first: 0, count: stage.groups(self.stream.target()) }
        }
    }

    /// First channel of some groups and the number of channels.
    fn channels(&self, stage: &Stage, groups: Run) -> (u32, u32) {
        let line_bytes = self.stream.target().line_bytes() as u32;
        let first = groups.first * line_bytes;
        (first, (groups.count * line_bytes).min(stage.channels.output() - first))
    }

    /// Rows that a stride above the kernel height skips are loaded too: an instruction fetches all rows from its first to its last.
    fn load(&mut self, buffer: usize, rows: Run) {
        let Filler::Loads { stage, operand } = self.draft.buffers[buffer].filler else { return };
        let stage = &self.draft.stages[stage];
        let columns = self.stripe.buffers[buffer];
        let (channel, channels) = match stage.channels {
            Channels::All { input, .. } => (0, input),
            Channels::Same(_) => self.channels(stage, self.groups(stage)),
        };
        let map = self.maps[buffer];
        self.stream.enter(stage.node);
        for row in rows.first..rows.end() {
            let to = map.place(row, columns.first);
            let part = RowPart { row, column: columns.first, columns: columns.count, channel, channels };
            stage.source.load_row(self.stream, operand as u32, &part, to, map.pixel_lines);
        }
    }

    fn compute(&mut self, index: usize, steps: Run, compute: &mut dyn Compute) {
        let draft = self.draft;
        let stage = &draft.stages[index];
        let groups = self.groups(stage);
        self.stream.enter(stage.node);
        let output = draft.results[index].map(|result| {
            let map = self.maps[result.buffer];
            // A buffer of its own holds the channels of this chunk only.
            let resident = matches!(draft.buffers[result.buffer].filler, Filler::Resident(_));
            let first = if resident { groups.first } else { 0 };
            OnChip { offset: map.offset + result.offset + first, ..map }
        });
        if let Some(output) = &output {
            for phase in 0..stage.phases.len() {
                self.phase(index, phase, steps, groups, output, compute);
            }
        }
        if draft.saves[index] {
            let from = output.unwrap_or_else(|| self.maps[draft.operands[index][0]]);
            let rows = stage.rows_of(steps);
            for row in rows.first..rows.end() {
                self.save(index, row, groups, &from);
            }
        }
    }

    fn phase(
        &mut self,
        index: usize,
        phase: usize,
        steps: Run,
        groups: Run,
        output: &OnChip,
        compute: &mut dyn Compute,
    ) {
        let stage = &self.draft.stages[index];
        let own = &stage.phases[phase];
        let clip = |run: Run, count: u32| Run { count: run.end().min(count).saturating_sub(run.first), ..run };
        let rows = clip(steps, own.rows.count);
        let columns = clip(self.stripe.steps[index], own.columns.count);
        if rows.count == 0 || columns.count == 0 {
            return;
        }
        let inputs: Vec<OnChip> = self.draft.operands[index].iter().map(|&buffer| self.maps[buffer]).collect();
        for rows in instruction_rows(stage, rows, &inputs, output, self.stream.target()) {
            let block = self.block(index, phase, rows, columns, groups, output);
            compute.compute(self.stream, &block);
        }
    }

    fn block(&self, index: usize, phase: usize, rows: SteppedRun, columns: Run, groups: Run, output: &OnChip) -> Block {
        let stage = &self.draft.stages[index];
        let own = &stage.phases[phase];
        let last_row = rows.first + (rows.count - 1) * rows.step;
        let (top, left) = (own.rows.window_start(rows.first), own.columns.window_start(columns.first));
        let bottom = own.rows.window_start(last_row);
        let right = own.columns.window_start(columns.end() - 1);
        let channels = match stage.channels {
            _ if own.is_padding() && matches!(stage.channels, Channels::All { .. }) => 0,
            Channels::All { input, .. } => input,
            Channels::Same(_) => self.channels(stage, groups).1,
        };
        let window = |&buffer: &usize| {
            let resident = matches!(self.draft.buffers[buffer].filler, Filler::Resident(_));
            let own_groups = matches!(stage.channels, Channels::Same(_)) && resident;
            let map = self.maps[buffer];
            let map = OnChip { offset: map.offset + if own_groups { groups.first } else { 0 }, ..map };
            let step = if rows.count == 1 { 1 } else { rows.step };
            input_window(&map, top, left, step, channels)
        };
        let [place_row, place_column] = own.place;
        let (row, column) =
            (rows.first * stage.scale[0] + place_row, i64::from(columns.first * stage.scale[1] + place_column));
        let pass = output.pass(i64::from(row));
        let line = BankLine { bank: output.bank(i64::from(row)), line: output.pass_line(pass, column) };
        let slot = output.slot(i64::from(row));
        let interleaved = stage.phases.len() > 1;
        Block {
            phase: stage.first_phase + phase,
            rows: rows.count,
            columns: columns.count,
            first_group: groups.first,
            groups: groups.count,
            kernel: [own.rows.taps, own.columns.taps],
            // The step of a single window has no meaning, and may be too long for its field.
            column_stride: if columns.count == 1 { 1 } else { own.columns.stride },
            pads: pads(own, top, left, bottom, right),
            inputs: self.draft.operands[index].iter().map(window).collect(),
            output: OutputWindow {
                first: if interleaved { line.after(slot * output.row_lines()) } else { line },
                pixel_lines: output.pixel_lines * stage.scale[1],
                row_lines: output.row_lines(),
                interleave: if interleaved { 1 } else { output.interleave },
                slot: if interleaved { 0 } else { slot },
            },
        }
    }

    fn save(&mut self, index: usize, row: u32, groups: Run, from: &OnChip) {
        let stage = &self.draft.stages[index];
        let columns = self.stripe.saved[index];
        let (channel, channels) = self.channels(stage, groups);
        let at = from.place(row, columns.first);
        for output in &stage.outputs {
            let pixels = DdrPixels::of_map(output, row, columns.first, columns.count, channel, channels);
            pixels.save(self.stream, at, from.pixel_lines, stage.stored);
        }
    }
}

/// Every `step`-th row.
#[derive(Clone, Copy, Debug)]
struct SteppedRun {
    first: u32,
    count: u32,
    step: u32,
}

/// The rows of one instruction each. Elew writes consecutive banks only, so it takes rows of the same slot, and as many as its
/// operands have in banks equally far apart in front of the end of their groups.
fn instruction_rows(stage: &Stage, rows: Run, inputs: &[OnChip], output: &OnChip, target: &Target) -> Vec<SteppedRun> {
    if !stage.elementwise {
        return vec![SteppedRun { first: rows.first, count: rows.count, step: 1 }];
    }
    let step = output.interleave;
    let fitting = |first: u32| {
        let input = |input: &OnChip| {
            let jump = step / input.interleave;
            let banks = input.banks - input.bank_in_group(i64::from(first));
            let in_one_round = input.banks.checked_div(jump).unwrap_or(1);
            if step.is_multiple_of(input.interleave) { banks.div_ceil(jump).min(in_one_round) } else { 1 }
        };
        let inputs = inputs.iter().map(input).min().unwrap_or(1);
        let output = output.banks - output.bank_in_group(i64::from(first));
        inputs.min(output).min(target.alu_pixel_parallel as u32).max(1)
    };
    let mut runs = Vec::new();
    for slot in 0..step.min(rows.count) {
        let mut first = rows.first + slot;
        while first < rows.end() {
            let count = fitting(first).min((rows.end() - first).div_ceil(step));
            runs.push(SteppedRun { first, count, step });
            first += count * step;
        }
    }
    runs
}

/// The window that starts at a row and column, which may be in the padding.
fn input_window(map: &OnChip, row: i64, column: i64, row_step: u32, channels: u32) -> InputWindow {
    let pass = map.pass(row);
    let lines = [0, 1, 2, 3].map(|further| map.pass_line(pass + further, column));
    let slot = map.slot(row);
    InputWindow {
        bank: map.bank(row),
        lines,
        line: wrap_line(i64::from(lines[0]) + i64::from(slot * map.row_lines())),
        bank_jump: (row_step / map.interleave).max(1),
        pixel_lines: map.pixel_lines,
        row_lines: map.row_lines(),
        interleave: map.interleave,
        slot,
        channels,
    }
}

fn pads(phase: &StagePhase, top: i64, left: i64, bottom: i64, right: i64) -> Pads {
    Pads {
        top: if phase.is_padding() { PAD_TOP_ALL } else { (-top).max(0) },
        left: (-left).max(0),
        bottom: (i64::from(phase.rows.size) - 1 - bottom).max(0),
        right: (i64::from(phase.columns.size) - 1 - right).max(0),
    }
}
