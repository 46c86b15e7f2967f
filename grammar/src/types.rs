//! The structure of types.

use crate::diagnostic::Diagnostic;
use crate::suggest::suggest;
use crate::syntax::{Span, TypeTree};
use crate::tree::excerpt;

/// Types may be nested this deep.
const MAX_DEPTH: usize = 64;

/// The widest integer type, as in MLIR.
const MAX_WIDTH: u32 = (1 << 24) - 1;

/// The structure of a type. `span_start` is the place of the text in its file; spans of diagnostics are relative to that file.
///
/// Types that [`TypeTree`] has no case for (`memref<…>`, `vector<…>`, `complex<…>`, `tensor<*xf32>`, `!dialect.name<…>`) come back as
/// [`TypeTree::Dialect`]; of them only the brackets are checked. Brackets may be nested 64 deep.
pub fn parse_type(text: &str, span_start: u32) -> Result<TypeTree<'_>, Diagnostic> {
    let mut parser = TypeParser { text, position: 0, start: span_start, depth: 0 };
    let tree = parser.ty()?;
    parser.blanks();
    if parser.position < text.len() {
        return Err(parser.unexpected("the end of the type"));
    }
    Ok(tree)
}

/// The builtin type that a word without angle brackets is: `i8`, `si8`, `ui8`, `f32`, `bf16`, `f8E4M3FN`, `index`, `none`.
pub(crate) fn builtin_type(word: &str) -> Option<TypeTree<'_>> {
    match word {
        "index" => return Some(TypeTree::Index),
        "none" => return Some(TypeTree::None),
        "bf16" | "tf32" => return Some(TypeTree::Float(word)),
        _ => {}
    }
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(format) = word.strip_prefix('f') {
        // `f8E4M3FN`: exponent and mantissa bits, and letters for what is special about the format.
        let bits =
            |text: &str| text.contains('M') && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        let known = match format.split_once('E') {
            Some((width, rest)) => is_digits(width) && bits(rest),
            None => is_digits(format),
        };
        return known.then_some(TypeTree::Float(word));
    }
    let (signed, digits) = match word.as_bytes() {
        [b's', b'i', ..] => (Some(true), &word[2..]),
        [b'u', b'i', ..] => (Some(false), &word[2..]),
        [b'i', ..] => (None, &word[1..]),
        _ => return None,
    };
    let width = if is_digits(digits) { digits.parse().ok()? } else { return None };
    (width <= MAX_WIDTH).then_some(TypeTree::Integer { width, signed })
}

struct TypeParser<'a> {
    text: &'a str,
    position: usize,
    start: u32,
    depth: usize,
}

impl<'a> TypeParser<'a> {
    fn byte(&self) -> u8 {
        self.text.as_bytes().get(self.position).copied().unwrap_or(0)
    }

    fn blanks(&mut self) {
        while matches!(self.byte(), b' ' | b'\t' | b'\r' | b'\n') {
            self.position += 1;
        }
    }

    /// Consumes `token` if it is next, blanks before it included.
    fn take(&mut self, token: &str) -> bool {
        self.blanks();
        let found = self.text.as_bytes()[self.position..].starts_with(token.as_bytes());
        if found {
            self.position += token.len();
        }
        found
    }

    fn expect(&mut self, token: &str) -> Result<(), Diagnostic> {
        if self.take(token) { Ok(()) } else { Err(self.unexpected(&format!("`{token}`"))) }
    }

