//! Canonical layout of IR text: names, comments and the order of everything stay, blanks and line breaks are made uniform.

mod spacing;

use crate::diagnostic::Diagnostic;
use crate::lexer::{Lexer, Token, TokenKind};
use crate::parse::parse;
use crate::scan::{Outline, StatementKind, scan};

use spacing::Spacing;

/// The text in canonical layout; its diagnostics if it has errors.
///
/// One statement per line, two blanks of indentation for each region, labels one step further left, at most one empty line in a row. A
/// statement is broken over lines only around comments inside it. The sequence of tokens is never changed, and formatting a formatted
/// text changes nothing.
pub fn format(source: &str) -> Result<String, Vec<Diagnostic>> {
    let parsed = parse(source);
    if parsed.has_errors() {
        return Err(parsed.diagnostics);
    }
    let outline = scan(source);
    let mut formatter = Formatter {
        source,
        out: String::with_capacity(source.len()),
        marks: marks(&outline),
        next_mark: 0,
        depth: 0,
        statement_end: 0,
        outer: Vec::new(),
        after_comment: false,
        region_start: true,
        spacing: Spacing::default(),
    };
    let mut end = 0;
    for token in Lexer::new(source, 0) {
        formatter.token(token, &source[end as usize..token.start as usize]);
        end = token.end;
    }
    if !formatter.out.is_empty() {
        formatter.out.push('\n');
    }
    Ok(formatter.out)
}

/// What the scanner found at a byte of the source.
#[derive(Clone, Copy, Debug)]
enum MarkKind {
    /// A statement begins; its end, and whether it is a label.
    Statement { end: u32, label: bool },
    /// `{` of a region.
    Open,
    /// `}` of a region.
    Close,
}

/// The marks in the order of their places.
fn marks(outline: &Outline) -> Vec<(u32, MarkKind)> {
    let mut marks = Vec::with_capacity(outline.statements.len());
    for statement in &outline.statements {
        let label = statement.kind == StatementKind::Label;
        marks.push((statement.span.start, MarkKind::Statement { end: statement.span.end, label }));
        for region in &statement.regions {
            marks.push((region.span.start, MarkKind::Open));
            marks.push((region.span.end - 1, MarkKind::Close));
        }
    }
    marks.sort_unstable_by_key(|&(place, _)| place);
    marks
}

struct Formatter<'a> {
    source: &'a str,
    out: String,
    marks: Vec<(u32, MarkKind)>,
    next_mark: usize,
    /// Open regions.
    depth: usize,
    /// Where the current statement ends.
    statement_end: u32,
    /// The ends of the statements around the current region, and the bracket state inside them.
    outer: Vec<(u32, Spacing)>,
    /// The line ends in a comment, so that it cannot be continued.
    after_comment: bool,
    /// Nothing has been written in this region, or in the file.
    region_start: bool,
    spacing: Spacing,
}

