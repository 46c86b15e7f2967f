//! Transpositions move down through what does not care about the order of dimensions, until they meet and cancel.

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::{int8, nn};
use dpuc_dialects::rewrite::{Pattern, Patterns, Rewriter};
use dpuc_dialects::{Attribute, Ir, OpBuilder, OpId, ValueId};

use super::rebuild::{copy_of, list, other_layout, producer, reshaped, sizes};

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
const PASSED: [(&OpDefinition, Treatment); 28] = [
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
    (&nn::SOFTMAX, Axis),
    (&nn::CONCAT, Axis),
    (&nn::REDUCE_MEAN, Axes),
    (&nn::REDUCE_MAX, Axes),
    (&nn::REDUCE_SUM, Axes),
    (&nn::STRIDED_SLICE, Slice),
    (&nn::PAD, Padding),
    (&int8::QUANTISE, Elementwise),
    (&int8::REQUANTISE, Elementwise),
    (&int8::HARD_SIGMOID, Elementwise),
    (&int8::LEAKY_RELU, Elementwise),
    (&int8::ADD, Elementwise),
    (&int8::MUL, Elementwise),
    (&int8::CONCAT, Axis),
    (&int8::STRIDED_SLICE, Slice),
    (&int8::PAD, Padding),
];

/// Adds the patterns of this file.
pub(super) fn add(patterns: Patterns) -> Patterns {
    PASSED.into_iter().fold(patterns, |patterns, (root, treatment)| patterns.with(Sink { root, treatment }))
}

/// `f(transpose(x), …) = transpose(f(x, …))`, if nothing else needs the transposed values.
struct Sink {
    root: &'static OpDefinition,
    treatment: Treatment,
}

/// What is in front of the transpositions, their order, and the attributes of the operation there.
struct Passed {
    sources: Vec<ValueId>,
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
        let mut sources = Vec::new();
        for &operand in ir.operands(op) {
            let transpose = producer(ir, operand, &[&nn::TRANSPOSE, &int8::TRANSPOSE])?;
            let own = sizes(ir, transpose, "order")?;
            let readers = ir.users(operand);
            if order.get_or_insert_with(|| own.clone()) != &own || readers.iter().any(|&reader| reader != op) {
                return None;
            }
            sources.push(ir.operand(transpose, 0));
        }
        let order = order?;
        // Broadcasting counts dimensions from the end.
        let rank = ir.shape_of(ir.result(op))?.len();
        if rank != order.len() {
            return None;
        }
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
        let before = permuted(&shape, &inverse(&order));
        let Some(inner_type) = reshaped(rewriter.tables(), result, &before) else { return };
        let transposes: Vec<OpId> = sources_of(rewriter.ir(), op);
        let location = rewriter.fuse(&transposes);
        let inner_location = other_layout(rewriter, op);
        let Some(inner) = copy_of(rewriter, op, &sources, &attributes, inner_type, inner_location) else { return };
        let transpose = OpBuilder::new(kind).operands([inner]).attribute("order", list(order)).result(ty, "");
        let transpose = rewriter.insert(transpose.at(location));
        let transposed = rewriter.ir().result(transpose);
        rewriter.replace(op, &[transposed]);
    }
}

/// The operations in front of an operation, and itself: what names the operator, and what names the tensor.
fn sources_of(ir: &Ir, op: OpId) -> Vec<OpId> {
    ir.operands(op).iter().filter_map(|&operand| ir.defining_op(operand)).chain([op]).collect()
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
