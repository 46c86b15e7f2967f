//! Structure of a type's text.

use dpuc_grammar::{Diagnostic, Span, TypeTree};

/// Reads the text of a type.
pub(super) fn parse_type(text: &str, start: u32) -> Result<TypeTree<'_>, Diagnostic> {
    let error = || {
        let span = Span { start, end: start + text.len() as u32 };
        Diagnostic::error("type", span, format!("`{text}` is no type"))
    };
    read(text.trim()).ok_or_else(error)
}

fn read(text: &str) -> Option<TypeTree<'_>> {
    let integer = |digits: &str, signed| {
        let width = digits.parse().ok().filter(|&width| (1..=1 << 24).contains(&width))?;
        Some(TypeTree::Integer { width, signed })
    };
    match text {
        "f16" | "bf16" | "f32" | "f64" => return Some(TypeTree::Float(text)),
        "index" => return Some(TypeTree::Index),
        "none" => return Some(TypeTree::None),
        _ => {}
    }
    for (prefix, signed) in [("si", Some(true)), ("ui", Some(false)), ("i", None)] {
        if let Some(found) = text.strip_prefix(prefix).and_then(|digits| integer(digits, signed)) {
            return Some(found);
        }
    }
    if let Some(body) = text.strip_prefix("tensor<").and_then(|rest| rest.strip_suffix('>')) {
        return tensor(body);
    }
    if let Some(body) = text.strip_prefix("tuple<").and_then(|rest| rest.strip_suffix('>')) {
        return list(body).map(TypeTree::Tuple);
    }
    if text.starts_with('(') {
        let close = closing(text)?;
        let inputs = list(&text[1..close])?;
        let results = text[close + 1..].trim().strip_prefix("->")?.trim();
        let results = match results.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            Some(inner) if closing(results) == Some(results.len() - 1) => list(inner)?,
            _ => vec![read(results)?],
        };
        return Some(TypeTree::Function(inputs, results));
    }
    text.starts_with('!').then_some(TypeTree::Dialect(text))
}

fn tensor(body: &str) -> Option<TypeTree<'_>> {
    let (shape_text, encoding) = match split(body)?[..] {
        [shape] => (shape, None),
        [shape, encoding] => (shape, Some(encoding.trim())),
        _ => return None,
    };
    let mut rest = shape_text.trim();
    let mut shape = Vec::new();
    while let Some((dim, tail)) = rest.split_once('x') {
        let dim = dim.trim();
        if dim == "?" {
            shape.push(None);
        } else if !dim.is_empty() && dim.bytes().all(|byte| byte.is_ascii_digit()) {
            shape.push(Some(dim.parse().ok()?));
        } else {
            break;
        }
        rest = tail.trim_start();
    }
    Some(TypeTree::Tensor { shape, element: Box::new(read(rest)?), encoding })
}

fn list(text: &str) -> Option<Vec<TypeTree<'_>>> {
    if text.trim().is_empty() {
        return Some(Vec::new());
    }
    split(text)?.into_iter().map(|part| read(part.trim())).collect()
}

/// Position of the bracket that closes the first one.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// Parts between commas outside brackets.
fn split(text: &str) -> Option<Vec<&str>> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0usize);
    let bytes = text.as_bytes();
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            b'(' | b'<' | b'[' | b'{' => depth += 1,
            b'>' if at > 0 && bytes[at - 1] == b'-' => {}
            b')' | b'>' | b']' | b'}' => depth = depth.checked_sub(1)?,
            b',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    Some(parts)
}
