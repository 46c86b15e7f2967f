//! History of every bank line: who wrote it last, and who read it since.

use dpuc_isa::{Accesses, BANK_LINES, Engine, Lines, Opcode, Target};

use super::{Finding, Hazard, Place, Report, Step};

/// An instruction and its engine, in one word: `index + 1` above two bits of engine; 0 is nobody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Visitor(u32);

impl Visitor {
    fn new(index: u32, engine: Engine) -> Self {
        Self((index + 1) << 2 | engine as u32)
    }

    fn engine(self) -> usize {
        (self.0 & 3) as usize
    }

    /// The instruction's index plus one.
    fn count(self) -> u32 {
        self.0 >> 2
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Line {
    writer: Visitor,
    /// The last reader of each engine since the line was written. Older ones are ordered by their engine.
    readers: [Visitor; 4],
}

/// All bank lines of a core.
pub(super) struct LineHistory {
    lines: Vec<Line>,
    /// Races of the present instruction, each with the first place: one for each other instruction and hazard.
    races: Vec<(u32, Hazard, Place)>,
}

impl LineHistory {
    pub(super) fn new(target: &Target) -> Self {
        Self { lines: vec![Line::default(); target.bank_count() * BANK_LINES], races: Vec::new() }
    }

    /// Compares the accesses of an instruction with those before it, and records them.
    pub(super) fn visit(&mut self, step: &Step, accesses: &Accesses, target: &Target, report: &mut Report) {
        if let Some(lines) = self.undefined_read(step, accesses, target) {
            report.add(Finding::UndefinedRead { index: step.index as usize, lines });
        }
        for &lines in &accesses.bank_reads {
            self.read(step, lines);
        }
        for &lines in &accesses.bank_writes {
            self.write(step, lines);
        }
        for (first, hazard, place) in self.races.drain(..) {
            let (first, second) = (first as usize, step.index as usize);
            report.add(Finding::Race { first, second, hazard, place });
        }
    }

    fn read(&mut self, step: &Step, lines: Lines) {
        let engine = step.instruction.engine();
        let visitor = Visitor::new(step.index, engine);
        for line in each(lines) {
            let history = &mut self.lines[usize::from(lines.bank) * BANK_LINES + line];
            let writer = history.writer;
            history.readers[engine.index()] = visitor;
            if is_unordered(writer, step) {
                self.race(writer, Hazard::ReadAfterWrite, lines.bank, line);
            }
        }
    }

    fn write(&mut self, step: &Step, lines: Lines) {
        let visitor = Visitor::new(step.index, step.instruction.engine());
        for line in each(lines) {
            let history = &mut self.lines[usize::from(lines.bank) * BANK_LINES + line];
            let Line { writer, readers } =
                std::mem::replace(history, Line { writer: visitor, readers: Default::default() });
            for reader in readers {
                if is_unordered(reader, step) {
                    self.race(reader, Hazard::WriteAfterRead, lines.bank, line);
                }
            }
            if is_unordered(writer, step) {
                self.race(writer, Hazard::WriteAfterWrite, lines.bank, line);
            }
        }
    }

    #[cold]
    fn race(&mut self, first: Visitor, hazard: Hazard, bank: u16, line: usize) {
        let first = first.count() - 1;
        if !self.races.iter().any(|race| race.0 == first && race.1 == hazard) {
            self.races.push((first, hazard, Place::Line { bank, line: line as u16 }));
        }
    }

    /// The first lines an instruction reads that were never written.
    ///
    /// A Conv reads all weight banks, but a last group of output channels fills only the first ones; the channels of the others
    /// are garbage that nobody uses (`spec/dpuczdx8g-isa.md` section 1.6).
    fn undefined_read(&self, step: &Step, accesses: &Accesses, target: &Target) -> Option<Lines> {
        let reads = &accesses.bank_reads;
        let mut weights = 0..0;
        if step.instruction.opcode() == Opcode::Conv {
            let banks = target.conv_weight_bank()..target.depthwise_weight_bank();
            let place = |bank| reads.partition_point(|lines| usize::from(lines.bank) < bank);
            weights = place(banks.start)..place(banks.end);
        }
        let loaded = reads[weights.clone()].iter().rposition(|&lines| self.undefined(lines).is_none());
        let unused = weights.start + loaded.map_or(1, |last| last + 1)..weights.end;
        let used = reads.iter().enumerate().filter(|(at, _)| !unused.contains(at));
        used.map(|(_, lines)| lines).find_map(|&lines| self.undefined(lines))
    }

    /// The first run of lines that were never written.
    fn undefined(&self, lines: Lines) -> Option<Lines> {
        let bank = &self.lines[usize::from(lines.bank) * BANK_LINES..][..BANK_LINES];
        let undefined = |line: &usize| bank[*line].writer == Visitor::default();
        let first = each(lines).find(undefined)?;
        let count = each(lines).skip_while(|line| !undefined(line)).take_while(undefined).count();
        Some(Lines { bank: lines.bank, first: first as u16, count: count as u16 })
    }
}

/// Whether nothing orders `visitor` before the present instruction. Instructions of one engine run one after another.
fn is_unordered(visitor: Visitor, step: &Step) -> bool {
    visitor.count() > step.known[visitor.engine()] && visitor.engine() != step.instruction.engine().index()
}

/// The line numbers of a run.
fn each(lines: Lines) -> impl Iterator<Item = usize> {
    (0..usize::from(lines.count)).map(move |i| (usize::from(lines.first) + i) % BANK_LINES)
}
