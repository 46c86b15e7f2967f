//! The `nn` dialect: what a network means, as float tensors.

mod arrange;
mod elementwise;
mod matmul;
mod reduce;
mod resize;
mod window;

pub use arrange::*;
pub use elementwise::*;
pub use matmul::*;
pub use reduce::*;
pub use resize::*;
pub use window::*;
pub(super) use window::{CROPS, DILATIONS, GROUPS, KERNEL, PADS, STRIDES};

use super::{movement, shapes};
use crate::define::{
    AttributeDefinition, AttributeKind, DefaultValue, Dialect, OpDefinition, Traits, TypeConstraint, ValueDefinition,
    any_number, default, maybe, one, op, required,
};
use crate::ir::{Attribute, Ir, OpId};
use crate::verify::Findings;

const TENSOR: TypeConstraint = TypeConstraint::FloatTensor;
const MAP: TypeConstraint = TypeConstraint::FloatMap;

const INPUT: &[ValueDefinition] = &[one("input", TENSOR)];
const OUTPUT: &[ValueDefinition] = &[one("output", TENSOR)];
const INPUT_MAP: &[ValueDefinition] = &[one("input", MAP)];
const OUTPUT_MAP: &[ValueDefinition] = &[one("output", MAP)];
const PAIR: &[ValueDefinition] = &[one("lhs", TENSOR), one("rhs", TENSOR)];

pub(super) const AXIS: AttributeDefinition = required("axis", AttributeKind::Int(0, 15), "Dimension, 0 is the batch.");

/// A constant.
pub static CONSTANT: OpDefinition =
    op("nn.constant", "A constant: a symbol of the side file, or `dense<…>` for small ones.")
        .results(OUTPUT)
        .attributes(&[required("value", AttributeKind::Weights, "Where the elements are, C order.").positional()])
        .traits(Traits::PURE)
        .verify(verify_constant);

/// Fake quantisation.
pub static FIX: OpDefinition = op("nn.fix", "Rounds to a fixed-point number: `clip(round(x * 2^fix_point)) * 2^-fix_point`.")
    .describe("`round_mode` `dpu` is `floor(x + 1/2)`, `std` rounds halves away from zero, `py3` to even. Source: `spec/numerics.md` sections 3 and 5.21.")
    .operands(INPUT)
    .results(OUTPUT)
    .attributes(&[
        required("fix_point", AttributeKind::Int(-64, 64), "Binary places."),
        default("bit_width", AttributeKind::Int(1, 32), DefaultValue::Int(8), "Bits of the number."),
        default("signed", AttributeKind::Bool, DefaultValue::Bool(true), "Whether it has a sign."),
        default("round_mode", AttributeKind::Choice(&["dpu", "std", "py3"]), DefaultValue::Str("dpu"), "How halves are rounded."),
    ])
    .traits(Traits::PURE)
    .verify(shapes::same_shape);

/// An operator without a meaning here.
pub static CUSTOM: OpDefinition =
    op("nn.custom", "An operator of the framework this library does not know; kept so that the rest can be compiled.")
        .operands(&[any_number("inputs", TypeConstraint::AnyTensor)])
        .results(&[one("output", TypeConstraint::AnyTensor)])
        .attributes(&[
            required("type", AttributeKind::Str, "The framework's name of the operator."),
            maybe("parameters", AttributeKind::Dictionary, "Its attributes as they were."),
        ]);

/// The dialect.
pub static DIALECT: Dialect = Dialect {
    name: "nn",
    description: "What the network means: framework-level tensor operations on `f32`, maps in NHWC order, plus the `fix` operation of quantised graphs. Kernels, strides and dilations are `[h, w]`; pads are `[top, left, bottom, right]`.",
    operations: &[
        &CONSTANT,
        &FIX,
        &CONV2D,
        &DEPTHWISE_CONV2D,
        &TRANSPOSED_CONV2D,
        &TRANSPOSED_DEPTHWISE_CONV2D,
        &MATMUL,
        &BATCH_MATMUL,
        &MAX_POOL,
        &AVG_POOL,
        &RELU,
        &RELU6,
        &LEAKY_RELU,
        &PRELU,
        &ELU,
        &CLIP,
        &HARD_SIGMOID,
        &HARD_SWISH,
        &SIGMOID,
        &TANH,
        &SILU,
        &GELU,
        &MISH,
        &SOFTPLUS,
        &EXP,
        &LOG,
        &SQRT,
        &ABS,
        &ERF,
        &SIN,
        &COS,
        &FLOOR,
        &CEIL,
        &ROUND,
        &ADD,
        &SUB,
        &MUL,
        &DIV,
        &MAX,
        &MIN,
        &POW,
        &COMPARE,
        &SELECT,
        &CONCAT,
        &RESHAPE,
        &BROADCAST,
        &TRANSPOSE,
        &RESIZE,
        &PAD,
        &STRIDED_SLICE,
        &SPLIT,
        &GATHER,
        &SPACE_TO_DEPTH,
        &DEPTH_TO_SPACE,
        &REDUCE_MEAN,
        &REDUCE_MAX,
        &REDUCE_MIN,
        &REDUCE_SUM,
        &ARGMAX,
        &SOFTMAX,
        &LAYER_NORM,
        &CUSTOM,
    ],
};

/// Checks that a symbol resolves and has the shape of the result; an inline constant must have the result's type.
pub(super) fn verify_constant(ir: &Ir, op: OpId, findings: &mut Findings) {
    let ty = ir.value_type(ir.result(op));
    match ir.attribute(op, "value") {
        Some(Attribute::Symbol(path)) => {
            let Some(weight) = ir.weights.get(&path[0]) else { return };
            if ir.shape_of(ir.result(op)).is_some_and(|shape| shape != weight.shape) {
                let message = format!(
                    "says `@{}` has type {}, but its shape is {}",
                    path[0],
                    ir.show_type(ty),
                    shapes::show(&weight.shape)
                );
                findings.error(ir, op, "constant-shape", message);
            }
        }
        Some(Attribute::Dense(dense)) if dense.ty != ty => {
            let message =
                format!("has elements of type {}, but a result of type {}", ir.show_type(dense.ty), ir.show_type(ty));
            findings.error(ir, op, "constant-shape", message);
        }
        _ => {}
    }
}
