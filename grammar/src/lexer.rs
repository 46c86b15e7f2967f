//! Tokens of IR text, comments included: what the scanner and the formatter need to know.
//!
//! The lexer never fails: a character that starts no token is a token of its own ([`TokenKind::Unknown`]).

/// A pair of brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bracket {
    Round,
    Square,
    Curly,
    Angle,
}

impl Bracket {
    /// The opening bracket as text.
    pub(crate) fn opening(self) -> &'static str {
        match self {
            Self::Round => "(",
            Self::Square => "[",
            Self::Curly => "{",
            Self::Angle => "<",
        }
    }

    /// The closing bracket as text.
    pub(crate) fn closing(self) -> &'static str {
        match self {
            Self::Round => ")",
            Self::Square => "]",
            Self::Curly => "}",
            Self::Angle => ">",
        }
    }
}

/// The kinds of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// `%x`, `%x#1`
    Value,
    /// `@x`, `@"any text"`
    Symbol,
    /// `^bb0`
    Label,
    /// `#alias`, `#dialect.name`
    Hash,
    /// `!alias`, `!dialect.name`
    Bang,
    /// An identifier without a dot.
    Word,
    /// An identifier with a dot.
    DottedWord,
    /// Whatever begins with a digit, `1x2x3xf32` included.
    Number,
    /// `"text"`
    String,
    /// `"text` up to the end of the line.
    UnclosedString,
    /// `(`, `[`, `{`, `<`
    Open(Bracket),
    /// `)`, `]`, `}`, `>`
    Close(Bracket),
    /// `,`
    Comma,
    /// `:`
    Colon,
    /// `::`
    DoubleColon,
    /// `=`
    Equal,
    /// `->`
    Arrow,
    /// `-`
    Minus,
    /// `?`, `*`, `+`, `/`, `|`, `==`, `>=`, `<=`: only inside types, attributes and affine expressions; and the mistake `=>`.
    Operator,
    /// `// text`, without the line break.
    Comment,
    /// `{-# … #-}`
    Metadata,
    /// A run of characters that start no token.
    Unknown,
}

/// One token; its text is `source[start..end]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// A line break separates it from the token before, or it is the first.
    pub(crate) first_on_line: bool,
}

/// What a byte can be part of.
const BLANK: u8 = 1;
const LETTER: u8 = 2;
const DIGIT: u8 = 4;
/// `$` and `.`: inside identifiers.
const JOINER: u8 = 8;
const HYPHEN: u8 = 16;

/// Bytes of an identifier after its first letter.
const WORD: u8 = LETTER | DIGIT | JOINER;

static CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        class[byte] = match byte as u8 {
            b' ' | b'\t' | b'\r' | b'\n' => BLANK,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => LETTER,
            b'0'..=b'9' => DIGIT,
            b'$' | b'.' => JOINER,
            b'-' => HYPHEN,
            _ => 0,
        };
        byte += 1;
    }
    class
};

fn class(byte: u8) -> u8 {
    CLASS[byte as usize]
}

/// Reads tokens from left to right.
#[derive(Clone, Debug)]
pub(crate) struct Lexer<'a> {
    bytes: &'a [u8],
    position: usize,
    at_start: bool,
    /// No `#-}` is left; without this note every further `{-#` would search the whole rest.
    metadata_exhausted: bool,
}

impl<'a> Lexer<'a> {
    /// A lexer for `source`, which must be shorter than 4 GiB, from byte `start` on.
    pub(crate) fn new(source: &'a str, start: u32) -> Self {
        Self { bytes: source.as_bytes(), position: start as usize, at_start: true, metadata_exhausted: false }
    }

    fn byte(&self, position: usize) -> u8 {
        self.bytes.get(position).copied().unwrap_or(0)
    }

    /// Moves over bytes of the classes in `mask`.
    fn skip_class(&self, mut position: usize, mask: u8) -> usize {
        while position < self.bytes.len() && class(self.bytes[position]) & mask != 0 {
            position += 1;
        }
        position
    }

