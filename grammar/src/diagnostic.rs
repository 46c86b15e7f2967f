//! Diagnostics as values, and their rendering.

use crate::syntax::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The input is not accepted.
    Error,
    /// Accepted, but probably not meant.
    Warning,
}

/// A further remark, with or without a place of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What to know.
    pub message: String,
    /// The place it speaks about.
    pub span: Option<Span>,
}

/// One finding about a source text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Stable identifier, kebab-case, e.g. `unknown-operation`.
    pub code: &'static str,
    /// What is wrong, one line.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What to say at that place, if more than the message.
    pub label: Option<Box<str>>,
    /// Further remarks.
    pub notes: Vec<Note>,
    /// The way out: what to write instead.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error at `span`.
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        let (severity, message) = (Severity::Error, message.into());
        Self { severity, code, message, span, label: None, notes: Vec::new(), hint: None }
    }

    /// Adds text at the place itself.
    #[must_use]
    pub fn with_label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into().into_boxed_str());
        self
    }

    /// Adds a remark, with its place if it has one.
    #[must_use]
    pub fn with_note(mut self, span: Option<Span>, message: impl Into<String>) -> Self {
        self.notes.push(Note { message: message.into(), span });
        self
    }

    /// Says what to write instead.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
