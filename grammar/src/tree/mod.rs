//! Builds the syntax tree of one statement from the pairs of its parse.
//!
//! Shapes that the grammar leaves open (what a word means, whether a number is well formed) are decided here, and the mistakes it
//! accepts are reported here.

mod attribute;
mod function;
mod location;
mod operation;

use pest::iterators::{Pair, Pairs};

use crate::diagnostic::Diagnostic;
use crate::explain::explain;
use crate::lexer::{Lexer, TokenKind};
use crate::scan::{MAX_ERRORS, Statement, StatementKind, check_brackets};
use crate::statement::{Places, Rule, StatementText};
use crate::syntax::{Alias, AliasValue, Attribute, AttributeKind, Form, Name, Operation, Parameter, Span, Type};

/// What a statement is in the tree.
pub(crate) enum Node<'a> {
    /// An operation, without its regions.
    Operation(Operation<'a>),
    /// A block label with the block's arguments.
    Label { name: Name<'a>, parameters: Vec<Parameter<'a>> },
    /// An alias.
    Alias(Alias<'a>),
    /// Not readable; reported. The names of its results, as far as they can be made out.
    Broken(Vec<Name<'a>>),
}

/// Parses one statement of `source`.
pub(crate) fn parse_statement<'a>(source: &'a str, statement: &Statement) -> (Node<'a>, Vec<Diagnostic>) {
    if statement.broken {
        return (Node::Broken(result_names(source, statement)), Vec::new());
    }
    let text = StatementText::new(source, statement);
    let pairs = match text.parse(statement.kind) {
        Ok(pairs) => pairs,
        Err(error) => {
            let diagnostic = explain(source, 0, statement.kind, statement.span, text.places(), &error);
            return (Node::Broken(result_names(source, statement)), vec![diagnostic]);
        }
    };
    let mut builder = Builder { source, origin: 0, places: text.places(), diagnostics: Vec::new() };
    let node = builder.node(pairs, statement);
    (node, builder.diagnostics)
}

/// The names before the `=` of a statement that cannot be read as a whole.
fn result_names<'a>(source: &'a str, statement: &Statement) -> Vec<Name<'a>> {
    let mut names = Vec::new();
    for token in Lexer::new(&source[..statement.span.end as usize], statement.span.start) {
        match token.kind {
            TokenKind::Value => {
                let text = &source[token.start as usize + 1..token.end as usize];
                names.push(Name { text, span: Span { start: token.start, end: token.end } });
            }
            TokenKind::Comma | TokenKind::Colon | TokenKind::Number | TokenKind::Comment => {}
            TokenKind::Equal => return names,
            _ => break,
        }
    }
    Vec::new()
}

/// Parses an attribute that stands alone, `span_start` being the place of its text in the file.
///
/// The numbers of an attribute may be followed by their type, as in `3 : i32`. Brackets may be nested 256 deep.
pub fn parse_attribute(text: &str, span_start: u32) -> Result<Attribute<'_>, Diagnostic> {
    let end = u32::try_from(text.len()).ok().and_then(|length| span_start.checked_add(length));
    let Some(end) = end else {
        let span = Span { start: span_start, end: span_start };
        return Err(Diagnostic::error("file-too-large", span, "the attribute ends beyond 4 GiB"));
    };
    let whole = Span { start: span_start, end };
    check_brackets(text, span_start)?;
    let fragment = StatementText::fragment(text, span_start);
    let mut pairs = fragment
        .parse_attribute()
        .map_err(|error| explain(text, span_start, StatementKind::Alias, whole, fragment.places(), &error))?;
    let mut builder = Builder { source: text, origin: span_start, places: fragment.places(), diagnostics: Vec::new() };
    let attribute = match pairs.next() {
        Some(pair) => builder.attribute(pair, &mut pairs),
        None => Attribute { span: whole, kind: AttributeKind::Unit },
    };
    match builder.diagnostics.into_iter().next() {
        Some(diagnostic) => Err(diagnostic),
        None => Ok(attribute),
    }
}

