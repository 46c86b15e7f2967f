//! Functions, modules and the parameters of functions and blocks.

use pest::iterators::Pair;

use super::{Builder, excerpt};
use crate::diagnostic::Diagnostic;
use crate::statement::Rule;
use crate::suggest::suggest;
use crate::syntax::{Argument, Attribute, AttributeKind, Entry, Name, Operation, Parameter, Signature, Span, Type};

impl<'a> Builder<'a, '_> {
    pub(super) fn function(&mut self, pair: Pair<'_, Rule>, operation: &mut Operation<'a>) {
        const NAME: &str = "func.func";
        let start = self.span(&pair).start;
        operation.name = Name { text: NAME, span: Span { start, end: start + NAME.len() as u32 } };
        for part in pair.into_inner() {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::visibility => {
                    let kind = AttributeKind::String(self.text(span).into());
                    let name = Name { text: "sym_visibility", span };
                    operation.attributes.push(Entry { name, value: Attribute { span, kind } });
                }
                Rule::symbol => {
                    let symbol = self.symbol(&part);
                    operation.arguments.push(Argument::Attribute(symbol));
                }
                Rule::missing_at => {
                    let symbol = self.missing_at(span);
                    operation.arguments.push(Argument::Attribute(symbol));
                }
                Rule::wrong_function => self.report(
                    Diagnostic::error("missing-dialect", span, "`func` is not an operation name")
                        .with_hint("did you mean `func.func`?"),
                ),
                Rule::wrong_visibility => self.wrong_visibility(span),
                Rule::parameters => operation.parameters = Some(self.parameters(part)),
                Rule::function_results => self.function_results(part, operation),
                Rule::dictionary => self.entries(part, &mut operation.attributes),
                _ => self.mistake(&part),
            }
        }
    }

    /// Result types, and the attributes of results as MLIR's generic form has them: `res_attrs`, one dictionary for each result.
    pub(super) fn function_results(&mut self, pair: Pair<'_, Rule>, operation: &mut Operation<'a>) {
        let span = self.span(&pair);
        let mut results = Vec::new();
        let mut dictionaries: Vec<Attribute<'a>> = Vec::new();
        let mut stated = false;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::a_type | Rule::missing_type => {
                    let ty = self.ty(&part);
                    results.push(ty);
                    dictionaries.push(Attribute { span: ty.span, kind: AttributeKind::Dictionary(Vec::new()) });
                }
                Rule::dictionary => {
                    stated = true;
                    let span = self.span(&part);
                    let mut entries = Vec::new();
                    self.entries(part, &mut entries);
                    if let Some(last) = dictionaries.last_mut() {
                        *last = Attribute { span, kind: AttributeKind::Dictionary(entries) };
                    }
                }
                _ => self.mistake(&part),
            }
        }
        if stated {
            let name = Name { text: "res_attrs", span };
            operation
                .attributes
                .push(Entry { name, value: Attribute { span, kind: AttributeKind::Array(dictionaries) } });
        }
        operation.signature = Some(Signature::Function { inputs: Vec::new(), results });
    }

    pub(super) fn module(&mut self, pair: Pair<'_, Rule>, operation: &mut Operation<'a>) {
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::module_name => {
                    operation.name = Name { text: "builtin.module", span: self.span(&part) };
                }
                Rule::symbol => {
                    let symbol = self.symbol(&part);
                    operation.arguments.push(Argument::Attribute(symbol));
                }
                Rule::missing_at => {
                    let symbol = self.missing_at(self.span(&part));
                    operation.arguments.push(Argument::Attribute(symbol));
                }
                Rule::dictionary => self.entries(part, &mut operation.attributes),
                _ => self.mistake(&part),
            }
        }
    }

    fn missing_at(&mut self, span: Span) -> Attribute<'a> {
        let text = self.text(span);
        let shown = excerpt(text);
        self.report(
            Diagnostic::error("missing-at", span, format!("a symbol begins with `@`, found `{shown}`"))
                .with_hint(format!("write `@{shown}`")),
        );
        Attribute { span, kind: AttributeKind::Symbol(vec![Name { text, span }]) }
    }

    fn wrong_visibility(&mut self, span: Span) {
        const VISIBILITIES: [&str; 3] = ["private", "public", "nested"];
        let text = self.text(span);
        let message = format!("expected a visibility or a symbol name, found `{}`", excerpt(text));
        let diagnostic = Diagnostic::error("unknown-word", span, message);
        self.report(match suggest(text, VISIBILITIES.into_iter()) {
            Some(near) => diagnostic.with_hint(format!("did you mean `{near}`?")),
            None => diagnostic.with_hint("the visibilities are `private`, `public` and `nested`"),
        });
    }

    pub(super) fn parameters(&mut self, pair: Pair<'_, Rule>) -> Vec<Parameter<'a>> {
        let mut parameters = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::parameter => parameters.push(self.parameter(part)),
                _ => self.mistake(&part),
            }
        }
        parameters
    }

    fn parameter(&mut self, pair: Pair<'_, Rule>) -> Parameter<'a> {
        let start = self.span(&pair).start;
        let unnamed = Span { start, end: start };
        let mut parameter = Parameter {
            name: Name { text: "", span: unnamed },
            ty: Type { text: "", span: unnamed },
            attributes: Vec::new(),
            location: None,
        };
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::value => {
                    let value = self.value(&part);
                    if self.text(value.name.span).len() < part.as_str().len() {
                        let message = "a parameter is named without a number after `#`";
                        self.report(Diagnostic::error("invalid-name", self.span(&part), message));
                    }
                    parameter.name = value.name;
                }
                Rule::bare_value => parameter.name = self.bare_value(&part).name,
                Rule::a_type | Rule::missing_type => parameter.ty = self.ty(&part),
                Rule::dictionary => self.entries(part, &mut parameter.attributes),
                Rule::location => parameter.location = Some(self.location(part)),
                _ => self.mistake(&part),
            }
        }
        parameter
    }
}
