//! Finds statements and regions, so that each statement can be parsed on its own.
//!
//! MLIR text has neither statement terminators nor significant line breaks; what starts a statement is decided here from one or two
//! tokens. The rules, for a token outside all brackets of the current statement:
//!
//! * `%x =`, `%x:2 =`, `%x, %y =` start an operation, and so does a `%` where no operand can stand;
//! * `"dialect.op"(` and `dialect.op` start an operation unless they follow the `=` of its results;
//! * `module` and `return` start an operation; any other bare word does if it is the first on its line and nothing before it asks
//!   for more;
//! * `^label` starts a block label, which ends at its `:`;
//! * `#name =` and `!name =` start an alias.
//!
//! Inside brackets only the unmistakable ones among these count, and only as the first token of a line: they mean that a closing bracket is
//! missing. Everything is decided with a bounded number of looks at each byte, so the time is linear in the length of the text.

use std::ops::Range;

use crate::diagnostic::Diagnostic;
use crate::lexer::{Bracket, Lexer, Token, TokenKind};
use crate::syntax::Span;

/// Brackets and regions may be nested this deep.
pub(crate) const MAX_DEPTH: usize = 256;

/// No more errors than this are collected; more help nobody and would cost memory.
pub(crate) const MAX_ERRORS: usize = 1000;

/// What a statement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatementKind {
    /// An operation.
    Operation,
    /// `^bb0(%x: T):`
    Label,
    /// `#name = …` or `!name = …`
    Alias,
}

/// One statement; the statements inside its regions follow it in [`Outline::statements`].
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) kind: StatementKind,
    /// From its first to its last character, regions included.
    pub(crate) span: Span,
    pub(crate) regions: Vec<RegionOutline>,
    /// Index of the first statement behind those inside its regions.
    pub(crate) subtree_end: u32,
    /// An error in it has been reported already; it is not worth parsing.
    pub(crate) broken: bool,
}

/// One region of a statement.
#[derive(Clone, Debug)]
pub(crate) struct RegionOutline {
    /// Braces included.
    pub(crate) span: Span,
    /// The statements inside, nested ones included.
    pub(crate) statements: Range<u32>,
}

/// The statements of a file in the order of their first characters.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    pub(crate) statements: Vec<Statement>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Finds the statements and regions of `source`, which must be shorter than 4 GiB.
pub(crate) fn scan(source: &str) -> Outline {
    let mut scanner = Scanner {
        source,
        lexer: Lexer::new(source, 0),
        outline: Outline::default(),
        frames: Vec::new(),
        current: None,
        previous: Previous::Start,
        previous_end: 0,
        excess: 0,
    };
    scanner.run();
    scanner.outline
}

/// How the braces of the current statement are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Head {
    /// Results seen, operation name not yet.
    Pending,
    /// `"dialect.op"`: regions only inside parentheses.
    Generic,
    /// `module`, `func.func`: a region, except after `attributes`.
    Container,
    /// `dialect.op`: decided by what follows the brace.
    Pretty,
    /// Labels, aliases and unreadable text: no regions.
    Other,
}

/// What the token before was, as far as it tells whether the statement goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Previous {
    Start,
    OperationName,
    Attributes,
    Comma,
    Colon,
    Equal,
    Arrow,
    OpenRound,
    Other,
}

#[derive(Clone, Copy, Debug)]
struct Current {
    index: u32,
    head: Head,
}

/// An open bracket or region.
#[derive(Clone, Copy, Debug)]
enum Frame {
    Bracket { bracket: Bracket, at: u32, holds_regions: bool },
    Region { at: u32, owner: Current, first_statement: u32 },
}

impl Frame {
    fn position(self) -> u32 {
        match self {
            Self::Bracket { at, .. } | Self::Region { at, .. } => at,
        }
    }

    fn bracket(self) -> Bracket {
        match self {
            Self::Bracket { bracket, .. } => bracket,
            Self::Region { .. } => Bracket::Curly,
        }
    }
}

