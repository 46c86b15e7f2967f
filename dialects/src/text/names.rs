//! Names of values and blocks in printed text.
//!
//! A value keeps the user's name. If that is already taken where the value is visible, a number is added to it; a value without a name
//! gets the next free number of its function. Printing what was parsed from printed text therefore changes nothing.

use std::fmt::Write;

use cranelift_entity::SecondaryMap;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::ir::{BlockId, Ir, Name, ValueId};

/// How a value is written.
#[derive(Clone, Debug, Default)]
enum Written {
    /// It has no name yet.
    #[default]
    Unassigned,
    /// By its own name.
    Own(Name),
    /// By its own name with a number added, because another visible value has it.
    Renamed(Box<str>),
    /// By a number.
    Number(u32),
}

/// Names in use, and what every value is called.
#[derive(Default)]
pub(super) struct ValueNames {
    written: SecondaryMap<ValueId, Written>,
    scope: Scope,
    labels: FxHashMap<BlockId, String>,
}

/// What is visible; left behind when a region ends.
#[derive(Default)]
pub(super) struct Scope {
    own: FxHashSet<Name>,
    renamed: FxHashSet<Box<str>>,
    /// Own names added since the region began, to take back.
    added: Vec<Name>,
    next_number: u32,
    next_label: u32,
}

/// What to restore when a region ends.
pub(super) enum Outer {
    /// The region saw nothing of it.
    Hidden(Box<Scope>),
    /// Number of names added before the region.
    Visible(usize),
}

impl ValueNames {
    /// Begins a region; an isolated one starts with no names.
    pub(super) fn enter(&mut self, isolated: bool) -> Outer {
        if isolated {
            Outer::Hidden(Box::new(std::mem::take(&mut self.scope)))
        } else {
            Outer::Visible(self.scope.added.len())
        }
    }

    /// Ends a region.
    pub(super) fn leave(&mut self, outer: Outer) {
        match outer {
            Outer::Hidden(scope) => self.scope = *scope,
            Outer::Visible(count) => {
                for name in self.scope.added.drain(count..) {
                    self.scope.own.remove(&name);
                }
            }
        }
    }

    /// Decides how a value is written, once.
    pub(super) fn assign(&mut self, ir: &Ir, value: ValueId) {
        if !matches!(self.written[value], Written::Unassigned) {
            return;
        }
        let scope = &mut self.scope;
        self.written[value] = match ir.value(value).name {
            None => {
                scope.next_number += 1;
                Written::Number(scope.next_number - 1)
            }
            Some(name) if !scope.own.contains(&name) && !scope.renamed.contains(ir.text(name)) => {
                scope.own.insert(name);
                scope.added.push(name);
                Written::Own(name)
            }
            Some(name) => {
                let text = scope.free_variant(ir, ir.text(name));
                scope.renamed.insert(text.clone());
                Written::Renamed(text)
            }
        };
    }

    /// Writes `%name`.
    pub(super) fn write(&mut self, ir: &Ir, value: ValueId, out: &mut String) {
        self.assign(ir, value);
        out.push('%');
        match &self.written[value] {
            Written::Own(name) => out.push_str(ir.text(*name)),
            Written::Renamed(text) => out.push_str(text),
            Written::Number(number) => {
                let _ = write!(out, "{number}");
            }
            Written::Unassigned => {}
        }
    }

    /// `^label` of a block.
    pub(super) fn label(&mut self, ir: &Ir, block: BlockId) -> String {
        if let Some(label) = self.labels.get(&block) {
            return label.clone();
        }
        let label = match ir.block(block).label {
            Some(name) => format!("^{}", ir.text(name)),
            None => {
                self.scope.next_label += 1;
                format!("^bb{}", self.scope.next_label - 1)
            }
        };
        self.labels.insert(block, label.clone());
        label
    }
}

impl Scope {
    fn free_variant(&self, ir: &Ir, text: &str) -> Box<str> {
        let is_taken = |candidate: &str| {
            self.renamed.contains(candidate) || ir.find_name(candidate).is_some_and(|name| self.own.contains(&name))
        };
        let mut number = 1;
        let mut candidate = format!("{text}_1");
        while is_taken(&candidate) {
            number += 1;
            candidate = format!("{text}_{number}");
        }
        candidate.into_boxed_str()
    }
}
