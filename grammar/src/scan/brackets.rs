//! Brackets and regions: what opens, closes, and was left open.

use super::{Frame, MAX_DEPTH, MAX_ERRORS, Previous, RegionOutline, Scanner, StatementKind, mistakes};
use crate::diagnostic::Diagnostic;
use crate::lexer::{Bracket, Lexer, Token, TokenKind};
use crate::syntax::Span;
use crate::tree::excerpt;

impl Scanner<'_> {
    pub(super) fn open(&mut self, bracket: Bracket, token: Token) -> Previous {
        if self.frames.len() >= MAX_DEPTH {
            self.break_statement();
            self.excess = 1;
            let span = Span { start: token.start, end: token.end };
            self.report(mistakes::too_deep(span));
            return Previous::Other;
        }
        if bracket == Bracket::Curly
            && self.is_region()
            && let Some(owner) = self.current.take()
        {
            let first_statement = self.outline.statements.len() as u32;
            self.frames.push(Frame::Region { at: token.start, owner, first_statement });
            return Previous::Start;
        }
        self.frames.push(Frame::Bracket { bracket, at: token.start, holds_regions: false });
        if bracket == Bracket::Round { Previous::OpenRound } else { Previous::Other }
    }

    /// Whether the `{` just read opens a region; the alternative is an attribute dictionary.
    fn is_region(&mut self) -> bool {
        if let Some(Frame::Bracket { bracket, holds_regions, .. }) = self.frames.last_mut() {
            let region = *bracket == Bracket::Round
                && (self.previous == Previous::OpenRound || (*holds_regions && self.previous == Previous::Comma));
            *holds_regions |= region;
            return region;
        }
        match self.kind() {
            _ if self.previous == Previous::Attributes => false,
            Some(StatementKind::Container) => true,
            // Behind a dictionary or a region there can only be a region.
            Some(StatementKind::Pretty) => self.previous == Previous::CloseCurly || self.region_follows(),
            _ => false,
        }
    }

    /// Whether the text behind a `{` of a pretty operation is that of a region: a label, a result, or an operation name.
    fn region_follows(&self) -> bool {
        let mut rest = self.lexer.clone().filter(|token| token.kind != TokenKind::Comment);
        let Some(first) = rest.next() else { return false };
        let second = rest.next().map(|token| token.kind);
        match first.kind {
            TokenKind::Label | TokenKind::Value => true,
            TokenKind::Hash | TokenKind::Bang => second == Some(TokenKind::Equal),
            TokenKind::String => second == Some(TokenKind::Open(Bracket::Round)),
            TokenKind::DottedWord => !matches!(second, Some(TokenKind::Equal | TokenKind::Comma | TokenKind::Colon)),
            TokenKind::Word => match self.text(first) {
                "module" | "return" => !matches!(second, Some(TokenKind::Equal | TokenKind::Comma)),
                _ => matches!(second, Some(TokenKind::Value | TokenKind::Symbol)),
            },
            _ => false,
        }
    }

    pub(super) fn close(&mut self, bracket: Bracket, token: Token) {
        let open = match bracket {
            Bracket::Curly => self.frames.iter().rposition(|frame| frame.bracket() == Bracket::Curly),
            _ => self.bracket_in_statement(bracket),
        };
        let Some(open) = open else {
            self.unmatched(bracket, token);
            return;
        };
        if open + 1 < self.frames.len() {
            self.unclosed(token);
            self.frames.truncate(open + 1);
        }
        match self.frames.pop() {
            Some(Frame::Region { at, owner, first_statement }) => {
                self.end_statement();
                let statements = first_statement..self.outline.statements.len() as u32;
                let span = Span { start: at, end: token.end };
                self.outline.statements[owner as usize].regions.push(RegionOutline { span, statements });
                self.current = Some(owner);
            }
            Some(Frame::Bracket { .. }) | None => {}
        }
    }

    /// The innermost open bracket of a kind inside the current statement.
    fn bracket_in_statement(&self, bracket: Bracket) -> Option<usize> {
        let statement =
            self.frames.iter().rposition(|frame| matches!(frame, Frame::Region { .. })).map_or(0, |at| at + 1);
        self.frames[statement..].iter().rposition(|frame| frame.bracket() == bracket).map(|at| statement + at)
    }

    fn unmatched(&mut self, bracket: Bracket, token: Token) {
        self.break_statement();
        let span = Span { start: token.start, end: token.end };
        let closing = bracket.closing();
        let mut diagnostic = Diagnostic::error("unmatched-bracket", span, format!("`{closing}` closes nothing"))
            .with_hint(format!("remove it, or open it with `{}`", bracket.opening()));
        if let Some(&Frame::Bracket { bracket, at, .. }) = self.frames.last() {
            let at = Span { start: at, end: at + 1 };
            diagnostic = diagnostic.with_note(Some(at), format!("`{}` is open here", bracket.opening()));
        }
        self.report(diagnostic);
        if bracket == Bracket::Curly {
            self.end_statement();
        }
    }

    /// Reports the innermost bracket, which `found` shows to be unclosed.
    fn unclosed(&mut self, found: Token) {
        self.break_statement();
        let Some(&frame) = self.frames.last() else { return };
        let opening = frame.bracket().opening();
        let closing = frame.bracket().closing();
        let span = Span { start: found.start, end: found.end };
        let at = Span { start: frame.position(), end: frame.position() + 1 };
        let text = excerpt(self.text(found));
        self.report(
            Diagnostic::error("unclosed-bracket", span, format!("expected `{closing}`, found `{text}`"))
                .with_label(format!("`{closing}` is missing before this"))
                .with_note(Some(at), format!("`{opening}` was opened here")),
        );
    }

    /// Closes the brackets that the current statement left open.
    pub(super) fn abandon_brackets(&mut self, next: Token) {
        if self.in_brackets() {
            self.unclosed(next);
            while self.in_brackets() {
                self.frames.pop();
            }
        }
    }

    /// Reports what is open at the end of the file and closes it.
    pub(super) fn finish(&mut self) {
        let complete = self.excess == 0 && self.outline.diagnostics.len() <= MAX_ERRORS;
        if complete && let Some(&innermost) = self.frames.last() {
            let end = self.source.len() as u32;
            let (opening, closing) = (innermost.bracket().opening(), innermost.bracket().closing());
            let mut diagnostic = Diagnostic::error(
                "unclosed-bracket",
                Span { start: end, end },
                format!("expected `{closing}`, found the end of the file"),
            );
            // The innermost is the least likely culprit among regions, but outer ones are many only in broken files.
            for frame in self.frames.iter().rev().take(4) {
                let at = Span { start: frame.position(), end: frame.position() + 1 };
                diagnostic = diagnostic.with_note(Some(at), format!("`{}` was opened here", frame.bracket().opening()));
            }
            self.report(diagnostic.with_hint(format!("close every `{opening}` with `{closing}`")));
        }
        loop {
            match self.frames.pop() {
                Some(Frame::Bracket { .. }) => self.break_statement(),
                Some(Frame::Region { owner, .. }) => {
                    self.end_statement();
                    self.current = Some(owner);
                    self.break_statement();
                }
                None => break,
            }
        }
        self.end_statement();
    }
}

