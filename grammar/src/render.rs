//! Diagnostics as text for people.

use std::fmt::Write as _;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Severity};
use crate::syntax::Span;

/// Line and column of a byte of `source`, both counted from 1; columns count characters. Offsets behind the end mean the end.
pub fn line_column(source: &str, offset: u32) -> (usize, usize) {
    let before = &source[..floor_char_boundary(source, offset)];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// All diagnostics in the look of rustc, separated by empty lines, each with the lines of `source` it speaks about, its notes and its hint.
/// `color` adds ANSI escape sequences.
pub fn render(diagnostics: &[Diagnostic], source: &str, file_name: &str, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() }.decor_style(DecorStyle::Ascii);
    let view = View { source, file_name, line_starts: line_starts(source) };
    let mut text = String::new();
    for (index, diagnostic) in diagnostics.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        let _ = writeln!(text, "{}", renderer.render(&view.report(diagnostic)));
    }
    text
}

fn floor_char_boundary(source: &str, offset: u32) -> usize {
    let mut offset = (offset as usize).min(source.len());
    while !source.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

fn line_starts(source: &str) -> Vec<usize> {
    std::iter::once(0).chain(source.match_indices('\n').map(|(at, _)| at + 1)).collect()
}

/// A source text whose lines can be found quickly.
struct View<'a> {
    source: &'a str,
    file_name: &'a str,
    line_starts: Vec<usize>,
}

/// Lines `first..=last`, counted from 0.
#[derive(Clone, Copy)]
struct Lines {
    first: usize,
    last: usize,
}

impl<'a> View<'a> {
    fn report<'d: 'a>(&self, diagnostic: &'d Diagnostic) -> Vec<Group<'a>> {
        /// Notes that speak about lines this near are shown in the same excerpt.
        const NEAR: usize = 6;
        let level = match diagnostic.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let primary = self.clip(diagnostic.span);
        let mut lines = self.lines(primary);
        let mut near = Vec::new();
        let mut far = Vec::new();
        for note in &diagnostic.notes {
            let Some(span) = note.span.map(|span| self.clip(span)) else { continue };
            let place = self.lines(span);
            let joined = Lines { first: lines.first.min(place.first), last: lines.last.max(place.last) };
            if joined.last - joined.first <= NEAR && self.is_short(joined) {
                lines = joined;
                near.push((span, note.message.as_str()));
            } else {
                far.push((span, note.message.as_str()));
            }
        }
        let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code);
        let annotations = std::iter::once((AnnotationKind::Primary, primary, diagnostic.label.as_deref()))
            .chain(near.into_iter().map(|(span, message)| (AnnotationKind::Context, span, Some(message))));
        let mut group = self.excerpt(Group::with_title(title), lines, annotations);
        for note in diagnostic.notes.iter().filter(|note| note.span.is_none()) {
            group = group.element(Level::NOTE.message(note.message.as_str()));
        }
        if let Some(hint) = &diagnostic.hint {
            group = group.element(Level::HELP.message(hint.as_str()));
        }
        let mut report = vec![group];
        for (span, message) in far {
            let group = Group::with_title(Level::NOTE.secondary_title(message));
            report.push(self.excerpt(group, self.lines(span), [(AnnotationKind::Primary, span, None)]));
        }
        report
    }

    /// Adds the source lines and the marks on them.
    fn excerpt<'d: 'a>(
        &self,
        group: Group<'a>,
        lines: Lines,
        annotations: impl IntoIterator<Item = (AnnotationKind, Span, Option<&'d str>)>,
    ) -> Group<'a> {
        let mut annotations = annotations.into_iter().peekable();
        let whole = self.line_starts[lines.first]..self.line_end(lines.last);
        let short = self.is_short(lines);
        let window = match annotations.peek() {
            Some(&(_, span, _)) if !short => self.around(span, whole.start, whole.end),
            _ => (whole.start, whole.end),
        };
        let mut snippet = Snippet::source(&self.source[window.0..window.1]).line_start(lines.first + 1).fold(true);
        let mut group = group;
        if short {
            snippet = snippet.path(self.file_name);
        } else if let Some(&(_, span, _)) = annotations.peek() {
            // The excerpt begins inside the line, so its columns are not those of the file.
            let column = self.source[whole.start..span.start as usize].chars().count() + 1;
            group = group.element(Origin::path(self.file_name).line(lines.first + 1).char_column(column));
        }
        for (kind, span, label) in annotations {
            let start = (span.start as usize).clamp(window.0, window.1) - window.0;
            let end = (span.end as usize).clamp(window.0, window.1) - window.0;
            snippet = snippet.annotation(kind.span(start..end).label(label));
        }
        group.element(snippet)
    }

