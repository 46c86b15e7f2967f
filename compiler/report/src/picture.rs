//! The partition as a picture: a box for each part with what is in it, coloured by device, and arrows with the shapes of the tensors.
//!
//! SVG, without scripts and references, the same for the same plan. Its colours are those of the pages, in dark and in light.

use std::fmt::Write;

use crate::html::escaped;
use crate::layered::{Layout, layout};
use crate::model::{Device, Operation};
use crate::names::{common_prefix, dimensions, ending, short};
use crate::plan::{Flow, Part, Plan};

const COLOURS: &str = include_str!("page/colours.css");
/// Rules for the classes of pictures.
pub(crate) const STYLE: &str = include_str!("page/partition.css");

/// Parts that are drawn at most.
const PARTS_MAX: usize = 400;
/// Arrows that are drawn at most.
const FLOWS_MAX: usize = 2000;
/// Operations in one column of a box, unless all columns are full.
const COLUMN: usize = 22;
/// Columns of a box at most.
const COLUMNS_MAX: usize = 4;
/// Operations that are listed in a box at most.
const LISTED_MAX: usize = 200;
/// Reasons that are listed in a box at most.
const REASONS_MAX: usize = 6;
/// Characters of the name of an operation, of its kind and shape, and in a line of a reason.
const NAME_LENGTH: usize = 30;
const KIND_LENGTH: usize = 34;
const LINE_LENGTH: usize = 64;

/// Sizes in pixels: heights of lines, a character of names and of smaller text.
const LINE: f64 = 17.0;
const HEAD: f64 = 46.0;
const MARGIN: f64 = 14.0;
const WIDE: f64 = 6.6;
const NARROW: f64 = 5.7;
/// Between rows, and for each label of an arrow there.
const ROW_GAP: f64 = 34.0;
const LABEL: f64 = 17.0;

/// A box before it is placed.
struct Sketch {
    title: String,
    subtitle: String,
    /// Columns of lines: a name, and what is said of it.
    columns: Vec<Vec<(String, String)>>,
    column_width: f64,
    /// Lines below the columns.
    reasons: Vec<String>,
    width: f64,
    height: f64,
}

/// An arrow, where its tip is, and its label with its place.
struct Arrow {
    curve: String,
    tip: (f64, f64),
    label: String,
    x: f64,
    y: f64,
}

impl Plan {
    /// The picture as a file.
    pub fn svg(&self) -> String {
        self.picture("xmlns=\"http://www.w3.org/2000/svg\" ", &format!("<style>{COLOURS}{STYLE}</style>"))
    }

    /// The picture as part of a page that has its style.
    pub(crate) fn inline(&self) -> String {
        self.picture("", "")
    }

    fn picture(&self, name_space: &str, style: &str) -> String {
        let parts = &self.parts[..self.parts.len().min(PARTS_MAX)];
        // Parts of a damaged file may wait for each other: arrows back are left out.
        let is_drawn = |flow: &&Flow| flow.from < flow.to && flow.to < parts.len();
        let flows: Vec<&Flow> = self.flows.iter().filter(is_drawn).take(FLOWS_MAX).collect();
        let prefix = common_prefix(self.operations.iter().map(|operation| operation.name.as_str()));
        let sketches: Vec<Sketch> = parts.iter().map(|part| self.sketch(part, prefix)).collect();
        let widths: Vec<f64> = sketches.iter().map(|sketch| sketch.width).collect();
        let arrows: Vec<(usize, usize)> = flows.iter().map(|flow| (flow.from, flow.to)).collect();
        let placed = layout(&widths, &arrows);
        let (tops, height) = tops(&placed, &sketches, &arrows);
        let mut body = String::new();
        for arrow in self.arrows(&flows, &placed, &sketches, &tops) {
            body += &draw_arrow(&arrow);
        }
        for (number, sketch) in sketches.iter().enumerate() {
            let left = placed.middles[number] - sketch.width / 2.0;
            body += &draw_box(sketch, parts[number].device, left, tops[placed.rows[number]]);
        }
        let omitted = [(self.parts.len() - parts.len(), "parts"), (self.flows.len() - flows.len(), "arrows")];
        let omitted = omitted.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
        let omitted = omitted.collect::<Vec<_>>().join(" and ");
        let mut height = height;
        if !omitted.is_empty() {
            height += LINE;
            let y = height - 6.0;
            let _ = write!(body, "<text class=\"note\" x=\"{MARGIN}\" y=\"{y:.1}\">not drawn: {omitted}</text>");
        }
        let width = placed.width.max(120.0);
        format!(
            "<svg {name_space}class=\"partition\" viewBox=\"0 0 {width:.1} {height:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
             role=\"img\" aria-label=\"The parts of the network and their devices\">{style}<rect class=\"paper\" width=\"{width:.1}\" height=\"{height:.1}\"/>{body}</svg>\n"
        )
    }

