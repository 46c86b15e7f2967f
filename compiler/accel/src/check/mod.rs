//! Static check of a program: do its tokens order every conflict, and does it read only what was written?
//!
//! The model executes instructions in stream order and ignores the dependency masks; hardware runs the four engines side by side
//! and orders them by tokens alone. A program is right on hardware if stream order gives the right result *and* this check finds
//! nothing. Token model: `spec/dpuczdx8g-isa.md` section 4.2.

mod ddr;
mod finding;
mod lines;
mod tokens;

use dpuc_isa::{AccessTracker, Accesses, Instruction, Target};

pub use self::finding::{Finding, Hazard, Place, Report};

use self::ddr::DdrHistory;
use self::lines::LineHistory;
use self::tokens::Tokens;

/// Checks a program for `target` and collects at most `limit` findings.
///
/// An illegal instruction is a finding that ends the check.
///
/// # Panics
/// If the program has 2³⁰ instructions or more.
pub fn check(program: &[Instruction], target: &Target, limit: usize) -> Report {
    assert!(program.len() < 1 << 30, "a program of {} instructions", program.len());
    let mut report = Report::new(limit);
    let mut tracker = AccessTracker::new();
    let mut tokens = Tokens::new();
    let mut lines = LineHistory::new(target);
    let mut ddr = DdrHistory::default();
    let mut accesses = Accesses::default();
    for (index, instruction) in program.iter().enumerate() {
        if let Err(cause) = tracker.accesses(instruction, target, &mut accesses) {
            report.add(Finding::Illegal { index, cause });
            return report;
        }
        let step = Step { index: index as u32, instruction, known: tokens.start(index, instruction, &mut report) };
        lines.visit(&step, &accesses, target, &mut report);
        ddr.visit(&step, &mut report);
        tokens.complete(index, instruction);
    }
    tokens.finish(program, &mut report);
    if !matches!(program.last(), Some(Instruction::End(_))) {
        report.add(Finding::NoEnd);
    }
    match tracker.latches().pending_elew_inputs() {
        0 => {}
        count => report.add(Finding::UnusedElewInputs { count }),
    }
    report
}

/// For each engine: how many instructions of the stream, from its start, hold all those of this engine that are known to be
/// complete. An instruction of engine `e` at `index` is known to be complete if `index < clock[e]`.
type Clock = [u32; 4];

/// One instruction at the moment it starts.
struct Step<'a> {
    index: u32,
    instruction: &'a Instruction,
    /// What is known to be complete. Earlier instructions of the same engine always are.
    known: Clock,
}
