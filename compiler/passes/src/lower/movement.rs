//! Operators that only move elements.

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::{int8, nn};
use dpuc_dialects::rewrite::{Pattern, Rewriter};
use dpuc_dialects::{Attribute, Ir, OpBuilder, OpId, ValueId};

use super::code::{Fix, code, constant_code, constant_elements};
use super::lowered::{FixPattern, Lowered, NewConstant};

/// `nn.concat`: each input is requantised to the output's fix point.
pub(super) struct Concat;

impl FixPattern for Concat {
    const NAME: &'static str = "concat";

    fn lower(&self, ir: &Ir, fix: Fix) -> Option<Lowered> {
        let op = fix.producer_of(ir, &nn::CONCAT)?;
        Some(Lowered::new(&int8::CONCAT, fix, vec![op], codes(ir, op)?).with("axis", ir.attribute(op, "axis")?.clone()))
    }
}

/// The codes of all operands.
fn codes(ir: &Ir, op: OpId) -> Option<Vec<ValueId>> {
    ir.operands(op).iter().map(|&operand| code(ir, operand)).collect()
}

/// The operators with one operand that only move elements, and their integer forms.
const MOVEMENTS: [(&OpDefinition, &OpDefinition); 6] = [
    (&nn::RESHAPE, &int8::RESHAPE),
    (&nn::TRANSPOSE, &int8::TRANSPOSE),
    (&nn::STRIDED_SLICE, &int8::STRIDED_SLICE),
    (&nn::PAD, &int8::PAD),
    (&nn::SPACE_TO_DEPTH, &int8::SPACE_TO_DEPTH),
    (&nn::DEPTH_TO_SPACE, &int8::DEPTH_TO_SPACE),
];

/// The integer form of a movement.
fn integer_form(ir: &Ir, op: OpId) -> Option<&'static OpDefinition> {
    MOVEMENTS.into_iter().find(|(float, _)| ir.is(op, float)).map(|(_, fixed)| fixed)
}

/// The attributes of a movement for its integer form; `fill` gives the code of a padding constant.
fn moving_attributes(ir: &Ir, op: OpId, fill: impl Fn(f64) -> Option<i8>) -> Option<Vec<(&'static str, Attribute)>> {
    let definition = ir.definition(op)?;
    let attributes = definition.attributes.iter().filter_map(|known| {
        let value = ir.attribute(op, known.name)?.clone();
        Some((known.name, value))
    });
    let code = |(name, value): (&'static str, Attribute)| match value.as_float() {
        Some(value) => Some((name, Attribute::int(fill(value)?.into()))),
        None => Some((name, value)),
    };
    attributes.map(code).collect()
}

/// A movement and a `nn.fix` that changes no moved element.
pub(super) struct Movement;

impl FixPattern for Movement {
    const NAME: &'static str = "movement";

    fn lower(&self, ir: &Ir, fix: Fix) -> Option<Lowered> {
        let op = fix.producer(ir)?;
        let kind = integer_form(ir, op)?;
        let input = code(ir, ir.operand(op, 0))?;
        if ir.fix_of(input) != Some(fix.point) {
            return None;
        }
        let rounded = |value: f64| Some((value * f64::exp2(fix.point.into()) + 0.5).floor().clamp(-128.0, 127.0) as i8);
        let attributes = moving_attributes(ir, op, rounded)?;
        Some(Lowered::new(kind, fix, vec![op], [input]).with_all(attributes))
    }
}

/// A movement that is not rounded again: its elements are codes all the same.
pub(super) struct UnfixedMovement {
    root: &'static OpDefinition,
}

impl UnfixedMovement {
    /// One pattern for each kind of movement.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        MOVEMENTS.into_iter().map(|(root, _)| Self { root })
    }
}

impl Pattern for UnfixedMovement {
    const NAME: &'static str = "unfixed-movement";
    type Match = Lowered;

    fn root(&self) -> &'static OpDefinition {
        self.root
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<Lowered> {
        let input = code(ir, ir.operand(op, 0))?;
        let point = ir.fix_of(input)?;
        let waits = is_always_fixed(ir, op, |fix| fix.point == point);
        let exact = |value: f64| {
            let scaled = value * f64::exp2(point.into());
            (scaled.fract() == 0.0 && (-128.0..=127.0).contains(&scaled)).then_some(scaled as i8)
        };
        let attributes = moving_attributes(ir, op, exact)?;
        let kind = integer_form(ir, op)?;
        (!waits).then(|| Lowered::new(kind, Fix { op, point }, vec![], [input]).with_all(attributes))
    }

