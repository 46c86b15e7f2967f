//! The printer: one uniform pretty form derived from the definitions, and MLIR's generic form.
//!
//! The pretty form of an operation is `results = name operands, positional attributes {attributes} regions : types`. The types are
//! * those of the results, if there is no operand, or those of the operands, if there is no result;
//! * one type, if all operands and results have it;
//! * `(operand types) -> result types` otherwise.

use std::fmt::Write;

use dpuc_grammar::{escape, symbol};
use smallvec::SmallVec;

use super::names::ValueNames;
use crate::define::{OpDefinition, Traits};
use crate::dialects::builtin;
use crate::dialects::func::signature;
use crate::ir::{Attribute, BlockId, Definition, Ir, OpId, OpKind, RegionId, Type, ValueId};

/// What to print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PrintOptions {
    /// MLIR's generic form for every operation.
    pub generic: bool,
    /// `loc(…)` after every operation.
    pub locations: bool,
}

/// The whole module as text, with a newline at the end.
pub fn print(ir: &Ir, options: PrintOptions) -> String {
    print_op(ir, ir.root(), options)
}

/// One operation and its regions as text, with a newline at the end. Values defined elsewhere keep their names.
pub fn print_op(ir: &Ir, op: OpId, options: PrintOptions) -> String {
    let mut printer = Printer { ir, options, out: String::new(), indent: 0, names: ValueNames::default() };
    for inner in ir.walk(op) {
        for &operand in ir.operands(inner) {
            let outside = ir.defining_op(operand).is_none_or(|definition| !is_inside(ir, definition, op));
            if outside
                && !matches!(ir.value_definition(operand), Definition::Argument(block, _) if is_block_inside(ir, block, op))
            {
                printer.names.assign(ir, operand);
            }
        }
    }
    printer.op(op);
    printer.out.push('\n');
    printer.out
}

fn is_block_inside(ir: &Ir, block: BlockId, ancestor: OpId) -> bool {
    ir.block_region(block).is_some_and(|region| is_inside(ir, ir.region_owner(region), ancestor))
}

fn is_inside(ir: &Ir, op: OpId, ancestor: OpId) -> bool {
    std::iter::successors(Some(op), |&op| ir.parent_op(op)).any(|op| op == ancestor)
}

struct Printer<'a> {
    ir: &'a Ir,
    options: PrintOptions,
    out: String,
    indent: usize,
    names: ValueNames,
}

