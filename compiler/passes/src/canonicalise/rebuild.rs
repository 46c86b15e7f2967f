//! Reading and copying operations.

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::rewrite::Rewriter;
use dpuc_dialects::{Attribute, Ir, Location, LocationKind, OpBuilder, OpId, Type, ValueId};

/// The operation behind a value, if it is of one of these kinds.
pub(super) fn producer(ir: &Ir, value: ValueId, kinds: &[&'static OpDefinition]) -> Option<OpId> {
    ir.defining_op(value).filter(|&op| kinds.iter().any(|kind| ir.is(op, kind)))
}

/// A list of sizes or indices of an operation.
pub(super) fn sizes(ir: &Ir, op: OpId, name: &str) -> Option<Vec<usize>> {
    ir.ints(op, name)?.into_iter().map(|value| usize::try_from(value).ok()).collect()
}

/// A list of sizes as an attribute.
pub(super) fn list(values: impl IntoIterator<Item = usize>) -> Attribute {
    Attribute::ints(values.into_iter().map(|value| value as i64))
}

/// A type like that of `value` with another shape.
pub(super) fn reshaped(ir: &mut Ir, value: ValueId, shape: &[usize]) -> Option<Type> {
    let tensor = ir.tensor_of(value)?;
    let (element, encoding) = (tensor.element, tensor.encoding.clone());
    Some(ir.tensor_type(shape, element, encoding))
}

/// Inserts an operation of the kind of `op` with its attributes, of which `changed` are others.
pub(super) fn copy_of(
    rewriter: &mut Rewriter<'_>,
    op: OpId,
    operands: &[ValueId],
    changed: &[(&'static str, Attribute)],
    ty: Type,
    location: Location,
) -> Option<ValueId> {
    let ir = rewriter.ir();
    let kind = ir.definition(op)?;
    let own = ir.attributes(op).iter().map(|(name, value)| (ir.text(*name).to_owned(), value.clone()));
    let kept: Vec<_> = own.filter(|(name, _)| changed.iter().all(|(changed, _)| changed != name)).collect();
    let mut builder = OpBuilder::new(kind).at(location).operands(operands.iter().copied()).result(ty, "");
    for (name, value) in &kept {
        builder = builder.attribute(name, value.clone());
    }
    for (name, value) in changed {
        builder = builder.attribute(name, value.clone());
    }
    let copy = rewriter.insert(builder);
    Some(rewriter.ir().result(copy))
}

/// A location of an operation that computes what `op` computes in another layout: its name with a suffix.
pub(super) fn other_layout(rewriter: &mut Rewriter<'_>, op: OpId) -> Location {
    let ir = rewriter.tables();
    let location = ir.op(op).location;
    match ir.location_name(location).map(|name| format!("{name}(transposed)")) {
        Some(name) => ir.location(LocationKind::Name(name.into(), Some(location))),
        None => location,
    }
}
