//! Reports as a page that needs nothing but itself.
//!
//! Style, program and data are inside it. The data are JSON in a `script` element that browsers do not run; names, which may hold
//! anything, get into the document as text only.

use serde::Serialize;

use crate::picture;
use crate::plan::Plan;
use crate::spans::{Run, Track};
use crate::trace::track_name;
use crate::{Explanation, Report};

const PAGE: &str = include_str!("page/page.html");
/// The style that all pages share.
pub(crate) const STYLE: &str = concat!(include_str!("page/colours.css"), include_str!("page/style.css"));
/// The program that all pages share.
pub(crate) const COMMON: &str = include_str!("page/common.js");
/// The parts of the program, in order.
const PROGRAM: [&str; 8] = [
    COMMON,
    include_str!("page/base.js"),
    include_str!("page/summary.js"),
    include_str!("page/layers.js"),
    include_str!("page/graph.js"),
    include_str!("page/timeline.js"),
    include_str!("page/memory.js"),
    include_str!("page/main.js"),
];

/// Spans of one subgraph in a page at most.
const SPANS_MAX: usize = 80_000;

/// The data of a page.
#[derive(Serialize)]
struct Data<'a> {
    report: &'a Report,
    runs: Vec<RunData>,
}

#[derive(Serialize)]
struct RunData {
    cycles: u64,
    tracks: Vec<TrackData>,
    /// For each piece of the critical path: length, number of the engine (4 for waiting), operation.
    critical: Vec<[u64; 3]>,
    /// Whether spans stand for several instructions.
    simplified: bool,
}

#[derive(Serialize)]
struct TrackData {
    name: String,
    engine: usize,
    /// For each span: gap before it, length, operation, opcode, first instruction, number of instructions.
    spans: Vec<[u64; 6]>,
}

impl Explanation {
    /// The page.
    pub fn html(&self) -> String {
        let runs = self.runs.iter().map(|run| RunData::new(run, SPANS_MAX)).collect();
        let data = Data { report: &self.report, runs };
        // A map with text keys cannot fail to be written as JSON.
        let data = serde_json::to_string(&data).unwrap_or_default();
        let opcodes: Vec<&str> = dpuc_isa::Opcode::ALL.iter().map(|opcode| opcode.name()).collect();
        let opcodes = format!("const OPCODES = {};\n", serde_json::json!(opcodes));
        let subgraphs: Vec<String> = self.report.subgraphs.iter().map(|own| own.name.clone()).collect();
        let plan = Plan::new(self.report.operations.clone(), &subgraphs);
        let parts = [
            ("{{title}}", escaped(&self.report.name)),
            ("{{style}}", [STYLE, picture::STYLE].concat()),
            ("{{partition}}", plan.inline()),
            ("{{data}}", in_script(&data)),
            ("{{program}}", opcodes + &PROGRAM.concat()),
        ];
        fill(PAGE, &parts)
    }
}

impl RunData {
    fn new(run: &Run, limit: usize) -> Self {
        let few = run.simplified(limit);
        let mut before = 0;
        let critical = few.critical.iter().map(|stretch| {
            let length = stretch.end - before;
            before = stretch.end;
            [length, stretch.engine.map_or(4, |engine| engine.index() as u64), stretch.operation as u64]
        });
        Self {
            cycles: few.cycles,
            critical: critical.collect(),
            simplified: few.tracks != run.tracks,
            tracks: few.tracks.iter().map(TrackData::new).collect(),
        }
    }
}

impl TrackData {
    fn new(track: &Track) -> Self {
        let mut before = 0;
        let spans = track.spans.iter().map(|work| {
            let gap = work.start - before;
            before = work.end;
            let opcode = dpuc_isa::Opcode::ALL.iter().position(|&opcode| opcode == work.opcode).unwrap_or_default();
            let numbers = [work.operation, opcode, work.instruction, work.count].map(|number| number as u64);
            [gap, work.end - work.start, numbers[0], numbers[1], numbers[2], numbers[3]]
        });
        Self { name: track_name(track), engine: track.engine.index(), spans: spans.collect() }
    }
}

/// Replaces each placeholder of the template once; what is put in is not looked at again.
pub(crate) fn fill(template: &str, parts: &[(&str, String)]) -> String {
    let mut page = String::new();
    let mut rest = template;
    for (placeholder, content) in parts {
        let Some((before, after)) = rest.split_once(placeholder) else { continue };
        page += before;
        page += content;
        rest = after;
    }
    page + rest
}

/// Text in an element.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            // Neither HTML nor XML has control characters and noncharacters.
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// JSON in a `script` element: no `<`, which alone could end it. Outside of strings JSON has none.
pub(crate) fn in_script(json: &str) -> String {
    json.replace('<', "\\u003c")
}
