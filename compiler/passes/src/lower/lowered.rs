//! Writing the graph: one integer operation in place of a `nn.fix` and what it rounds.

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::{int8, nn};
use dpuc_dialects::rewrite::{Pattern, Rewriter};
use dpuc_dialects::weights::Weight;
use dpuc_dialects::{Attribute, Ir, Location, LocationKind, OpBuilder, OpId, ValueId};

use super::code::Fix;
use crate::note::{Note, Notes};

/// What an integer operation reads.
#[derive(Debug)]
pub(super) enum Operand {
    /// Codes that are there.
    Code(ValueId),
    /// The same codes under another shape.
    Reshaped(ValueId, Vec<usize>),
    /// A new constant.
    Constant(NewConstant),
    /// The result of another operation, with one operand and no attributes, that is made as well.
    Computed {
        /// The operation.
        kind: &'static OpDefinition,
        /// What it reads.
        input: ValueId,
        /// Fix point of its result.
        point: i32,
        /// The operator it is a part of.
        origin: OpId,
        /// What is added to the operator's name.
        suffix: &'static str,
    },
}

/// A constant that lowering makes.
#[derive(Debug)]
pub(super) struct NewConstant {
    /// The operation it is made from: a constant, or the operator that needs it.
    pub(super) origin: OpId,
    /// What is added to the origin's name.
    pub(super) suffix: &'static str,
    pub(super) shape: Vec<usize>,
    /// C order.
    pub(super) elements: Vec<i8>,
    pub(super) point: i32,
}

/// One integer operation in place of others.
#[derive(Debug)]
pub(super) struct Lowered {
    pub(super) kind: &'static OpDefinition,
    pub(super) operands: Vec<Operand>,
    pub(super) attributes: Vec<(&'static str, Attribute)>,
    /// The operations it replaces, in order, without the last one.
    pub(super) parts: Vec<OpId>,
    /// The last operation it replaces: a `nn.fix`, or an operation that moves elements.
    pub(super) last: OpId,
    /// Fix point of the result.
    pub(super) point: i32,
    /// Shape of its own result, if a reshape to that of `last` follows.
    pub(super) shape: Option<Vec<usize>>,
    /// How its meaning differs from what it replaces.
    pub(super) note: Option<String>,
}

impl Lowered {
    /// An operation on codes with the result of `fix`.
    pub(super) fn new(
        kind: &'static OpDefinition,
        fix: Fix,
        parts: Vec<OpId>,
        codes: impl IntoIterator<Item = ValueId>,
    ) -> Self {
        Self {
            kind,
            operands: codes.into_iter().map(Operand::Code).collect(),
            attributes: Vec::new(),
            parts,
            last: fix.op,
            point: fix.point,
            shape: None,
            note: None,
        }
    }

    /// Adds an attribute.
    pub(super) fn with(mut self, name: &'static str, value: Attribute) -> Self {
        self.attributes.push((name, value));
        self
    }

