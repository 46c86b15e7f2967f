//! From the syntax tree to the IR.
//!
//! Nothing stops at the first error: an operation with an error is still created as far as it was understood, so that the operations after
//! it find its results.

use std::sync::Arc;

use dpuc_grammar::{
    Argument, Diagnostic, Document, Form, LocationKind as LocationSyntax, Name, Operation, Parameter, Region, Severity,
    Signature, Span, suggest,
};
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::{SmallVec, smallvec};

use super::scope::{Entry, Forward, Scopes};
use crate::define::{OpDefinition, Traits};
use crate::dialects::{self, builtin};
use crate::ir::{Attribute, BlockId, Ir, Location, LocationKind, OpId, OpKind, RegionId, Type, TypeKind, ValueId};

/// Undefined values for which a similar name is searched.
const MAX_SUGGESTIONS: usize = 20;
/// Errors that are kept; more help nobody.
const MAX_ERRORS: usize = 1000;

/// How text is read.
#[derive(Clone, Debug, Default)]
pub struct ParseOptions {
    /// Name of the file, for locations.
    pub file: String,
    /// Whether operations of unknown dialects are accepted.
    pub allow_unregistered: bool,
}

/// What reading text gave.
#[derive(Debug)]
pub struct ParsedIr {
    /// The module; incomplete if there are errors.
    pub ir: Ir,
    /// Everything that is wrong with the text, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

impl ParsedIr {
    /// Whether the text was accepted, perhaps with warnings.
    pub fn is_ok(&self) -> bool {
        self.diagnostics.iter().all(|diagnostic| diagnostic.severity != Severity::Error)
    }
}

/// Reads a module from text. Rules that need the whole module are the verifier's business: see [`crate::verify::verify`].
pub fn parse(source: &str, options: &ParseOptions) -> ParsedIr {
    let parsed = dpuc_grammar::parse(source);
    let mut lower = Lower {
        ir: Ir::new(),
        options,
        file: options.file.as_str().into(),
        line_starts: std::iter::once(0)
            .chain(source.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').map(|(at, _)| at as u32 + 1))
            .collect(),
        diagnostics: parsed.diagnostics,
        types: FxHashMap::default(),
        attribute_aliases: FxHashMap::default(),
        location_aliases: FxHashMap::default(),
        scopes: Scopes::default(),
        labels: Vec::new(),
        unread: parsed.unread_results.iter().map(|name| name.text).collect(),
    };
    lower.document(&parsed.document);
    lower.diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
    lower.diagnostics.truncate(MAX_ERRORS);
    ParsedIr { ir: lower.ir, diagnostics: lower.diagnostics }
}

pub(super) struct Lower<'o, 's> {
    pub(super) ir: Ir,
    options: &'o ParseOptions,
    file: Arc<str>,
    line_starts: Vec<u32>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Types by their text, aliases included.
    pub(super) types: FxHashMap<&'s str, Type>,
    pub(super) attribute_aliases: FxHashMap<&'s str, Attribute>,
    location_aliases: FxHashMap<&'s str, Location>,
    scopes: Scopes<'s>,
    /// Labels of the regions around the present place.
    labels: Vec<FxHashMap<&'s str, BlockId>>,
    /// Results of operations that could not be read; their uses are no further errors.
    unread: FxHashSet<&'s str>,
}

impl<'s> Lower<'_, 's> {
    fn document(&mut self, document: &Document<'s>) {
        self.aliases(document);
        let body = self.ir.body();
        if let [only] = &document.operations[..]
            && only.name.text == builtin::MODULE.name
        {
            self.root_module(only);
            return;
        }
        self.scopes.enter(true);
        self.labels.push(FxHashMap::default());
        for operation in &document.operations {
            self.operation(operation, body);
        }
        self.labels.pop();
        self.leave_scope();
    }

    fn aliases(&mut self, document: &Document<'s>) {
        for alias in &document.aliases {
            match &alias.value {
                dpuc_grammar::AliasValue::Type(ty) => {
                    let lowered = self.ty(*ty);
                    // Uses are written with the sigil, which the alias' span includes.
                    self.types.insert(alias.name.text, lowered);
                }
                dpuc_grammar::AliasValue::Attribute(attribute) => {
                    let lowered = self.attribute(attribute);
                    self.attribute_aliases.insert(alias.name.text, lowered);
                }
                dpuc_grammar::AliasValue::Location(location) => {
                    let lowered = self.location(location);
                    self.location_aliases.insert(alias.name.text, lowered);
                }
            }
        }
    }

    /// The text's own module becomes the root.
    fn root_module(&mut self, operation: &Operation<'s>) {
        let root = self.ir.root();
        let location = self.op_location(operation);
        self.ir.set_location(root, location);
        self.attributes(root, operation, Some(&builtin::MODULE));
        let body = self.ir.body();
        self.scopes.enter(true);
        self.labels.push(FxHashMap::default());
        for region in &operation.regions {
            for block in &region.blocks {
                for inner in &block.operations {
                    self.operation(inner, body);
                }
            }
        }
        self.labels.pop();
        self.leave_scope();
    }

    fn operation(&mut self, operation: &Operation<'s>, block: BlockId) {
        let definition = self.definition(operation);
        let kind = match definition {
            Some(definition) => OpKind::Registered(definition),
            None => OpKind::Unregistered(self.ir.name(operation.name.text)),
        };
        let location = self.op_location(operation);
        let op = self.ir.create_op(kind, location);
        self.attributes(op, operation, definition);
        if operation.parameters.is_some() {
            self.function_type(op, operation);
        }
        let result_types = self.operands(op, operation, definition);
        for &successor in &operation.successors {
            match self.labels.last().and_then(|labels| labels.get(successor.text)) {
                Some(&target) => self.ir.add_successor(op, target),
                None => {
                    self.error("undefined-block", successor.span, format!("no block is called `^{}`", successor.text));
                }
            }
        }
        self.regions(op, operation, definition);
        self.results(op, operation, &result_types);
        self.ir.append(block, op);
    }

    fn definition(&mut self, operation: &Operation<'s>) -> Option<&'static OpDefinition> {
        let name = operation.name;
        let found = dialects::find(name.text);
        if found.is_some() {
            return found;
        }
        let prefix = name.text.split('.').next().unwrap_or_default();
        let known_dialect = dialects::DIALECTS.iter().find(|dialect| dialect.name == prefix);
        let diagnostic = match known_dialect {
            Some(dialect) => {
                let names = dialect.operations.iter().map(|definition| definition.name);
                let diagnostic = Diagnostic::error(
                    "unknown-operation",
                    name.span,
                    format!("the dialect `{prefix}` has no operation `{}`", name.text),
                );
                match suggest(name.text, names) {
                    Some(other) => diagnostic.with_hint(format!("did you mean `{other}`?")),
                    None => diagnostic,
                }
            }
            None if self.options.allow_unregistered && operation.form == Form::Generic => return None,
            None if self.options.allow_unregistered => Diagnostic::error(
                "unknown-operation",
                name.span,
                format!("the pretty form of `{}` is not known", name.text),
            )
            .with_hint(format!("write the generic form: `\"{}\"(…) : (…) -> …`", name.text)),
            None => {
                let names = dialects::operations().map(|definition| definition.name);
                let diagnostic = Diagnostic::error(
                    "unknown-dialect",
                    name.span,
                    format!("`{}` belongs to no known dialect", name.text),
                );
                match suggest(name.text, names) {
                    Some(other) => diagnostic.with_hint(format!("did you mean `{other}`?")),
                    None => diagnostic
                        .with_hint("operations of other dialects are accepted with --allow-unregistered-dialect"),
                }
            }
        };
        self.diagnostics.push(diagnostic);
        None
    }

    /// Named attributes, and positional ones under the names the definition gives them.
    fn attributes(&mut self, op: OpId, operation: &Operation<'s>, definition: Option<&'static OpDefinition>) {
        let mut positional =
            definition.into_iter().flat_map(|definition| definition.attributes).filter(|own| own.positional);
        let names_symbol = definition
            .is_some_and(|definition| definition.traits.has(Traits::FUNCTION) || definition.is(&builtin::MODULE));
        for argument in &operation.arguments {
            let Argument::Attribute(attribute) = argument else { continue };
            let value = self.attribute(attribute);
            if let Some(own) = positional.next() {
                self.ir.set_attribute(op, own.name, value);
            } else if let Some(symbol) = value.as_symbol().filter(|_| names_symbol || is_symbol(definition)) {
                let name = Attribute::string(symbol);
                self.ir.set_attribute(op, "sym_name", name);
            } else {
                let message = format!("`{}` takes no attribute at this place", operation.name.text);
                let diagnostic = Diagnostic::error("unexpected-attribute", attribute.span, message)
                    .with_hint("named attributes stand in braces: `{name = value}`");
                self.diagnostics.push(diagnostic);
            }
        }
        for entry in &operation.attributes {
            if self.ir.attribute(op, entry.name.text).is_some() {
                self.error("duplicate-attribute", entry.name.span, format!("`{}` is given twice", entry.name.text));
                continue;
            }
            let value = self.attribute(&entry.value);
            self.ir.set_attribute(op, entry.name.text, value);
        }
    }

    fn function_type(&mut self, op: OpId, operation: &Operation<'s>) {
        let parameters = operation.parameters.as_deref().unwrap_or_default();
        let inputs = parameters.iter().map(|parameter| self.ty(parameter.ty)).collect();
        let results = match &operation.signature {
            Some(Signature::Function { results, .. } | Signature::Types(results)) => {
                results.iter().map(|&ty| self.ty(ty)).collect()
            }
            None => Box::default(),
        };
        let ty = self.ir.intern_type(TypeKind::Function { inputs, results });
        self.ir.set_attribute(op, "function_type", Attribute::Type(ty));
    }

    /// Adds the operands and gives the types of the results.
    fn operands(
        &mut self,
        op: OpId,
        operation: &Operation<'s>,
        definition: Option<&'static OpDefinition>,
    ) -> SmallVec<[Type; 2]> {
        let uses = || {
            operation.arguments.iter().filter_map(|argument| match argument {
                Argument::Value(value) => Some(value),
                Argument::Attribute(_) => None,
            })
        };
        let operand_count = uses().count();
        let named_results: usize = operation.results.iter().map(|result| result.count as usize).sum();
        let has_results = named_results > 0 || definition.is_some_and(|definition| !definition.results.is_empty());
        let (operand_types, result_types): (SmallVec<[Type; 4]>, SmallVec<[Type; 2]>) = match &operation.signature {
            _ if operation.parameters.is_some() => (SmallVec::new(), SmallVec::new()),
            Some(Signature::Function { inputs, results }) => {
                (inputs.iter().map(|&ty| self.ty(ty)).collect(), results.iter().map(|&ty| self.ty(ty)).collect())
            }
            Some(Signature::Types(types)) => {
                let lowered: SmallVec<[Type; 4]> = types.iter().map(|&ty| self.ty(ty)).collect();
                match (operand_count, &lowered[..]) {
                    (0, types) => (SmallVec::new(), types.into()),
                    (_, types) if !has_results => (types.into(), SmallVec::new()),
                    (_, &[ty]) => (smallvec![ty; operand_count], smallvec![ty; named_results.max(1)]),
                    _ => {
                        let hint = "write one type if all operands and results have it, `(operand types) -> result types` otherwise";
                        let span = types.first().map_or(operation.name.span, |ty| ty.span);
                        let message =
                            format!("`{}` has operands and results, but a list of types", operation.name.text);
                        self.diagnostics.push(Diagnostic::error("signature", span, message).with_hint(hint));
                        (SmallVec::new(), SmallVec::new())
                    }
                }
            }
            None => {
                if operand_count > 0 || has_results {
                    let message = format!("`{}` lacks its types", operation.name.text);
                    let diagnostic = Diagnostic::error("missing-types", operation.name.span, message)
                        .with_hint("add `: type` or `: (operand types) -> result types` at its end");
                    self.diagnostics.push(diagnostic);
                }
                (SmallVec::new(), SmallVec::new())
            }
        };
        if !operand_types.is_empty() && operand_types.len() != operand_count {
            let (stated, name) = (operand_types.len(), operation.name.text);
            let message = format!("`{name}` has {operand_count} operands, but types for {stated}");
            self.error("signature", operation.name.span, message);
        }
        for (index, value_use) in uses().enumerate() {
            let stated = operand_types.get(index).copied();
            let value = self.value_use(value_use.name, value_use.index, stated);
            self.ir.add_operand(op, value);
        }
        result_types
    }

    fn value_use(&mut self, name: Name<'s>, index: u32, stated: Option<Type>) -> ValueId {
        let Some(entry) = self.scopes.find(name.text) else { return self.forward_use(name, index, stated) };
        let Some(&value) = entry.values.get(index as usize) else {
            let (span, count) = (entry.span, entry.values.len());
            let message = format!("`%{}` stands for {count} value(s), so it has no `#{index}`", name.text);
            let diagnostic =
                Diagnostic::error("value-index", name.span, message).with_note(Some(span), "it is defined here");
            self.diagnostics.push(diagnostic);
            return self.placeholder(stated);
        };
        if let Some(stated) = stated.filter(|&stated| stated != self.ir.value_type(value)) {
            let defined = self.ir.show_type(self.ir.value_type(value));
            let message =
                format!("`%{}` has type {defined}, but {} is stated here", name.text, self.ir.show_type(stated));
            let note = format!("`%{}` is defined here", name.text);
            let span = self.scopes.find(name.text).map(|entry| entry.span);
            self.diagnostics.push(Diagnostic::error("type-mismatch", name.span, message).with_note(span, note));
        }
        value
    }

    fn forward_use(&mut self, name: Name<'s>, index: u32, stated: Option<Type>) -> ValueId {
        if let Some(value) = self.scopes.forward(name.text, index) {
            return value;
        }
        let value = self.placeholder(stated);
        self.scopes.add_forward(Forward { name, index, value });
        value
    }

    fn placeholder(&mut self, stated: Option<Type>) -> ValueId {
        let ty = stated.unwrap_or_else(|| self.ir.intern_type(TypeKind::None));
        self.ir.add_forward_value(ty)
    }

    fn results(&mut self, op: OpId, operation: &Operation<'s>, types: &[Type]) {
        let named: usize = operation.results.iter().map(|result| result.count as usize).sum();
        if named > 0 && named != types.len() && operation.signature.is_some() {
            let (name, count) = (operation.name.text, types.len());
            let message = format!("{named} result(s) are named, but `{name}` has {count}");
            self.error("result-count", operation.results[0].name.span, message);
        }
        let none = self.ir.intern_type(TypeKind::None);
        let mut types = types.iter().copied();
        for result in &operation.results {
            let mut values = SmallVec::new();
            // A count beyond the stated types is an error already; it must not cost memory.
            for index in 0..result.count.min(1 << 16) {
                let ty = match types.next() {
                    Some(ty) => ty,
                    None if index > 0 => break,
                    None => none,
                };
                values.push(self.define_result(op, result.name.text, index, ty));
            }
            self.define(result.name, values);
        }
        for ty in types {
            self.ir.add_result(op, ty);
        }
    }

    fn define_result(&mut self, op: OpId, name: &'s str, index: u32, ty: Type) -> ValueId {
        match self.scopes.resolve_forward(name, index) {
            Some(forward) => {
                self.ir.set_value_type(forward, ty);
                self.ir.adopt_result(op, forward);
                forward
            }
            None => self.ir.add_result(op, ty),
        }
    }

    fn define(&mut self, name: Name<'s>, values: SmallVec<[ValueId; 1]>) {
        // Numbers are not the user's names: the printer counts anew.
        if !name.text.bytes().all(|byte| byte.is_ascii_digit())
            && let [only] = values[..]
        {
            self.ir.set_value_name(only, name.text);
        }
        if let Some(earlier) = self.scopes.define(name.text, Entry { values, span: name.span }) {
            let diagnostic = Diagnostic::error("redefinition", name.span, format!("`%{}` is defined twice", name.text))
                .with_note(Some(earlier.span), "the first definition is here")
                .with_hint("every value has one definition; choose another name");
            self.diagnostics.push(diagnostic);
        }
    }

    fn regions(&mut self, op: OpId, operation: &Operation<'s>, definition: Option<&'static OpDefinition>) {
        let isolated = definition.is_some_and(|definition| definition.traits.has(Traits::ISOLATED));
        for (index, syntax) in operation.regions.iter().enumerate() {
            let region = self.ir.add_region(op);
            self.scopes.enter(isolated);
            let parameters = operation.parameters.as_deref().filter(|_| index == 0);
            self.region(region, syntax, parameters);
            self.leave_scope();
        }
        let missing = definition.map_or(0, |definition| definition.regions).saturating_sub(operation.regions.len());
        for _ in 0..missing {
            // `{}` reads as an empty dictionary; a function without body is a declaration.
            let region = self.ir.add_region(op);
            if definition.is_some_and(|definition| !definition.traits.has(Traits::FUNCTION)) {
                self.ir.add_block(region);
            }
        }
    }

    fn region(&mut self, region: RegionId, syntax: &Region<'s>, parameters: Option<&[Parameter<'s>]>) {
        let mut labels = FxHashMap::default();
        let mut blocks = Vec::with_capacity(syntax.blocks.len().max(1));
        for block in &syntax.blocks {
            let id = self.ir.add_block(region);
            blocks.push(id);
            if let Some(label) = block.label {
                self.ir.set_block_label(id, label.text);
                if labels.insert(label.text, id).is_some() {
                    self.error("redefinition", label.span, format!("`^{}` is defined twice", label.text));
                }
            }
        }
        if blocks.is_empty() {
            blocks.push(self.ir.add_block(region));
        }
        for parameter in parameters.unwrap_or_default() {
            self.block_argument(blocks[0], parameter);
        }
        for (syntax, &block) in syntax.blocks.iter().zip(&blocks) {
            for parameter in &syntax.parameters {
                self.block_argument(block, parameter);
            }
        }
        self.labels.push(labels);
        for (syntax, &block) in syntax.blocks.iter().zip(&blocks) {
            for operation in &syntax.operations {
                self.operation(operation, block);
            }
        }
        self.labels.pop();
    }

    fn block_argument(&mut self, block: BlockId, parameter: &Parameter<'s>) {
        let ty = self.ty(parameter.ty);
        let value = self.ir.add_argument(block, ty);
        self.define(parameter.name, smallvec![value]);
    }

    fn leave_scope(&mut self) {
        let (unresolved, candidates) = self.scopes.leave();
        for (number, forward) in unresolved.into_iter().enumerate() {
            if self.unread.contains(forward.name.text) {
                continue;
            }
            let name = forward.name;
            let diagnostic =
                Diagnostic::error("undefined-value", name.span, format!("`%{}` is not defined", name.text));
            // Comparing with every name takes time; after some errors nobody reads the suggestions.
            let known = if number < MAX_SUGGESTIONS { &candidates[..] } else { &[] };
            let diagnostic = match suggest(name.text, known.iter().copied()) {
                Some(other) => diagnostic.with_hint(format!("did you mean `%{other}`?")),
                None => diagnostic,
            };
            self.diagnostics.push(diagnostic);
        }
    }

    fn op_location(&mut self, operation: &Operation<'s>) -> Location {
        match &operation.location {
            Some(location) => self.location(location),
            None => self.text_location(operation.span),
        }
    }

    fn text_location(&mut self, span: Span) -> Location {
        let line = self.line_starts.partition_point(|&start| start <= span.start);
        let column = span.start - self.line_starts[line - 1] + 1;
        let file = Arc::clone(&self.file);
        self.ir.location(LocationKind::File { file, line: line as u32, column, span: Some(span) })
    }

    fn location(&mut self, location: &dpuc_grammar::Location<'s>) -> Location {
        let kind = match &location.kind {
            LocationSyntax::Unknown => return self.ir.unknown_location(),
            LocationSyntax::File { file, line, column } => {
                LocationKind::File { file: (&**file).into(), line: *line, column: *column, span: None }
            }
            LocationSyntax::Name(name, child) => {
                let child = child.as_ref().map(|child| self.location(child));
                LocationKind::Name((&**name).into(), child)
            }
            LocationSyntax::Fused(parts) => LocationKind::Fused(parts.iter().map(|part| self.location(part)).collect()),
            LocationSyntax::CallSite(callee, caller) => {
                LocationKind::Fused([self.location(callee), self.location(caller)].into())
            }
            LocationSyntax::Alias(name) => match self.location_aliases.get(name.text) {
                Some(&location) => return location,
                None => {
                    self.error("undefined-alias", name.span, format!("no location is called `#{}`", name.text));
                    return self.ir.unknown_location();
                }
            },
        };
        self.ir.location(kind)
    }

    pub(super) fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        self.diagnostics.push(Diagnostic::error(code, span, message));
    }
}

fn is_symbol(definition: Option<&'static OpDefinition>) -> bool {
    definition.is_some_and(|definition| definition.traits.has(Traits::SYMBOL))
}