    fn digits(&mut self) -> &'a str {
        self.take_while(|byte| byte.is_ascii_digit())
    }

    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a str {
        let from = self.position;
        while self.position < self.text.len() && wanted(self.byte()) {
            self.position += 1;
        }
        &self.text[from..self.position]
    }

    fn word(&mut self) -> &'a str {
        self.take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'$'))
    }

    fn span_from(&self, from: usize) -> Span {
        Span { start: self.start.saturating_add(from as u32), end: self.start.saturating_add(self.position as u32) }
    }

    fn unexpected(&self, expected: &str) -> Diagnostic {
        let rest = self.text.get(self.position..).unwrap_or_default();
        let width = rest.chars().next().map_or(0, char::len_utf8);
        let start = self.start.saturating_add(self.position as u32);
        let span = Span { start, end: start.saturating_add(width as u32) };
        let found = if width == 0 { "the end of the type".to_owned() } else { format!("`{}`", &rest[..width]) };
        Diagnostic::error("malformed-type", span, format!("expected {expected}, found {found}"))
    }

    fn ty(&mut self) -> Result<TypeTree<'a>, Diagnostic> {
        if self.depth >= MAX_DEPTH {
            let message = format!("types are nested more than {MAX_DEPTH} deep");
            return Err(Diagnostic::error("nesting-too-deep", self.span_from(self.position), message));
        }
        self.depth += 1;
        self.blanks();
        let tree = match self.byte() {
            b'(' => self.function(),
            b'!' => self.dialect_type(),
            byte if byte.is_ascii_alphabetic() || byte == b'_' => self.named(),
            _ => Err(self.unexpected("a type")),
        };
        self.depth -= 1;
        tree
    }

    fn dialect_type(&mut self) -> Result<TypeTree<'a>, Diagnostic> {
        let from = self.position;
        self.position += 1;
        if self.word().is_empty() {
            return Err(self.unexpected("the name of a type after `!`"));
        }
        if self.byte() == b'<' {
            self.skip_balanced()?;
        }
        Ok(TypeTree::Dialect(&self.text[from..self.position]))
    }

    fn named(&mut self) -> Result<TypeTree<'a>, Diagnostic> {
        let from = self.position;
        let word = self.word();
        if self.byte() == b'<' {
            return match word {
                "tensor" => self.tensor(from),
                "tuple" => {
                    self.position += 1;
                    Ok(TypeTree::Tuple(self.list(">")?))
                }
                _ => {
                    self.skip_balanced()?;
                    Ok(TypeTree::Dialect(&self.text[from..self.position]))
                }
            };
        }
        builtin_type(word).ok_or_else(|| self.unknown(word, from))
    }

    fn unknown(&self, word: &str, from: usize) -> Diagnostic {
        const COMMON: [&str; 10] = ["i1", "i8", "i16", "i32", "i64", "f16", "f32", "f64", "bf16", "index"];
        let span = self.span_from(from);
        let message = format!("`{}` is not a type", excerpt(word));
        let diagnostic = Diagnostic::error("unknown-type", span, message);
        match (word, suggest(word, COMMON.into_iter())) {
            ("tensor", _) => diagnostic.with_hint("a tensor type is written `tensor<1x28x28x6xf32>`"),
            ("float", _) => diagnostic.with_hint("did you mean `f32`?"),
            ("int", _) => diagnostic.with_hint("did you mean `i32`?"),
            (_, Some(near)) => diagnostic.with_hint(format!("did you mean `{near}`?")),
            (_, None) => diagnostic.with_hint("a type of a dialect begins with `!`"),
        }
    }

    /// Types separated by commas up to `end`, which is consumed.
    fn list(&mut self, end: &str) -> Result<Vec<TypeTree<'a>>, Diagnostic> {
        let mut types = Vec::new();
        if self.take(end) {
            return Ok(types);
        }
        loop {
            types.push(self.ty()?);
            if self.take(end) {
                return Ok(types);
            }
            if !self.take(",") {
                return Err(self.unexpected(&format!("`,` or `{end}`")));
            }
        }
    }

    fn function(&mut self) -> Result<TypeTree<'a>, Diagnostic> {
        self.expect("(")?;
        let inputs = self.list(")")?;
        self.expect("->")?;
        let results = if self.take("(") { self.list(")")? } else { vec![self.ty()?] };
        Ok(TypeTree::Function(inputs, results))
    }

    /// A tensor type whose name, at `from`, has been read.
    fn tensor(&mut self, from: usize) -> Result<TypeTree<'a>, Diagnostic> {
        let open = self.position;
        self.position += 1;
        if self.take("*") {
            self.position = open;
            self.skip_balanced()?;
            return Ok(TypeTree::Dialect(&self.text[from..self.position]));
        }
        let shape = self.shape()?;
        let element = Box::new(self.ty()?);
        let mut encoding = None;
        if self.take(",") {
            self.blanks();
            let from = self.position;
            self.skip_to_closing_angle()?;
            let text = self.text[from..self.position].trim_end();
            if text.is_empty() {
                return Err(self.unexpected("an encoding attribute"));
            }
            encoding = Some(text);
        }
        if !self.take(">") {
            return Err(self.unexpected("`,` or `>`"));
        }
        Ok(TypeTree::Tensor { shape, element, encoding })
    }

    /// `1x28x?x`, each dimension with its `x`.
    fn shape(&mut self) -> Result<Vec<Option<u64>>, Diagnostic> {
        let mut shape = Vec::new();
        loop {
            self.blanks();
            let from = self.position;
            let dimension = match self.byte() {
                b'?' => {
                    self.position += 1;
                    None
                }
                b'0'..=b'9' => {
                    let digits = self.digits();
                    let dimension = digits.parse::<i64>().map_err(|_| {
                        let message = format!("the dimension {} is too large", excerpt(digits));
                        Diagnostic::error("dimension-too-large", self.span_from(from), message)
                            .with_hint("dimensions are less than 2^63")
                    })?;
                    Some(dimension.unsigned_abs())
                }
                b'-' => {
                    return Err(self.unexpected("a dimension").with_hint("an unknown dimension is written `?`"));
                }
                _ => return Ok(shape),
            };
            if self.byte() != b'x' {
                let diagnostic = self.unexpected("`x` after the dimension");
                return Err(
                    diagnostic.with_hint("dimensions and element type are separated by `x`: `tensor<1x28x28x6xf32>`")
                );
            }
            self.position += 1;
            shape.push(dimension);
        }
    }

    /// Moves behind the closing bracket of the angle bracket that is next.
    fn skip_balanced(&mut self) -> Result<(), Diagnostic> {
        self.position += 1;
        self.skip_to_closing_angle()?;
        self.position += 1;
        Ok(())
    }

    /// Moves to the `>` that closes the angle bracket around the current position.
    fn skip_to_closing_angle(&mut self) -> Result<(), Diagnostic> {
        let from = self.position;
        let mut open = 0_usize;
        while self.position < self.text.len() {
            match self.byte() {
                b'<' => open += 1,
                b'-' if self.text.as_bytes().get(self.position + 1) == Some(&b'>') => self.position += 1,
                b'>' if open == 0 => return Ok(()),
                b'>' => open -= 1,
                b'"' => self.skip_string(),
                _ => {}
            }
            self.position += 1;
        }
        self.position = self.text.len();
        Err(Diagnostic::error("malformed-type", self.span_from(from), "expected `>`, found the end of the type"))
    }

    /// Moves to the closing quote of the string whose opening quote is next, or to the end of the text.
    fn skip_string(&mut self) {
        self.position += 1;
        while !matches!(self.byte(), b'"' | 0) {
            self.position += if self.byte() == b'\\' { 2 } else { 1 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> &'static str {
        parse_type(text, 0).expect_err(text).code
    }

    #[test]
    fn scalars() {
        assert_eq!(parse_type("i8", 0), Ok(TypeTree::Integer { width: 8, signed: None }));
        assert_eq!(parse_type("si16", 0), Ok(TypeTree::Integer { width: 16, signed: Some(true) }));
        assert_eq!(parse_type("ui4", 0), Ok(TypeTree::Integer { width: 4, signed: Some(false) }));
        assert_eq!(parse_type(" bf16 ", 0), Ok(TypeTree::Float("bf16")));
        assert_eq!(parse_type("f8E4M3FN", 0), Ok(TypeTree::Float("f8E4M3FN")));
        assert_eq!(parse_type("index", 0), Ok(TypeTree::Index));
        assert_eq!(parse_type("none", 0), Ok(TypeTree::None));
    }

    #[test]
    fn tensors_with_encoding() {
        let i8 = || Box::new(TypeTree::Integer { width: 8, signed: None });
        assert_eq!(
            parse_type("tensor<1x2x?xi8, #int8.fix<-1>>", 0),
            Ok(TypeTree::Tensor {
                shape: vec![Some(1), Some(2), None],
                element: i8(),
                encoding: Some("#int8.fix<-1>"),
            })
        );
        assert_eq!(
            parse_type("tensor<i8, #d.map<(a) -> b, \">\"> >", 0),
            Ok(TypeTree::Tensor { shape: vec![], element: i8(), encoding: Some("#d.map<(a) -> b, \">\">") })
        );
        assert_eq!(
            parse_type("tensor<0x10xi8>", 0),
            Ok(TypeTree::Tensor { shape: vec![Some(0), Some(10)], element: i8(), encoding: None })
        );
    }

    #[test]
    fn nested_types() {
        let (i8, f32) = (TypeTree::Integer { width: 8, signed: None }, TypeTree::Float("f32"));
        assert_eq!(
            parse_type("(i8, !d.t<\">\">) -> (i8, f32)", 0),
            Ok(TypeTree::Function(vec![i8.clone(), TypeTree::Dialect("!d.t<\">\">")], vec![i8.clone(), f32.clone()]))
        );
        assert_eq!(parse_type("() -> ()", 0), Ok(TypeTree::Function(vec![], vec![])));
        assert_eq!(parse_type("tuple<i8,f32>", 0), Ok(TypeTree::Tuple(vec![i8, f32])));
        assert_eq!(parse_type("tensor<*xf32>", 0), Ok(TypeTree::Dialect("tensor<*xf32>")));
        assert_eq!(parse_type("vector<[4]xi8>", 0), Ok(TypeTree::Dialect("vector<[4]xi8>")));
        assert_eq!(parse_type("!alias", 0), Ok(TypeTree::Dialect("!alias")));
    }

    #[test]
    fn wrong_types() {
        assert_eq!(code("tensor<99999999999999999999xi8>"), "dimension-too-large");
        assert_eq!(code("tensor<9223372036854775808xi8>"), "dimension-too-large");
        assert!(parse_type("tensor<9223372036854775807xi8>", 0).is_ok());
        assert_eq!(code("tensor<1x-2xi8>"), "malformed-type");
        assert_eq!(code("tensor<1, 2, i8>"), "malformed-type");
        assert_eq!(code("tensor<1x2>"), "malformed-type");
        assert_eq!(code("tensor<1xi8"), "malformed-type");
        assert_eq!(code("tensor<1xi8,>"), "malformed-type");
        assert_eq!(code("tensor"), "unknown-type");
        assert_eq!(code("f3x"), "unknown-type");
        assert_eq!(code("i99999999999"), "unknown-type");
        assert_eq!(code("i16777216"), "unknown-type");
        assert_eq!(code("i8 i8"), "malformed-type");
        assert_eq!(code("(i8)"), "malformed-type");
        assert_eq!(code(""), "malformed-type");
        assert_eq!(code("é"), "malformed-type");
        assert_eq!(code("!d.t<\"\\"), "malformed-type");
        assert_eq!(code(&"tuple<".repeat(100_000)), "nesting-too-deep");
    }

    #[test]
    fn places_are_relative_to_the_file() {
        let diagnostic = parse_type("tensor<1xfoo>", 100).expect_err("unknown element type");
        assert_eq!(diagnostic.span, Span { start: 109, end: 112 });
    }
}
