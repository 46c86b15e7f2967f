//! Operations that combine the elements along axes.

use super::{AXIS, INPUT, OUTPUT, TENSOR, shapes};
use crate::define::{
    AttributeDefinition, AttributeKind, DefaultValue, OpDefinition, Traits, default, one, op, optional, required,
};
use crate::ir::{Ir, OpId};
use crate::verify::Findings;

pub(in crate::dialects) const REDUCTION: &[AttributeDefinition] = &[
    required("axes", AttributeKind::Ints(0, 0, 15), "Dimensions to reduce."),
    default("keep_dims", AttributeKind::Bool, DefaultValue::Bool(true), "Whether they stay with size 1."),
];

const fn reduction(name: &'static str, summary: &'static str) -> OpDefinition {
    op(name, summary)
        .operands(INPUT)
        .results(OUTPUT)
        .attributes(REDUCTION)
        .traits(Traits::PURE)
        .verify(shapes::reduction)
}

/// Mean along axes.
pub static REDUCE_MEAN: OpDefinition = reduction("nn.reduce_mean", "Mean along axes.");
/// Maximum along axes.
pub static REDUCE_MAX: OpDefinition = reduction("nn.reduce_max", "Maximum along axes.");
/// Minimum along axes.
pub static REDUCE_MIN: OpDefinition = reduction("nn.reduce_min", "Minimum along axes.");
/// Sum along axes.
pub static REDUCE_SUM: OpDefinition = reduction("nn.reduce_sum", "Sum along axes.");

/// Index of the maximum along an axis.
pub static ARGMAX: OpDefinition =
    op("nn.argmax", "Index of the first maximum along an axis, which stays with size 1; indices are floats as well.")
        .operands(INPUT)
        .results(OUTPUT)
        .attributes(&[AXIS])
        .traits(Traits::PURE)
        .verify(shapes::argmax);

/// Softmax.
pub static SOFTMAX: OpDefinition = op("nn.softmax", "`exp(x) / sum(exp(x))` along an axis.")
    .operands(INPUT)
    .results(OUTPUT)
    .attributes(&[AXIS])
    .traits(Traits::PURE)
    .verify(|ir, op, findings| {
        shapes::same_shape(ir, op, findings);
        shapes::axes_exist(ir, op, ir.int(op, "axis").into_iter(), findings);
    });

/// Layer normalisation.
pub static LAYER_NORM: OpDefinition = op(
    "nn.layer_norm",
    "`(x - mean) / sqrt(variance + epsilon) * scale + offset`, with the statistics of all elements from an axis to the last.",
)
.describe("The variance is the mean of squared distances from the mean. `scale` and `offset` have the dimensions from the axis on; absent ones are 1 and 0.")
.operands(&[one("input", TENSOR), optional("scale", TENSOR), optional("offset", TENSOR)])
.results(OUTPUT)
.attributes(&[
    required("axis", AttributeKind::Int(0, 15), "First of the normalised dimensions."),
    required("epsilon", AttributeKind::Float, "Added to the variance."),
])
.traits(Traits::PURE)
.verify(verify_layer_norm);

fn verify_layer_norm(ir: &Ir, op: OpId, findings: &mut Findings) {
    shapes::axes_exist(ir, op, ir.int(op, "axis").into_iter(), findings);
    if let (Some(input), Some(result)) = (ir.shape_of(ir.operand(op, 0)), ir.shape_of(ir.result(op))) {
        shapes::expect_shape(ir, op, &result, &input, findings);
        let Some(normalised) = ir.int(op, "axis").and_then(|axis| input.get(usize::try_from(axis).ok()?..)) else {
            return;
        };
        for (index, &value) in ir.operands(op).iter().enumerate().skip(1) {
            if let Some(shape) = ir.shape_of(value).filter(|shape| shape != normalised) {
                let message = format!(
                    "has operand #{index} of shape {} for elements of shape {}",
                    shapes::show(&shape),
                    shapes::show(normalised)
                );
                findings.error(ir, op, "vector-shape", message);
            }
        }
    }
}
