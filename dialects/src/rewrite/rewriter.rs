//! Changing the program so that the driver knows.

use crate::ir::{Ir, Location, OpBuilder, OpId, ValueId};

/// A change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// An operation was created.
    Inserted(OpId),
    /// An operation's operands, attributes or types changed.
    Modified(OpId),
    /// An operation was removed.
    Erased(OpId),
}

/// Write access to the program around one matched operation.
#[derive(Debug)]
pub struct Rewriter<'a> {
    ir: &'a mut Ir,
    root: OpId,
    pub(super) events: Vec<Event>,
}

impl<'a> Rewriter<'a> {
    /// A rewriter that inserts before `root`.
    pub fn new(ir: &'a mut Ir, root: OpId) -> Self {
        Self { ir, root, events: Vec::new() }
    }

    /// Read access.
    pub fn ir(&self) -> &Ir {
        self.ir
    }

    /// Tables of types, names, locations and constants, to add to. Operations are changed by the other methods, which record it.
    pub fn tables(&mut self) -> &mut Ir {
        self.ir
    }

    /// What was changed so far.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The location of an operation that replaces all of `ops`.
    pub fn fuse(&mut self, ops: &[OpId]) -> Location {
        let parts: Vec<Location> = ops.iter().map(|&op| self.ir.op(op).location).collect();
        self.ir.fused_location(parts)
    }

    /// Creates an operation before the matched one, and at its location unless the builder has another.
    pub fn insert(&mut self, builder: OpBuilder<'_>) -> OpId {
        let location = self.ir.op(self.root).location;
        let op = builder.or_at(location).insert_before(self.ir, self.root);
        self.events.push(Event::Inserted(op));
        op
    }

    /// Makes the users of the operation's results use `values` and removes the operation. A value without a name inherits that of the
    /// result it replaces.
    pub fn replace(&mut self, op: OpId, values: &[ValueId]) {
        let results = self.ir.results(op).to_vec();
        debug_assert_eq!(results.len(), values.len(), "one value for each result");
        for (&result, &value) in results.iter().zip(values) {
            for user in self.ir.users(result) {
                self.events.push(Event::Modified(user));
            }
            if let (None, Some(name)) = (self.ir.value(value).name, self.ir.value_name(result)) {
                let name = name.to_owned();
                self.ir.set_value_name(value, &name);
            }
            self.ir.replace_all_uses(result, value);
        }
        self.erase(op);
    }

    /// Removes an operation whose results are not used.
    pub fn erase(&mut self, op: OpId) {
        for inner in self.ir.walk(op) {
            for &operand in self.ir.operands(inner) {
                // What fed it may be dead now.
                self.events.extend(self.ir.defining_op(operand).map(Event::Modified));
            }
            self.events.push(Event::Erased(inner));
        }
        self.ir.erase(op);
    }

    /// Makes an operation read another value; what fed it may be dead then.
    pub fn set_operand(&mut self, op: OpId, index: usize, value: ValueId) {
        let old = self.ir.operand(op, index);
        self.ir.set_operand(op, index, value);
        self.events.extend(self.ir.defining_op(old).map(Event::Modified));
        self.events.push(Event::Modified(op));
    }

    /// Changes an operation in place.
    pub fn modify(&mut self, op: OpId, change: impl FnOnce(&mut Ir)) {
        change(self.ir);
        self.events.push(Event::Modified(op));
    }
}
