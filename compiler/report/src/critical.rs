//! The critical path of a run: from its end back to its start, always to what the present instruction had to wait for.
//!
//! The pieces of the path cover the run without gap or overlap, so time is attributed to instructions, and through them to superlayers,
//! exactly once however much of it overlaps.

use dpuc_accel::timing::Timeline;
use dpuc_isa::Engine;

/// A piece of the critical path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// The instruction it belongs to.
    pub(crate) instruction: usize,
    /// Cycles in which its engine works on it.
    pub(crate) working: u64,
    /// Cycles of waiting: for data on their way to or from memory, or for the instruction to be fetched.
    pub(crate) waiting: u64,
}

/// The instructions of one engine, in order.
struct Lane {
    instructions: Vec<usize>,
    /// When all up to each are complete; ascending.
    complete: Vec<u64>,
}

/// The critical path, last instruction first.
pub(crate) fn critical_path(timeline: &Timeline) -> Vec<Piece> {
    let spans = &timeline.spans;
    let lanes = Engine::ALL.map(|engine| Lane::of(timeline, engine));
    let mut rank = vec![0usize; spans.len()];
    for lane in &lanes {
        lane.instructions.iter().enumerate().for_each(|(at, &instruction)| rank[instruction] = at);
    }
    let mut path = Vec::new();
    // Everything from `time` on is explained; `present` starts at it or before, and led to it.
    let mut time = timeline.cycles;
    let mut present = spans.iter().position(|span| span.complete == timeline.cycles);
    while let Some(instruction) = present {
        let span = spans[instruction];
        let lane = &lanes[span.engine.index()];
        let end = span.end.min(time);
        let (working, mut waiting) = (end - span.start, time - end);
        time = span.start;
        // The walk ends: a giver starts before what it gives to, and a predecessor comes first in its engine's order.
        let giver = span.waited_for.and_then(|engine| lanes[engine.index()].completed_at(time));
        let giver = giver.filter(|&giver| spans[giver].start < time);
        let before = &lane.instructions[..rank[instruction]];
        let freed = || before.iter().rev().take(SAVES_SIDE_BY_SIDE).copied().find(|&other| spans[other].end == time);
        let (previous, reached) = match giver.or_else(freed) {
            Some(cause) => (Some(cause), time),
            // Neither token nor engine: it was fetched late, or taken up together with the one before it.
            None => (before.last().copied(), before.last().map_or(0, |&other| spans[other].end.min(time))),
        };
        waiting += time - reached;
        path.push(Piece { instruction, working, waiting });
        (present, time) = (previous, reached);
    }
    path
}

/// How many Saves back the one may be whose port a Save waits for.
const SAVES_SIDE_BY_SIDE: usize = 4;

impl Lane {
    fn of(timeline: &Timeline, engine: Engine) -> Self {
        let spans = timeline.spans.iter().enumerate();
        let instructions: Vec<usize> =
            spans.filter(|(_, span)| span.engine == engine).map(|(index, _)| index).collect();
        let mut latest = 0;
        let complete = instructions.iter().map(|&index| {
            latest = timeline.spans[index].complete.max(latest);
            latest
        });
        Self { complete: complete.collect(), instructions }
    }

    /// The first instruction with which all up to it are complete at `time` or later.
    fn completed_at(&self, time: u64) -> Option<usize> {
        let at = self.complete.partition_point(|&complete| complete < time);
        self.instructions.get(at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dpuc_accel::timing::Span;

    fn span(engine: Engine, start: u64, end: u64, complete: u64, waited_for: Option<Engine>) -> Span {
        Span { engine, start, end, complete, waited_for }
    }

    #[test]
    fn the_path_covers_the_run_once() {
        // A Load with latency, a Conv that waits for it, a second Load behind both, fetched late, and a Save.
        let spans = vec![
            span(Engine::Load, 10, 30, 50, None),
            span(Engine::Conv, 50, 90, 90, Some(Engine::Load)),
            span(Engine::Load, 40, 60, 80, None),
            span(Engine::Save, 90, 95, 110, Some(Engine::Conv)),
        ];
        let timeline = Timeline { spans, cycles: 110, busy: [40, 5, 40, 0] };
        let piece = |instruction, working, waiting| Piece { instruction, working, waiting };
        assert_eq!(critical_path(&timeline), [piece(3, 5, 15), piece(1, 40, 0), piece(0, 20, 30)]);
    }

    #[test]
    fn saves_side_by_side_and_late_fetches_are_covered() {
        let spans = vec![
            span(Engine::Save, 5, 40, 60, None),
            span(Engine::Save, 5, 20, 40, None),
            span(Engine::Save, 20, 70, 90, None),
            span(Engine::Save, 80, 99, 120, None),
        ];
        let timeline = Timeline { spans, cycles: 120, busy: [0, 84, 0, 0] };
        let path = critical_path(&timeline);
        assert_eq!(path.iter().map(|piece| piece.working + piece.waiting).sum::<u64>(), 120);
        assert_eq!(path.iter().map(|piece| piece.instruction).collect::<Vec<_>>(), [3, 2, 1, 0]);
    }
}
