//! Attributes.

use std::borrow::Cow;

use pest::iterators::{Pair, Pairs};

use super::operation::missing_dense_type;
use super::{Builder, excerpt};
use crate::diagnostic::Diagnostic;
use crate::statement::Rule;
use crate::suggest::suggest;
use crate::syntax::{Attribute, AttributeKind, Entry, Name, Span, Type};
use crate::text::{EscapeError, NumberKind, number_kind, unescape};
use crate::types::builtin_type;

/// Words that are attributes by themselves.
const KEYWORDS: [&str; 3] = ["true", "false", "unit"];

/// Words whose angle brackets hold an attribute; anything else with angle brackets is a type.
const ATTRIBUTE_WORDS: [&str; 8] =
    ["dense", "dense_resource", "sparse", "array", "affine_map", "affine_set", "strided", "opaque"];

impl<'a> Builder<'a, '_> {
    /// An attribute from its pair, and from the next one of `rest` if that is the stated type.
    pub(super) fn attribute(&mut self, pair: Pair<'_, Rule>, rest: &mut Pairs<'_, Rule>) -> Attribute<'a> {
        let stated = match rest.peek() {
            Some(next) if next.as_rule() == Rule::stated_type => {
                rest.next();
                Some(self.ty(&next))
            }
            _ => None,
        };
        let attribute = self.attribute_of_type(pair, stated);
        if stated.is_none() && matches!(attribute.kind, AttributeKind::Dense { .. }) {
            self.report(missing_dense_type(attribute.span));
        }
        attribute
    }

    /// An attribute from its pair and its stated type. A `dense<…>` without one gets the empty type.
    pub(super) fn attribute_of_type(&mut self, pair: Pair<'_, Rule>, stated: Option<Type<'a>>) -> Attribute<'a> {
        let span = self.span(&pair);
        let end = stated.map_or(span.end, |ty| ty.span.end);
        let whole = Span { start: span.start, end };
        let kind = match pair.as_rule() {
            Rule::number => self.number(span, stated),
            Rule::word_attribute => self.word(span, whole, stated),
            Rule::string => AttributeKind::String(self.string(span)),
            Rule::symbol => return self.symbol(&pair),
            Rule::integers => AttributeKind::Array(self.integers(span)),
            Rule::array => AttributeKind::Array(self.array(pair)),
            Rule::dictionary => {
                let mut entries = Vec::new();
                self.entries(pair, &mut entries);
                AttributeKind::Dictionary(entries)
            }
            Rule::location => AttributeKind::Location(Box::new(self.location(pair))),
            Rule::dialect_attribute => AttributeKind::Dialect(self.text(span)),
            _ => AttributeKind::Type(self.ty(&pair)),
        };
        Attribute { span: whole, kind }
    }

    fn array(&mut self, pair: Pair<'_, Rule>) -> Vec<Attribute<'a>> {
        let mut elements = Vec::new();
        let mut parts = pair.into_inner();
        while let Some(part) = parts.next() {
            match part.as_rule() {
                Rule::close_square | Rule::missing_comma => self.mistake(&part),
                _ => elements.push(self.attribute(part, &mut parts)),
            }
        }
        elements
    }

    /// `[1, -2]`
    fn integers(&self, span: Span) -> Vec<Attribute<'a>> {
        let inner = Span { start: span.start + 1, end: span.end - 1 };
        let mut start = inner.start;
        self.text(inner)
            .split(',')
            .map(|element| {
                let text = element.trim();
                let blanks = element.len() - element.trim_start().len();
                let place = start + blanks as u32;
                start += element.len() as u32 + 1;
                Attribute {
                    span: Span { start: place, end: place + text.len() as u32 },
                    kind: AttributeKind::Integer { text, ty: None },
                }
            })
            .collect()
    }

    /// The entries of a dictionary.
    pub(super) fn entries(&mut self, pair: Pair<'_, Rule>, entries: &mut Vec<Entry<'a>>) {
        for part in pair.into_inner() {
            if part.as_rule() == Rule::entry {
                let entry = self.entry(part);
                entries.push(entry);
            } else {
                self.mistake(&part);
            }
        }
    }

    fn entry(&mut self, pair: Pair<'_, Rule>) -> Entry<'a> {
        let span = self.span(&pair);
        let mut name = Name { text: "", span };
        let mut value = None;
        let mut parts = pair.into_inner();
        while let Some(part) = parts.next() {
            match part.as_rule() {
                Rule::key => {
                    let span = self.span(&part);
                    name = Name { text: self.unquoted(span), span };
                }
                Rule::wrong_equals => self.mistake(&part),
                _ => value = Some(self.attribute(part, &mut parts)),
            }
        }
        let value = value.unwrap_or(Attribute { span: name.span, kind: AttributeKind::Unit });
        Entry { name, value }
    }

    fn number(&mut self, span: Span, ty: Option<Type<'a>>) -> AttributeKind<'a> {
        let text = self.text(span);
        match number_kind(text) {
            Some(NumberKind::Integer) => AttributeKind::Integer { text, ty },
            Some(NumberKind::Float) => AttributeKind::Float { text, ty },
            None => {
                let message = format!("`{}` is not a number", excerpt(text));
                self.report(
                    Diagnostic::error("malformed-number", span, message)
                        .with_hint("integers are written `12` or `0x0C`, floats `1.0` or `1.5e-3`"),
                );
                AttributeKind::Integer { text: "0", ty }
            }
        }
    }

    /// What a word means; `whole` includes the stated type.
    fn word(&mut self, span: Span, whole: Span, stated: Option<Type<'a>>) -> AttributeKind<'a> {
        let text = self.text(span);
        let (head, body) = match text.split_once('<') {
            Some((head, body)) => (head, body.strip_suffix('>').unwrap_or(body)),
            None => (text, ""),
        };
        let kind = match (head, body.is_empty() && head.len() == text.len()) {
            ("dense", false) => {
                let ty = stated.unwrap_or(Type { text: "", span: Span { start: span.end, end: span.end } });
                return AttributeKind::Dense { body, ty };
            }
            ("dense_resource" | "sparse", false) => return AttributeKind::Dialect(self.text(whole)),
            ("array", false) => self.dense_array(span, body),
            (head, false) if ATTRIBUTE_WORDS.contains(&head) => AttributeKind::Dialect(text),
            (_, false) => AttributeKind::Type(Type { text, span }),
            ("true", true) => AttributeKind::Bool(true),
            ("false", true) => AttributeKind::Bool(false),
            ("unit", true) => AttributeKind::Unit,
            (word, true) => {
                if builtin_type(word).is_none() {
                    self.unknown_word(word, span);
                }
                AttributeKind::Type(Type { text, span })
            }
        };
        if let Some(ty) = stated {
            let message = format!("`{}` takes no type", excerpt(text));
            self.report(
                Diagnostic::error("unexpected-type", ty.span, message).with_hint("remove the `:` and the type"),
            );
        }
        kind
    }

    fn unknown_word(&mut self, word: &str, span: Span) {
        let shown = excerpt(word);
        let message = format!("`{shown}` is neither a keyword nor a type");
        let diagnostic = Diagnostic::error("unknown-word", span, message);
        self.report(match suggest(word, KEYWORDS.into_iter().chain(ATTRIBUTE_WORDS)) {
            Some(keyword) => diagnostic.with_hint(format!("did you mean `{keyword}`?")),
            None => diagnostic.with_hint(format!("if text is meant, write `\"{shown}\"`")),
        });
    }

    /// Whether a word given as argument is rather a value that lacks its `%`.
    pub(super) fn is_bare_value(&self, pair: &Pair<'_, Rule>) -> bool {
        let text = self.text(self.span(pair));
        !text.contains('<') && !KEYWORDS.contains(&text) && builtin_type(text).is_none()
    }

    /// `array<i64: 1, 2>`
    fn dense_array(&mut self, span: Span, body: &'a str) -> AttributeKind<'a> {
        let (element, numbers) = match body.split_once(':') {
            Some((element, numbers)) => (element, Some(numbers)),
            None => (body, None),
        };
        let start = span.start + "array<".len() as u32 + (element.len() - element.trim_start().len()) as u32;
        let text = element.trim();
        let element = Type { text, span: Span { start, end: start + text.len() as u32 } };
        let numbers: Vec<_> = numbers.into_iter().flat_map(|numbers| numbers.split(',')).map(str::trim).collect();
        if let Some(wrong) =
            numbers.iter().find(|text| number_kind(text).is_none() && !matches!(**text, "true" | "false"))
        {
            let message = format!("`{}` is not a number", excerpt(wrong));
            self.report(
                Diagnostic::error("malformed-number", span, message)
                    .with_hint("a dense array is written `array<i64: 1, 2>`"),
            );
        }
        if builtin_type(text).is_none() {
            self.report(
                Diagnostic::error("missing-type", element.span, "expected the element type of the array")
                    .with_hint("a dense array is written `array<i64: 1, 2>`"),
            );
        }
        AttributeKind::DenseArray { element, body: numbers }
    }

    /// `@a` or `@a::@b`
    pub(super) fn symbol(&mut self, pair: &Pair<'_, Rule>) -> Attribute<'a> {
        let span = self.span(pair);
        let written = self.text(span);
        let mut names = Vec::with_capacity(1);
        let mut start = 0;
        while start < written.len() {
            let part = &written[start..];
            let length = symbol_length(part);
            let place = Span { start: span.start + start as u32, end: span.start + (start + length) as u32 };
            let text = self.unquoted(Span { start: place.start + 1, end: place.end });
            names.push(Name { text, span: place });
            start += length + "::".len();
        }
        Attribute { span, kind: AttributeKind::Symbol(names) }
    }

    /// The text of a string literal with its escapes resolved.
    pub(super) fn string(&mut self, span: Span) -> Cow<'a, str> {
        let text = self.unquoted(span);
        unescape(text).unwrap_or(Cow::Borrowed(text))
    }

    /// The text of a literal without its quotes, if it has any; its escapes are checked.
    pub(super) fn unquoted(&mut self, span: Span) -> &'a str {
        let written = self.text(span);
        let Some(text) = written.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else { return written };
        match unescape(text) {
            Ok(_) => {}
            Err(EscapeError::Unknown(at)) => {
                let start = span.start + 1 + at as u32;
                let width = text[at..].chars().take(2).map(char::len_utf8).sum::<usize>() as u32;
                self.report(
                    Diagnostic::error(
                        "invalid-escape",
                        Span { start, end: start + width },
                        "unknown escape in a string",
                    )
                    .with_hint("the escapes are `\\n`, `\\t`, `\\\\`, `\\\"` and two hexadecimal digits, as in `\\0A`"),
                );
            }
            Err(EscapeError::NotUtf8) => {
                self.report(Diagnostic::error("invalid-escape", span, "the escaped bytes of the string are not UTF-8"));
            }
        }
        text
    }
}

/// The length of the first `@name` or `@"text"` of a symbol reference.
fn symbol_length(text: &str) -> usize {
    if text.starts_with("@\"") {
        let mut escaped = false;
        for (at, byte) in text.bytes().enumerate().skip(2) {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => return at + 1,
                _ => {}
            }
        }
        return text.len();
    }
    text.find("::").unwrap_or(text.len())
}