    fn sketch(&self, part: &Part, prefix: &str) -> Sketch {
        let count = part.operations.len();
        let plural = if count == 1 { "" } else { "s" };
        let name = part.name.strip_prefix("subgraph_").unwrap_or(&part.name);
        let (title, subtitle) = match part.device {
            Device::Dpu => {
                ("DPU".to_owned(), format!("{} · {count} operation{plural}", short(name, prefix, NAME_LENGTH)))
            }
            Device::Cpu => ("CPU".to_owned(), format!("{count} operation{plural}")),
            Device::Input => ("input".to_owned(), String::new()),
        };
        let mut lines: Vec<(String, String)> = part
            .operations
            .iter()
            .take(LISTED_MAX)
            .map(|&operation| entry(&self.operations[operation], prefix))
            .collect();
        if count > LISTED_MAX {
            lines.push((format!("… and {} more", count - LISTED_MAX), String::new()));
        }
        let columns = lines.len().div_ceil(COLUMN).clamp(1, COLUMNS_MAX);
        let length = |(name, kind): &(String, String)| {
            name.chars().count() as f64 * WIDE + kind.chars().count() as f64 * NARROW + 16.0
        };
        let column_width = lines.iter().map(length).fold(0.0, f64::max) + MARGIN;
        let rows = lines.len().div_ceil(columns).max(1);
        let columns: Vec<Vec<_>> = lines.chunks(rows).map(<[_]>::to_vec).collect();
        let reasons = self.reason_lines(part, prefix);
        let longest = reasons.iter().map(|line| line.chars().count() as f64 * NARROW).fold(0.0, f64::max);
        let head = title.len() as f64 * WIDE + subtitle.chars().count() as f64 * NARROW + 16.0;
        let width = (columns.len() as f64 * column_width).max(longest).max(head) + 2.0 * MARGIN;
        let reason_height = if reasons.is_empty() { 0.0 } else { reasons.len() as f64 * (LINE - 2.0) + 8.0 };
        let height = HEAD + rows as f64 * LINE + reason_height;
        Sketch { title, subtitle, columns, column_width, reasons, width, height }
    }

    /// The reasons of a part, broken into lines.
    fn reason_lines(&self, part: &Part, prefix: &str) -> Vec<String> {
        let reasons = self.reasons(part);
        let mut lines = Vec::new();
        for (reason, operations) in reasons.iter().take(REASONS_MAX) {
            let first = operations.first().map_or("", |&operation| self.operations[operation].name.as_str());
            let whose = match operations.len() {
                1 if part.operations.len() == 1 => String::new(),
                1 => format!("{}: ", short(first, prefix, NAME_LENGTH)),
                count => format!("{count} operations: "),
            };
            lines.extend(wrapped(&format!("{whose}{reason}")));
        }
        if reasons.len() > REASONS_MAX {
            lines.push(format!("… and {} more reasons", reasons.len() - REASONS_MAX));
        }
        lines
    }

    fn arrows(&self, flows: &[&Flow], placed: &Layout, sketches: &[Sketch], tops: &[f64]) -> Vec<Arrow> {
        let mut labels_in_gap = vec![0; tops.len() + 1];
        let mut draw = |(flow, path): (&&Flow, &Vec<f64>)| {
            let (from, to) = (placed.rows[flow.from], placed.rows[flow.to]);
            let start = tops[from] + sketches[flow.from].height;
            let mut curve = format!("M{:.1} {start:.1}", path[0]);
            let mut at = (path[0], start);
            let is_straight = path.len() != to - from + 1;
            let mut label = None;
            for (step, &x) in path.iter().enumerate().skip(1) {
                let row = if is_straight { to } else { from + step };
                let is_last = step + 1 == path.len();
                let end = tops[row] - if is_last { 2.0 } else { 0.0 };
                let middle = f64::midpoint(at.1, end);
                let _ = write!(curve, "C{:.1} {middle:.1} {x:.1} {middle:.1} {x:.1} {end:.1}", at.0);
                if is_last {
                    let slot = labels_in_gap[row];
                    labels_in_gap[row] += 1;
                    let y = end - 14.0 - f64::from(slot) * LABEL;
                    label = Some((along(at, (x, end), y), y));
                }
                at = (x, end);
                if !is_last {
                    let _ = write!(curve, "V{:.1}", row_bottom(placed, sketches, tops, row));
                    at.1 = row_bottom(placed, sketches, tops, row);
                }
            }
            let (x, y) = label.unwrap_or(at);
            Arrow { curve, tip: at, label: self.label(flow), x, y }
        };
        flows.iter().zip(&placed.paths).map(&mut draw).collect()
    }

    /// What passes along an arrow.
    fn label(&self, flow: &Flow) -> String {
        let shape = |&tensor: &usize| dimensions(&self.operations[tensor].shape);
        match &flow.tensors[..] {
            [] => String::new(),
            [only] => shape(only),
            [first, second] => format!("{}, {}", shape(first), shape(second)),
            [first, rest @ ..] => format!("{} and {} more", shape(first), rest.len()),
        }
    }
}