/// Checks that a text outside statements has what [`scan`] guarantees for statements: closed brackets and strings, bearable nesting,
/// no stray characters; and no comments either. `origin` is its place in the file.
pub(crate) fn check_brackets(text: &str, origin: u32) -> Result<(), Diagnostic> {
    let mut open: Vec<(Bracket, Span)> = Vec::new();
    for token in Lexer::new(text, 0) {
        let span = Span { start: origin + token.start, end: origin + token.end };
        match token.kind {
            TokenKind::Open(_) if open.len() == MAX_DEPTH => return Err(mistakes::too_deep(span)),
            TokenKind::Open(bracket) => open.push((bracket, span)),
            TokenKind::Close(bracket) => match open.pop() {
                Some((opened, _)) if opened == bracket => {}
                opened => {
                    let message = format!("`{}` closes nothing", bracket.closing());
                    let diagnostic = Diagnostic::error("unmatched-bracket", span, message);
                    return Err(match opened {
                        Some((opened, at)) => {
                            diagnostic.with_note(Some(at), format!("`{}` is open here", opened.opening()))
                        }
                        None => diagnostic,
                    });
                }
            },
            TokenKind::UnclosedString => return Err(mistakes::unclosed_string(span)),
            TokenKind::Unknown | TokenKind::Comment | TokenKind::Metadata => {
                let text = &text[token.start as usize..token.end as usize];
                return Err(mistakes::unexpected_character(text, span));
            }
            _ => {}
        }
    }
    match open.pop() {
        Some((bracket, at)) => {
            let message = format!("`{}` is not closed", bracket.opening());
            Err(Diagnostic::error("unclosed-bracket", at, message))
        }
        None => Ok(()),
    }
}
