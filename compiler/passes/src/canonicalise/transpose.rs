//! Transpositions move down through what does not care about the order of dimensions, until they meet and cancel.

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::{int8, nn};
use dpuc_dialects::rewrite::{Pattern, Patterns, Rewriter};
use dpuc_dialects::{Attribute, Ir, OpBuilder, OpId, ValueId};

use crate::rebuild::{copy_of, list, other_layout, producer, reshaped, sizes};

/// How an operation treats dimensions.
#[derive(Clone, Copy)]
enum Treatment {
    /// All alike.
    Elementwise,
    /// That of the attribute `axis` is special.
    Axis,
    /// Those of the attribute `axes` are; they stay with size 1.
    Axes,
    /// Each has its own entry in `begin`, `end` and `strides`.
    Slice,
    /// Each has two entries in `paddings`.
    Padding,
}

use Treatment::{Axes, Axis, Elementwise, Padding, Slice};

/// The operations a transposition may pass. A dequantisation is none of them: codes are smaller than floats.
const PASSED: [(&OpDefinition, Treatment); 35] = [
    (&nn::FIX, Elementwise),
    (&nn::RELU, Elementwise),
    (&nn::RELU6, Elementwise),
    (&nn::LEAKY_RELU, Elementwise),
    (&nn::HARD_SIGMOID, Elementwise),
    (&nn::HARD_SWISH, Elementwise),
    (&nn::SIGMOID, Elementwise),
    (&nn::TANH, Elementwise),
    (&nn::ADD, Elementwise),
    (&nn::SUB, Elementwise),
    (&nn::MUL, Elementwise),
    (&nn::DIV, Elementwise),
    (&nn::MAX, Elementwise),
    (&nn::MIN, Elementwise),
    (&nn::SOFTMAX, Axis),
    (&nn::CONCAT, Axis),
    (&nn::REDUCE_MEAN, Axes),
    (&nn::REDUCE_MAX, Axes),
    (&nn::REDUCE_SUM, Axes),
    (&nn::ARGMAX, Axis),
    (&nn::STRIDED_SLICE, Slice),
    (&nn::PAD, Padding),
    (&int8::QUANTISE, Elementwise),
    (&int8::REQUANTISE, Elementwise),
    (&int8::HARD_SIGMOID, Elementwise),
    (&int8::LEAKY_RELU, Elementwise),
    (&int8::ADD, Elementwise),
    (&int8::SUB, Elementwise),
    (&int8::MAX, Elementwise),
    (&int8::MIN, Elementwise),
    (&int8::MUL, Elementwise),
    (&int8::CONCAT, Axis),
    (&int8::ARGMAX, Axis),
    (&int8::STRIDED_SLICE, Slice),
    (&int8::PAD, Padding),
];

/// Adds the patterns of this file.
pub(super) fn add(patterns: Patterns) -> Patterns {
    PASSED.into_iter().fold(patterns, |patterns, (root, treatment)| patterns.with(Sink { root, treatment }))
}

/// `f(transpose(x), …) = transpose(f(x, …))`; constants are transposed back. Other readers of the transposed values must be such that
/// a transposition passes them too, or cancels.
struct Sink {
    root: &'static OpDefinition,
    treatment: Treatment,
}

/// An operand in front of the transposition.
enum Source {
    /// What is transposed, or a constant of one element.
    Same(ValueId),
    /// A constant to transpose back.
    Constant(ValueId),
}

/// What is in front of the transpositions, their order, and the attributes of the operation there.
struct Passed {
    sources: Vec<Source>,
    order: Vec<usize>,
    attributes: Vec<(&'static str, Attribute)>,
}

impl Pattern for Sink {
    const NAME: &'static str = "sink-transpose";
    type Match = Passed;

    fn root(&self) -> &'static OpDefinition {
        self.root
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<Passed> {
        let mut order: Option<Vec<usize>> = None;
        let rank = ir.shape_of(ir.result(op))?.len();
        let mut sources = Vec::new();
        for &operand in ir.operands(op) {
            if let Some(transpose) = producer(ir, operand, &TRANSPOSES) {
                let own = sizes(ir, transpose, "order")?;
                let agrees = order.get_or_insert_with(|| own.clone()) == &own && own.len() == rank;
                if !agrees || !ir.users(operand).into_iter().all(|reader| lets_pass(ir, reader)) {
                    return None;
                }
                sources.push(Source::Same(ir.operand(transpose, 0)));
            } else if is_constant(ir, operand) {
                let shape = ir.shape_of(operand)?;
                sources.push(match shape.len() {
                    // Broadcasting counts dimensions from the end.
                    own if own == rank => Source::Constant(operand),
                    own if own < rank && shape.iter().all(|&size| size == 1) => Source::Same(operand),
                    _ => return None,
                });
            } else {
                return None;
            }
        }
        let order = order?;
        let attributes = self.attributes(ir, op, &order)?;
        Some(Passed { sources, order, attributes })
    }

