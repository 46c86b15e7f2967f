//! What the scanner has to say about text that is no statement.

use super::MAX_DEPTH;
use crate::diagnostic::Diagnostic;
use crate::syntax::Span;

pub(super) fn unexpected_character(text: &str, span: Span) -> Diagnostic {
    let visible = |c: char| c.is_ascii_graphic() || c.is_alphanumeric();
    let shown = if text.chars().all(visible) { text.to_owned() } else { text.escape_unicode().to_string() };
    let diagnostic = Diagnostic::error("unexpected-character", span, format!("`{shown}` has no meaning here"));
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

pub(super) fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::error("nesting-too-deep", span, format!("brackets are nested more than {MAX_DEPTH} deep"))
        .with_hint("is a closing bracket missing?")
}

pub(super) fn unclosed_string(span: Span) -> Diagnostic {
    Diagnostic::error("unclosed-string", span, "the string has no closing `\"` on its line")
        .with_label("the string begins here")
        .with_hint("write `\\n` for a line break inside a string")
}
