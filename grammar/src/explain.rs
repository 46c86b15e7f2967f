//! Turns a failed pest parse into a diagnostic in the user's words.

use pest::error::{Error, ErrorVariant, InputLocation};

use crate::diagnostic::Diagnostic;
use crate::lexer::{Lexer, TokenKind};
use crate::scan::StatementKind;
use crate::statement::{Places, Rule};
use crate::syntax::Span;
use crate::tree::excerpt;

/// What is wrong with the statement at `whole`, judged from where pest got stuck and what it would have taken there. `source` begins at
/// the place `origin` of its file.
pub(crate) fn explain(
    source: &str,
    origin: u32,
    kind: StatementKind,
    whole: Span,
    places: &Places,
    error: &Error<Rule>,
) -> Diagnostic {
    let (InputLocation::Pos(position) | InputLocation::Span((position, _))) = error.location;
    let position = places.source(position);
    let ErrorVariant::ParsingError { positives, .. } = &error.variant else {
        return Diagnostic::error("nesting-too-deep", whole, "brackets are nested too deep");
    };
    let statement = &source[..(whole.end - origin) as usize];
    let found = Lexer::new(statement, position - origin).find(|token| token.kind != TokenKind::Comment);
    let (span, shown) = match found {
        Some(token) => (
            Span { start: origin + token.start, end: origin + token.end },
            format!("`{}`", excerpt(&source[token.start as usize..token.end as usize])),
        ),
        None => (Span { start: whole.end, end: whole.end }, END.to_owned()),
    };
    let expected = expectation(positives);
    let message = if expected.is_empty() || expected == END {
        format!("unexpected {shown}")
    } else {
        format!("expected {expected}, found {shown}")
    };
    let before = source.get((whole.start - origin) as usize..(position - origin) as usize).unwrap_or_default();
    let diagnostic = Diagnostic::error("unexpected-token", span, message);
    match hint(kind, positives, found.map(|token| token.kind), &shown, before.trim_end()) {
        Some(hint) => diagnostic.with_hint(hint),
        None => diagnostic,
    }
}

const END: &str = "the end of the statement";
const ATTRIBUTE: &str = "an attribute";
const DICTIONARY: &str = "an attribute dictionary";
const LOCATION: &str = "a location";
const OPERATION: &str = "an operation";
const REGION: &str = "a region";
const RESULT: &str = "a result name";
const SYMBOL: &str = "a symbol name";
const TYPE: &str = "a type";

/// What is said instead of what: attributes can be nearly anything, and what may always follow is not worth mentioning where
/// the statement could as well end.
const ABSORBED: [(&str, &[&str]); 3] = [
    (ATTRIBUTE, &[DICTIONARY, SYMBOL, TYPE, LOCATION]),
    (OPERATION, &[RESULT]),
    (END, &[DICTIONARY, LOCATION, REGION]),
];

/// "a, b or c", each said once.
fn expectation(rules: &[Rule]) -> String {
    let mut words: Vec<&str> = Vec::new();
    for word in rules.iter().flat_map(|&rule| describe(rule)) {
        if !words.contains(word) {
            words.push(word);
        }
    }
    for (general, special) in ABSORBED {
        if words.contains(&general) {
            words.retain(|word| !special.contains(word));
        }
    }
    match words.as_slice() {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// A rule in MLIR's terms; empty for rules that only accept mistakes.
fn describe(rule: Rule) -> &'static [&'static str] {
    match rule {
        Rule::function | Rule::module | Rule::quoted_name | Rule::operation_name => &[OPERATION],
        Rule::result => &[RESULT],
        Rule::value => &["an SSA value"],
        Rule::block_name => &["a block name"],
        Rule::symbol => &[SYMBOL],
        Rule::parameters => &["`(` parameters `)`"],
        Rule::parameter => &["a parameter"],
        Rule::inputs => &["`(` operand types `)`"],
        Rule::a_type | Rule::stated_type => &[TYPE],
        Rule::attribute_alias | Rule::type_alias => &["an alias"],
        Rule::number | Rule::word_attribute | Rule::dialect_attribute | Rule::integers | Rule::array => &[ATTRIBUTE],
        Rule::dictionary => &[DICTIONARY],
        Rule::entry | Rule::key => &["an attribute name"],
        Rule::region => &[REGION],
        Rule::location
        | Rule::location_alias
        | Rule::unknown
        | Rule::call_site
        | Rule::fused
        | Rule::file_location
        | Rule::name_location => &[LOCATION],
        Rule::line_or_column => &["a line or column number"],
        Rule::open_round => &["`(`"],
        Rule::close_round => &["`,`", "`)`"],
        Rule::close_square => &["`,`", "`]`"],
        Rule::close_curly => &["`,`", "`}`"],
        Rule::close_angle => &["`>`"],
        Rule::wrong_colon => &["`:`"],
        Rule::wrong_arrow => &["`->`"],
        Rule::wrong_equals => &["`=`"],
        Rule::EOI => &[END],
        _ => &[],
    }
}

/// A way out, where there is an obvious one.
fn hint(
    kind: StatementKind,
    expected: &[Rule],
    found: Option<TokenKind>,
    shown: &str,
    before: &str,
) -> Option<&'static str> {
    const GENERIC_FRAME: [Rule; 3] = [Rule::open_round, Rule::wrong_colon, Rule::inputs];
    let ends = matches!(found, None | Some(TokenKind::Comma | TokenKind::Close(_)));
    if before.ends_with(',') && ends {
        return Some("remove the `,` before it");
    }
    if expected.contains(&Rule::operation_name) {
        return Some("an operation is written `dialect.name %operands {attributes} : types`");
    }
    if before.ends_with('=') && ends {
        return Some("write a value after `=`");
    }
    if shown == "`loc`" || expected.contains(&Rule::unknown) || expected.contains(&Rule::line_or_column) {
        return Some("a location is written `loc(\"file\":line:column)`, `loc(\"name\")` or `loc(unknown)`");
    }
    match kind {
        StatementKind::Generic if GENERIC_FRAME.iter().any(|rule| expected.contains(rule)) => {
            Some("the generic form is `\"dialect.op\"(%operands) {attributes} : (operand types) -> result types`")
        }
        StatementKind::Container if before.contains("func") => {
            Some("a function is written `func.func @name(%x: T) -> U { ... }`")
        }
        StatementKind::Container => Some("a module is written `module @name { ... }`"),
        StatementKind::Label => Some("a block label is written `^name(%x: T):`"),
        StatementKind::Generic | StatementKind::Pretty | StatementKind::Alias => None,
    }
}
