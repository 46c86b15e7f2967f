//! From text to tree.

use std::ops::Range;

use rayon::prelude::*;

use crate::diagnostic::{Diagnostic, Severity};
use crate::scan::{MAX_ERRORS, Outline, scan};
use crate::syntax::{Block, Document, Name, Operation, Region, Span};
use crate::tree::{Node, parse_statement};

/// The tree of a source text and what was wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Parsed<'a> {
    /// All statements that could be read. With errors among the diagnostics some are missing or repaired.
    pub document: Document<'a>,
    /// In the order of their places.
    pub diagnostics: Vec<Diagnostic>,
    /// Names of results whose operations could not be read: they are missing from the tree, but whoever uses them is not to blame.
    pub unread_results: Vec<Name<'a>>,
}

impl Parsed<'_> {
    /// Whether the text was not accepted.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

/// Parses a source text. Statements with errors are reported and left out, or repaired where the intention is clear; the others are in
/// the tree. At most 1000 errors are reported. Never panics; time and memory are linear in the length of the text.
pub fn parse(source: &str) -> Parsed<'_> {
    if let Some(diagnostic) = too_large(source.len()) {
        return Parsed { diagnostics: vec![diagnostic], ..Parsed::default() };
    }
    let mut outline = scan(source);
    let mut diagnostics = std::mem::take(&mut outline.diagnostics);
    let nodes = parse_statements(source, &outline, &mut diagnostics);
    let mut assembler = Assembler { outline: &outline, nodes, diagnostics, unread_results: Vec::new() };
    let document = assembler.document();
    let Assembler { mut diagnostics, unread_results, .. } = assembler;
    diagnostics.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.span.end));
    if diagnostics.len() > MAX_ERRORS {
        diagnostics.truncate(MAX_ERRORS);
        diagnostics.push(too_many(source.len() as u32));
    }
    Parsed { document, diagnostics, unread_results }
}

/// Places are 32-bit.
fn too_large(length: usize) -> Option<Diagnostic> {
    u32::try_from(length).is_err().then(|| {
        Diagnostic::error(
            "file-too-large",
            Span::default(),
            format!("the file has {length} bytes, 4294967295 are allowed"),
        )
        .with_hint("keep large constants in a side file and refer to them by symbol")
    })
}

fn too_many(end: u32) -> Diagnostic {
    let span = Span { start: end, end };
    Diagnostic::error("too-many-errors", span, format!("only the first {MAX_ERRORS} errors are reported"))
}

/// Parses every statement on its own, in parallel. After [`MAX_ERRORS`] errors the remaining statements are left out.
fn parse_statements<'a>(source: &'a str, outline: &Outline, diagnostics: &mut Vec<Diagnostic>) -> Vec<Node<'a>> {
    /// Statements between two looks at the number of errors.
    const BATCH: usize = 1 << 15;
    /// Statements that one task parses at least: about 100 µs of work.
    const TASK: usize = 32;
    let mut nodes = Vec::with_capacity(outline.statements.len());
    for batch in outline.statements.chunks(BATCH) {
        if diagnostics.len() > MAX_ERRORS {
            break;
        }
        let parsed: Vec<_> =
            batch.par_iter().with_min_len(TASK).map(|statement| parse_statement(source, statement)).collect();
        for (node, found) in parsed {
            nodes.push(node);
            diagnostics.extend(found);
        }
    }
    nodes
}

/// Puts statements into blocks and regions.
struct Assembler<'a, 'o> {
    outline: &'o Outline,
    nodes: Vec<Node<'a>>,
    diagnostics: Vec<Diagnostic>,
    unread_results: Vec<Name<'a>>,
}

impl<'a> Assembler<'a, '_> {
    fn document(&mut self) -> Document<'a> {
        let mut document = Document::default();
        let all = 0..self.outline.statements.len() as u32;
        self.each(all, |assembler, node, span| match node {
            Node::Operation(operation) => document.operations.push(operation),
            Node::Alias(alias) => document.aliases.push(alias),
            Node::Label { .. } => assembler.misplaced(span, "a block label", "labels stand inside regions"),
            Node::Broken(names) => assembler.unread_results.extend(names),
        });
        document
    }

    /// Calls `visit` for the outermost statements of a range, their regions attached. Recursion is bounded by the scanner's
    /// nesting limit.
    fn each(&mut self, statements: Range<u32>, mut visit: impl FnMut(&mut Self, Node<'a>, Span)) {
        let mut index = statements.start;
        while index < statements.end {
            let outline = self.outline;
            let statement = &outline.statements[index as usize];
            let Some(node) = self.nodes.get_mut(index as usize) else { return };
            let mut node = std::mem::replace(node, Node::Broken(Vec::new()));
            if let Node::Operation(Operation { regions, .. }) = &mut node {
                regions.reserve_exact(statement.regions.len());
                for region in &statement.regions {
                    regions.push(self.region(region.span, region.statements.clone()));
                }
            }
            visit(self, node, statement.span);
            index = statement.subtree_end;
        }
    }

    fn region(&mut self, span: Span, statements: Range<u32>) -> Region<'a> {
        let mut blocks: Vec<Block<'a>> = Vec::new();
        self.each(statements, |assembler, node, span| match node {
            Node::Operation(operation) => {
                if let Some(block) = blocks.last_mut() {
                    block.span.end = operation.span.end;
                    block.operations.push(operation);
                } else {
                    blocks.push(Block { span, label: None, parameters: Vec::new(), operations: vec![operation] });
                }
            }
            Node::Label { name, parameters } => {
                blocks.push(Block { span, label: Some(name), parameters, operations: Vec::new() });
            }
            Node::Alias(_) => assembler.misplaced(span, "an alias", "aliases stand outside all operations"),
            Node::Broken(names) => assembler.unread_results.extend(names),
        });
        Region { span, blocks }
    }

    fn misplaced(&mut self, span: Span, what: &str, hint: &str) {
        let message = format!("{what} cannot stand here");
        self.diagnostics.push(Diagnostic::error("misplaced-statement", span, message).with_hint(hint));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_four_gibibytes_are_refused() {
        assert!(too_large(u32::MAX as usize).is_none());
        assert_eq!(too_large(1 << 32).map(|diagnostic| diagnostic.code), Some("file-too-large"));
    }

    #[test]
    fn results_of_unreadable_operations_are_known() {
        let parsed = parse("%a, %b:2 = nn.relu ) : i8\n%c = nn.relu %a : i8\nx.y { %d = \n}\n");
        let names: Vec<_> = parsed.unread_results.iter().map(|name| name.text).collect();
        assert_eq!(names, ["a", "b", "d"]);
        assert_eq!(parsed.document.operations.len(), 2);
    }
}