impl Printer<'_> {
    fn op(&mut self, op: OpId) {
        let ir = self.ir;
        self.results(op);
        match ir.op(op).kind {
            OpKind::Registered(definition) if !self.options.generic && ir.successors(op).is_empty() => {
                if definition.is(&builtin::MODULE) {
                    self.module(op);
                } else if definition.traits.has(Traits::FUNCTION) {
                    self.function(op, definition);
                } else {
                    self.pretty(op, definition);
                }
            }
            _ => self.generic(op),
        }
        if self.options.locations {
            self.out.push(' ');
            ir.write_location(&mut self.out, ir.op(op).location);
        }
    }

    fn results(&mut self, op: OpId) {
        for (index, &result) in self.ir.results(op).iter().enumerate() {
            if index > 0 {
                self.out.push_str(", ");
            }
            self.names.assign(self.ir, result);
            self.value(result);
        }
        if !self.ir.results(op).is_empty() {
            self.out.push_str(" = ");
        }
    }

    fn value(&mut self, value: ValueId) {
        self.names.write(self.ir, value, &mut self.out);
    }

    fn operands(&mut self, op: OpId) {
        for (index, &operand) in self.ir.operands(op).iter().enumerate() {
            if index > 0 {
                self.out.push_str(", ");
            }
            self.value(operand);
        }
    }

    fn pretty(&mut self, op: OpId, definition: &'static OpDefinition) {
        let ir = self.ir;
        self.out.push_str(definition.name);
        let mut separator = " ";
        let is_symbol = definition.traits.has(Traits::SYMBOL);
        if is_symbol {
            self.out.push(' ');
            self.out.push_str(&symbol(ir.symbol_name(op).unwrap_or_default()));
            separator = ", ";
        }
        if !ir.operands(op).is_empty() {
            self.out.push(' ');
            self.operands(op);
            separator = ", ";
        }
        for attribute in definition.attributes.iter().filter(|attribute| attribute.positional) {
            if let Some(value) = ir.attribute(op, attribute.name) {
                self.out.push_str(separator);
                match value {
                    // The type of the result is that of the elements.
                    Attribute::Dense(dense) => ir.write_dense_elements(&mut self.out, dense),
                    _ => ir.write_attribute(&mut self.out, value),
                }
                separator = ", ";
            }
        }
        let is_positional = |name: &str| definition.attribute(name).is_some_and(|attribute| attribute.positional);
        self.attributes(op, " ", |name| !(is_positional(name) || is_symbol && name == "sym_name"));
        for &region in ir.op_regions(op) {
            // `{}` would read as an empty dictionary.
            let empty = ir
                .region_blocks(region)
                .iter()
                .all(|&block| ir.last_op(block).is_none() && ir.arguments(block).is_empty());
            if empty {
                self.out.push_str(" ({})");
            } else {
                self.out.push(' ');
                self.region(region, true);
            }
        }
        self.signature(op);
    }

    /// ` : types`, in the shortest of the three forms.
    fn signature(&mut self, op: OpId) {
        let ir = self.ir;
        let types =
            |values: &[ValueId]| values.iter().map(|&value| ir.value_type(value)).collect::<SmallVec<[Type; 4]>>();
        let (operands, results) = (types(ir.operands(op)), types(ir.results(op)));
        let uniform = operands.iter().chain(&results).all(|ty| Some(ty) == operands.first());
        match (&operands[..], &results[..]) {
            ([], []) => {}
            ([], types) | (types, []) => {
                self.out.push_str(" : ");
                ir.write_types(&mut self.out, types);
            }
            ([ty, ..], _) if uniform => {
                self.out.push_str(" : ");
                ir.write_type(&mut self.out, *ty);
            }
            (operands, results) => {
                self.out.push_str(" : ");
                ir.write_signature(&mut self.out, operands, results);
            }
        }
    }

    fn module(&mut self, op: OpId) {
        self.out.push_str("module");
        if let Some(name) = self.ir.symbol_name(op) {
            self.out.push(' ');
            self.out.push_str(&symbol(name));
        }
        self.attributes(op, " attributes ", |name| name != "sym_name");
        self.out.push(' ');
        self.region(self.ir.op_regions(op)[0], true);
    }

    fn function(&mut self, op: OpId, definition: &'static OpDefinition) {
        let ir = self.ir;
        self.out.push_str(definition.name);
        self.out.push(' ');
        if let Some(visibility) = ir.str(op, "sym_visibility") {
            self.out.push_str(visibility);
            self.out.push(' ');
        }
        self.out.push_str(&symbol(ir.symbol_name(op).unwrap_or_default()));
        let region = ir.op_regions(op)[0];
        let entry = ir.region_blocks(region).first().copied();
        let (inputs, results) = signature(ir, op).unwrap_or_default();
        let outer = self.names.enter(true);
        self.out.push('(');
        match entry {
            Some(entry) => self.parameters(entry),
            None => ir.write_types(&mut self.out, inputs),
        }
        self.out.push(')');
        if !results.is_empty() {
            self.out.push_str(" -> ");
            ir.write_results(&mut self.out, results);
        }
        let in_header = ["sym_name", "function_type", "sym_visibility"];
        self.attributes(op, " attributes ", |name| !in_header.contains(&name));
        if entry.is_some() {
            self.out.push(' ');
            self.region_body(region, true);
        }
        self.names.leave(outer);
    }

    fn generic(&mut self, op: OpId) {
        let ir = self.ir;
        let _ = write!(self.out, "\"{}\"(", escape(ir.op_name(op)));
        self.operands(op);
        self.out.push(')');
        if !ir.successors(op).is_empty() {
            self.out.push('[');
            for (index, &block) in ir.successors(op).iter().enumerate() {
                if index > 0 {
                    self.out.push_str(", ");
                }
                let label = self.names.label(ir, block);
                self.out.push_str(&label);
            }
            self.out.push(']');
        }
        // Upstream tools know these dialects and keep their inherent attributes as properties.
        let upstream = ["builtin.", "func."].iter().any(|prefix| ir.op_name(op).starts_with(prefix));
        let is_property = |name: &str| upstream && UPSTREAM_PROPERTIES.contains(&name);
        if ir.attributes(op).iter().any(|(name, _)| is_property(ir.text(*name))) {
            self.out.push_str(" <");
            let entries = ir.attributes(op).iter().filter(|(name, _)| is_property(ir.text(*name)));
            ir.write_dictionary(&mut self.out, entries.map(|(name, value)| (*name, value)));
            self.out.push('>');
        }
        if !ir.op_regions(op).is_empty() {
            self.out.push_str(" (");
            for (index, &region) in ir.op_regions(op).iter().enumerate() {
                if index > 0 {
                    self.out.push_str(", ");
                }
                self.region(region, false);
            }
            self.out.push(')');
        }
        self.attributes(op, " ", |name| !is_property(name));
        self.out.push_str(" : ");
        let types =
            |values: &[ValueId]| values.iter().map(|&value| ir.value_type(value)).collect::<SmallVec<[Type; 4]>>();
        ir.write_signature(&mut self.out, &types(ir.operands(op)), &types(ir.results(op)));
    }

    fn attributes(&mut self, op: OpId, introduction: &str, keep: impl Fn(&str) -> bool) {
        let ir = self.ir;
        let kept = ir.attributes(op).iter().filter(|(name, _)| keep(ir.text(*name)));
        if kept.clone().next().is_some() {
            self.out.push_str(introduction);
            ir.write_dictionary(&mut self.out, kept.map(|(name, value)| (*name, value)));
        }
    }

    /// A region with a naming scope of its own.
    fn region(&mut self, region: RegionId, pretty: bool) {
        let isolated = self.ir.has_traits(self.ir.region_owner(region), Traits::ISOLATED);
        let outer = self.names.enter(isolated);
        self.region_body(region, pretty && self.ir.region_blocks(region).len() <= 1);
        self.names.leave(outer);
    }

    /// Blocks between braces. Without `header`, or if its arguments were not printed before, the first block's header is printed too.
    fn region_body(&mut self, region: RegionId, pretty: bool) {
        let ir = self.ir;
        self.out.push('{');
        self.indent += 1;
        let function = pretty && ir.has_traits(ir.region_owner(region), Traits::FUNCTION);
        for (index, &block) in ir.region_blocks(region).iter().enumerate() {
            let needs_header = index > 0 || (!function && !ir.arguments(block).is_empty());
            if needs_header {
                self.new_line(self.indent - 1);
                let label = self.names.label(ir, block);
                self.out.push_str(&label);
                if !ir.arguments(block).is_empty() {
                    self.out.push('(');
                    self.parameters(block);
                    self.out.push(')');
                }
                self.out.push(':');
            }
            for op in ir.ops(block) {
                self.new_line(self.indent);
                self.op(op);
            }
        }
        self.indent -= 1;
        self.new_line(self.indent);
        self.out.push('}');
    }

    fn parameters(&mut self, block: BlockId) {
        for (index, &argument) in self.ir.arguments(block).iter().enumerate() {
            if index > 0 {
                self.out.push_str(", ");
            }
            self.names.assign(self.ir, argument);
            self.value(argument);
            self.out.push_str(": ");
            self.ir.write_type(&mut self.out, self.ir.value_type(argument));
        }
    }

    fn new_line(&mut self, indent: usize) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n("  ", indent));
    }
}

/// Inherent attributes of upstream's `builtin.module`, `func.func` and `func.call`.
const UPSTREAM_PROPERTIES: [&str; 4] = ["sym_name", "function_type", "sym_visibility", "callee"];
