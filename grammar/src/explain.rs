//! Turns a failed pest parse into a diagnostic in the user's words.

use pest::error::{Error, ErrorVariant, InputLocation};

use crate::diagnostic::Diagnostic;
use crate::lexer::{Lexer, TokenKind};
use crate::statement::{Places, Rule};
use crate::syntax::Span;
use crate::tree::excerpt;

/// What is wrong with the text at `whole`, judged from where pest got stuck and what it would have taken there.
/// `source` begins at the place `origin` of its file.
pub(crate) fn explain(source: &str, origin: u32, whole: Span, places: &Places, error: &Error<Rule>) -> Diagnostic {
    let (InputLocation::Pos(position) | InputLocation::Span((position, _))) = error.location;
    let position = places.source(position);
    let ErrorVariant::ParsingError { positives, .. } = &error.variant else {
        return Diagnostic::error("nesting-too-deep", whole, "brackets are nested too deep");
    };
    let found = Lexer::new(source, position - origin)
        .find(|token| token.kind != TokenKind::Comment)
        .filter(|token| origin + token.start < whole.end);
    let (span, found_text) = match found {
        Some(token) => (
            Span { start: origin + token.start, end: origin + token.end },
            format!("`{}`", excerpt(&source[token.start as usize..token.end as usize])),
        ),
        None => (Span { start: whole.end, end: whole.end }, "the end of the operation".to_owned()),
    };
    let expected = expectation(positives);
    let message = if expected.is_empty() {
        format!("unexpected {found_text}")
    } else {
        format!("expected {expected}, found {found_text}")
    };
    let diagnostic = Diagnostic::error("unexpected-token", span, message);
    let before = source.get((whole.start - origin) as usize..(position - origin) as usize).unwrap_or_default();
    match hint(positives, found.map(|token| token.kind), before.trim_end()) {
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
        Rule::function | Rule::module | Rule::quoted_name | Rule::operation_name => "an operation",
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
        Rule::a_type | Rule::stated_type => "a type",
        Rule::attribute_alias | Rule::type_alias | Rule::location_alias => "an alias",
        Rule::number | Rule::word_attribute | Rule::dialect_attribute | Rule::array | Rule::string => "an attribute",
        Rule::dictionary => "an attribute dictionary",
        Rule::entry | Rule::key => "an attribute name",
        Rule::region => "a region",
        Rule::location | Rule::unknown | Rule::call_site | Rule::fused | Rule::file_location | Rule::name_location => {
            "a location"
        }
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
fn hint(expected: &[Rule], found: Option<TokenKind>, before: &str) -> Option<&'static str> {
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
