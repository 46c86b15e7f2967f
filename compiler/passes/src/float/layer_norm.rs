//! Layer normalisation, as frameworks write it: `(x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon) * scale + offset`.

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::nn;
use dpuc_dialects::rewrite::{Pattern, Patterns, Rewriter};
use dpuc_dialects::weights::Weight;
use dpuc_dialects::{Attribute, Ir, OpBuilder, OpId, ValueId};

use super::activation::{both_orders, number};
use crate::rebuild::{copy_of, elements, producer, sizes};

/// Adds the patterns of this file.
pub(super) fn add(patterns: Patterns) -> Patterns {
    patterns.with(Normalisation).with(Parameter { root: &nn::MUL }).with(Parameter { root: &nn::ADD })
}

/// The quotient, which has neither scale nor offset.
struct Normalisation;

/// What is normalised, from which axis on, with which epsilon.
struct Found {
    input: ValueId,
    axis: usize,
    epsilon: f64,
}

impl Pattern for Normalisation {
    const NAME: &'static str = "layer-norm-formula";
    type Match = Found;

    fn root(&self) -> &'static OpDefinition {
        &nn::DIV
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<Found> {
        let (input, axis) = centred(ir, ir.operand(op, 0))?;
        let sum = producer(ir, root_of(ir, ir.operand(op, 1))?, &[&nn::ADD])?;
        let (variance, epsilon) =
            both_orders(ir, sum).into_iter().find_map(|(variance, epsilon)| Some((variance, number(ir, epsilon)?)))?;
        let mean = producer(ir, variance, &[&nn::REDUCE_MEAN])?;
        let square = square_of(ir, ir.operand(mean, 0))?;
        let is_same = centred(ir, square) == Some((input, axis)) && last_axes(ir, mean) == Some(axis);
        (is_same && epsilon >= 0.0).then_some(Found { input, axis, epsilon })
    }

    fn rewrite(&self, Found { input, axis, epsilon }: Found, op: OpId, rewriter: &mut Rewriter<'_>) {
        let ty = rewriter.ir().value_type(rewriter.ir().result(op));
        let builder = OpBuilder::new(&nn::LAYER_NORM)
            .operands([input])
            .attribute("axis", Attribute::int(axis as i64))
            .attribute("epsilon", Attribute::Float(epsilon, None));
        let made = rewriter.insert(builder.result(ty, ""));
        let made = rewriter.ir().result(made);
        rewriter.replace(op, &[made]);
    }
}

/// `x` and the axis of `x - mean(x)`.
fn centred(ir: &Ir, value: ValueId) -> Option<(ValueId, usize)> {
    let difference = producer(ir, value, &[&nn::SUB])?;
    let mean = producer(ir, ir.operand(difference, 1), &[&nn::REDUCE_MEAN])?;
    let input = ir.operand(difference, 0);
    let axis = last_axes(ir, mean)?;
    (ir.operand(mean, 0) == input && ir.shape_of(value) == ir.shape_of(input)).then_some((input, axis))
}

/// The first axis of a mean over all dimensions from one to the last, which stay.
fn last_axes(ir: &Ir, mean: OpId) -> Option<usize> {
    let mut axes = sizes(ir, mean, "axes")?;
    axes.sort_unstable();
    let rank = ir.shape_of(ir.operand(mean, 0))?.len();
    let first = *axes.first()?;
    (ir.bool(mean, "keep_dims") != Some(false) && axes.iter().copied().eq(first..rank)).then_some(first)
}

/// `x` of `x * x` or `x^2`.
fn square_of(ir: &Ir, value: ValueId) -> Option<ValueId> {
    let op = producer(ir, value, &[&nn::MUL, &nn::POW])?;
    let (base, other) = (ir.operand(op, 0), ir.operand(op, 1));
    let is_square = if ir.is(op, &nn::MUL) { base == other } else { number(ir, other) == Some(2.0) };
    is_square.then_some(base)
}

/// `x` of `sqrt(x)` or `x^0.5`.
fn root_of(ir: &Ir, value: ValueId) -> Option<ValueId> {
    let op = producer(ir, value, &[&nn::SQRT, &nn::POW])?;
    let is_root = ir.is(op, &nn::SQRT) || number(ir, ir.operand(op, 1)) == Some(0.5);
    is_root.then(|| ir.operand(op, 0))
}

/// A product with a constant behind a normalisation without parameters becomes its scale, a sum behind one without offset its offset, if
/// nobody else reads the normalisation.
struct Parameter {
    root: &'static OpDefinition,
}

impl Pattern for Parameter {
    const NAME: &'static str = "layer-norm-parameter";
    /// The normalisation, the constant, and its numbers in the shape of the normalised dimensions.
    type Match = (OpId, OpId, Weight);

    fn root(&self) -> &'static OpDefinition {
        self.root
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<(OpId, OpId, Weight)> {
        both_orders(ir, op).into_iter().find_map(|(value, parameter)| {
            let norm = producer(ir, value, &[&nn::LAYER_NORM]).filter(|_| ir.use_count(value) == 1)?;
            let place = if ir.is(op, &nn::MUL) { 1 } else { 2 };
            if ir.operands(norm).len() != place || ir.value_type(value) != ir.value_type(ir.result(op)) {
                return None;
            }
            let shape = ir.shape_of(value)?;
            let normalised = shape.get(usize::try_from(ir.int(norm, "axis")?).ok()?..)?;
            let constant = producer(ir, parameter, &[&nn::CONSTANT])?;
            let own = ir.shape_of(parameter)?;
            let padding = own.len().checked_sub(normalised.len())?;
            let is_whole = own[..padding].iter().all(|&size| size == 1) && own[padding..] == *normalised;
            let numbers = elements(ir, constant).filter(|_| is_whole)?.to_f32()?;
            Some((norm, constant, Weight::from_f32(normalised, &numbers).ok()?))
        })
    }

    fn rewrite(&self, (norm, constant, weight): (OpId, OpId, Weight), op: OpId, rewriter: &mut Rewriter<'_>) {
        let parameter = super::affine::insert_constant(rewriter, constant, weight);
        let operands: Vec<ValueId> = rewriter.ir().operands(norm).iter().copied().chain([parameter]).collect();
        let location = rewriter.fuse(&[norm, op]);
        let ty = rewriter.ir().value_type(rewriter.ir().result(op));
        if let Some(made) = copy_of(rewriter, norm, &operands, &[], ty, location) {
            rewriter.replace(op, &[made]);
        }
    }
}