/// Builds nodes that borrow from `source`, although pest may have seen a copy of the text.
struct Builder<'a, 's> {
    source: &'a str,
    /// The place of the first byte of `source` in its file.
    origin: u32,
    places: &'s Places,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Builder<'a, '_> {
    fn node(&mut self, pairs: Pairs<'_, Rule>, statement: &Statement) -> Node<'a> {
        match statement.kind {
            StatementKind::Generic => Node::Operation(self.operation(pairs, Form::Generic, statement.span)),
            StatementKind::Container | StatementKind::Pretty => {
                Node::Operation(self.operation(pairs, Form::Pretty, statement.span))
            }
            StatementKind::Label => self.label(pairs),
            StatementKind::Alias => self.alias(pairs).map_or(Node::Broken(Vec::new()), Node::Alias),
        }
    }

    fn label(&mut self, pairs: Pairs<'_, Rule>) -> Node<'a> {
        let mut name = Name { text: "", span: Span::default() };
        let mut parameters = Vec::new();
        for pair in pairs {
            match pair.as_rule() {
                Rule::block_name => name = self.sigil_name(&pair),
                Rule::parameters => parameters = self.parameters(pair),
                _ => self.mistake(&pair),
            }
        }
        Node::Label { name, parameters }
    }

    fn alias(&mut self, mut pairs: Pairs<'_, Rule>) -> Option<Alias<'a>> {
        let (name, value) = (pairs.next()?, pairs.next()?);
        let value = match (name.as_rule(), value.as_rule()) {
            (Rule::type_alias, _) => AliasValue::Type(self.ty(&value)),
            (_, Rule::location) => AliasValue::Location(self.location(value)),
            _ => AliasValue::Attribute(self.attribute(value, &mut pairs)),
        };
        Some(Alias { name: self.sigil_name(&name), value })
    }

    fn span(&self, pair: &Pair<'_, Rule>) -> Span {
        let span = pair.as_span();
        self.places.span(span.start(), span.end())
    }

    /// The source text of a span; spans come from the parse and lie on character boundaries.
    fn text(&self, span: Span) -> &'a str {
        let (start, end) = (span.start - self.origin, span.end - self.origin);
        self.source.get(start as usize..end as usize).unwrap_or_default()
    }

    /// The part of a token behind its sigil.
    fn sigil_name(&mut self, pair: &Pair<'_, Rule>) -> Name<'a> {
        let span = self.span(pair);
        let name = Name { text: self.text(span).get(1..).unwrap_or_default(), span };
        self.check_suffix(name);
        name
    }

    /// MLIR reads `%0a` as two tokens; such names would not survive a trip through other tools.
    fn check_suffix(&mut self, name: Name<'a>) {
        let begins_with_digit = name.text.bytes().next().is_some_and(|byte| byte.is_ascii_digit());
        if begins_with_digit && !crate::text::is_suffix_identifier(name.text) {
            let message = format!("the name `{}` begins with a digit but is no number", excerpt(name.text));
            self.report(
                Diagnostic::error("invalid-name", name.span, message).with_hint("begin the name with a letter or `_`"),
            );
        }
    }

    fn ty(&mut self, pair: &Pair<'_, Rule>) -> Type<'a> {
        if pair.as_rule() == Rule::missing_type {
            self.mistake(pair);
        }
        let span = self.span(pair);
        Type { text: self.text(span), span }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        if self.diagnostics.len() <= MAX_ERRORS {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Reports a mistake that the grammar accepted; does nothing for other pairs.
    fn mistake(&mut self, pair: &Pair<'_, Rule>) {
        let mut span = self.span(pair);
        if span.start == span.end {
            // Nothing was written where something is missing: point right behind the token before.
            let before = self.text(Span { start: self.origin, end: span.start }).trim_end().len() as u32;
            span = Span { start: self.origin + before, end: self.origin + before };
        }
        let written = self.text(span);
        let diagnostic = match pair.as_rule() {
            Rule::missing_comma | Rule::missing_comma_before_name => {
                Diagnostic::error("missing-comma", span, "expected `,`").with_label("`,` is missing here")
            }
            Rule::missing_colon => Diagnostic::error("missing-colon", span, "expected `:` before the types")
                .with_label("`:` is missing here"),
            Rule::missing_type => Diagnostic::error("missing-type", span, "expected a type")
                .with_hint("write for example `tensor<1x28x28x6xf32>` or `i32`"),
            Rule::missing_arrow => Diagnostic::error("missing-arrow", span, "expected `->` before the result types")
                .with_hint("a signature is written `(operand types) -> result types`; without results, `-> ()`"),
            Rule::wrong_arrow => Diagnostic::error("wrong-arrow", span, format!("expected `->`, found `{written}`"))
                .with_hint("write `->`"),
            Rule::wrong_equals => Diagnostic::error("wrong-separator", span, "expected `=`, found `:`")
                .with_hint("attributes are written `name = value`"),
            Rule::wrong_colon => Diagnostic::error("wrong-separator", span, "expected `:`, found `=`")
                .with_hint("types are written after `:`"),
            _ => return,
        };
        self.report(diagnostic);
    }
}

/// The beginning of a text for use in a message.
pub(crate) fn excerpt(text: &str) -> &str {
    const LENGTH: usize = 60;
    text.char_indices().nth(LENGTH).map_or(text, |(end, _)| &text[..end])
}
