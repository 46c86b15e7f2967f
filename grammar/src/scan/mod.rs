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

mod brackets;
mod mistakes;

use std::ops::Range;

use crate::diagnostic::Diagnostic;
use crate::lexer::{Bracket, Lexer, Token, TokenKind};
use crate::syntax::Span;

pub(crate) use brackets::check_brackets;

/// Brackets and regions may be nested this deep.
pub(crate) const MAX_DEPTH: usize = 256;

/// No more errors than this are collected; more help nobody and would cost memory.
pub(crate) const MAX_ERRORS: usize = 1000;

/// What a statement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatementKind {
    /// `"dialect.op"(…)`; regions only inside parentheses.
    Generic,
    /// `module`, `func.func`: a brace opens a region, except after `attributes`.
    Container,
    /// `dialect.op`, or text that is no operation; what a brace opens depends on what follows it.
    Pretty,
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
    /// There may be comments in it.
    pub(crate) has_comments: bool,
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
    CloseCurly,
    Other,
}

/// An open bracket or region.
#[derive(Clone, Copy, Debug)]
enum Frame {
    Bracket {
        bracket: Bracket,
        at: u32,
        holds_regions: bool,
    },
    /// `owner` and `first_statement` are indices of statements.
    Region {
        at: u32,
        owner: u32,
        first_statement: u32,
    },
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
    current: Option<u32>,
    previous: Previous,
    previous_end: u32,
    /// Open brackets beyond [`MAX_DEPTH`].
    excess: usize,
}

impl Scanner<'_> {
    fn run(&mut self) {
        while let Some(token) = self.lexer.next() {
            if token.kind == TokenKind::Comment {
                if let Some(statement) = self.statement() {
                    statement.has_comments = true;
                }
                continue;
            }
            if self.excess > 0 {
                self.pass_excess(token);
                continue;
            }
            if self.outline.diagnostics.len() > MAX_ERRORS {
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
                if bracket == Bracket::Curly { Previous::CloseCurly } else { Previous::Other }
            }
            TokenKind::Comma => Previous::Comma,
            TokenKind::Colon => Previous::Colon,
            TokenKind::Equal => Previous::Equal,
            TokenKind::Arrow => Previous::Arrow,
            TokenKind::Word | TokenKind::DottedWord | TokenKind::String => self.word(token),
            TokenKind::UnclosedString => {
                self.break_statement();
                self.report(mistakes::unclosed_string(Span { start: token.start, end: token.end }));
                Previous::Other
            }
            TokenKind::Unknown => {
                self.break_statement();
                let span = Span { start: token.start, end: token.end };
                let diagnostic = mistakes::unexpected_character(self.text(token), span);
                self.report(diagnostic);
                Previous::Other
            }
            _ => Previous::Other,
        };
        self.previous_end = token.end;
        if token.kind == TokenKind::Colon && !self.in_brackets() && self.kind() == Some(StatementKind::Label) {
            self.end_statement();
        }
    }

    /// The statement being read.
    fn statement(&mut self) -> Option<&mut Statement> {
        let index = self.current?;
        self.outline.statements.get_mut(index as usize)
    }

    fn kind(&self) -> Option<StatementKind> {
        self.current.map(|index| self.outline.statements[index as usize].kind)
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
                _ => {
                    token.first_on_line
                        && matches!(self.previous, Previous::Other | Previous::CloseCurly | Previous::Attributes)
                }
            },
            TokenKind::Label | TokenKind::Metadata => true,
            TokenKind::Unknown => token.first_on_line,
            TokenKind::Hash | TokenKind::Bang => {
                (token.first_on_line || self.previous != Previous::Equal) && self.lexer.peek() == b'='
            }
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
            TokenKind::String => {
                next == b'(' && {
                    let mut rest = self.lexer.clone();
                    rest.next();
                    matches!(rest.peek(), b')' | b'%')
                }
            }
            TokenKind::DottedWord => {
                matches!(next, b'%' | b'@') || (next.is_ascii_alphabetic() && self.text(token) == "func.func")
            }
            TokenKind::Word => self.text(token) == "module" && matches!(next, b'@' | b'{'),
            TokenKind::Label => next == b':',
            _ => false,
        }
    }

    /// Whether `%a, %b:2 =` begins at the token; looks no further than the end of the line. If the token is not the first on
    /// its line, an operation name must follow, lest `nn.relu %a = T` with its wrong `=` becomes two operations.
    fn begins_results(&self, token: Token) -> bool {
        let mut rest = self.lexer.clone();
        let mut next = || rest.next().filter(|next| !next.first_on_line).map(|next| next.kind);
        loop {
            let mut separator = next();
            if separator == Some(TokenKind::Colon) {
                if next() != Some(TokenKind::Number) {
                    return false;
                }
                separator = next();
            }
            match separator {
                Some(TokenKind::Equal) if token.first_on_line => return true,
                Some(TokenKind::Equal) => return matches!(next(), Some(TokenKind::String | TokenKind::DottedWord)),
                Some(TokenKind::Comma) if next() == Some(TokenKind::Value) => {}
                _ => return false,
            }
        }
    }

    fn begin_statement(&mut self, token: Token) {
        let kind = match token.kind {
            TokenKind::Label => StatementKind::Label,
            TokenKind::Hash | TokenKind::Bang => StatementKind::Alias,
            _ => StatementKind::Pretty,
        };
        let index = self.outline.statements.len() as u32;
        let span = Span { start: token.start, end: token.end };
        let regions = Vec::new();
        self.outline.statements.push(Statement {
            kind,
            span,
            regions,
            subtree_end: index + 1,
            has_comments: false,
            broken: false,
        });
        self.current = Some(index);
        self.previous = Previous::Start;
    }

    fn end_statement(&mut self) {
        let (end, count) = (self.previous_end, self.outline.statements.len() as u32);
        if let Some(statement) = self.statement() {
            statement.span.end = end;
            statement.subtree_end = count;
        }
        self.current = None;
    }

    /// Marks the current statement as not worth parsing.
    fn break_statement(&mut self) {
        if let Some(statement) = self.statement() {
            statement.broken = true;
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
        if matches!(self.previous, Previous::Start | Previous::Equal) {
            // `x = dialect.op`: a result that lacks its `%`; the name is still to come.
            if token.kind == TokenKind::Word && self.lexer.peek() == b'=' {
                return Previous::Other;
            }
            let kind = match (token.kind, text) {
                (TokenKind::String, _) => StatementKind::Generic,
                (_, "module" | "builtin.module" | "func.func" | "func") => StatementKind::Container,
                _ => StatementKind::Pretty,
            };
            return match self.statement() {
                Some(statement) if statement.kind == StatementKind::Pretty => {
                    statement.kind = kind;
                    Previous::OperationName
                }
                _ => Previous::Other,
            };
        }
        if text == "attributes" { Previous::Attributes } else { Previous::Other }
    }

    fn metadata(&mut self, token: Token) {
        let span = Span { start: token.start, end: token.end };
        let mut diagnostic = Diagnostic::error("file-metadata-ignored", span, "file metadata is not read")
            .with_hint("keep large constants in a side file and refer to them by symbol");
        diagnostic.severity = crate::Severity::Warning;
        self.report(diagnostic);
        self.previous_end = token.end;
    }
}
