//! The state of the four engines while a program runs.

use std::collections::VecDeque;

use dpuc_isa::{Engine, Instruction};

use super::board::Board;
use super::cost::Cost;
use super::timeline::{Span, Timeline};

/// AXI ports on which Saves run side by side; `hp_id` chooses (`spec/dpuczdx8g-isa.md` section 4.3).
const SAVE_PORTS: usize = 2;

/// Engines, tokens on their way, and the spans so far.
///
/// Instructions are issued in stream order. One whose tokens have not been given yet by the instructions before it holds up its engine
/// until later instructions give them; in the streams of compilers that never happens and the run is one pass.
pub(super) struct Engines<'a> {
    program: &'a [Instruction],
    /// When tokens arrive: `tokens[from][to]`, first given first.
    tokens: [[VecDeque<u64>; 4]; 4],
    states: [State; 4],
    /// When each port of the save engine is free.
    save_ports: [u64; SAVE_PORTS],
    fetch: Fetch,
    /// Depth of each engine's queue.
    queue: Option<usize>,
    spans: Vec<Span>,
    /// Whether fetch stands still for ever: a full queue waits for tokens of instructions behind it.
    jammed: bool,
}

/// One engine.
#[derive(Clone, Debug, Default)]
struct State {
    /// When it can take up its next instruction.
    free: u64,
    /// End and completion of the instructions so far; of instructions side by side, the last.
    end: u64,
    complete: u64,
    busy: u64,
    /// Instructions that wait for tokens nobody has given yet.
    held: VecDeque<Held>,
    /// Starts of the last instructions, as many as the queue is deep.
    starts: VecDeque<u64>,
}

impl State {
    /// When the engine's queue has room for one more instruction; never, if it is full of held ones.
    fn room(&self, queue: Option<usize>) -> Option<u64> {
        let Some(depth) = queue else { return Some(0) };
        // The instruction `depth` before the next one must have started.
        let back = depth.checked_sub(self.held.len() + 1)?;
        Some(self.starts.iter().rev().nth(back).copied().unwrap_or(0))
    }

    fn started(&mut self, start: u64, queue: Option<usize>) {
        let Some(depth) = queue else { return };
        if self.starts.len() == depth {
            self.starts.pop_front();
        }
        self.starts.push_back(start);
    }
}

#[derive(Clone, Copy, Debug)]
struct Held {
    index: usize,
    cost: Cost,
    fetched: u64,
}

impl<'a> Engines<'a> {
    pub(super) fn new(program: &'a [Instruction], board: &Board) -> Self {
        let mut tokens: [[VecDeque<u64>; 4]; 4] = Default::default();
        for (engine, tokens) in tokens.iter_mut().enumerate() {
            tokens[engine].push_back(0);
        }
        let unplaced = |instruction: &Instruction| Span {
            engine: instruction.engine(),
            start: 0,
            end: 0,
            complete: 0,
            waited_for: None,
        };
        Self {
            program,
            tokens,
            states: Default::default(),
            save_ports: [0; SAVE_PORTS],
            fetch: Fetch { time: board.memory_latency() as f64, words_per_cycle: board.core.fetch_words },
            queue: board.core.queue.map(|depth| depth.max(1) as usize),
            spans: program.iter().map(unplaced).collect(),
            jammed: false,
        }
    }

    /// Takes the next instruction of the stream.
    pub(super) fn issue(&mut self, index: usize, cost: Cost) {
        let instruction = &self.program[index];
        let engine = instruction.engine().index();
        let room = self.states[engine].room(self.queue);
        self.jammed |= room.is_none();
        let Some(room) = room.filter(|_| !self.jammed) else { return };
        let held = Held { index, cost, fetched: self.fetch.take(instruction, room) };
        if !self.states[engine].held.is_empty() || self.missing(index).is_some() {
            self.states[engine].held.push_back(held);
            return;
        }
        self.run(held);
        self.release();
    }

    /// The run, or the first instruction of the stream that never starts and an engine it waits for in vain.
    pub(super) fn finish(self) -> Result<Timeline, (usize, Engine)> {
        let stuck = self.states.iter().filter_map(|state| state.held.front()).map(|held| held.index).min();
        if let Some((index, from)) = stuck.and_then(|index| Some((index, self.missing(index)?))) {
            return Err((index, from));
        }
        let cycles = self.states.iter().map(|state| state.complete).max().unwrap_or(0);
        Ok(Timeline { spans: self.spans, cycles, busy: self.states.map(|state| state.busy) })
    }

    /// An engine whose token an instruction waits for in vain.
    fn missing(&self, index: usize) -> Option<Engine> {
        let instruction = &self.program[index];
        let to = instruction.engine().index();
        instruction.tokens().wait.iter().find(|from| self.tokens[from.index()][to].is_empty())
    }

    /// Runs what tokens have set free.
    fn release(&mut self) {
        while let Some(held) =
            self.states.iter().filter_map(|state| state.held.front()).find(|held| self.missing(held.index).is_none())
        {
            let held = *held;
            self.states[self.program[held.index].engine().index()].held.pop_front();
            self.run(held);
        }
    }

    /// Places one instruction whose tokens are there, or on their way.
    fn run(&mut self, Held { index, cost, fetched }: Held) {
        let instruction = &self.program[index];
        let engine = instruction.engine();
        let port = match instruction {
            Instruction::Save(save) => Some(save.hp_id as usize % SAVE_PORTS),
            _ => None,
        };
        let state = &self.states[engine.index()];
        let mut start = state.free.max(fetched).max(port.map_or(0, |port| self.save_ports[port]));
        let mut waited_for = None;
        for from in instruction.tokens().wait.iter() {
            let given = self.tokens[from.index()][engine.index()].pop_front().unwrap_or(0);
            if given > start {
                start = given;
                waited_for = (from != engine).then_some(from);
            }
        }
        let end = start.saturating_add(cost.busy);
        let state = &mut self.states[engine.index()];
        state.started(start, self.queue);
        state.busy += end - start.max(state.end).min(end);
        state.end = state.end.max(end);
        state.complete = state.complete.max(end.saturating_add(cost.latency));
        // Saves are taken up in order, but one port does not wait for the other.
        state.free = if port.is_some() { start } else { end };
        if let Some(port) = port {
            self.save_ports[port] = end;
        }
        let (end_of_all, complete) = (state.end, state.complete);
        for to in instruction.tokens().notify.iter() {
            let given = if to == engine { end_of_all } else { complete };
            self.tokens[engine.index()][to.index()].push_back(given);
        }
        self.spans[index] = Span { engine, start, end, complete, waited_for };
    }
}

/// The instruction port: words arrive in order and ahead of their use, the first after the memory's latency.
struct Fetch {
    time: f64,
    words_per_cycle: f64,
}

impl Fetch {
    /// When the next instruction of the stream is fetched, if its queue has room at `room`.
    fn take(&mut self, instruction: &Instruction, room: u64) -> u64 {
        self.time = self.time.max(room as f64) + instruction.opcode().words() as f64 / self.words_per_cycle;
        self.time.ceil() as u64
    }
}
