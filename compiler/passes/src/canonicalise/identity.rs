//! Operations that change nothing, and pairs of movements that are one.

use dpuc_dialects::define::{OpDefinition, Traits};
use dpuc_dialects::dialects::{int8, nn};
use dpuc_dialects::rewrite::{Pattern, Patterns, Rewriter};
use dpuc_dialects::{Ir, OpBuilder, OpId, ValueId};

use crate::rebuild::{list, producer, sizes};

/// Operations whose result is their operand if it has the same type.
const KEEPERS: [&OpDefinition; 9] = [
    &nn::RESHAPE,
    &nn::STRIDED_SLICE,
    &nn::PAD,
    &nn::CONCAT,
    &nn::RESIZE,
    &int8::RESHAPE,
    &int8::STRIDED_SLICE,
    &int8::PAD,
    &int8::CONCAT,
];

/// Adds the patterns of this file.
pub(super) fn add(patterns: Patterns) -> Patterns {
    let keepers = KEEPERS.into_iter().chain([
        &nn::TRANSPOSE,
        &nn::SPACE_TO_DEPTH,
        &nn::DEPTH_TO_SPACE,
        &int8::TRANSPOSE,
        &int8::SPACE_TO_DEPTH,
        &int8::DEPTH_TO_SPACE,
        &int8::REQUANTISE,
        &int8::UPSAMPLE,
        &int8::DOWNSAMPLE,
    ]);
    let patterns = keepers.fold(patterns, |patterns, root| patterns.with(Identity { root }));
    let dialects = [(&nn::RESHAPE, &nn::TRANSPOSE), (&int8::RESHAPE, &int8::TRANSPOSE)];
    dialects.into_iter().fold(patterns, |patterns, (reshape, transpose)| {
        patterns
            .with(ReshapeTwice { reshape })
            .with(TransposeAsReshape { reshape, transpose })
            .with(TransposeTwice { transpose })
    })
}

/// `f(x) = x`
struct Identity {
    root: &'static OpDefinition,
}

impl Pattern for Identity {
    const NAME: &'static str = "identity";
    type Match = ValueId;

    fn root(&self) -> &'static OpDefinition {
        self.root
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<ValueId> {
        let &[input] = ir.operands(op) else { return None };
        let same_type = ir.value_type(input) == ir.value_type(ir.result(op));
        let keeps = KEEPERS.into_iter().any(|kind| ir.is(op, kind))
            || ir.int(op, "block") == Some(1)
            || ir.int_array::<2>(op, "scale") == Some([1, 1])
            || ir.is(op, &int8::REQUANTISE) && ir.str(op, "activation") == Some("none")
            || moves_nothing(ir, op);
        (same_type && keeps && !must_stay(ir, op, input)).then_some(input)
    }

    fn rewrite(&self, input: ValueId, op: OpId, rewriter: &mut Rewriter<'_>) {
        rewriter.replace(op, &[input]);
    }
}

/// Whether a result of the function would be an argument, a constant or another result, which no file can say.
fn must_stay(ir: &Ir, op: OpId, input: ValueId) -> bool {
    let is_returned = |value| ir.users(value).into_iter().any(|user| ir.has_traits(user, Traits::TERMINATOR));
    let computes = |source: OpId| !ir.is(source, &nn::CONSTANT) && !ir.is(source, &int8::CONSTANT);
    let is_computed = ir.defining_op(input).is_some_and(computes);
    is_returned(ir.result(op)) && (!is_computed || is_returned(input))
}

/// Whether an operation is a transposition that leaves every dimension where it is, but for those of one element.
fn moves_nothing(ir: &Ir, op: OpId) -> bool {
    let (Some(order), Some(shape)) = (sizes(ir, op, "order"), ir.shape_of(ir.operand(op, 0))) else { return false };
    let long: Vec<usize> = order.into_iter().filter(|&axis| shape.get(axis) != Some(&1)).collect();
    long.is_sorted()
}

/// `reshape(reshape(x)) = reshape(x)`
struct ReshapeTwice {
    reshape: &'static OpDefinition,
}

impl Pattern for ReshapeTwice {
    const NAME: &'static str = "reshape-twice";
    type Match = ValueId;

    fn root(&self) -> &'static OpDefinition {
        self.reshape
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<ValueId> {
        Some(ir.operand(producer(ir, ir.operand(op, 0), &[self.reshape])?, 0))
    }

    fn rewrite(&self, source: ValueId, op: OpId, rewriter: &mut Rewriter<'_>) {
        rewriter.set_operand(op, 0, source);
    }
}

/// A transposition that only moves dimensions of one element is a reshape.
struct TransposeAsReshape {
    reshape: &'static OpDefinition,
    transpose: &'static OpDefinition,
}

impl Pattern for TransposeAsReshape {
    const NAME: &'static str = "transpose-as-reshape";
    type Match = ();

    fn root(&self) -> &'static OpDefinition {
        self.transpose
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<()> {
        moves_nothing(ir, op).then_some(())
    }

    fn rewrite(&self, (): (), op: OpId, rewriter: &mut Rewriter<'_>) {
        let ir = rewriter.ir();
        let (input, ty) = (ir.operand(op, 0), ir.value_type(ir.result(op)));
        let reshape = rewriter.insert(OpBuilder::new(self.reshape).operands([input]).result(ty, ""));
        let result = rewriter.ir().result(reshape);
        rewriter.replace(op, &[result]);
    }
}

/// `transpose(transpose(x)) = transpose(x)`
struct TransposeTwice {
    transpose: &'static OpDefinition,
}

impl Pattern for TransposeTwice {
    const NAME: &'static str = "transpose-twice";
    /// The source and the order from it.
    type Match = (ValueId, Vec<usize>);

    fn root(&self) -> &'static OpDefinition {
        self.transpose
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<(ValueId, Vec<usize>)> {
        let inner = producer(ir, ir.operand(op, 0), &[self.transpose])?;
        let (first, second) = (sizes(ir, inner, "order")?, sizes(ir, op, "order")?);
        let order: Option<Vec<usize>> = second.into_iter().map(|axis| first.get(axis).copied()).collect();
        Some((ir.operand(inner, 0), order?))
    }

    fn rewrite(&self, (source, order): (ValueId, Vec<usize>), op: OpId, rewriter: &mut Rewriter<'_>) {
        rewriter.set_operand(op, 0, source);
        rewriter.modify(op, |ir| ir.set_attribute(op, "order", list(order)));
    }
}
