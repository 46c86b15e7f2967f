//! Reading and copying operations.

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::rewrite::Rewriter;
use dpuc_dialects::weights::Weight;
use dpuc_dialects::{Attribute, DenseElements, Ir, Location, LocationKind, OpBuilder, OpId, Type, ValueId};

/// The operation behind a value, if it is of one of these kinds.
pub(crate) fn producer(ir: &Ir, value: ValueId, kinds: &[&'static OpDefinition]) -> Option<OpId> {
    ir.defining_op(value).filter(|&op| kinds.iter().any(|kind| ir.is(op, kind)))
}

/// A list of sizes or indices of an operation.
pub(crate) fn sizes(ir: &Ir, op: OpId, name: &str) -> Option<Vec<usize>> {
    ir.ints(op, name)?.into_iter().map(|value| usize::try_from(value).ok()).collect()
}

/// A list of sizes as an attribute.
pub(crate) fn list(values: impl IntoIterator<Item = usize>) -> Attribute {
    Attribute::ints(values.into_iter().map(|value| value as i64))
}

/// The elements of a constant, in the side file or in the text.
pub(crate) fn elements(ir: &Ir, constant: OpId) -> Option<Weight> {
    let dense = match ir.attribute(constant, "value")? {
        Attribute::Dense(dense) => dense,
        symbol => return ir.weights.get(symbol.as_symbol()?).cloned(),
    };
    let result = ir.result(constant);
    let shape = ir.shape_of(result)?;
    let count = shape.iter().try_fold(1usize, |count, &size| count.checked_mul(size))?;
    match (&dense.elements, ir.fix_of(result).is_some()) {
        (DenseElements::Integers(values), true) => {
            let codes: Option<Vec<i8>> = values.iter().map(|&value| i8::try_from(value).ok()).collect();
            Weight::from_i8(&shape, &all(codes?, count)?).ok()
        }
        (DenseElements::Integers(values), false) => {
            let values = values.iter().map(|&value| value as f32).collect();
            Weight::from_f32(&shape, &all(values, count)?).ok()
        }
        (DenseElements::Floats(values), false) => {
            let values = values.iter().map(|&value| value as f32).collect();
            Weight::from_f32(&shape, &all(values, count)?).ok()
        }
        _ => None,
    }
}

/// Largest constant that is written as one element and gets a place of its own.
const SPLAT_MAX: usize = 1 << 24;

/// The elements, or the only one `count` times.
fn all<T: Copy>(values: Vec<T>, count: usize) -> Option<Vec<T>> {
    match values[..] {
        [value] if count <= SPLAT_MAX => Some(vec![value; count]),
        _ => (values.len() == count).then_some(values),
    }
}

/// A constant of the side file in place of another one, with its name and `suffix`.
pub(crate) fn replacing_constant(
    rewriter: &mut Rewriter<'_>,
    constant: OpId,
    weight: Weight,
    suffix: &str,
    ty: Type,
) -> Option<ValueId> {
    let ir = rewriter.tables();
    let own = ir.attribute(constant, "value").and_then(Attribute::as_symbol);
    let wish = own.or_else(|| ir.location_name(ir.op(constant).location)).unwrap_or("constant");
    let symbol = ir.weights.free_name(&format!("{wish}({suffix})"));
    ir.weights.insert(symbol.as_str(), weight);
    let (kind, location) = (ir.definition(constant)?, ir.op(constant).location);
    let builder = OpBuilder::new(kind).attribute("value", Attribute::symbol(symbol)).result(ty, "");
    let inserted = rewriter.insert(builder.at(location));
    Some(rewriter.ir().result(inserted))
}

/// A type like that of `value` with another shape.
pub(crate) fn reshaped(ir: &mut Ir, value: ValueId, shape: &[usize]) -> Option<Type> {
    let tensor = ir.tensor_of(value)?;
    let (element, encoding) = (tensor.element, tensor.encoding.clone());
    Some(ir.tensor_type(shape, element, encoding))
}

/// Inserts an operation of the kind of `op` with its attributes, of which `changed` are others.
pub(crate) fn copy_of(
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
pub(crate) fn other_layout(rewriter: &mut Rewriter<'_>, op: OpId) -> Location {
    let ir = rewriter.tables();
    let location = ir.op(op).location;
    match ir.location_name(location).map(|name| format!("{name}(transposed)")) {
        Some(name) => ir.location(LocationKind::Name(name.into(), Some(location))),
        None => location,
    }
}