impl Formatter<'_> {
    fn mark(&mut self, token: Token) -> Option<MarkKind> {
        let &(place, kind) = self.marks.get(self.next_mark)?;
        if place != token.start {
            return None;
        }
        self.next_mark += 1;
        Some(kind)
    }

    fn token(&mut self, token: Token, gap: &str) {
        let text = self.source[token.start as usize..token.end as usize].trim_end();
        if token.kind == TokenKind::Comment {
            self.comment(text, token, gap);
            return;
        }
        match self.mark(token) {
            Some(MarkKind::Statement { end, label }) => {
                self.line(gap, self.depth.saturating_sub(usize::from(label)));
                self.statement_end = end;
                self.spacing = Spacing::default();
                self.region_start = false;
                self.push(token, text);
            }
            None if token.kind == TokenKind::Metadata => {
                self.line(gap, 0);
                self.region_start = false;
                self.out.push_str(text);
            }
            Some(MarkKind::Open) => {
                self.continue_statement(token, gap);
                self.push(token, text);
                let spacing = std::mem::take(&mut self.spacing);
                self.outer.push((self.statement_end, spacing));
                self.depth += 1;
                self.statement_end = 0;
                self.region_start = true;
            }
            Some(MarkKind::Close) => {
                self.depth -= 1;
                self.line("", self.depth);
                if let Some((end, spacing)) = self.outer.pop() {
                    self.statement_end = end;
                    self.spacing = spacing;
                }
                self.region_start = false;
                self.push(token, text);
            }
            None => {
                self.continue_statement(token, gap);
                self.push(token, text);
            }
        }
    }

    fn push(&mut self, token: Token, text: &str) {
        self.out.push_str(text);
        self.spacing.advance(token.kind, text);
        self.after_comment = false;
    }

    /// Begins a line at `depth`; an empty line in `gap` is kept where it separates something.
    fn line(&mut self, gap: &str, depth: usize) {
        if !self.out.is_empty() {
            self.out.push('\n');
            if !self.region_start && gap.bytes().filter(|&byte| byte == b'\n').count() > 1 {
                self.out.push('\n');
            }
        }
        self.indent(depth);
    }

    fn indent(&mut self, depth: usize) {
        self.out.extend(std::iter::repeat_n("  ", depth));
    }

    /// Separates a token from the one before it in the same statement.
    fn continue_statement(&mut self, token: Token, gap: &str) {
        if self.spacing.closes_on_own_line(token.kind) {
            self.out.push('\n');
            self.indent(self.depth + self.spacing.continuation() - 1);
        } else if self.after_comment {
            self.out.push('\n');
            self.indent(self.depth + self.spacing.continuation());
        } else if self.spacing.separates(token.kind, !gap.is_empty()) {
            self.out.push(' ');
        }
    }

    fn comment(&mut self, text: &str, token: Token, gap: &str) {
        let inside = token.start < self.statement_end;
        if inside {
            self.spacing.comment();
        }
        if !gap.contains('\n') && !self.out.is_empty() {
            self.out.push(' ');
        } else if inside {
            self.out.push('\n');
            self.indent(self.depth + self.spacing.continuation());
        } else {
            self.line(gap, self.depth);
            self.region_start = false;
        }
        self.out.push_str(text);
        self.after_comment = true;
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn tokens(source: &str) -> Vec<(TokenKind, &str)> {
        Lexer::new(source, 0)
            .map(|token| (token.kind, source[token.start as usize..token.end as usize].trim_end()))
            .collect()
    }

    /// Formats and checks that nothing but blanks has changed and that a second time changes nothing.
    fn checked(source: &str) -> String {
        let formatted = format(source).expect("the text is right");
        assert_eq!(tokens(source), tokens(&formatted));
        assert_eq!(format(&formatted).as_ref(), Ok(&formatted));
        formatted
    }

    #[test]
    fn right_files_keep_their_tokens() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/right");
        let mut paths: Vec<_> =
            fs::read_dir(directory).expect("the corpus is there").flatten().map(|entry| entry.path()).collect();
        paths.sort();
        assert!(!paths.is_empty());
        for path in paths {
            let source = fs::read_to_string(&path).expect("a corpus file is UTF-8");
            let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a corpus file has a plain name");
            insta::assert_snapshot!(name, checked(&source));
        }
    }

    #[test]
    fn any_blanks_give_the_same_text() {
        let source = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/right/lenet.mlir"))
            .expect("a corpus file is UTF-8");
        let formatted = checked(&source);
        assert_eq!(checked(&formatted.replace('\n', "\r\n")), formatted);
        assert_eq!(checked(&formatted.replace("  ", "\t \t")), formatted);
    }

    #[test]
    fn errors_are_handed_back() {
        assert!(format("nn.relu x").is_err_and(|diagnostics| diagnostics[0].code == "missing-percent"));
    }

    #[test]
    fn empty_text_stays_empty() {
        assert_eq!(checked(" \n\n"), "");
        assert_eq!(checked("// only a comment  "), "// only a comment\n");
    }
}