    /// Adds attributes.
    pub(super) fn with_all(mut self, attributes: impl IntoIterator<Item = (&'static str, Attribute)>) -> Self {
        self.attributes.extend(attributes);
        self
    }

    /// Creates the operation and dequantises its result for the users of what it replaces.
    pub(super) fn apply(self, rewriter: &mut Rewriter<'_>) {
        let replaced = rewriter.ir().result(self.last);
        let shape = rewriter.ir().shape_of(replaced).unwrap_or_default();
        let names = Names::of(rewriter.ir(), self.last);
        let location = self.location(rewriter, &names);
        let operands: Vec<ValueId> = self.operands.into_iter().map(|operand| operand.insert(rewriter)).collect();
        let own_shape = self.shape.as_deref().unwrap_or(&shape);
        let ty = rewriter.tables().fix_tensor(own_shape, self.point);
        let mut builder = OpBuilder::new(self.kind).operands(operands);
        for (name, value) in self.attributes {
            if !self.kind.is_default(name, &value) {
                builder = builder.attribute(name, value);
            }
        }
        let code = if own_shape == shape {
            let op = rewriter.insert(builder.at(location).result(ty, &names.value));
            rewriter.ir().result(op)
        } else {
            let (inner, outer) = split_location(rewriter, location, &names);
            let op = rewriter.insert(builder.at(inner).result(ty, &format!("{}_map", names.value)));
            let ty = rewriter.tables().fix_tensor(&shape, self.point);
            let reshape = OpBuilder::new(&int8::RESHAPE).operands([rewriter.ir().result(op)]).at(outer);
            let op = rewriter.insert(reshape.result(ty, &names.value));
            rewriter.ir().result(op)
        };
        let ty = rewriter.tables().float_tensor(&shape);
        let child = rewriter.ir().op(self.last).location;
        let boundary = names.tensor.map_or(child, |tensor| named(rewriter, format!("{tensor}_"), child));
        let value = format!("{}_", names.value);
        let value = if names.value.is_empty() { "" } else { value.as_str() };
        let builder = OpBuilder::new(&int8::DEQUANTISE).operands([code]).at(boundary).result(ty, value);
        let dequantised = rewriter.insert(builder);
        let dequantised = rewriter.ir().result(dequantised);
        rewriter.replace(self.last, &[dequantised]);
    }

    /// All names, that of the tensor last.
    fn location(&self, rewriter: &mut Rewriter<'_>, names: &Names) -> Location {
        let ops: Vec<OpId> = self.parts.iter().copied().chain([self.last]).collect();
        let fused = rewriter.fuse(&ops);
        if rewriter.ir().is(self.last, &nn::FIX) {
            return fused;
        }
        // A tensor that was not rounded gets a name of its own, as AMD's compiler gives it.
        let Some(tensor) = names.tensor.clone() else { return fused };
        let tensor = rewriter.tables().named_location(tensor);
        rewriter.tables().fused_location([fused, tensor])
    }
}

/// What the codes that replace an operation's result are called.
struct Names {
    /// The value, empty if it has no name.
    value: String,
    /// The tensor.
    tensor: Option<String>,
}

impl Names {
    fn of(ir: &Ir, last: OpId) -> Self {
        let suffix = if ir.is(last, &nn::FIX) { "" } else { "_fix" };
        let value = ir.value_name(ir.result(last)).map(|name| format!("{name}{suffix}")).unwrap_or_default();
        let tensor = tensor_name(ir, ir.op(last).location).map(|name| format!("{name}{suffix}"));
        Self { value, tensor }
    }
}

/// The last name in a location: that of the tensor.
pub(super) fn tensor_name(ir: &Ir, location: Location) -> Option<&str> {
    match ir.location_kind(location) {
        LocationKind::Name(name, _) => Some(name),
        LocationKind::Fused(parts) => parts.iter().rev().find_map(|&part| tensor_name(ir, part)),
        _ => None,
    }
}

fn named(rewriter: &mut Rewriter<'_>, name: String, child: Location) -> Location {
    rewriter.tables().location(LocationKind::Name(name.into(), Some(child)))
}

/// Locations of an operation and of the reshape behind it, which together stand for `location`; the tensor's name belongs to the
/// reshape, and each has an operator's name of its own.
fn split_location(rewriter: &mut Rewriter<'_>, location: Location, names: &Names) -> (Location, Location) {
    let operator = rewriter.ir().location_name(location).map(str::to_owned);
    let (Some(operator), Some(tensor)) = (operator, names.tensor.clone()) else { return (location, location) };
    let map = rewriter.tables().named_location(format!("{tensor}(TransferMatMulToConv2d)"));
    let inner = rewriter.tables().fused_location([location, map]);
    let reshape = named(rewriter, format!("{operator}_reshaped"), location);
    let tensor = rewriter.tables().named_location(tensor);
    (inner, rewriter.tables().fused_location([reshape, tensor]))
}

impl Operand {
    fn insert(self, rewriter: &mut Rewriter<'_>) -> ValueId {
        match self {
            Self::Code(value) => value,
            Self::Reshaped(value, shape) => {
                let ir = rewriter.tables();
                let ty = ir.fix_tensor(&shape, ir.fix_of(value).unwrap_or_default());
                let op = rewriter.insert(OpBuilder::new(&int8::RESHAPE).operands([value]).result(ty, ""));
                rewriter.ir().result(op)
            }
            Self::Constant(constant) => constant.insert(rewriter),
            Self::Computed { kind, input, point, origin, suffix } => {
                let ir = rewriter.tables();
                let ty = ir.fix_tensor(&ir.shape_of(input).unwrap_or_default(), point);
                let location = ir.op(origin).location;
                let name = ir.location_name(location).map(|name| format!("{name}{suffix}"));
                let location = match name {
                    Some(name) => ir.location(LocationKind::Name(name.into(), Some(location))),
                    None => location,
                };
                let name = ir.value_name(ir.result(origin)).map(|name| format!("{name}{suffix}")).unwrap_or_default();
                let op = rewriter.insert(OpBuilder::new(kind).operands([input]).at(location).result(ty, &name));
                rewriter.ir().result(op)
            }
        }
    }
}

impl NewConstant {
    /// Another form of the constant whose codes are `of`.
    pub(super) fn derived(
        ir: &Ir,
        of: ValueId,
        suffix: &'static str,
        shape: Vec<usize>,
        elements: Vec<i8>,
    ) -> Option<Self> {
        Some(Self { origin: ir.defining_op(of)?, suffix, shape, elements, point: ir.fix_of(of)? })
    }

