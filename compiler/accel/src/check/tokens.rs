//! Tokens between engines, and what they tell about completed instructions.

use std::collections::VecDeque;

use dpuc_isa::{Engine, Instruction};

use super::{Clock, Finding, Report};

/// The tokens in flight, each with what its giver knew.
///
/// Tokens of an engine pair are anonymous. Because the giver runs in order, the n-th token taken implies the completion of the
/// instruction that gave the n-th, so the queue is exact.
pub(super) struct Tokens {
    /// `queues[from][to]`.
    queues: [[VecDeque<Clock>; 4]; 4],
    /// What each engine knew when its latest instruction was complete.
    clocks: [Clock; 4],
    starved: bool,
}

impl Tokens {
    /// The start of a program: one token from each engine to itself.
    pub(super) fn new() -> Self {
        let mut queues: [[VecDeque<Clock>; 4]; 4] = Default::default();
        for (engine, queues) in queues.iter_mut().enumerate() {
            queues[engine].push_back([0; 4]);
        }
        Self { queues, clocks: [[0; 4]; 4], starved: false }
    }

    /// Takes the tokens an instruction waits for; the result is what is known to be complete when it starts.
    pub(super) fn start(&mut self, index: usize, instruction: &Instruction, report: &mut Report) -> Clock {
        let engine = instruction.engine().index();
        for from in instruction.tokens().wait.iter() {
            if let Some(given) = self.queues[from.index()][engine].pop_front() {
                for (known, given) in self.clocks[engine].iter_mut().zip(given) {
                    *known = (*known).max(given);
                }
            } else {
                self.starved = true;
                report.add(Finding::EarlyToken { index, from });
            }
        }
        self.clocks[engine]
    }

    /// Gives the tokens of an instruction that is complete.
    pub(super) fn complete(&mut self, index: usize, instruction: &Instruction) {
        let engine = instruction.engine().index();
        self.clocks[engine][engine] = index as u32 + 1;
        for to in instruction.tokens().notify.iter() {
            self.queues[engine][to.index()].push_back(self.clocks[engine]);
        }
    }

    /// Reports what is left, and whether the program can come to its end at all.
    pub(super) fn finish(self, program: &[Instruction], report: &mut Report) {
        if self.starved {
            // Some token was missing in stream order, so the queues tell nothing about the end of a real execution.
            if let Some(deadlock) = deadlock(program) {
                report.add(deadlock);
            }
            return;
        }
        for from in Engine::ALL {
            for to in Engine::ALL {
                let initial = usize::from(from == to);
                let left = self.queues[from.index()][to.index()].len();
                if left > initial {
                    report.add(Finding::LeftoverTokens { from, to, count: left - initial });
                } else if left < initial {
                    report.add(Finding::LostSelfToken { engine: from });
                }
            }
        }
    }
}

/// Lets every engine run as far as its tokens allow. The order does not matter: an instruction that can start stays able to,
/// because nobody else takes its tokens.
fn deadlock(program: &[Instruction]) -> Option<Finding> {
    let mut counts = [[0usize; 4]; 4];
    let mut waiting: [VecDeque<usize>; 4] = Default::default();
    for engine in Engine::ALL {
        counts[engine.index()][engine.index()] = 1;
    }
    for (index, instruction) in program.iter().enumerate() {
        waiting[instruction.engine().index()].push_back(index);
    }
    let missing = |counts: &[[usize; 4]; 4], index: usize| {
        let to = program[index].engine().index();
        program[index].tokens().wait.iter().find(|from| counts[from.index()][to] == 0)
    };
    let mut progress = true;
    while progress {
        progress = false;
        for (engine, waiting) in waiting.iter_mut().enumerate() {
            while let Some(&index) = waiting.front()
                && missing(&counts, index).is_none()
            {
                let tokens = program[index].tokens();
                tokens.wait.iter().for_each(|from| counts[from.index()][engine] -= 1);
                tokens.notify.iter().for_each(|to| counts[engine][to.index()] += 1);
                waiting.pop_front();
                progress = true;
            }
        }
    }
    let index = waiting.iter().filter_map(|waiting| waiting.front().copied()).min()?;
    Some(Finding::Deadlock { index, from: missing(&counts, index)? })
}