struct Scanner<'a> {
    source: &'a str,
    lexer: Lexer<'a>,
    outline: Outline,
    frames: Vec<Frame>,
    /// The statement being read; `None` at the start of a region and after a label.
    current: Option<Current>,
    previous: Previous,
    previous_end: u32,
    /// Open brackets beyond [`MAX_DEPTH`].
    excess: usize,
}

impl Scanner<'_> {
    fn run(&mut self) {
        while let Some(token) = self.lexer.next() {
            if token.kind == TokenKind::Comment {
                continue;
            }
            if self.excess > 0 {
                self.pass_excess(token);
                continue;
            }
            if self.outline.diagnostics.len() >= MAX_ERRORS {
                break;
            }
            self.token(token);
        }
        self.finish();
    }

    fn text(&self, token: Token) -> &str {
        &self.source[token.start as usize..token.end as usize]
    }

    /// Only brackets count until the nesting is bearable again.
    fn pass_excess(&mut self, token: Token) {
        match token.kind {
            TokenKind::Open(_) => self.excess += 1,
            TokenKind::Close(_) => self.excess -= 1,
            _ => {}
        }
        self.previous_end = token.end;
    }

    fn in_brackets(&self) -> bool {
        matches!(self.frames.last(), Some(Frame::Bracket { .. }))
    }

    fn token(&mut self, token: Token) {
        if self.current.is_some() {
            let starts = if self.in_brackets() { self.interrupts(token) } else { self.starts_statement(token) };
            if starts {
                self.abandon_brackets(token);
                self.end_statement();
            }
        }
        if token.kind == TokenKind::Metadata {
            self.metadata(token);
            return;
        }
        if self.current.is_none() && !matches!(token.kind, TokenKind::Close(_)) {
            self.begin_statement(token);
        }
        self.previous = match token.kind {
            TokenKind::Open(bracket) => self.open(bracket, token),
            TokenKind::Close(bracket) => {
                self.close(bracket, token);
                Previous::Other
            }
            TokenKind::Comma => Previous::Comma,
            TokenKind::Colon => Previous::Colon,
            TokenKind::Equal => Previous::Equal,
            TokenKind::Arrow => Previous::Arrow,
            TokenKind::Word | TokenKind::DottedWord | TokenKind::String => self.word(token),
            TokenKind::UnclosedString => {
                self.break_statement();
                self.report(unclosed_string(token));
                Previous::Other
            }
            TokenKind::Unknown => {
                self.break_statement();
                let diagnostic = self.unexpected_character(token);
                self.report(diagnostic);
                Previous::Other
            }
            _ => Previous::Other,
        };
        self.previous_end = token.end;
        if token.kind == TokenKind::Colon && !self.in_brackets() && self.current_kind() == Some(StatementKind::Label) {
            self.end_statement();
        }
    }

    fn current_kind(&self) -> Option<StatementKind> {
        self.current.map(|current| self.outline.statements[current.index as usize].kind)
    }

    /// Whether a token outside brackets starts the next statement.
    fn starts_statement(&self, token: Token) -> bool {
        match token.kind {
            TokenKind::Value if token.first_on_line => {
                let operand = matches!(
                    self.previous,
                    Previous::OperationName | Previous::Comma | Previous::Colon | Previous::Equal | Previous::Arrow
                );
                !operand || self.begins_results(token)
            }
            TokenKind::Value => {
                !matches!(self.previous, Previous::Comma | Previous::Equal) && self.begins_results(token)
            }
            TokenKind::String => self.previous != Previous::Equal && self.lexer.peek() == b'(',
            TokenKind::DottedWord => match self.previous {
                Previous::Equal => false,
                Previous::Comma => token.first_on_line,
                _ => true,
            },
            TokenKind::Word => match self.text(token) {
                _ if self.previous == Previous::Equal => false,
                "module" | "return" => true,
                "loc" | "attributes" | "private" | "public" | "nested" => false,
                _ => token.first_on_line && matches!(self.previous, Previous::Other | Previous::Attributes),
            },
            TokenKind::Label => true,
            TokenKind::Hash | TokenKind::Bang => self.previous != Previous::Equal && self.lexer.peek() == b'=',
            TokenKind::Metadata => true,
            _ => false,
        }
    }

    /// Whether a token inside brackets can only be the start of another statement, the brackets having been left open.
    fn interrupts(&self, token: Token) -> bool {
        if !token.first_on_line {
            return false;
        }
        let next = self.lexer.peek();
        match token.kind {
            TokenKind::Value => self.begins_results(token),
            TokenKind::String => next == b'(' && {
                let mut rest = self.lexer.clone();
                rest.next();
                matches!(rest.peek(), b')' | b'%')
            },
            TokenKind::DottedWord => {
                matches!(next, b'%' | b'@') || (next.is_ascii_alphabetic() && self.text(token) == "func.func")
            }
            TokenKind::Word => self.text(token) == "module" && matches!(next, b'@' | b'{'),
            TokenKind::Label => next == b':',
            _ => false,
        }
    }

    /// Whether `%a, %b:2 =` begins at the token; looks no further than the end of the line.
    fn begins_results(&self, token: Token) -> bool {
        let mut rest = Lexer::new(self.source, token.start);
        let mut next = || rest.next().filter(|next| next.start == token.start || !next.first_on_line).map(|next| next.kind);
        loop {
            if next() != Some(TokenKind::Value) {
                return false;
            }
            let mut separator = next();
            if separator == Some(TokenKind::Colon) {
                if next() != Some(TokenKind::Number) {
                    return false;
                }
                separator = next();
            }
            match separator {
                Some(TokenKind::Equal) => return true,
                Some(TokenKind::Comma) => {}
                _ => return false,
            }
        }
    }

    fn begin_statement(&mut self, token: Token) {
        let (kind, head) = match token.kind {
            TokenKind::Label => (StatementKind::Label, Head::Other),
            TokenKind::Hash | TokenKind::Bang => (StatementKind::Alias, Head::Other),
            TokenKind::Value | TokenKind::Word | TokenKind::DottedWord | TokenKind::String => {
                (StatementKind::Operation, Head::Pending)
            }
            _ => (StatementKind::Operation, Head::Other),
        };
        let index = self.outline.statements.len() as u32;
        let span = Span { start: token.start, end: token.end };
        self.outline.statements.push(Statement { kind, span, regions: Vec::new(), subtree_end: index + 1, broken: false });
        self.current = Some(Current { index, head });
        self.previous = Previous::Start;
    }

    fn end_statement(&mut self) {
        if let Some(current) = self.current.take() {
            let count = self.outline.statements.len() as u32;
            let statement = &mut self.outline.statements[current.index as usize];
            statement.span.end = self.previous_end;
            statement.subtree_end = count;
        }
    }

    /// Marks the current statement as not worth parsing.
    fn break_statement(&mut self) {
        if let Some(current) = self.current {
            self.outline.statements[current.index as usize].broken = true;
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.outline.diagnostics.push(diagnostic);
    }

    /// Finds the operation name, which decides how braces are read.
    fn word(&mut self, token: Token) -> Previous {
        let text = &self.source[token.start as usize..token.end as usize];
        if self.in_brackets() {
            return Previous::Other;
        }
        let Some(current) = &mut self.current else { return Previous::Other };
        if current.head == Head::Pending && matches!(self.previous, Previous::Start | Previous::Equal) {
            // `x = dialect.op`: a result that lacks its `%`; the name is still to come.
            if token.kind == TokenKind::Word && self.lexer.peek() == b'=' {
                return Previous::Other;
            }
            current.head = match (token.kind, text) {
                (TokenKind::String, _) => Head::Generic,
                (_, "module" | "builtin.module" | "func.func") => Head::Container,
                _ => Head::Pretty,
            };
            return Previous::OperationName;
        }
        if text == "attributes" { Previous::Attributes } else { Previous::Other }
    }

    fn open(&mut self, bracket: Bracket, token: Token) -> Previous {
        if self.frames.len() >= MAX_DEPTH {
            self.break_statement();
            self.excess = 1;
            let span = Span { start: token.start, end: token.end };
            self.report(
                Diagnostic::error("nesting-too-deep", span, format!("brackets are nested more than {MAX_DEPTH} deep"))
                    .with_hint("is a closing bracket missing?"),
            );
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
        match self.current.map(|current| current.head) {
            Some(Head::Container) => self.previous != Previous::Attributes,
            Some(Head::Pretty) => self.previous != Previous::Attributes && self.region_follows(),
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

    fn close(&mut self, bracket: Bracket, token: Token) {
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
                self.outline.statements[owner.index as usize].regions.push(RegionOutline { span, statements });
                self.current = Some(owner);
            }
            Some(Frame::Bracket { .. }) | None => {}
        }
    }

    /// The innermost open bracket of a kind inside the current statement.
    fn bracket_in_statement(&self, bracket: Bracket) -> Option<usize> {
        let statement = self.frames.iter().rposition(|frame| matches!(frame, Frame::Region { .. })).map_or(0, |at| at + 1);
        self.frames[statement..].iter().rposition(|frame| frame.bracket() == bracket).map(|at| statement + at)
    }

    fn unmatched(&mut self, bracket: Bracket, token: Token) {
        self.break_statement();
        let span = Span { start: token.start, end: token.end };
        let closing = bracket.closing();
        let mut diagnostic = Diagnostic::error("unmatched-bracket", span, format!("`{closing}` closes nothing"))
            .with_hint(format!("remove it, or open it with `{}`", bracket.opening()));
        if let Some(frame) = self.frames.last() {
            let at = Span { start: frame.position(), end: frame.position() + 1 };
            diagnostic = diagnostic.with_note(Some(at), format!("`{}` is open here", frame.bracket().opening()));
        }
        self.report(diagnostic);
        if !self.in_brackets() {
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
        let text = self.text(found);
        self.report(
            Diagnostic::error("unclosed-bracket", span, format!("expected `{closing}`, found `{text}`"))
                .with_label(format!("`{closing}` is missing before this"))
                .with_note(Some(at), format!("`{opening}` was opened here")),
        );
    }

    /// Closes the brackets that the current statement left open.
    fn abandon_brackets(&mut self, next: Token) {
        if self.in_brackets() {
            self.unclosed(next);
            while self.in_brackets() {
                self.frames.pop();
            }
        }
    }

    fn metadata(&mut self, token: Token) {
        let span = Span { start: token.start, end: token.end };
        let mut diagnostic = Diagnostic::error("file-metadata-ignored", span, "file metadata is not read")
            .with_hint("keep large constants in a side file and refer to them by symbol");
        diagnostic.severity = crate::Severity::Warning;
        self.report(diagnostic);
        self.previous_end = token.end;
    }

    /// Reports what is open at the end of the file and closes it.
    fn finish(&mut self) {
        let complete = self.excess == 0 && self.outline.diagnostics.len() < MAX_ERRORS;
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

    fn unexpected_character(&self, token: Token) -> Diagnostic {
        let span = Span { start: token.start, end: token.end };
        let text = self.text(token);
        let diagnostic =
            Diagnostic::error("unexpected-character", span, format!("`{}` has no meaning here", text.escape_debug()));
        match text {
            "%" => diagnostic.with_hint("a value is written `%name`"),
            "@" => diagnostic.with_hint("a symbol is written `@name` or `@\"any text\"`"),
            "^" => diagnostic.with_hint("a block label is written `^name`"),
            "#" => diagnostic.with_hint("an attribute alias is written `#name`"),
            "!" => diagnostic.with_hint("a type alias is written `!name`"),
            "'" | "`" | "\u{201c}" | "\u{201d}" => diagnostic.with_hint("strings are written with `\"`"),
            ";" => diagnostic.with_hint("operations end without `;`; comments begin with `//`"),
            "\u{feff}" => diagnostic.with_hint("save the file as UTF-8 without byte order mark"),
            _ if !text.is_ascii() => diagnostic.with_hint("letters outside ASCII may stand in strings and comments only"),
            _ => diagnostic,
        }
    }
}

fn unclosed_string(token: Token) -> Diagnostic {
    let span = Span { start: token.start, end: token.end };
    Diagnostic::error("unclosed-string", span, "the string has no closing `\"` on its line")
        .with_label("the string begins here")
        .with_hint("write `\\n` for a line break inside a string")
}