    /// Moves over the bytes of a name after a sigil; a hyphen belongs to it unless it is the one of `->`.
    fn skip_name(&self, mut position: usize) -> usize {
        loop {
            position = self.skip_class(position, WORD);
            if self.byte(position) == b'-' && self.byte(position + 1) != b'>' {
                position += 1;
            } else {
                return position;
            }
        }
    }

    /// The end of the string whose opening quote is at `position`, and whether it has a closing quote. Strings end at the line break.
    fn skip_string(&self, mut position: usize) -> (usize, bool) {
        position += 1;
        loop {
            match self.bytes.get(position) {
                Some(b'"') => return (position + 1, true),
                Some(b'\\') if !matches!(self.byte(position + 1), b'\n' | b'\r' | 0) => position += 2,
                None | Some(b'\n') => return (position, false),
                Some(_) => position += 1,
            }
        }
    }

    fn skip_comment(&self, position: usize) -> usize {
        let rest = &self.bytes[position..];
        let mut end = position + rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        if self.bytes[end - 1] == b'\r' {
            end -= 1;
        }
        end
    }

    fn skip_metadata(&mut self, position: usize) -> Option<usize> {
        if self.metadata_exhausted {
            return None;
        }
        let rest = &self.bytes[position..];
        let end = rest.windows(3).position(|window| window == b"#-}").map(|at| position + at + 3);
        self.metadata_exhausted = end.is_none();
        end
    }

    fn skip_number(&self, start: usize) -> usize {
        let end = self.skip_class(start, DIGIT);
        if self.byte(end) == b'.' {
            let fraction = self.skip_class(end + 1, DIGIT);
            if matches!(self.byte(fraction), b'e' | b'E')
                && matches!(self.byte(fraction + 1), b'+' | b'-')
                && self.byte(fraction + 2).is_ascii_digit()
            {
                return self.skip_class(fraction + 2, DIGIT);
            }
        }
        self.skip_class(end, WORD)
    }

    /// The position of the next byte that is neither blank nor comment, from `position` on.
    pub(crate) fn skip_trivia(&self, mut position: usize) -> usize {
        loop {
            position = self.skip_class(position, BLANK);
            if self.byte(position) == b'/' && self.byte(position + 1) == b'/' {
                position = self.skip_comment(position);
            } else {
                return position;
            }
        }
    }

    /// The next byte that is neither blank nor comment; 0 at the end.
    pub(crate) fn peek(&self) -> u8 {
        self.byte(self.skip_trivia(self.position))
    }

    fn sigil(&self, kind: TokenKind) -> (TokenKind, usize) {
        let start = self.position;
        let end = self.skip_name(start + 1);
        if end > start + 1 { (kind, end) } else { (TokenKind::Unknown, start + 1) }
    }

