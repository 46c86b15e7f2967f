//! The accelerator's time: four engines in order, coupled only by dependency tokens.
//!
//! [`simulate`] gives each instruction of a program its place in time. An instruction starts when the program's words up to its own are
//! fetched, its engine is free, and a token from every engine it waits for has arrived (`spec/dpuczdx8g-isa.md` section 4.2). How long
//! it then takes is told by [`Costs`], which a planner may also ask without a program. All figures are **modelled**; how far they are
//! from published ones is in `benches/CALIBRATION.md`.
//!
//! What the model leaves out: conflicts of engines at banks, and how far an engine may run ahead of the others in the stream (here,
//! without limit), about which no source says anything.
//!
//! ```
//! use dpuc_accel::timing::{Board, simulate};
//! use dpuc_isa::{Engine, EngineSet, End, Instruction, Load, Save, Target, Tokens};
//!
//! let target = Target::resolve("kv260")?;
//! let board = Board::named("kv260").expect("a board of the table");
//! let [load, save] = [Engine::Load, Engine::Save].map(EngineSet::only);
//! let program: [Instruction; 3] = [
//!     Load { channel: 480, tokens: Tokens { wait: load, notify: load.with(Engine::Save) }, ..Default::default() }.into(),
//!     Save { channel: 480, tokens: Tokens { wait: save.with(Engine::Load), notify: save }, ..Default::default() }.into(),
//!     End { tokens: Tokens { wait: save, notify: save } }.into(),
//! ];
//! let timeline = simulate(&program, &target, board, 1)?;
//! assert_eq!(timeline.spans[1].waited_for, Some(Engine::Load));
//! println!("modelled: {:.4} ms", board.milliseconds(timeline.cycles));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod board;
mod cost;
mod engines;
mod timeline;

use dpuc_isa::{Instruction, Latches, Target};

pub use self::board::{Board, CoreTiming};
pub use self::cost::{Cost, Costs};
pub use self::timeline::{Span, Timeline};

use self::engines::Engines;
use crate::error::{Fault, RunError};

/// Places every instruction of a program in time, on one of `cores` cores that are busy at once.
///
/// # Errors
/// The first illegal instruction; the first that never starts, because the tokens deadlock.
pub fn simulate(program: &[Instruction], target: &Target, board: &Board, cores: u32) -> Result<Timeline, RunError> {
    let costs = Costs::new(target, board, cores);
    let mut latches = Latches::new();
    let mut engines = Engines::new(program, board);
    for (index, instruction) in program.iter().enumerate() {
        let cost = latches
            .resolve(instruction)
            .and_then(|operation| operation.check(target).map(|()| costs.of(&operation)))
            .map_err(|cause| RunError { index, opcode: instruction.opcode(), fault: cause.into() })?;
        engines.issue(index, cost);
    }
    engines.finish().map_err(|(index, from)| RunError {
        index,
        opcode: program[index].opcode(),
        fault: Fault::Deadlock { from },
    })
}
