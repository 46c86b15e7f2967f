//! Operations, their results, arguments, parameters and signatures.

use pest::iterators::{Pair, Pairs};

use super::{Builder, excerpt};
use crate::diagnostic::Diagnostic;
use crate::statement::Rule;
use crate::suggest::suggest;
use crate::syntax::{
    Argument, Attribute, AttributeKind, Form, Name, Operation, ResultName, Signature, Span, Type, ValueUse,
};

/// More results of one operation are hardly meant, and `%x:4294967295` must not make anyone allocate that much.
const MAX_RESULTS: u32 = 1 << 16;

/// The types of a signature as they are collected.
#[derive(Default)]
struct SignatureParts<'a> {
    inputs: Option<Vec<Type<'a>>>,
    types: Vec<Type<'a>>,
    present: bool,
}

impl<'a> SignatureParts<'a> {
    fn finish(self) -> Option<Signature<'a>> {
        match self.inputs {
            Some(inputs) => Some(Signature::Function { inputs, results: self.types }),
            None if self.present => Some(Signature::Types(self.types)),
            None => None,
        }
    }
}

impl<'a> Builder<'a, '_> {
    /// An operation from its parts; `span` is the statement's. Regions are attached later.
    pub(super) fn operation(&mut self, parts: Pairs<'_, Rule>, form: Form, span: Span) -> Operation<'a> {
        let mut operation = Operation {
            span,
            results: Vec::new(),
            name: Name { text: "", span },
            form,
            arguments: Vec::new(),
            parameters: None,
            successors: Vec::new(),
            attributes: Vec::new(),
            regions: Vec::new(),
            signature: None,
            location: None,
        };
        let mut signature = SignatureParts::default();
        for part in parts {
            self.operation_part(part, &mut operation, &mut signature);
        }
        if operation.signature.is_none() {
            operation.signature = signature.finish();
        }
        self.complete_dense(&mut operation);
        operation
    }

    fn operation_part(
        &mut self,
        part: Pair<'_, Rule>,
        operation: &mut Operation<'a>,
        signature: &mut SignatureParts<'a>,
    ) {
        match part.as_rule() {
            Rule::result => {
                let result = self.result(&part);
                operation.results.push(result);
            }
            Rule::missing_percent => {
                let name = self.bare_name(&part, "a result name");
                operation.results.push(ResultName { name, count: 1 });
            }
            Rule::quoted_name => {
                let span = self.span(&part);
                operation.name = Name { text: self.unquoted(span), span };
                self.check_operation_name(operation.name);
            }
            Rule::operation_name => operation.name = self.operation_name(&part),
            Rule::value => {
                let value = self.value(&part);
                operation.arguments.push(Argument::Value(value));
            }
            Rule::bare_value => {
                let value = self.bare_value(&part);
                operation.arguments.push(Argument::Value(value));
            }
            Rule::word_attribute if self.is_bare_value(&part) => {
                let value = self.bare_value(&part);
                operation.arguments.push(Argument::Value(value));
            }
            Rule::number
            | Rule::word_attribute
            | Rule::string
            | Rule::array
            | Rule::integers
            | Rule::symbol
            | Rule::dialect_attribute => {
                let attribute = self.attribute_of_type(part, None);
                operation.arguments.push(Argument::Attribute(attribute));
            }
            Rule::block_name => {
                let name = self.sigil_name(&part);
                operation.successors.push(name);
            }
            Rule::dictionary => self.entries(part, &mut operation.attributes),
            Rule::inputs => signature.inputs = Some(self.inputs(part)),
            Rule::a_type | Rule::missing_type => {
                let ty = self.ty(&part);
                signature.types.push(ty);
                signature.present = true;
            }
            Rule::parameters => operation.parameters = Some(self.parameters(part)),
            Rule::function_results => self.function_results(part, operation),
            Rule::function => self.function(part, operation),
            Rule::module => self.module(part, operation),
            Rule::location => operation.location = Some(self.location(part)),
            _ => self.mistake(&part),
        }
    }

    fn result(&mut self, pair: &Pair<'_, Rule>) -> ResultName<'a> {
        let span = self.span(pair);
        let written = self.text(span);
        let Some((name, count)) = written.split_once(':') else {
            return ResultName { name: self.sigil_name(pair), count: 1 };
        };
        let end = span.start + name.trim_end().len() as u32;
        let name = Name { text: name.trim_end().get(1..).unwrap_or_default(), span: Span { start: span.start, end } };
        self.check_suffix(name);
        let count = count.trim().parse().unwrap_or(0);
        if !(1..=MAX_RESULTS).contains(&count) {
            let message = format!("a name stands for 1 to {MAX_RESULTS} results");
            self.report(
                Diagnostic::error("invalid-result-count", span, message)
                    .with_hint("`%name:2` names two results, `%name#0` and `%name#1`"),
            );
        }
        let count = count.clamp(1, MAX_RESULTS);
        ResultName { name, count }
    }

    /// The type of a positional `dense<…>` is the one type of the signature.
    fn complete_dense(&mut self, operation: &mut Operation<'a>) {
        let stated = match &operation.signature {
            Some(Signature::Types(types) | Signature::Function { results: types, .. }) if types.len() == 1 => {
                types.first().copied()
            }
            _ => None,
        };
        for argument in &mut operation.arguments {
            if let Argument::Attribute(Attribute { kind: AttributeKind::Dense { ty, .. }, span }) = argument {
                match stated {
                    Some(stated) => *ty = stated,
                    None => self.report(missing_dense_type(*span)),
                }
            }
        }
    }

    fn inputs(&mut self, pair: Pair<'_, Rule>) -> Vec<Type<'a>> {
        let mut inputs = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::a_type => inputs.push(self.ty(&part)),
                _ => self.mistake(&part),
            }
        }
        inputs
    }

    fn operation_name(&mut self, pair: &Pair<'_, Rule>) -> Name<'a> {
        let span = self.span(pair);
        let text = self.text(span);
        let name = Name { text: if text == "return" { "func.return" } else { text }, span };
        self.check_operation_name(name);
        name
    }

    fn check_operation_name(&mut self, name: Name<'a>) {
        let dialect_and_name =
            name.text.split_once('.').is_some_and(|(dialect, rest)| !dialect.is_empty() && !rest.is_empty());
        if !dialect_and_name {
            let message = format!("`{}` is not an operation name", excerpt(name.text));
            let mut diagnostic = Diagnostic::error("missing-dialect", name.span, message);
            diagnostic = match suggest(name.text, ["module", "return", "func.func"].into_iter()) {
                Some(near) => diagnostic.with_hint(format!("did you mean `{near}`?")),
                None => diagnostic.with_hint(format!("write the dialect first: `dialect.{}`", excerpt(name.text))),
            };
            self.report(diagnostic);
        }
    }

    pub(super) fn value(&mut self, pair: &Pair<'_, Rule>) -> ValueUse<'a> {
        let span = self.span(pair);
        let (name, index) = self.split_index(span);
        let name = Name {
            text: name.get(1..).unwrap_or_default(),
            span: Span { start: span.start, end: span.start + name.len() as u32 },
        };
        self.check_suffix(name);
        ValueUse { name, index }
    }

    /// `name` and the number behind `#`, 0 without it.
    fn split_index(&mut self, span: Span) -> (&'a str, u32) {
        let written = self.text(span);
        let Some((name, index)) = written.split_once('#') else { return (written, 0) };
        let index = index.parse().unwrap_or_else(|_| {
            self.report(Diagnostic::error("invalid-result-number", span, "the number after `#` is too large"));
            0
        });
        (name, index)
    }

    /// A value whose `%` is missing.
    pub(super) fn bare_value(&mut self, pair: &Pair<'_, Rule>) -> ValueUse<'a> {
        let name = self.bare_name(pair, "a value name");
        let (text, index) = self.split_index(name.span);
        ValueUse { name: Name { text, span: name.span }, index }
    }

    fn bare_name(&mut self, pair: &Pair<'_, Rule>, what: &str) -> Name<'a> {
        let span = self.span(pair);
        let text = self.text(span);
        let shown = excerpt(text);
        self.report(
            Diagnostic::error("missing-percent", span, format!("{what} begins with `%`, found `{shown}`"))
                .with_hint(format!("write `%{shown}`")),
        );
        Name { text, span }
    }
}

/// `dense<…>` without a type.
pub(super) fn missing_dense_type(span: Span) -> Diagnostic {
    Diagnostic::error("missing-type", span, "`dense<…>` needs a type").with_hint("write `dense<…> : tensor<…>`")
}