    fn scan(&mut self) -> (TokenKind, usize) {
        use TokenKind as K;
        let start = self.position;
        let next = self.byte(start + 1);
        match self.bytes[start] {
            b'%' => {
                let (kind, end) = self.sigil(K::Value);
                if self.byte(end) == b'#' && self.byte(end + 1).is_ascii_digit() {
                    (kind, self.skip_class(end + 1, DIGIT))
                } else {
                    (kind, end)
                }
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let end = self.skip_class(start + 1, LETTER | DIGIT);
                if self.byte(end) == b'.' || self.byte(end) == b'$' {
                    let end = self.skip_class(end, WORD);
                    let dotted = self.bytes[start..end].contains(&b'.');
                    (if dotted { K::DottedWord } else { K::Word }, end)
                } else {
                    (K::Word, end)
                }
            }
            b'0'..=b'9' => (K::Number, self.skip_number(start)),
            b',' => (K::Comma, start + 1),
            b':' if next == b':' => (K::DoubleColon, start + 2),
            b':' => (K::Colon, start + 1),
            b'(' => (K::Open(Bracket::Round), start + 1),
            b')' => (K::Close(Bracket::Round), start + 1),
            b'[' => (K::Open(Bracket::Square), start + 1),
            b']' => (K::Close(Bracket::Square), start + 1),
            b'{' if next == b'-' && self.byte(start + 2) == b'#' => match self.skip_metadata(start) {
                Some(end) => (K::Metadata, end),
                None => (K::Open(Bracket::Curly), start + 1),
            },
            b'{' => (K::Open(Bracket::Curly), start + 1),
            b'}' => (K::Close(Bracket::Curly), start + 1),
            b'<' | b'>' | b'=' if next == b'=' => (K::Operator, start + 2),
            b'<' => (K::Open(Bracket::Angle), start + 1),
            b'>' => (K::Close(Bracket::Angle), start + 1),
            b'=' if next == b'>' => (K::Operator, start + 2),
            b'=' => (K::Equal, start + 1),
            b'-' if next == b'>' => (K::Arrow, start + 2),
            b'-' => (K::Minus, start + 1),
            b'"' => {
                let (end, closed) = self.skip_string(start);
                (if closed { K::String } else { K::UnclosedString }, end)
            }
            b'@' if next == b'"' => {
                let (end, closed) = self.skip_string(start + 1);
                (if closed { K::Symbol } else { K::UnclosedString }, end)
            }
            b'@' => self.sigil(K::Symbol),
            b'^' => self.sigil(K::Label),
            b'#' => self.sigil(K::Hash),
            b'!' => self.sigil(K::Bang),
            b'/' if next == b'/' => (K::Comment, self.skip_comment(start)),
            b'?' | b'*' | b'+' | b'/' | b'|' => (K::Operator, start + 1),
            _ => {
                let mut end = start + 1;
                // A character outside ASCII has more bytes, all with the top bit set.
                while self.byte(end) >= 0x80 {
                    end += 1;
                }
                (K::Unknown, end)
            }
        }
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let mut first_on_line = self.at_start;
        self.at_start = false;
        while let Some(&byte) = self.bytes.get(self.position) {
            if class(byte) != BLANK {
                break;
            }
            first_on_line |= byte == b'\n';
            self.position += 1;
        }
        if self.position >= self.bytes.len() {
            return None;
        }
        let (kind, end) = self.scan();
        let token = Token { kind, start: self.position as u32, end: end as u32, first_on_line };
        self.position = end;
        Some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(source: &str) -> Vec<(TokenKind, &str)> {
        Lexer::new(source, 0).map(|token| (token.kind, &source[token.start as usize..token.end as usize])).collect()
    }

    #[test]
    fn names_numbers_and_arrows() {
        use TokenKind as K;
        assert_eq!(
            kinds("%a#1 %x-y->@conv1.w @\"a b\" 1.5e-3 1x2xf32 nn.relu i8 a$b ^bb0"),
            [
                (K::Value, "%a#1"),
                (K::Value, "%x-y"),
                (K::Arrow, "->"),
                (K::Symbol, "@conv1.w"),
                (K::Symbol, "@\"a b\""),
                (K::Number, "1.5e-3"),
                (K::Number, "1x2xf32"),
                (K::DottedWord, "nn.relu"),
                (K::Word, "i8"),
                (K::Word, "a$b"),
                (K::Label, "^bb0"),
            ]
        );
    }

    #[test]
    fn strings_end_at_the_line() {
        use TokenKind as K;
        assert_eq!(kinds(r#""a\"b" "c"#), [(K::String, r#""a\"b""#), (K::UnclosedString, "\"c")]);
        assert_eq!(kinds("\"c\nd"), [(K::UnclosedString, "\"c"), (K::Word, "d")]);
        assert_eq!(kinds("\"c\\\nd"), [(K::UnclosedString, "\"c\\"), (K::Word, "d")]);
    }

    #[test]
    fn comments_leave_the_line_break() {
        use TokenKind as K;
        assert_eq!(kinds("a // b\r\nc"), [(K::Word, "a"), (K::Comment, "// b"), (K::Word, "c")]);
    }

    #[test]
    fn every_character_is_in_a_token_or_blank() {
        let source = "é%é ; ~{-# \"a\" #-} \u{1}x";
        let mut end = 0;
        for token in Lexer::new(source, 0) {
            assert!(source[end as usize..token.start as usize].trim().is_empty());
            end = token.end;
        }
        assert_eq!(end as usize, source.len());
    }
}