    fn rewrite(&self, found: Lowered, _: OpId, rewriter: &mut Rewriter<'_>) {
        found.apply(rewriter);
    }
}

/// A constant of codes under another shape is another constant.
pub(super) struct ReshapedConstant;

impl Pattern for ReshapedConstant {
    const NAME: &'static str = "reshaped-constant";
    type Match = NewConstant;

    fn root(&self) -> &'static OpDefinition {
        &nn::RESHAPE
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<NewConstant> {
        let constant = constant_code(ir, ir.operand(op, 0))?;
        let elements = constant_elements(ir, constant)?;
        NewConstant::derived(ir, constant, "(reshaped)", ir.shape_of(ir.result(op))?, elements)
    }

    fn rewrite(&self, found: NewConstant, op: OpId, rewriter: &mut Rewriter<'_>) {
        replace_by_constant(found, op, rewriter);
    }
}

/// A constant of codes in another order is another constant.
pub(super) struct TransposedConstant;

impl Pattern for TransposedConstant {
    const NAME: &'static str = "transposed-constant";
    type Match = NewConstant;

    fn root(&self) -> &'static OpDefinition {
        &nn::TRANSPOSE
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<NewConstant> {
        let constant = constant_code(ir, ir.operand(op, 0))?;
        let order: Option<Vec<usize>> =
            ir.ints(op, "order")?.into_iter().map(|axis| usize::try_from(axis).ok()).collect();
        let elements = permuted(&constant_elements(ir, constant)?, &ir.shape_of(constant)?, &order?)?;
        NewConstant::derived(ir, constant, "(transposed)", ir.shape_of(ir.result(op))?, elements)
    }

    fn rewrite(&self, found: NewConstant, op: OpId, rewriter: &mut Rewriter<'_>) {
        replace_by_constant(found, op, rewriter);
    }
}

/// Elements of a tensor of `shape` in the order of the tensor whose dimension `i` is its dimension `order[i]`.
fn permuted(elements: &[i8], shape: &[usize], order: &[usize]) -> Option<Vec<i8>> {
    let stride_of = |axis: usize| shape[axis + 1..].iter().product::<usize>();
    let mut places = vec![0usize];
    for &axis in order {
        let stride = stride_of(axis);
        places = places.iter().flat_map(|&place| (0..shape[axis]).map(move |index| place + index * stride)).collect();
    }
    places.into_iter().map(|place| elements.get(place).copied()).collect()
}

fn replace_by_constant(found: NewConstant, op: OpId, rewriter: &mut Rewriter<'_>) {
    let ty = rewriter.ir().value_type(rewriter.ir().result(op));
    let code = found.insert(rewriter);
    let dequantised = rewriter.insert(OpBuilder::new(&int8::DEQUANTISE).operands([code]).result(ty, ""));
    let dequantised = rewriter.ir().result(dequantised);
    rewriter.replace(op, &[dequantised]);
}

/// `nn.concat` of codes of one fix point that is not rounded again.
pub(super) struct UnfixedConcat;

impl Pattern for UnfixedConcat {
    const NAME: &'static str = "unfixed-concat";
    type Match = Lowered;

    fn root(&self) -> &'static OpDefinition {
        &nn::CONCAT
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<Lowered> {
        let inputs = codes(ir, op)?;
        let point = ir.fix_of(*inputs.first()?)?;
        let has_one_point = inputs.iter().all(|&input| ir.fix_of(input) == Some(point));
        if !has_one_point || is_always_fixed(ir, op, |_| true) {
            return None;
        }
        let lowered = Lowered::new(&int8::CONCAT, Fix { op, point }, vec![], inputs);
        Some(lowered.with("axis", ir.attribute(op, "axis")?.clone()))
    }

    fn rewrite(&self, found: Lowered, _: OpId, rewriter: &mut Rewriter<'_>) {
        found.apply(rewriter);
    }
}

/// Whether every user is a `nn.fix` that `accepts` agrees to: then the lowering of those includes this operation.
pub(super) fn is_always_fixed(ir: &Ir, op: OpId, accepts: impl Fn(Fix) -> bool) -> bool {
    let users = ir.users(ir.result(op));
    !users.is_empty() && users.into_iter().all(|user| Fix::of(ir, user).is_some_and(&accepts))
}