    /// The line of a byte, counted from 0.
    fn line(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|&start| start <= offset) - 1
    }

    /// The end of a line without its line break.
    fn line_end(&self, line: usize) -> usize {
        let end = self.line_starts.get(line + 1).map_or(self.source.len(), |&next| next - 1);
        let text = &self.source[self.line_starts[line]..end];
        end - usize::from(text.ends_with('\r'))
    }

    fn lines(&self, span: Span) -> Lines {
        Lines { first: self.line(span.start as usize), last: self.line(span.end as usize) }
    }

    /// A span on character boundaries inside the source, cut at the end of its first line if it covers many.
    fn clip(&self, span: Span) -> Span {
        const MOST_LINES: usize = 4;
        let start = floor_char_boundary(self.source, span.start);
        let end = floor_char_boundary(self.source, span.end).max(start);
        let lines = Lines { first: self.line(start), last: self.line(end) };
        let end = if lines.last - lines.first < MOST_LINES { end } else { self.line_end(lines.first).max(start) };
        Span { start: start as u32, end: end as u32 }
    }

    /// Whether all lines are of a length that people write.
    fn is_short(&self, lines: Lines) -> bool {
        const LONG: usize = 2000;
        (lines.first..=lines.last).all(|line| self.line_end(line) - self.line_starts[line] <= LONG)
    }

    /// The part around a span of a text too long to be shown.
    fn around(&self, span: Span, start: usize, end: usize) -> (usize, usize) {
        const CONTEXT: usize = 60;
        let from = floor_char_boundary(self.source, (span.start as usize).saturating_sub(CONTEXT).max(start) as u32);
        let line_end = self.line_end(self.line(span.start as usize));
        let to = ((span.end as usize).min(span.start as usize + CONTEXT) + CONTEXT).min(line_end).min(end);
        (from, floor_char_boundary(self.source, to as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diagnostic(start: u32, end: u32) -> Diagnostic {
        Diagnostic::error("some-code", Span { start, end }, "the message")
    }

    #[test]
    fn lines_and_columns_count_from_one() {
        let source = "a\nbé c\n";
        assert_eq!(line_column(source, 0), (1, 1));
        assert_eq!(line_column(source, 1), (1, 2));
        assert_eq!(line_column(source, 2), (2, 1));
        assert_eq!(line_column(source, 4), (2, 2));
        assert_eq!(line_column(source, 5), (2, 3));
        assert_eq!(line_column(source, 99), (3, 1));
        assert_eq!(line_column("", 0), (1, 1));
    }

    #[test]
    fn near_and_far_notes_and_hint() {
        let source = "first\n".to_owned() + &"filler\n".repeat(20) + "the wrong line\nlast\n";
        let wrong = source.find("wrong").map_or(0, |at| at as u32);
        let diagnostic = diagnostic(wrong, wrong + 5)
            .with_label("here")
            .with_note(Some(Span { start: 0, end: 5 }), "far away")
            .with_note(Some(Span { start: wrong - 4, end: wrong - 1 }), "near")
            .with_note(None, "no place")
            .with_hint("the way out");
        insta::assert_snapshot!(render(&[diagnostic], &source, "file.mlir", false));
    }

    #[test]
    fn several_diagnostics_and_a_warning() {
        let mut warning = diagnostic(2, 3);
        warning.severity = Severity::Warning;
        insta::assert_snapshot!(render(&[diagnostic(0, 1), warning], "a b\n", "file.mlir", false));
    }

    #[test]
    fn places_at_the_edges_and_outside() {
        let edges = [diagnostic(0, 0), diagnostic(3, 3), diagnostic(2, 2), diagnostic(90, 99), diagnostic(1, 2)];
        for source in ["", "a\nb", "é\n", "\r\n\r\n"] {
            for diagnostic in &edges {
                let text = render(std::slice::from_ref(diagnostic), source, "f", false);
                assert!(text.contains("the message"), "{text}");
            }
        }
    }

    #[test]
    fn long_lines_are_cut_and_keep_their_column() {
        let source = "x".repeat(100_000) + " wrong " + &"y".repeat(100_000);
        let text = render(&[diagnostic(100_001, 100_006)], &source, "f", false);
        assert!(text.len() < 1000, "{text}");
        assert!(text.contains("f:1:100002") && text.contains("wrong") && text.contains("^^^^^"), "{text}");
    }

    #[test]
    fn colour_is_optional() {
        assert!(render(&[diagnostic(0, 1)], "a", "f", true).contains("\u{1b}["));
        assert!(!render(&[diagnostic(0, 1)], "a", "f", false).contains('\u{1b}'));
    }
}
