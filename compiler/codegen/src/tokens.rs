//! Dependency tokens: the greedy rule of `spec/recipes-eltwise-data.md` section 17.1.
//!
//! Engines run concurrently and each follows the stream. For every instruction and every other engine, the latest conflicting
//! instruction of that engine must be complete first; a token is placed unless earlier tokens already imply the order. What an
//! engine knows to be complete is kept as one instruction number per engine, and each instruction remembers what its engine
//! knew when it started.
//!
//! Two Saves in a row form a pair on the two AXI ports if they write different bytes: the first carries the waits of both and the
//! second the notifications of both, so the pair is one link of the save engine's chain.

use dpuc_isa::{AccessTracker, Accesses, Bytes, Engine, EngineSet, IllegalInstruction, Instruction, Target, Tokens};

use crate::hazards::Hazards;

/// For each engine, the number of its latest relevant instruction; numbers count from 1, 0 means none.
pub(crate) type Latest = [u32; Engine::ALL.len()];

/// Replaces the tokens of a program, and the AXI ports of its Saves.
///
/// # Errors
/// An instruction is illegal on `target`; the instructions before it are then already changed.
pub fn place_tokens(instructions: &mut [Instruction], target: &Target) -> Result<(), IllegalInstruction> {
    let mut tracker = AccessTracker::new();
    let mut accesses = Accesses::default();
    let mut hazards = Hazards::new(target);
    let mut placer = Placer::new(instructions);
    for index in 0..placer.instructions.len() {
        tracker.accesses(&placer.instructions[index], target, &mut accesses)?;
        let engine = placer.instructions[index].engine();
        let latest = hazards.record(&accesses, index as u32 + 1, engine);
        placer.place(index, latest, &accesses.region_writes);
    }
    Ok(())
}

struct Placer<'a> {
    instructions: &'a mut [Instruction],
    /// For each engine, what it knows to be complete before its next instruction.
    known: [Latest; Engine::ALL.len()],
    /// For each instruction, what its engine knew when it started, itself included.
    known_at: Vec<Latest>,
    /// For each instruction, the index of the one whose completion implies its own: the second of a pair for the first.
    complete_with: Vec<usize>,
    /// The last instruction and the bytes it writes, if it is a Save that may become the first of a pair.
    open_save: Option<(usize, Vec<Bytes>)>,
}

impl<'a> Placer<'a> {
    fn new(instructions: &'a mut [Instruction]) -> Self {
        let count = instructions.len();
        Self {
            instructions,
            known: Default::default(),
            known_at: Vec::with_capacity(count),
            complete_with: (0..count).collect(),
            open_save: None,
        }
    }

    /// Orders instruction `index` behind the latest conflicting instruction of each engine.
    fn place(&mut self, index: usize, latest: Latest, written: &[Bytes]) {
        let engine = self.instructions[index].engine();
        let own = EngineSet::only(engine);
        let producers = self.missing_orders(engine, latest);
        let waits = producers.iter().fold(EngineSet::EMPTY, |set, &at| set.with(self.instructions[at].engine()));
        let first = self.open_save.take().and_then(|(first, earlier)| {
            let can_wait = self.instructions[first].tokens().wait.bits() & waits.bits() == 0;
            let is_save = matches!(self.instructions[index], Instruction::Save(_));
            (is_save && can_wait && are_disjoint(&earlier, written)).then_some(first)
        });
        for &producer in &producers {
            let notify = &mut self.instructions[producer].tokens_mut().notify;
            *notify = notify.with(engine);
        }
        if let Some(first) = first {
            let wait = EngineSet::from_bits(self.instructions[first].tokens().wait.bits() | waits.bits());
            self.set_tokens(first, Tokens { wait, notify: EngineSet::EMPTY }, 0);
            self.set_tokens(index, Tokens { wait: EngineSet::EMPTY, notify: own }, 1);
            self.complete_with[first] = index;
        } else {
            let wait = EngineSet::from_bits(own.bits() | waits.bits());
            self.set_tokens(index, Tokens { wait, notify: own }, 0);
            if let Instruction::Save(_) = self.instructions[index] {
                self.open_save = Some((index, written.to_vec()));
            }
        }
        let known = &mut self.known[engine.index()];
        known[engine.index()] = index as u32 + 1;
        self.known_at.push(*known);
    }

    /// The instructions from which an instruction of `engine` needs a token, so that `latest` is complete before it. The engine
    /// then knows what they knew.
    fn missing_orders(&mut self, engine: Engine, mut latest: Latest) -> Vec<usize> {
        let mut producers = Vec::new();
        latest[engine.index()] = 0;
        // The latest first: what it knew may cover the others.
        while let Some(number) = latest.iter().copied().max().filter(|&number| number > 0) {
            let producer = self.complete_with[number as usize - 1];
            let from = self.instructions[producer].engine().index();
            latest[from] = 0;
            if number > self.known[engine.index()][from] {
                producers.push(producer);
                for (now, then) in self.known[engine.index()].iter_mut().zip(self.known_at[producer]) {
                    *now = (*now).max(then);
                }
            }
        }
        producers
    }

    fn set_tokens(&mut self, index: usize, tokens: Tokens, port: u32) {
        let instruction = &mut self.instructions[index];
        *instruction.tokens_mut() = tokens;
        if let Instruction::Save(save) = instruction {
            save.hp_id = port;
        }
    }
}

/// Whether two ascending lists of ranges of one region each have no byte in common.
fn are_disjoint(a: &[Bytes], b: &[Bytes]) -> bool {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
        if x.region != y.region {
            return true;
        }
        if x.start < y.end && y.start < x.end {
            return false;
        }
        if x.end <= y.start {
            a.next()
        } else {
            b.next()
        };
    }
    true
}