/// An operation in a box.
fn entry(operation: &Operation, prefix: &str) -> (String, String) {
    let kind = operation.kind.trim_start_matches("int8.").trim_start_matches("nn.");
    let kind = if operation.device == Device::Input { "" } else { kind };
    (
        short(&operation.name, prefix, NAME_LENGTH),
        ending(format!("{kind} {}", dimensions(&operation.shape)).trim(), KIND_LENGTH),
    )
}

/// Text in lines.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < LINE_LENGTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(ending(word, LINE_LENGTH)),
        }
    }
    lines
}

/// The top of each row, and the height of the picture. Above a row there is space for the labels of the arrows that end in it.
fn tops(placed: &Layout, sketches: &[Sketch], arrows: &[(usize, usize)]) -> (Vec<f64>, f64) {
    let rows = placed.rows.iter().max().map_or(0, |&last| last + 1);
    let (mut heights, mut labels) = (vec![0f64; rows], vec![0; rows]);
    for (sketch, &row) in sketches.iter().zip(&placed.rows) {
        heights[row] = heights[row].max(sketch.height);
    }
    for &(_, to) in arrows {
        labels[placed.rows[to]] += 1;
    }
    let mut at = MARGIN - ROW_GAP;
    let mut tops = Vec::new();
    for (height, labels) in heights.into_iter().zip(labels) {
        at += ROW_GAP + f64::from(labels) * LABEL;
        tops.push(at);
        at += height;
    }
    (tops, at.max(0.0) + MARGIN)
}

/// The bottom of a row.
fn row_bottom(placed: &Layout, sketches: &[Sketch], tops: &[f64], row: usize) -> f64 {
    let heights = sketches.iter().zip(&placed.rows).filter(|(_, own)| **own == row).map(|(sketch, _)| sketch.height);
    tops[row] + heights.fold(0.0, f64::max)
}

/// Where a curve with vertical ends is at a height, by halving.
fn along((x0, y0): (f64, f64), (x1, y1): (f64, f64), y: f64) -> f64 {
    let middle = f64::midpoint(y0, y1);
    let bezier = |a: f64, b: f64, c: f64, d: f64, t: f64| {
        let s = 1.0 - t;
        s * s * s * a + 3.0 * s * s * t * b + 3.0 * s * t * t * c + t * t * t * d
    };
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..24 {
        let t = f64::midpoint(low, high);
        if bezier(y0, middle, middle, y1, t) < y { low = t } else { high = t }
    }
    bezier(x0, x0, x1, x1, low)
}

fn draw_arrow(arrow: &Arrow) -> String {
    let width = arrow.label.chars().count() as f64 * NARROW + 8.0;
    format!(
        "<path class=\"arrow\" d=\"{}\"/><path class=\"tip\" d=\"M{:.1} {:.1}l-4 -7h8Z\"/><rect class=\"paper\" x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"14\" \
         rx=\"3\"/><text class=\"small\" text-anchor=\"middle\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
        arrow.curve,
        arrow.tip.0,
        arrow.tip.1 + 1.0,
        arrow.x - width / 2.0,
        arrow.y - 10.5,
        arrow.x,
        arrow.y,
        escaped(&arrow.label)
    )
}

fn draw_box(sketch: &Sketch, device: Device, left: f64, top: f64) -> String {
    let class = match device {
        Device::Dpu => "dpu",
        Device::Cpu => "cpu",
        Device::Input => "input",
    };
    let (width, height) = (sketch.width, sketch.height);
    let mut text = format!(
        "<g class=\"{class}\" transform=\"translate({left:.1} {top:.1})\"><rect class=\"body\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"9\"/>\
         <rect class=\"tint\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"9\"/><text class=\"title\" x=\"{MARGIN}\" y=\"22\">{} <tspan class=\"small\" \
         dx=\"4\">{}</tspan></text>",
        sketch.title,
        escaped(&sketch.subtitle)
    );
    for (column, lines) in sketch.columns.iter().enumerate() {
        let x = MARGIN + column as f64 * sketch.column_width;
        for (row, (name, kind)) in lines.iter().enumerate() {
            let y = HEAD - 4.0 + row as f64 * LINE;
            let _ = write!(
                text,
                "<text x=\"{x:.1}\" y=\"{y:.1}\">{} <tspan class=\"small\" dx=\"3\">{}</tspan></text>",
                escaped(name),
                escaped(kind)
            );
        }
    }
    let rows = sketch.columns.first().map_or(0, Vec::len);
    for (row, line) in sketch.reasons.iter().enumerate() {
        let y = HEAD + rows as f64 * LINE + row as f64 * (LINE - 2.0);
        let _ = write!(text, "<text class=\"reason\" x=\"{MARGIN}\" y=\"{y:.1}\">{}</text>", escaped(line));
    }
    text + "</g>"
}
