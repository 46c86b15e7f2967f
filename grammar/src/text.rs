//! Names, strings and numbers as text: what reading and printing must agree on.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether `text` is a bare identifier: an attribute key or the name of an operation may be written without quotes.
pub fn is_identifier(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'.'))
}

/// Whether `%text` is a value name, `^text` a label, and `#text` an alias in MLIR: a number, or letters, digits and `$._-` not
/// beginning with a digit.
pub fn is_suffix_identifier(text: &str) -> bool {
    let mut bytes = text.bytes();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'.' | b'-');
    match bytes.next() {
        Some(b'0'..=b'9') => bytes.all(|byte| byte.is_ascii_digit()),
        // MLIR's own lexer reads the hyphen of `->` as part of a name that ends in a hyphen.
        Some(first) => allowed(first) && first != b'-' && bytes.all(allowed) && !text.ends_with('-'),
        None => false,
    }
}

/// Whether `@text` is a symbol name without quotes. MLIR wants a letter or `_` first and allows `$`, `.`, `_` behind it.
pub fn is_symbol_name(text: &str) -> bool {
    is_identifier(text)
}

/// `@name`, or `@"any text"` if the name is not a symbol name.
pub fn symbol(name: &str) -> String {
    if is_symbol_name(name) { format!("@{name}") } else { format!("@\"{}\"", escape(name)) }
}

/// `key`, or `"any text"` if the key is not an identifier.
pub fn key(name: &str) -> Cow<'_, str> {
    if is_identifier(name) { Cow::Borrowed(name) } else { Cow::Owned(format!("\"{}\"", escape(name))) }
}

/// The text between the quotes of a string literal. As in MLIR, everything but printable ASCII becomes `\XX`, byte for byte.
pub fn escape(text: &str) -> Cow<'_, str> {
    let plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    if text.bytes().all(plain) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for byte in text.bytes() {
        match byte {
            b'\\' => escaped.push_str("\\\\"),
            _ if plain(byte) => escaped.push(byte as char),
            _ => {
                let _ = write!(escaped, "\\{byte:02X}");
            }
        }
    }
    Cow::Owned(escaped)
}

/// Why the text between the quotes of a string literal is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EscapeError {
    /// Neither `\n`, `\t`, `\\`, `\"` nor `\XX`; at this byte of the text.
    Unknown(usize),
    /// The escaped bytes are not UTF-8.
    NotUtf8,
}

/// The string that the text between the quotes of a string literal stands for.
pub fn unescape(text: &str) -> Result<Cow<'_, str>, EscapeError> {
    let Some(first) = text.find('\\') else { return Ok(Cow::Borrowed(text)) };
    let bytes = text.as_bytes();
    let mut resolved = bytes[..first].to_vec();
    let mut position = first;
    while position < bytes.len() {
        if bytes[position] != b'\\' {
            resolved.push(bytes[position]);
            position += 1;
            continue;
        }
        let hex = |at: usize| bytes.get(at).and_then(|&byte| (byte as char).to_digit(16));
        let (byte, length) = match (bytes.get(position + 1), hex(position + 1), hex(position + 2)) {
            (Some(b'n'), ..) => (b'\n', 2),
            (Some(b't'), ..) => (b'\t', 2),
            (Some(b'\\'), ..) => (b'\\', 2),
            (Some(b'"'), ..) => (b'"', 2),
            (_, Some(high), Some(low)) => ((high * 16 + low) as u8, 3),
            _ => return Err(EscapeError::Unknown(position)),
        };
        resolved.push(byte);
        position += length;
    }
    String::from_utf8(resolved).map(Cow::Owned).map_err(|_| EscapeError::NotUtf8)
}

/// What a numeric literal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberKind {
    Integer,
    Float,
}

/// Whether `text` is an integer (decimal or `0x…`) or a float (`1.`, `1.5e-3`) literal, or neither. The sign is part of it.
pub(crate) fn number_kind(text: &str) -> Option<NumberKind> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits(unsigned) {
        return Some(NumberKind::Integer);
    }
    if let Some(hexadecimal) = unsigned.strip_prefix("0x") {
        let valid = !hexadecimal.is_empty() && hexadecimal.bytes().all(|byte| byte.is_ascii_hexdigit());
        return valid.then_some(NumberKind::Integer);
    }
    let (whole, rest) = unsigned.split_once('.')?;
    let (fraction, exponent) = match rest.split_once(['e', 'E']) {
        Some((fraction, exponent)) => (fraction, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (rest, None),
    };
    let valid = digits(whole) && (fraction.is_empty() || digits(fraction)) && exponent.is_none_or(digits);
    valid.then_some(NumberKind::Float)
}

