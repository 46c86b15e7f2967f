//! One statement's text and its parse by pest.

use std::borrow::Cow;

use pest::Parser as _;
use pest::iterators::Pairs;

use crate::lexer::{Lexer, TokenKind};
use crate::scan::{Statement, StatementKind};
use crate::syntax::Span;

/// The parser that pest derives from `statement.pest`.
#[derive(pest_derive::Parser)]
#[grammar = "statement.pest"]
struct StatementParser;

/// What stands for a region in the text given to pest. The scanner lets no such character through outside strings.
const REGION_MARKER: char = '\u{1}';

/// The text of a statement with its regions cut out, and the way back to places in the source.
pub(crate) struct StatementText<'a> {
    pub(crate) text: Cow<'a, str>,
    places: Places,
}

/// Maps byte positions of a statement's text to byte positions of the source.
pub(crate) struct Places {
    base: u32,
    /// For each region marker, its position and how many source bytes have been cut out up to it.
    cuts: Vec<(u32, u32)>,
}

impl Places {
    /// The source position of a position in the text.
    pub(crate) fn source(&self, position: usize) -> u32 {
        let position = position as u32;
        let cut = match self.cuts.partition_point(|&(marker, _)| marker < position) {
            0 => 0,
            count => self.cuts[count - 1].1,
        };
        self.base + position + cut
    }

    /// The source span of a span in the text.
    pub(crate) fn span(&self, start: usize, end: usize) -> Span {
        Span { start: self.source(start), end: self.source(end) }
    }
}

impl<'a> StatementText<'a> {
    /// The text of `statement`, copied only if something in it must be replaced.
    pub(crate) fn new(source: &'a str, statement: &Statement) -> Self {
        let Span { start, end } = statement.span;
        let mut cuts = Vec::new();
        if statement.regions.is_empty() && !statement.has_comments {
            let text = Cow::Borrowed(&source[start as usize..end as usize]);
            return Self { text, places: Places { base: start, cuts } };
        }
        let mut text = String::new();
        let mut from = start;
        let mut cut = 0;
        for region in &statement.regions {
            push_without_comments(&mut text, source, from, region.span.start);
            cut += region.span.end - region.span.start - 1;
            cuts.push((text.len() as u32, cut));
            text.push(REGION_MARKER);
            from = region.span.end;
        }
        push_without_comments(&mut text, source, from, end);
        Self { text: Cow::Owned(text), places: Places { base: start, cuts } }
    }

    /// A text without comments and regions that stands at `base` of its file.
    pub(crate) fn fragment(text: &'a str, base: u32) -> Self {
        Self { text: Cow::Borrowed(text), places: Places { base, cuts: Vec::new() } }
    }

    /// Parses the text as an attribute.
    pub(crate) fn parse_attribute(&self) -> Result<Pairs<'_, Rule>, Box<pest::error::Error<Rule>>> {
        StatementParser::parse(Rule::attribute_text, &self.text).map_err(Box::new)
    }

    /// Parses the text as a statement of `kind`.
    pub(crate) fn parse(&self, kind: StatementKind) -> Result<Pairs<'_, Rule>, Box<pest::error::Error<Rule>>> {
        let rule = match kind {
            StatementKind::Generic => Rule::generic_text,
            StatementKind::Container => Rule::container_text,
            StatementKind::Pretty => Rule::pretty_text,
            StatementKind::Label => Rule::label_text,
            StatementKind::Alias => Rule::alias_text,
        };
        StatementParser::parse(rule, &self.text).map_err(Box::new)
    }

    /// The way back to the source.
    pub(crate) fn places(&self) -> &Places {
        &self.places
    }
}

/// Appends `source[start..end]` with blanks in place of comments, so that places stay the same.
fn push_without_comments(text: &mut String, source: &str, start: u32, end: u32) {
    let mut from = start;
    let comments = Lexer::new(&source[..end as usize], start).filter(|token| token.kind == TokenKind::Comment);
    for comment in comments {
        text.push_str(&source[from as usize..comment.start as usize]);
        text.extend(std::iter::repeat_n(' ', (comment.end - comment.start) as usize));
        from = comment.end;
    }
    text.push_str(&source[from as usize..end as usize]);
}
