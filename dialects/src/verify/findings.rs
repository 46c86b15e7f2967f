//! What a check found.

use dpuc_grammar::{Diagnostic, Span};

use crate::ir::{Ir, Location, LocationKind, OpId};

/// One broken rule of one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The operation.
    pub op: OpId,
    /// Its name.
    pub op_name: String,
    /// Stable identifier of the rule, kebab-case.
    pub code: &'static str,
    /// What is wrong, a predicate whose subject is the operation.
    pub message: String,
    /// The way out, if there is an obvious one.
    pub hint: Option<String>,
    /// Bytes of the source text, if the operation came from text.
    pub span: Option<Span>,
    /// Where it came from, in words.
    pub place: String,
}

impl Finding {
    /// As a diagnostic on the source text the operation came from.
    pub fn to_diagnostic(&self) -> Diagnostic {
        let message = format!("`{}` {}", self.op_name, self.message);
        let mut diagnostic = Diagnostic::error(self.code, self.span.unwrap_or_default(), message);
        if let Some(hint) = &self.hint {
            diagnostic = diagnostic.with_hint(hint.clone());
        }
        diagnostic
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: `{}` {} [{}]", self.place, self.op_name, self.message, self.code)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "; {hint}"))
    }
}

/// All findings of a run, in the order of the operations.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    list: Vec<Finding>,
}

impl Findings {
    /// Records a broken rule.
    pub fn error(&mut self, ir: &Ir, op: OpId, code: &'static str, message: impl Into<String>) {
        self.error_with_hint(ir, op, code, message, None);
    }

    /// Records a broken rule and the way out.
    pub fn error_with_hint(
        &mut self,
        ir: &Ir,
        op: OpId,
        code: &'static str,
        message: impl Into<String>,
        hint: Option<String>,
    ) {
        let location = ir.op(op).location;
        self.list.push(Finding {
            op,
            op_name: ir.op_name(op).to_owned(),
            code,
            message: message.into(),
            hint,
            span: span(ir, location),
            place: describe(ir, location),
        });
    }

    /// The findings.
    pub fn list(&self) -> &[Finding] {
        &self.list
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Number of findings.
    pub fn len(&self) -> usize {
        self.list.len()
    }
}

fn span(ir: &Ir, location: Location) -> Option<Span> {
    match ir.location_kind(location) {
        LocationKind::Unknown => None,
        LocationKind::File { span, .. } => *span,
        LocationKind::Name(_, child) => child.and_then(|child| span(ir, child)),
        LocationKind::Fused(parts) => parts.iter().find_map(|&part| self::span(ir, part)),
    }
}

/// A location in words: `file:line:column`, a node name, or both.
fn describe(ir: &Ir, location: Location) -> String {
    match ir.location_kind(location) {
        LocationKind::Unknown => "unknown location".to_owned(),
        LocationKind::File { file, line, column, .. } => format!("{file}:{line}:{column}"),
        LocationKind::Name(name, _) => name.to_string(),
        LocationKind::Fused(parts) => parts.iter().map(|&part| describe(ir, part)).collect::<Vec<_>>().join(" + "),
    }
}