/// The shortest literal that reads back as the same `f64`. MLIR has no literal for infinities and NaN; they are printed as the
/// bits in hexadecimal, which is an integer literal that must be followed by the type `f64`.
pub fn float64(value: f64) -> String {
    if value.is_finite() { decimal(format!("{value:?}")) } else { format!("0x{:016X}", value.to_bits()) }
}

/// The shortest literal that reads back as the same `f32`. Infinities and NaN as in [`float64`], with the bits of an `f32`.
pub fn float32(value: f32) -> String {
    if value.is_finite() { decimal(format!("{value:?}")) } else { format!("0x{:08X}", value.to_bits()) }
}

/// Rust writes `1e-7`; MLIR wants a point.
fn decimal(text: String) -> String {
    match text.split_once('e') {
        Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0e{exponent}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers() {
        assert!(is_identifier("nn.conv2d") && is_identifier("_a$1"));
        assert!(!is_identifier("") && !is_identifier("1a") && !is_identifier("a-b") && !is_identifier("é"));
        assert!(is_suffix_identifier("0") && is_suffix_identifier("12") && is_suffix_identifier("a-b.c$"));
        assert!(!is_suffix_identifier("0a") && !is_suffix_identifier("a-") && !is_suffix_identifier(""));
    }

    #[test]
    fn symbols_are_quoted_when_needed() {
        assert_eq!(symbol("conv1.weight"), "@conv1.weight");
        assert_eq!(symbol("a b\"c"), "@\"a b\\22c\"");
        assert_eq!(symbol("a/b"), "@\"a/b\"");
        assert_eq!(symbol("a-b"), "@\"a-b\"");
        assert_eq!(symbol(""), "@\"\"");
    }

    #[test]
    fn escapes_round_trip() {
        for text in ["", "plain", "a\"b\\c", "line\nbreak\ttab", "é中\u{1}\u{7f}", "\\n"] {
            let escaped = escape(text);
            assert!(escaped.bytes().all(|byte| matches!(byte, b' '..=b'~')));
            assert_eq!(unescape(&escaped).as_deref(), Ok(text));
        }
        assert_eq!(escape("é\n"), "\\C3\\A9\\0A");
        assert_eq!(unescape("a\\nb\\\"").as_deref(), Ok("a\nb\""));
        assert_eq!(unescape("ab\\q"), Err(EscapeError::Unknown(2)));
        assert_eq!(unescape("\\4"), Err(EscapeError::Unknown(0)));
        assert_eq!(unescape("\\"), Err(EscapeError::Unknown(0)));
        assert_eq!(unescape("\\FF"), Err(EscapeError::NotUtf8));
    }

    #[test]
    fn number_literals() {
        for integer in ["0", "-3", "+7", "0x1F", "-0xff"] {
            assert_eq!(number_kind(integer), Some(NumberKind::Integer), "{integer}");
        }
        for float in ["1.", "1.5", "-1.5e-3", "2.0E+10", "1.e5"] {
            assert_eq!(number_kind(float), Some(NumberKind::Float), "{float}");
        }
        for wrong in ["", "-", "1e5", "0x", "0xg", "1.2.3", "1x2", ".5", "1.5e", "1.5e-", "--1"] {
            assert_eq!(number_kind(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn floats_round_trip() {
        let values = [0.0, -0.0, 1.0, 0.1, 1e-7, 1e300, -2.5e-308, 5e-324, f64::MAX, f64::MIN_POSITIVE, 123_456_789.0];
        for value in values {
            let text = float64(value);
            assert_eq!(number_kind(&text), Some(NumberKind::Float), "{text}");
            assert_eq!(text.parse::<f64>().map(f64::to_bits), Ok(value.to_bits()));
        }
        for bits in [0x0000_0001_u32, 0x3f80_0001, 0x7f7f_ffff, 0x0080_0000, 0x8000_0000, 0x33d6_bf95] {
            let text = float32(f32::from_bits(bits));
            assert_eq!(number_kind(&text), Some(NumberKind::Float), "{text}");
            assert_eq!(text.parse::<f32>().map(f32::to_bits), Ok(bits));
        }
        assert_eq!(float32(f32::INFINITY), "0x7F800000");
        assert_eq!(float64(f64::NEG_INFINITY), "0xFFF0000000000000");
        assert_eq!(number_kind(&float32(f32::NAN)), Some(NumberKind::Integer));
    }
}
