//! When each instruction ran.

use dpuc_isa::Engine;

/// One instruction's place in time, in cycles from the start of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its engine.
    pub engine: Engine,
    /// When its engine took it up.
    pub start: u64,
    /// When its engine (for Save: its port) was done with it.
    pub end: u64,
    /// When its tokens reached other engines.
    pub complete: u64,
    /// The engine whose token came last, if that delayed the start: the own engine was free and the instruction fetched before.
    pub waited_for: Option<Engine>,
}

/// The modelled run of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// One span for each instruction, in stream order.
    pub spans: Vec<Span>,
    /// From the start of the program until its last instruction was complete.
    pub cycles: u64,
    /// Cycles in which each engine was occupied, by [`Engine::index`]; of Save, those with at least one port occupied.
    pub busy: [u64; 4],
}

impl Timeline {
    /// The share of the run in which `engine` was occupied, 0 to 1.
    pub fn occupancy(&self, engine: Engine) -> f64 {
        if self.cycles == 0 { 0.0 } else { self.busy[engine.index()] as f64 / self.cycles as f64 }
    }
}
