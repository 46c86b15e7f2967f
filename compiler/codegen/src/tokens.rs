//! Dependency tokens: the greedy rule of `spec/recipes-eltwise-data.md` section 17.1.
//!
//! Engines run concurrently and each follows the stream. For every instruction and every other engine, the latest conflicting
//! instruction of that engine must be complete first; a token is placed unless earlier tokens already imply the order. What an
//! engine knows to be complete is kept as one instruction number per engine, and each instruction remembers what its engine
//! knew when it started.

use dpuc_isa::{AccessTracker, Accesses, Engine, EngineSet, IllegalInstruction, Instruction, Target, Tokens};

use crate::hazards::Hazards;

/// For each engine, the number of its latest relevant instruction; numbers count from 1, 0 means none.
pub(crate) type Latest = [u32; Engine::ALL.len()];

/// Replaces the tokens of a program: both own bits on every instruction, and a token for each ordering between engines that
/// earlier tokens do not imply.
///
/// # Errors
/// An instruction is illegal on `target`; the tokens are then unchanged up to own bits.
pub fn place_tokens(instructions: &mut [Instruction], target: &Target) -> Result<(), IllegalInstruction> {
    let mut tracker = AccessTracker::new();
    let mut accesses = Accesses::default();
    let mut hazards = Hazards::new(target);
    let mut known: [Latest; Engine::ALL.len()] = Default::default();
    let mut known_at: Vec<Latest> = Vec::with_capacity(instructions.len());
    for index in 0..instructions.len() {
        let engine = instructions[index].engine();
        tracker.accesses(&instructions[index], target, &mut accesses)?;
        let own = EngineSet::only(engine);
        *instructions[index].tokens_mut() = Tokens { wait: own, notify: own };

        let number = index as u32 + 1;
        let mut producers = hazards.record(&accesses, number, engine);
        producers[engine.index()] = 0;
        while let Some(producer) = producers.iter().copied().max().filter(|&latest| latest > 0) {
            let from = instructions[producer as usize - 1].engine();
            producers[from.index()] = 0;
            if producer <= known[engine.index()][from.index()] {
                continue;
            }
            let notify = &mut instructions[producer as usize - 1].tokens_mut().notify;
            *notify = notify.with(engine);
            let wait = &mut instructions[index].tokens_mut().wait;
            *wait = wait.with(from);
            for (now, then) in known[engine.index()].iter_mut().zip(known_at[producer as usize - 1]) {
                *now = (*now).max(then);
            }
        }
        known[engine.index()][engine.index()] = number;
        known_at.push(known[engine.index()]);
    }
    Ok(())
}
