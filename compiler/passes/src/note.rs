//! What a pass has to say about an operation.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use dpuc_dialects::{Ir, OpId};

/// What a pass has to say about an operation: a limit that was met, or a meaning that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Name of the node in the framework's graph, or of the operation's result.
    pub place: String,
    /// The operation's name.
    pub op: String,
    /// What is to be known.
    pub message: String,
}

impl Note {
    pub(crate) fn new(ir: &Ir, op: OpId, message: impl Into<String>) -> Self {
        let result = ir.results(op).first().and_then(|&result| ir.value_name(result));
        let place = ir.location_name(ir.op(op).location).or(result).unwrap_or("unnamed operation");
        Self { place: place.to_owned(), op: ir.op_name(op).to_owned(), message: message.into() }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: `{}` {}", self.place, self.op, self.message)
    }
}

/// Notes that several patterns add to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes(Rc<RefCell<Vec<Note>>>);

impl Notes {
    pub(crate) fn add(&self, note: Note) {
        self.0.borrow_mut().push(note);
    }

    pub(crate) fn take(&self) -> Vec<Note> {
        self.0.take()
    }
}
