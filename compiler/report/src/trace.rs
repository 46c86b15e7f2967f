//! Runs in the trace event format that Perfetto and `chrome://tracing` read: a process for each DPU subgraph with a track for each engine, one
//! for the critical path, and a counter for each bank group.

use dpuc_isa::Engine;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::spans::{Run, Track};
use crate::steps::SAMPLES;
use crate::{Explanation, Report, Subgraph};

/// Spans of one subgraph at most.
const SPANS_MAX: usize = 250_000;
/// Characters of a name at most; traces repeat names.
const NAME_MAX: usize = 120;

/// One event.
#[derive(Serialize)]
struct Event {
    name: String,
    /// `X` for a span, `C` for a counter, `M` for names.
    ph: char,
    pid: usize,
    tid: usize,
    /// Microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    ts: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<f64>,
    args: Map<String, Value>,
}

impl Explanation {
    /// The runs as a trace, one subgraph after another.
    pub fn trace(&self) -> String {
        let mut events = Vec::new();
        let mut start = 0;
        for (number, (subgraph, run)) in self.report.subgraphs.iter().zip(&self.runs).enumerate() {
            let process = Process { pid: number + 1, start, clock_mhz: self.report.board.clock_mhz, subgraph };
            process.add(&run.simplified(SPANS_MAX), &self.report, &mut events);
            start += run.cycles;
        }
        let trace = json!({
            "displayTimeUnit": "ns",
            "otherData": {"network": self.report.name, "board": self.report.board.name, "times": "modelled"},
            "traceEvents": events,
        });
        format!("{trace}\n")
    }
}

struct Process<'a> {
    pid: usize,
    /// When the subgraph starts.
    start: u64,
    clock_mhz: f64,
    subgraph: &'a Subgraph,
}

impl Process<'_> {
    fn add(&self, run: &Run, report: &Report, events: &mut Vec<Event>) {
        let name = format!("{}, modelled on {}", clipped(&self.subgraph.name), report.board.name);
        events.push(self.meta("process_name", 0, ("name", json!(name))));
        let mut tid = 1;
        self.name_track(tid, "critical path", events);
        let mut from = 0;
        for stretch in &run.critical {
            let engine = stretch.engine.map_or("waiting", Engine::name);
            let (name, superlayer) = named(report, stretch.operation);
            let args = [("engine", json!(engine)), ("superlayer", superlayer)];
            events.push(self.span(tid, name, (from, stretch.end), args));
            from = stretch.end;
        }
        for track in &run.tracks {
            tid += 1;
            self.name_track(tid, &track_name(track), events);
            for work in &track.spans {
                let (name, superlayer) = named(report, work.operation);
                let args = [
                    ("opcode", json!(work.opcode.name())),
                    ("instruction", json!(work.instruction)),
                    ("instructions", json!(work.count)),
                    ("superlayer", superlayer),
                ];
                events.push(self.span(tid, name, (work.start, work.end), args));
            }
        }
        for group in &self.subgraph.banks {
            let mut before = None;
            for (sample, &lines) in group.samples.iter().enumerate().filter(|_| group.peak > 0) {
                if before.replace(lines) == Some(lines) {
                    continue;
                }
                let at = (u128::from(run.cycles) * sample as u128 / SAMPLES as u128) as u64;
                let name = format!("{} KiB live", group.name);
                let kib = crate::rounded((lines * group.line_bytes) as f64 / 1024.0, 2);
                let ts = Some(self.microseconds(at));
                events.push(Event {
                    name,
                    ph: 'C',
                    pid: self.pid,
                    tid: 0,
                    ts,
                    dur: None,
                    args: map([("live", json!(kib))]),
                });
            }
        }
    }

    fn name_track(&self, tid: usize, name: &str, events: &mut Vec<Event>) {
        events.push(self.meta("thread_name", tid, ("name", json!(name))));
        events.push(self.meta("thread_sort_index", tid, ("sort_index", json!(tid))));
    }

    fn meta(&self, name: &str, tid: usize, argument: (&str, Value)) -> Event {
        Event { name: name.to_owned(), ph: 'M', pid: self.pid, tid, ts: None, dur: None, args: map([argument]) }
    }

    fn span<const N: usize>(
        &self,
        tid: usize,
        name: String,
        (start, end): (u64, u64),
        args: [(&str, Value); N],
    ) -> Event {
        let ts = self.microseconds(start);
        // Both ends are rounded, and the length follows: spans that touch keep touching.
        let dur = crate::rounded(self.microseconds(end) - ts, 3);
        Event { name, ph: 'X', pid: self.pid, tid, ts: Some(ts), dur: Some(dur), args: map(args) }
    }

    /// To whole nanoseconds.
    fn microseconds(&self, cycle: u64) -> f64 {
        crate::rounded((self.start + cycle) as f64 / self.clock_mhz, 3)
    }
}

/// An operation's name and the number of its superlayer.
fn named(report: &Report, operation: usize) -> (String, Value) {
    let operation = report.operations.get(operation);
    let name = operation.map_or("", |operation| &operation.name);
    (clipped(name), json!(operation.and_then(|operation| operation.superlayer)))
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Map<String, Value> {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// `load`, `save`, `save 2`, …
pub(crate) fn track_name(track: &Track) -> String {
    match track.lane {
        0 => track.engine.name().to_owned(),
        lane => format!("{} {}", track.engine.name(), lane + 1),
    }
}

fn clipped(name: &str) -> String {
    match name.char_indices().nth(NAME_MAX) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}