    fn rewrite(&self, found: Passed, op: OpId, rewriter: &mut Rewriter<'_>) {
        let Passed { sources, order, attributes } = found;
        let ir = rewriter.ir();
        let result = ir.result(op);
        let ty = ir.value_type(result);
        let kind = if ir.fix_of(result).is_some() { &int8::TRANSPOSE } else { &nn::TRANSPOSE };
        let Some(shape) = ir.shape_of(result) else { return };
        let back = inverse(&order);
        let before = permuted(&shape, &back);
        let Some(inner_type) = reshaped(rewriter.tables(), result, &before) else { return };
        let sources: Vec<ValueId> = sources
            .into_iter()
            .filter_map(|source| match source {
                Source::Same(value) => Some(value),
                Source::Constant(value) => transposed_back(rewriter, value, &back),
            })
            .collect();
        let transposes = transposes_of(rewriter.ir(), op);
        let location = rewriter.fuse(&transposes);
        let inner_location = other_layout(rewriter, op);
        let Some(inner) = copy_of(rewriter, op, &sources, &attributes, inner_type, inner_location) else { return };
        let transpose = OpBuilder::new(kind).operands([inner]).attribute("order", list(order)).result(ty, "");
        let transpose = rewriter.insert(transpose.at(location));
        let transposed = rewriter.ir().result(transpose);
        rewriter.replace(op, &[transposed]);
    }
}

const TRANSPOSES: [&OpDefinition; 2] = [&nn::TRANSPOSE, &int8::TRANSPOSE];

/// Whether a transposition in front of an operation passes it or becomes one with it.
fn lets_pass(ir: &Ir, op: OpId) -> bool {
    PASSED.into_iter().map(|(kind, _)| kind).chain(TRANSPOSES).any(|kind| ir.is(op, kind))
}

/// Whether a value is a constant, rounded or not.
fn is_constant(ir: &Ir, value: ValueId) -> bool {
    let rounded = producer(ir, value, &[&nn::FIX, &int8::DEQUANTISE]).map_or(value, |op| ir.operand(op, 0));
    producer(ir, rounded, &[&nn::CONSTANT, &int8::CONSTANT]).is_some()
}

/// A constant with its dimensions in the order in front of the transpositions.
fn transposed_back(rewriter: &mut Rewriter<'_>, value: ValueId, back: &[usize]) -> Option<ValueId> {
    let ir = rewriter.ir();
    let shape = permuted(&ir.shape_of(value)?, back);
    let kind = if ir.fix_of(value).is_some() { &int8::TRANSPOSE } else { &nn::TRANSPOSE };
    let ty = reshaped(rewriter.tables(), value, &shape)?;
    let order = list(back.iter().copied());
    let transpose = rewriter.insert(OpBuilder::new(kind).operands([value]).attribute("order", order).result(ty, ""));
    Some(rewriter.ir().result(transpose))
}

/// The transpositions in front of an operation, and itself: what names the operator, and what names the tensor.
fn transposes_of(ir: &Ir, op: OpId) -> Vec<OpId> {
    ir.operands(op).iter().filter_map(|&operand| producer(ir, operand, &TRANSPOSES)).chain([op]).collect()
}

impl Sink {
    /// The attributes that speak of dimensions, in front of a transposition of this order.
    fn attributes(&self, ir: &Ir, op: OpId, order: &[usize]) -> Option<Vec<(&'static str, Attribute)>> {
        let source = |axis: usize| order.get(axis).copied();
        match self.treatment {
            Elementwise => Some(Vec::new()),
            Axis => {
                let axis = usize::try_from(ir.int(op, "axis")?).ok().and_then(source)?;
                Some(vec![("axis", Attribute::int(axis as i64))])
            }
            Axes => {
                let axes: Option<Vec<usize>> = sizes(ir, op, "axes")?.into_iter().map(source).collect();
                let mut axes = axes?;
                axes.sort_unstable();
                (ir.bool(op, "keep_dims") == Some(true)).then(|| vec![("axes", list(axes))])
            }
            Slice => {
                let permute = |name: &'static str| {
                    let values = sizes(ir, op, name).filter(|values| values.len() == order.len())?;
                    Some((name, list(permuted(&values, &inverse(order)))))
                };
                ["begin", "end", "strides"].into_iter().map(permute).collect()
            }
            Padding => {
                let values = sizes(ir, op, "paddings").filter(|values| values.len() == 2 * order.len())?;
                let pairs: Vec<&[usize]> = values.chunks_exact(2).collect();
                let before = inverse(order).into_iter().flat_map(|axis| pairs[axis].iter().copied());
                Some(vec![("paddings", list(before))])
            }
        }
    }
}

/// Element `i` is `values[order[i]]`.
fn permuted(values: &[usize], order: &[usize]) -> Vec<usize> {
    order.iter().map(|&axis| values[axis]).collect()
}

/// The order that undoes `order`.
fn inverse(order: &[usize]) -> Vec<usize> {
    let mut inverse = vec![0; order.len()];
    for (to, &from) in order.iter().enumerate() {
        inverse[from] = to;
    }
    inverse
}
