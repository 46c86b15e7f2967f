//! Pixel shuffles next to convolutions: the channels of the weights are put in the order that needs no interleaving of bytes
//! (`spec/recipes-eltwise-data.md` section 14).

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::int8;
use dpuc_dialects::rewrite::{Pattern, Patterns, Rewriter};
use dpuc_dialects::weights::Weight;
use dpuc_dialects::{Ir, OpId, ValueId};

use crate::rebuild::{copy_of, elements, producer, replacing_constant};

/// Adds the patterns of this file.
pub(super) fn add(patterns: Patterns) -> Patterns {
    patterns.with(ShuffleBehind).with(UnshuffleInFront)
}

/// Convolutions over all channels; weights have output channels first and input channels last.
const CONVOLUTIONS: [&OpDefinition; 2] = [&int8::CONV2D, &int8::TRANSPOSED_CONV2D];

/// `depth_to_space {crd}(conv(x)) = depth_to_space {dcr}(conv'(x))`
struct ShuffleBehind;

impl Pattern for ShuffleBehind {
    const NAME: &'static str = "shuffle-behind-convolution";
    /// The convolution, and its weights and bias with the new ones.
    type Match = (OpId, Vec<(OpId, Weight)>);

    fn root(&self) -> &'static OpDefinition {
        &int8::DEPTH_TO_SPACE
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<Self::Match> {
        let conv = producer(ir, ir.operand(op, 0), &CONVOLUTIONS)?;
        let order = channels_of_crd(ir, op, ir.result(op))?;
        if ir.use_count(ir.operand(op, 0)) != 1 || is_grouped(ir, conv) {
            return None;
        }
        let constants = ir.operands(conv)[1..].iter();
        let constants: Option<Vec<_>> = constants.map(|&value| reordered(ir, value, 0, &order)).collect();
        Some((conv, constants?))
    }

    fn rewrite(&self, (conv, constants): Self::Match, op: OpId, rewriter: &mut Rewriter<'_>) {
        let mut operands = vec![rewriter.ir().operand(conv, 0)];
        for (old, new) in constants {
            let ty = rewriter.ir().value_type(rewriter.ir().result(old));
            operands.extend(replacing_constant(rewriter, old, new, "shuffled", ty));
        }
        let ir = rewriter.ir();
        let (ty, location) = (ir.value_type(ir.result(conv)), ir.op(conv).location);
        let Some(value) = copy_of(rewriter, conv, &operands, &[], ty, location) else { return };
        rewriter.set_operand(op, 0, value);
        // The default, `dcr`.
        rewriter.modify(op, |ir| drop(ir.remove_attribute(op, "order")));
    }
}

/// `conv(space_to_depth {crd}(x)) = conv'(space_to_depth {dcr}(x))`
struct UnshuffleInFront;

impl Pattern for UnshuffleInFront {
    const NAME: &'static str = "unshuffle-in-front-of-convolution";
    /// The convolution, and its weights with the new ones.
    type Match = (OpId, (OpId, Weight));

    fn root(&self) -> &'static OpDefinition {
        &int8::SPACE_TO_DEPTH
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<Self::Match> {
        let order = channels_of_crd(ir, op, ir.operand(op, 0))?;
        let &[conv] = &ir.users(ir.result(op))[..] else { return None };
        let reads = CONVOLUTIONS.into_iter().any(|kind| ir.is(conv, kind)) && ir.operand(conv, 0) == ir.result(op);
        if !reads || is_grouped(ir, conv) {
            return None;
        }
        Some((conv, reordered(ir, ir.operand(conv, 1), 3, &order)?))
    }

    fn rewrite(&self, (conv, (old, new)): Self::Match, op: OpId, rewriter: &mut Rewriter<'_>) {
        let ty = rewriter.ir().value_type(rewriter.ir().result(old));
        let Some(weights) = replacing_constant(rewriter, old, new, "shuffled", ty) else { return };
        rewriter.set_operand(conv, 1, weights);
        // The default, `dcr`.
        rewriter.modify(op, |ir| drop(ir.remove_attribute(op, "order")));
    }
}

fn is_grouped(ir: &Ir, conv: OpId) -> bool {
    ir.int(conv, "groups").is_some_and(|groups| groups != 1)
}

/// For each channel in `dcr` order, the same channel's number in `crd` order; `None` if the operation has another order. `large` is the
/// map with more pixels.
fn channels_of_crd(ir: &Ir, op: OpId, large: ValueId) -> Option<Vec<usize>> {
    if ir.str(op, "order") != Some("crd") {
        return None;
    }
    let area = usize::try_from(ir.int(op, "block")?).ok()?.checked_pow(2)?;
    let channels = *ir.shape_of(large)?.last()?;
    Some((0..area).flat_map(|pixel| (0..channels).map(move |channel| channel * area + pixel)).collect())
}

/// A constant with the indices of dimension `axis` in another order.
fn reordered(ir: &Ir, value: ValueId, axis: usize, order: &[usize]) -> Option<(OpId, Weight)> {
    let constant = producer(ir, value, &[&int8::CONSTANT])?;
    let weight = elements(ir, constant)?;
    if weight.shape.get(axis) != Some(&order.len()) {
        return None;
    }
    let inner = weight.shape[axis + 1..].iter().product::<usize>() * weight.element.bytes();
    let mut bytes = Vec::with_capacity(weight.bytes().len());
    for whole in weight.bytes().chunks_exact((order.len() * inner).max(1)) {
        for &index in order {
            bytes.extend_from_slice(&whole[index * inner..][..inner]);
        }
    }
    Some((constant, Weight::new(weight.element, &weight.shape, bytes).ok()?))
}
