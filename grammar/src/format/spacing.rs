//! Where blanks stand inside a statement.

use crate::lexer::{Bracket, TokenKind};

/// What an open bracket encloses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    /// Operands, parameters, attributes, result types.
    Lists,
    /// A location, where `:` has no blanks around it.
    Location,
    /// Parameters of a type or attribute, whose blanks are only reduced to one: their syntax is the dialect's.
    Body,
}

/// An open bracket.
#[derive(Clone, Copy, Debug)]
struct Frame {
    inside: Inside,
    /// A comment in it has broken the line.
    broken: bool,
}

/// What must be known of the tokens of a statement so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Spacing {
    open: Vec<Frame>,
    first: Option<TokenKind>,
    previous: Option<TokenKind>,
    /// The word before is `loc`, `callsite` or `fused`.
    after_location_word: bool,
    /// The statement began with a value and its `=` is still to come.
    in_results: bool,
    /// The colon before is one without blanks.
    tight_colon: bool,
}

impl Spacing {
    fn inside(&self) -> Inside {
        self.open.last().map_or(Inside::Lists, |frame| frame.inside)
    }

    /// Whether a `:` here belongs to `%x: T`, to `%x:2 =`, to a location or to a label rather than to a signature or typed number.
    fn colon_is_attached(&self) -> bool {
        let of_label = self.first == Some(TokenKind::Label) && self.open.is_empty();
        let of_parameter = self.previous == Some(TokenKind::Value) && !self.open.is_empty();
        // `"file":1:2 to :3`
        let of_range = self.previous == Some(TokenKind::Word);
        of_label || of_parameter || (self.colon_is_tight() && !of_range)
    }

    /// Whether a `:` here has no blank after it either.
    fn colon_is_tight(&self) -> bool {
        self.in_results || self.inside() == Inside::Location
    }

    /// Whether a blank stands before a token of kind `next`; `blank` says whether blanks stood there in the source.
    pub(super) fn separates(&self, next: TokenKind, blank: bool) -> bool {
        use TokenKind as K;
        let Some(previous) = self.previous else { return false };
        match (previous, next) {
            // Brackets hug what they enclose, unless that would make another token: `- >`, `< =`.
            (K::Open(Bracket::Angle), K::Equal | K::Operator)
            | (K::Minus | K::Equal | K::Operator, K::Close(Bracket::Angle)) => blank,
            (K::Open(_) | K::DoubleColon, _) | (_, K::Close(_) | K::Comma | K::DoubleColon) => false,
            (K::Comma, _) => true,
            _ if self.inside() == Inside::Body => blank,
            (K::Minus | K::Operator, _) | (K::Number, K::Minus | K::Operator) => blank,
            (_, K::Colon) => !self.colon_is_attached(),
            (K::Colon, _) => !self.tight_colon,
            (K::Symbol | K::String | K::Label, K::Open(Bracket::Round)) => false,
            (_, K::Open(Bracket::Round | Bracket::Square)) if self.after_location_word => false,
            (K::Close(Bracket::Round), K::Open(Bracket::Square)) => false,
            (K::Close(Bracket::Angle), K::Open(Bracket::Square)) if self.inside() == Inside::Location => false,
            // `<{properties}>` follow operands or successors; any other `<` belongs to the name before it.
            (_, K::Open(Bracket::Angle)) => matches!(previous, K::Close(_)),
            _ => true,
        }
    }

    /// How many steps a line that continues the statement is indented.
    pub(super) fn continuation(&self) -> usize {
        if self.open.is_empty() { 2 } else { self.open.len() }
    }

    /// Takes note of a comment inside the statement.
    pub(super) fn comment(&mut self) {
        if let Some(frame) = self.open.last_mut() {
            frame.broken = true;
        }
    }

    /// Whether a closing bracket stands on a line of its own: it does if the bracket holds comments.
    pub(super) fn closes_on_own_line(&self, next: TokenKind) -> bool {
        matches!(next, TokenKind::Close(_)) && self.open.last().is_some_and(|frame| frame.broken)
    }

    /// Takes note of a token that has been written.
    pub(super) fn advance(&mut self, kind: TokenKind, text: &str) {
        if self.first.is_none() {
            self.first = Some(kind);
            self.in_results = kind == TokenKind::Value;
        }
        match kind {
            TokenKind::Equal => self.in_results = false,
            TokenKind::Colon => self.tight_colon = self.colon_is_tight(),
            TokenKind::Open(bracket) => {
                let inside = self.opens(bracket);
                self.open.push(Frame { inside, broken: false });
            }
            TokenKind::Close(_) => {
                self.open.pop();
            }
            _ => {}
        }
        self.after_location_word = kind == TokenKind::Word && matches!(text, "loc" | "callsite" | "fused");
        self.previous = Some(kind);
    }

    fn opens(&self, bracket: Bracket) -> Inside {
        let name_before = !matches!(self.previous, Some(TokenKind::Close(_)) | None);
        match (self.inside(), bracket) {
            (Inside::Body, _) => Inside::Body,
            (_, Bracket::Angle) if name_before => Inside::Body,
            (Inside::Location, Bracket::Round | Bracket::Square) => Inside::Location,
            _ if self.after_location_word => Inside::Location,
            _ => Inside::Lists,
        }
    }
}
