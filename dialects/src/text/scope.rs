//! Names of values while text is read.

use dpuc_grammar::{Name, Span};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::ir::ValueId;

/// What a name stands for: one value, or as many as `%x:count` says.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) values: SmallVec<[ValueId; 1]>,
    pub(super) span: Span,
}

/// Names defined in one region.
#[derive(Debug, Default)]
struct RegionNames<'s> {
    entries: FxHashMap<&'s str, Entry>,
    isolated: bool,
}

/// A name used before its definition was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Forward<'s> {
    pub(super) name: Name<'s>,
    pub(super) index: u32,
    pub(super) value: ValueId,
}

/// The regions around the place that is being read, innermost last.
#[derive(Debug, Default)]
pub(super) struct Scopes<'s> {
    regions: Vec<RegionNames<'s>>,
    /// Uses without definition so far, by name and index; one table for each isolated region.
    forwards: Vec<FxHashMap<(&'s str, u32), Forward<'s>>>,
}

impl<'s> Scopes<'s> {
    /// Begins a region.
    pub(super) fn enter(&mut self, isolated: bool) {
        self.regions.push(RegionNames { entries: FxHashMap::default(), isolated });
        if isolated || self.forwards.is_empty() {
            self.forwards.push(FxHashMap::default());
        }
    }

    /// Ends a region; gives the uses that found no definition if it was isolated, each with the names that could have been meant.
    pub(super) fn leave(&mut self) -> (Vec<Forward<'s>>, Vec<&'s str>) {
        let last_of_its_kind = self.regions.len() == 1 || self.regions.last().is_some_and(|region| region.isolated);
        let table = if last_of_its_kind { self.forwards.pop().unwrap_or_default() } else { FxHashMap::default() };
        let mut unresolved: Vec<_> = table.into_values().collect();
        unresolved.sort_by_key(|forward| forward.name.span.start);
        let names = if unresolved.is_empty() { Vec::new() } else { self.names() };
        self.regions.pop();
        (unresolved, names)
    }

    /// What the name stands for here.
    pub(super) fn find(&self, name: &str) -> Option<&Entry> {
        self.visible().find_map(|region| region.entries.get(name))
    }

    /// Defines a name; gives the earlier definition if there is one.
    pub(super) fn define(&mut self, name: &'s str, entry: Entry) -> Option<Entry> {
        if let Some(earlier) = self.find(name) {
            return Some(earlier.clone());
        }
        self.regions.last_mut().and_then(|region| region.entries.insert(name, entry))
    }

    /// The forward value for a use, if an earlier use made one.
    pub(super) fn forward(&self, name: &'s str, index: u32) -> Option<ValueId> {
        self.forwards.last()?.get(&(name, index)).map(|forward| forward.value)
    }

    /// Records a use without definition.
    pub(super) fn add_forward(&mut self, forward: Forward<'s>) {
        if let Some(table) = self.forwards.last_mut() {
            table.insert((forward.name.text, forward.index), forward);
        }
    }

    /// Takes the forward value a definition resolves.
    pub(super) fn resolve_forward(&mut self, name: &'s str, index: u32) -> Option<ValueId> {
        self.forwards.last_mut()?.remove(&(name, index)).map(|forward| forward.value)
    }

    fn names(&self) -> Vec<&'s str> {
        let mut names: Vec<_> = self.visible().flat_map(|region| region.entries.keys().copied()).collect();
        names.sort_unstable();
        names
    }

    fn visible(&self) -> impl Iterator<Item = &RegionNames<'s>> {
        let first = self.regions.iter().rposition(|region| region.isolated).unwrap_or(0);
        self.regions[first.min(self.regions.len())..].iter().rev()
    }
}
