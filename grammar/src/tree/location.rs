//! Locations.

use pest::iterators::Pair;

use super::Builder;
use crate::diagnostic::Diagnostic;
use crate::statement::Rule;
use crate::syntax::{Location, LocationKind};

impl<'a> Builder<'a, '_> {
    /// `loc(..)` from its pair.
    pub(super) fn location(&mut self, pair: Pair<'_, Rule>) -> Location<'a> {
        let span = self.span(&pair);
        let mut location = Location { span, kind: LocationKind::Unknown };
        for part in pair.into_inner() {
            if part.as_rule() != Rule::close_round {
                location.kind = self.location_kind(part);
            }
        }
        location
    }

    fn location_kind(&mut self, pair: Pair<'_, Rule>) -> LocationKind<'a> {
        match pair.as_rule() {
            Rule::location_alias => LocationKind::Alias(self.sigil_name(&pair)),
            Rule::file_location => self.file_location(pair),
            Rule::name_location => self.name_location(pair),
            Rule::fused => LocationKind::Fused(self.locations(pair)),
            Rule::call_site => {
                let mut locations = self.locations(pair).into_iter();
                match (locations.next(), locations.next()) {
                    (Some(callee), Some(caller)) => LocationKind::CallSite(Box::new(callee), Box::new(caller)),
                    _ => LocationKind::Unknown,
                }
            }
            _ => LocationKind::Unknown,
        }
    }

    /// The locations inside a pair, without its punctuation.
    fn locations(&mut self, pair: Pair<'_, Rule>) -> Vec<Location<'a>> {
        let mut locations = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::close_round | Rule::close_square | Rule::missing_comma => self.mistake(&part),
                _ => {
                    let span = self.span(&part);
                    locations.push(Location { span, kind: self.location_kind(part) });
                }
            }
        }
        locations
    }

    /// Of a range of places only the first is kept.
    fn file_location(&mut self, pair: Pair<'_, Rule>) -> LocationKind<'a> {
        let mut file = "".into();
        let mut numbers = Vec::with_capacity(2);
        for part in pair.into_inner() {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::string => file = self.string(span),
                Rule::line_or_column => numbers.push(self.text(span).parse().unwrap_or_else(|_| {
                    self.report(Diagnostic::error("malformed-number", span, "line and column must fit in 32 bits"));
                    0
                })),
                _ => self.mistake(&part),
            }
        }
        let number = |index: usize| numbers.get(index).copied().unwrap_or(0);
        LocationKind::File { file, line: number(0), column: number(1) }
    }

    fn name_location(&mut self, pair: Pair<'_, Rule>) -> LocationKind<'a> {
        let mut name = "".into();
        let mut child = None;
        for part in pair.into_inner() {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::string => name = self.string(span),
                Rule::close_round => {}
                _ => child = Some(Box::new(Location { span, kind: self.location_kind(part) })),
            }
        }
        LocationKind::Name(name, child)
    }
}
