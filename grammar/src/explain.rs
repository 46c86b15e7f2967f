//! Turns a failed pest parse into a diagnostic in the user's words.

use pest::error::{Error, ErrorVariant, InputLocation};

use crate::diagnostic::Diagnostic;
use crate::lexer::{Lexer, TokenKind};
use crate::scan::Statement;
use crate::statement::{Places, Rule};
use crate::syntax::Span;
use crate::tree::excerpt;

/// What is wrong with `statement`, judged from where pest got stuck and what it would have taken there.
pub(crate) fn explain(source: &str, statement: &Statement, places: &Places, error: &Error<Rule>) -> Diagnostic {
    let (InputLocation::Pos(position) | InputLocation::Span((position, _))) = error.location;
    let position = places.source(position);
    let ErrorVariant::ParsingError { positives, .. } = &error.variant else {
        return Diagnostic::error("statement-too-deep", statement.span, "the statement is nested too deep to be parsed");
    };
    let found = Lexer::new(source, position)
        .find(|token| token.kind != TokenKind::Comment)
        .filter(|token| token.start < statement.span.end);
    let span = match found {
        Some(token) => Span { start: token.start, end: token.end },
        None => Span { start: statement.span.end, end: statement.span.end },
    };
    let found_text = match found {
        Some(token) => format!("`{}`", excerpt(&source[token.start as usize..token.end as usize])),
        None => "the end of the operation".to_owned(),
    };
    let expected = expectation(positives);
    let message = if expected.is_empty() {
        format!("unexpected {found_text}")
    } else {
        format!("expected {expected}, found {found_text}")
    };
    let diagnostic = Diagnostic::error("unexpected-token", span, message);
    match hint(positives, found.map(|token| token.kind), source, statement, position) {
        Some(hint) => diagnostic.with_hint(hint),
        None => diagnostic,
    }
}

/// "a, b or c", each said once, in the order of the grammar.
fn expectation(rules: &[Rule]) -> String {
    let mut words: Vec<&str> = Vec::new();
    for word in rules.iter().filter_map(|&rule| describe(rule)) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    match words.as_slice() {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// A rule in MLIR's terms; `None` for rules that only accept mistakes.
fn describe(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::operation | Rule::generic | Rule::pretty | Rule::function | Rule::module | Rule::operation_name => {
            "an operation"
        }
        Rule::module_name => "`module`",
        Rule::result => "a result name",
        Rule::value => "an SSA value",
        Rule::block_name => "a block name",
        Rule::visibility => "a visibility",
        Rule::symbol => "a symbol name",
        Rule::parameters => "`(` parameters `)`",
        Rule::parameter => "a parameter",
        Rule::function_results => "`->` result types",
        Rule::inputs => "`(` operand types `)`",
        Rule::type_text | Rule::stated_type => "a type",
        Rule::attribute_alias | Rule::type_alias | Rule::location_alias => "an alias",
        Rule::number
        | Rule::word_attribute
        | Rule::dialect_attribute
        | Rule::array
        | Rule::string => "an attribute",
        Rule::dictionary => "an attribute dictionary",
        Rule::entry | Rule::key => "an attribute name",
        Rule::region => "a region",
        Rule::location
        | Rule::unknown
        | Rule::call_site
        | Rule::fused
        | Rule::file_location
        | Rule::name_location => "a location",
        Rule::line_or_column => "a line or column number",
        Rule::open_round => "`(`",
        Rule::close_round => "`,` or `)`",
        Rule::close_square => "`,` or `]`",
        Rule::close_curly => "`,` or `}`",
        Rule::close_angle => "`>`",
        Rule::wrong_colon => "`:`",
        Rule::wrong_arrow => "`->`",
        Rule::wrong_equals => "`=`",
        Rule::EOI => "the end of the operation",
        _ => return None,
    })
}

/// A way out for situations that have an obvious one.
fn hint(
    expected: &[Rule],
    found: Option<TokenKind>,
    source: &str,
    statement: &Statement,
    position: u32,
) -> Option<&'static str> {
    let before = source.get(statement.span.start as usize..position as usize)?.trim_end();
    if before.ends_with(',') && matches!(found, Some(TokenKind::Close(_))) {
        return Some("remove the `,` before it");
    }
    if before.ends_with('=') && matches!(found, None | Some(TokenKind::Comma | TokenKind::Close(_))) {
        return Some("write a value after `=`");
    }
    if expected.contains(&Rule::wrong_colon) {
        return Some("the generic form is `\"dialect.op\"(%operands) {attributes} : (types) -> types`");
    }
    None
}