    /// Creates it.
    pub(super) fn insert(self, rewriter: &mut Rewriter<'_>) -> ValueId {
        let Self { origin, suffix, shape, elements, point } = self;
        let ir = rewriter.tables();
        let location = ir.op(origin).location;
        let symbol = ir.attribute(origin, "value").and_then(Attribute::as_symbol);
        let wish = symbol.or_else(|| ir.location_name(location)).or_else(|| ir.value_name(ir.result(origin)));
        let symbol = ir.weights.free_name(&format!("{}{suffix}", wish.unwrap_or("constant")));
        if let Ok(weight) = Weight::from_i8(&shape, &elements) {
            ir.weights.insert(symbol.as_str(), weight);
        }
        let name =
            ir.value_name(ir.result(origin)).map(|name| format!("{name}_{}", suffix.trim_matches(['(', ')', '_'])));
        let location = match tensor_name(ir, location).map(|name| format!("{name}{suffix}")) {
            Some(tensor) => {
                let parts =
                    [symbol.clone(), tensor].map(|name| ir.location(LocationKind::Name(name.into(), Some(location))));
                ir.fused_location(parts)
            }
            None => location,
        };
        let ty = ir.fix_tensor(&shape, point);
        let builder = OpBuilder::new(&int8::CONSTANT).attribute("value", Attribute::symbol(symbol));
        let op = rewriter.insert(builder.at(location).result(ty, name.as_deref().unwrap_or_default()));
        rewriter.ir().result(op)
    }
}

/// A pattern that starts from a `nn.fix` to signed bytes.
pub(super) trait FixPattern {
    /// Its name in summaries.
    const NAME: &'static str;

    /// The integer operation for `fix` and what it rounds.
    fn lower(&self, ir: &Ir, fix: Fix) -> Option<Lowered>;
}

/// A [`FixPattern`] for the driver.
pub(super) struct OnFix<P> {
    pattern: P,
    notes: Notes,
}

impl<P> OnFix<P> {
    pub(super) fn new(pattern: P, notes: &Notes) -> Self {
        Self { pattern, notes: notes.clone() }
    }
}

impl<P: FixPattern> Pattern for OnFix<P> {
    const NAME: &'static str = P::NAME;
    type Match = Lowered;

    fn root(&self) -> &'static OpDefinition {
        &nn::FIX
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<Lowered> {
        self.pattern.lower(ir, Fix::of(ir, op)?)
    }

    fn rewrite(&self, found: Lowered, _: OpId, rewriter: &mut Rewriter<'_>) {
        if let Some(message) = &found.note {
            let op = found.parts.first().copied().unwrap_or(found.last);
            self.notes.add(Note::new(rewriter.ir(), op, message.as_str()));
        }
        found.apply(rewriter);
    }
}
