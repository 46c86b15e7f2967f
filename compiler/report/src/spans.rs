//! Runs as tracks of spans, with as many spans as a reader can handle.

use dpuc_accel::timing::Timeline;
use dpuc_isa::{Engine, Instruction, Opcode};

use crate::critical::critical_path;

/// When the instructions of a DPU subgraph run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// From the start of the program until its last instruction is complete.
    pub cycles: u64,
    /// Tracks in the order of engines. An engine has two where it works on two instructions at once.
    pub tracks: Vec<Track>,
    /// The critical path from start to end, without gaps.
    pub critical: Vec<Stretch>,
}

/// Spans that do not overlap, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// The engine.
    pub engine: Engine,
    /// Number of the track among those of the engine.
    pub lane: usize,
    /// When it works on what.
    pub spans: Vec<Work>,
}

/// Instructions on a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// When the first one starts.
    pub start: u64,
    /// When the last one ends.
    pub end: u64,
    /// The first one.
    pub instruction: usize,
    /// How many there are.
    pub count: usize,
    /// What the first one is.
    pub opcode: Opcode,
    /// The operation of the first one.
    pub operation: usize,
}

/// A piece of the critical path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Its end; it starts at the end of the one before.
    pub end: u64,
    /// The engine that works; `None` for waiting.
    pub engine: Option<Engine>,
    /// The operation it belongs to.
    pub operation: usize,
}

impl Run {
    pub(crate) fn new(program: &[Instruction], timeline: &Timeline, owners: &[usize]) -> Self {
        let tracks = Engine::ALL.into_iter().flat_map(|engine| tracks(engine, program, timeline, owners)).collect();
        Self { cycles: timeline.cycles, tracks, critical: stretches(timeline, owners) }
    }

    /// The same with at most about `limit` spans: neighbours with ever larger gaps between them become one. Pieces of the critical path
    /// go to the neighbour before them.
    #[must_use]
    pub fn simplified(&self, limit: usize) -> Self {
        let count = |tracks: &[Track]| tracks.iter().map(|track| track.spans.len()).sum::<usize>();
        let mut tracks = self.tracks.clone();
        let mut gap = 1u64;
        while count(&tracks) > limit.max(tracks.len()) {
            for track in &mut tracks {
                track.join(gap);
            }
            gap = gap.saturating_mul(2);
        }
        let mut critical = self.critical.clone();
        let mut shortest = 1u64;
        while critical.len() > limit.max(1) {
            critical = join_stretches(&critical, shortest);
            shortest = shortest.saturating_mul(2);
        }
        Self { cycles: self.cycles, tracks, critical }
    }
}

impl Track {
    /// Joins neighbours that are at most `gap` apart, so that nothing shorter than about that stays.
    fn join(&mut self, gap: u64) {
        self.spans.dedup_by(|next, kept| {
            let close = next.start - kept.end <= gap && next.end - kept.start <= gap.saturating_mul(8);
            let close = close || gap == u64::MAX;
            if close {
                kept.end = next.end;
                kept.count += next.count;
            }
            close
        });
    }
}

/// The tracks of an engine: each instruction is on the first one that is free.
fn tracks(engine: Engine, program: &[Instruction], timeline: &Timeline, owners: &[usize]) -> Vec<Track> {
    let mut tracks = vec![Track { engine, lane: 0, spans: Vec::new() }];
    for (index, span) in timeline.spans.iter().enumerate().filter(|(_, span)| span.engine == engine) {
        let work = Work {
            start: span.start,
            end: span.end,
            instruction: index,
            count: 1,
            opcode: program[index].opcode(),
            operation: owners[index],
        };
        let free = |track: &&mut Track| track.spans.last().is_none_or(|last| last.end <= work.start);
        match tracks.iter_mut().find(free) {
            Some(track) => track.spans.push(work),
            None => tracks.push(Track { engine, lane: tracks.len(), spans: vec![work] }),
        }
    }
    tracks
}

/// The critical path, first piece first.
fn stretches(timeline: &Timeline, owners: &[usize]) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut end = 0;
    for piece in critical_path(timeline).iter().rev() {
        let operation = owners[piece.instruction];
        let engine = timeline.spans[piece.instruction].engine;
        for (length, engine) in [(piece.working, Some(engine)), (piece.waiting, None)] {
            end += length;
            match stretches.last_mut() {
                _ if length == 0 => {}
                Some(last) if (last.engine, last.operation) == (engine, operation) => last.end = end,
                _ => stretches.push(Stretch { end, engine, operation }),
            }
        }
    }
    stretches
}

/// Gives pieces shorter than `shortest` to the one before them.
fn join_stretches(stretches: &[Stretch], shortest: u64) -> Vec<Stretch> {
    let mut joined: Vec<Stretch> = Vec::new();
    let mut start = 0;
    for stretch in stretches {
        match joined.last_mut() {
            Some(last) if stretch.end - start < shortest || shortest == u64::MAX => last.end = stretch.end,
            _ => joined.push(*stretch),
        }
        start = stretch.end;
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(count: u64) -> Run {
        let work = |at: u64| Work {
            start: 10 * at,
            end: 10 * at + 7,
            instruction: at as usize,
            count: 1,
            opcode: Opcode::Load,
            operation: 0,
        };
        let track = Track { engine: Engine::Load, lane: 0, spans: (0..count).map(work).collect() };
        let stretch = |at: u64| Stretch { end: 10 * (at + 1), engine: None, operation: at as usize };
        Run { cycles: 10 * count, tracks: vec![track], critical: (0..count).map(stretch).collect() }
    }

    #[test]
    fn simplifying_keeps_ends_counts_and_order() {
        let full = run(1000);
        assert_eq!(full.simplified(1000), full);
        for limit in [700, 100, 3, 1, 0] {
            let few = full.simplified(limit);
            let spans = &few.tracks[0].spans;
            assert!(!spans.is_empty() && spans.len() <= limit.max(1), "{limit}: {}", spans.len());
            assert_eq!(spans.iter().map(|span| span.count).sum::<usize>(), 1000);
            assert_eq!((spans[0].start, spans[spans.len() - 1].end), (0, 9997));
            assert!(spans.windows(2).all(|pair| pair[0].end <= pair[1].start));
            assert!(few.critical.len() <= limit.max(1));
            assert_eq!(few.critical.last().unwrap().end, 10_000);
        }
    }
}
