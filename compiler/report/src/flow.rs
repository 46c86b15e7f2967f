//! What instructions do to the banks: who reads what was written, and how many lines hold something that is still needed.
//!
//! A line is live from the start of the instruction that writes it to the end of the last one that reads it before it is written again.
//! Lines nobody reads are never live.

use dpuc_accel::timing::{Span, Timeline};
use dpuc_isa::{AccessTracker, Accesses, BANK_LINES, IllegalInstruction, Instruction, Lines, Target};

use crate::model::BankGroup;
use crate::steps::Steps;

/// Lines that are looked at before a program counts as too large; real ones stay far below, whatever their network.
const WORK_MAX: u64 = 1 << 35;

/// Why the flow of a program is not known.
pub(crate) enum FlowError {
    /// An instruction is illegal.
    Illegal(IllegalInstruction),
    /// It touches more bank lines than anybody would wait for.
    TooLarge,
}

/// The instruction number of nothing.
pub(crate) const NONE: u32 = u32::MAX;

/// Data flow of a program through the banks.
pub(crate) struct Flow {
    /// The first instruction that reads what each one wrote; [`NONE`] if no one does.
    pub(crate) first_reader: Vec<u32>,
    /// The Load that brought weights or biases each instruction reads; [`NONE`] if it reads none.
    pub(crate) parameters: Vec<u32>,
    /// Live lines over time.
    pub(crate) banks: Vec<BankGroup>,
}

/// What a line holds.
#[derive(Clone, Copy)]
struct Line {
    writer: u32,
    from: u64,
    /// End of the last read; 0 if there was none.
    until: u64,
}

const EMPTY: Line = Line { writer: NONE, from: 0, until: 0 };

impl Flow {
    /// Follows a program whose instructions run at the times of `timeline`.
    ///
    /// # Errors
    /// See [`FlowError`].
    pub(crate) fn of(program: &[Instruction], target: &Target, timeline: &Timeline) -> Result<Self, FlowError> {
        let mut walk = Walk::new(program.len(), target);
        let mut tracker = AccessTracker::new();
        let mut accesses = Accesses::default();
        let mut work = 0u64;
        for (index, (instruction, span)) in program.iter().zip(&timeline.spans).enumerate() {
            tracker.accesses(instruction, target, &mut accesses).map_err(FlowError::Illegal)?;
            let touched = accesses.bank_reads.iter().chain(&accesses.bank_writes);
            work += touched.map(|lines| u64::from(lines.count)).sum::<u64>();
            if work > WORK_MAX {
                return Err(FlowError::TooLarge);
            }
            for &lines in &accesses.bank_reads {
                walk.read(index, lines, span);
            }
            for &lines in &accesses.bank_writes {
                walk.write(index, lines, span);
            }
        }
        Ok(walk.finish(target, timeline.cycles))
    }
}

struct Walk {
    first_reader: Vec<u32>,
    parameters: Vec<u32>,
    lines: Vec<Line>,
    /// The group of each bank.
    group_of: Vec<usize>,
    steps: Vec<Steps>,
    first_parameter_bank: u16,
}

impl Walk {
    fn new(instructions: usize, target: &Target) -> Self {
        let groups = target.bank_groups();
        let mut group_of = vec![0; target.bank_count()];
        for (number, group) in groups.iter().enumerate() {
            group_of[group.first..group.first + group.banks].fill(number);
        }
        Self {
            first_reader: vec![NONE; instructions],
            parameters: vec![NONE; instructions],
            lines: vec![EMPTY; target.bank_count() * BANK_LINES],
            group_of,
            steps: vec![Steps::default(); groups.len()],
            first_parameter_bank: target.conv_weight_bank() as u16,
        }
    }

    fn read(&mut self, index: usize, lines: Lines, span: &Span) {
        let start = usize::from(lines.bank) * BANK_LINES;
        for line in line_numbers(lines) {
            let line = &mut self.lines[start + line];
            if line.writer == NONE {
                continue;
            }
            line.until = line.until.max(span.end);
            let first = &mut self.first_reader[line.writer as usize];
            *first = (*first).min(index as u32);
            if lines.bank >= self.first_parameter_bank {
                self.parameters[index] = line.writer;
            }
        }
    }

    fn write(&mut self, index: usize, lines: Lines, span: &Span) {
        let start = usize::from(lines.bank) * BANK_LINES;
        let steps = &mut self.steps[self.group_of[usize::from(lines.bank)]];
        let mut ending = Ending::default();
        for line in line_numbers(lines) {
            let line = &mut self.lines[start + line];
            let before = std::mem::replace(line, Line { writer: index as u32, from: span.start, until: 0 });
            // An instruction may write over what it reads.
            ending.add(&Line { until: before.until.min(span.start), ..before }, steps);
        }
        ending.flush(steps);
    }

    fn finish(mut self, target: &Target, cycles: u64) -> Flow {
        for (bank, lines) in self.lines.chunks(BANK_LINES).enumerate() {
            let steps = &mut self.steps[self.group_of[bank]];
            let mut ending = Ending::default();
            for line in lines {
                ending.add(line, steps);
            }
            ending.flush(steps);
        }
        let groups = target.bank_groups().into_iter().zip(self.steps);
        let banks = groups.map(|(group, steps)| {
            let series = steps.series(cycles);
            BankGroup {
                name: group.name,
                lines: (group.banks * BANK_LINES) as u64,
                line_bytes: target.line_bytes() as u64,
                peak: series.peak,
                mean: series.mean,
                samples: series.samples,
            }
        });
        Flow { first_reader: self.first_reader, parameters: self.parameters, banks: banks.collect() }
    }
}

/// Neighbouring lines whose contents end, joined while they were live at the same time.
#[derive(Default)]
struct Ending {
    from: u64,
    until: u64,
    lines: i64,
}

impl Ending {
    fn add(&mut self, line: &Line, steps: &mut Steps) {
        if (line.from, line.until) != (self.from, self.until) {
            self.flush(steps);
            (self.from, self.until) = (line.from, line.until);
        }
        self.lines += 1;
    }

    fn flush(&mut self, steps: &mut Steps) {
        if self.until > self.from {
            steps.add(self.from, self.until, self.lines);
        }
        self.lines = 0;
    }
}

/// The line numbers of a run.
fn line_numbers(lines: Lines) -> impl Iterator<Item = usize> {
    (0..usize::from(lines.count)).map(move |i| (usize::from(lines.first) + i) % BANK_LINES)
}
