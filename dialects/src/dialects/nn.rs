//! The `nn` dialect: what a network means, as float tensors.

use super::{movement, shapes};
use crate::define::{
    AttributeDefinition, AttributeKind, DefaultValue, Dialect, OpDefinition, Traits, TypeConstraint, ValueDefinition,
    any_number, default, maybe, one, op, optional, required, some,
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
const WEIGHTED_INPUTS: &[ValueDefinition] = &[one("input", MAP), one("weights", MAP), optional("bias", TENSOR)];

pub(super) const STRIDES: AttributeDefinition =
    default("strides", AttributeKind::Ints(2, 1, 65535), DefaultValue::Ints(&[1, 1]), "Steps of the window, `[h, w]`.");
pub(super) const DILATIONS: AttributeDefinition = default(
    "dilations",
    AttributeKind::Ints(2, 1, 65535),
    DefaultValue::Ints(&[1, 1]),
    "Distances between kernel taps, `[h, w]`.",
);
pub(super) const GROUPS: AttributeDefinition = default(
    "groups",
    AttributeKind::Int(1, 65535),
    DefaultValue::Int(1),
    "Number of equal parts of the channels: part `i` of the output reads part `i` of the input. Weights are `[out, kernel_h, kernel_w, in / groups]`.",
);
pub(super) const PADS: AttributeDefinition = default(
    "pads",
    AttributeKind::Ints(4, 0, 65535),
    DefaultValue::Ints(&[0, 0, 0, 0]),
    "Padding rows and columns, `[top, left, bottom, right]`.",
);
pub(super) const CROPS: AttributeDefinition = default(
    "pads",
    AttributeKind::Ints(4, 0, 65535),
    DefaultValue::Ints(&[0, 0, 0, 0]),
    "Rows and columns cropped from the full output, `[top, left, bottom, right]`.",
);
pub(super) const KERNEL: AttributeDefinition =
    required("kernel", AttributeKind::Ints(2, 1, 65535), "Size of the window, `[h, w]`.");
pub(super) const AXIS: AttributeDefinition = required("axis", AttributeKind::Int(0, 15), "Dimension, 0 is the batch.");

const CONVOLUTION: &[AttributeDefinition] = &[STRIDES, PADS, DILATIONS];
const TRANSPOSED: &[AttributeDefinition] = &[STRIDES, CROPS];
const POOL: &[AttributeDefinition] = &[KERNEL, STRIDES, PADS];

const fn convolution(name: &'static str, summary: &'static str) -> OpDefinition {
    op(name, summary).operands(WEIGHTED_INPUTS).results(OUTPUT_MAP).traits(Traits::PURE)
}

const fn unary(name: &'static str, summary: &'static str) -> OpDefinition {
    op(name, summary).operands(INPUT).results(OUTPUT).traits(Traits::PURE).verify(shapes::same_shape)
}

const fn binary(name: &'static str, summary: &'static str) -> OpDefinition {
    op(name, summary).operands(PAIR).results(OUTPUT).traits(Traits::PURE).verify(shapes::broadcast)
}

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

/// Convolution.
pub static CONV2D: OpDefinition =
    convolution("nn.conv2d", "2-D convolution (correlation) of an NHWC map with OHWI weights.")
        .attributes(&[STRIDES, PADS, DILATIONS, GROUPS])
        .verify(shapes::conv2d);

/// Depthwise convolution.
pub static DEPTHWISE_CONV2D: OpDefinition = convolution(
    "nn.depthwise_conv2d",
    "2-D convolution of each channel by itself; weights `[1, kernel_h, kernel_w, channels]`.",
)
.attributes(CONVOLUTION)
.verify(shapes::depthwise_conv2d);

/// Transposed convolution.
pub static TRANSPOSED_CONV2D: OpDefinition =
    convolution("nn.transposed_conv2d", "Transposed 2-D convolution with OHWI weights, stored spatially flipped.")
        .describe("The input is spread by the stride, padded by `kernel - 1 - pad` and correlated with the stored weights. Source: `spec/numerics.md` section 5.1.")
        .attributes(TRANSPOSED)
        .verify(shapes::transposed_conv2d);

/// Transposed depthwise convolution.
pub static TRANSPOSED_DEPTHWISE_CONV2D: OpDefinition =
    convolution("nn.transposed_depthwise_conv2d", "Transposed 2-D convolution of each channel by itself.")
        .attributes(TRANSPOSED)
        .verify(shapes::transposed_depthwise_conv2d);

/// Matrix product.
pub static MATMUL: OpDefinition =
    op("nn.matmul", "Product of a matrix with a constant matrix, plus bias (a fully connected layer).")
        .operands(&[one("input", TENSOR), one("weights", TENSOR), optional("bias", TENSOR)])
        .results(OUTPUT)
        .attributes(&[default(
            "transpose_b",
            AttributeKind::Bool,
            DefaultValue::Bool(true),
            "Weights are `[out, in]` if true, `[in, out]` if not.",
        )])
        .traits(Traits::PURE)
        .verify(verify_matmul);

/// Maximum pooling.
pub static MAX_POOL: OpDefinition = op("nn.max_pool", "Maximum over a window; padding never wins.")
    .operands(INPUT_MAP)
    .results(OUTPUT_MAP)
    .attributes(POOL)
    .traits(Traits::PURE)
    .verify(shapes::pool);

/// Average pooling.
pub static AVG_POOL: OpDefinition = op("nn.avg_pool", "Mean over a window; padding counts as zeros.")
    .operands(INPUT_MAP)
    .results(OUTPUT_MAP)
    .attributes(POOL)
    .traits(Traits::PURE)
    .verify(shapes::pool);

/// Rectified linear unit.
pub static RELU: OpDefinition = unary("nn.relu", "`max(x, 0)`");
/// ReLU clipped at six.
pub static RELU6: OpDefinition = unary("nn.relu6", "`min(max(x, 0), 6)`");
/// Leaky ReLU.
pub static LEAKY_RELU: OpDefinition = unary("nn.leaky_relu", "`x < 0 ? alpha * x : x`").attributes(&[required(
    "alpha",
    AttributeKind::Float,
    "Slope for negative numbers; the DPU has 26/256 = 0.1015625.",
)]);
/// `PReLU`.
pub static PRELU: OpDefinition =
    op("nn.prelu", "`x < 0 ? slopes[c] * x : x`, with one slope for each channel, the last dimension.")
        .operands(&[one("input", TENSOR), one("slopes", TENSOR)])
        .results(OUTPUT)
        .traits(Traits::PURE)
        .verify(shapes::channel_vector);
/// Hard sigmoid.
pub static HARD_SIGMOID: OpDefinition = unary("nn.hard_sigmoid", "`relu6(x + 3) / 6`");
/// Hard swish.
pub static HARD_SWISH: OpDefinition = unary("nn.hard_swish", "`x * relu6(x + 3) / 6`");
/// Sigmoid.
pub static SIGMOID: OpDefinition = unary("nn.sigmoid", "`1 / (1 + exp(-x))`");
/// Hyperbolic tangent.
pub static TANH: OpDefinition = unary("nn.tanh", "`tanh(x)`");
/// Softmax.
pub static SOFTMAX: OpDefinition =
    unary("nn.softmax", "`exp(x) / sum(exp(x))` along an axis.").attributes(&[AXIS]).verify(|ir, op, findings| {
        shapes::same_shape(ir, op, findings);
        shapes::axes_exist(ir, op, ir.int(op, "axis").into_iter(), findings);
    });
/// Sum.
pub static ADD: OpDefinition = binary("nn.add", "Elementwise sum, broadcasting.");
/// Difference.
pub static SUB: OpDefinition = binary("nn.sub", "Elementwise difference, broadcasting.");
/// Product.
pub static MUL: OpDefinition = binary("nn.mul", "Elementwise product, broadcasting.");
/// Maximum of two.
pub static MAX: OpDefinition = binary("nn.max", "Elementwise maximum, broadcasting.");
/// Minimum of two.
pub static MIN: OpDefinition = binary("nn.min", "Elementwise minimum, broadcasting.");
/// Quotient.
pub static DIV: OpDefinition = binary("nn.div", "Elementwise quotient, broadcasting.");

/// Concatenation.
pub static CONCAT: OpDefinition = op("nn.concat", "Joins tensors along an axis.")
    .operands(&[some("inputs", TENSOR)])
    .results(OUTPUT)
    .attributes(&[AXIS])
    .traits(Traits::PURE)
    .verify(shapes::concat);

/// Reshape.
pub static RESHAPE: OpDefinition = op("nn.reshape", "The same elements in C order under another shape.")
    .operands(INPUT)
    .results(OUTPUT)
    .traits(Traits::PURE)
    .verify(shapes::reshape);

/// Transpose.
pub static TRANSPOSE: OpDefinition = op("nn.transpose", "Permutes dimensions.")
    .operands(INPUT)
    .results(OUTPUT)
    .attributes(movement::TRANSPOSE)
    .traits(Traits::PURE)
    .verify(movement::transpose);

/// Resize.
pub static RESIZE: OpDefinition = op("nn.resize", "Changes height and width by nearest or bilinear interpolation.")
    .operands(INPUT_MAP)
    .results(OUTPUT_MAP)
    .attributes(&[
        required("mode", AttributeKind::Choice(&["nearest", "bilinear"]), "Interpolation."),
        default(
            "align_corners",
            AttributeKind::Bool,
            DefaultValue::Bool(false),
            "Whether corner pixels keep their places.",
        ),
        default("half_pixel", AttributeKind::Bool, DefaultValue::Bool(false), "Whether coordinates are pixel centres."),
    ])
    .traits(Traits::PURE);

/// Padding.
pub static PAD: OpDefinition = op("nn.pad", "Adds elements around a tensor.")
    .operands(INPUT)
    .results(OUTPUT)
    .attributes(&[
        movement::PADDINGS,
        movement::PAD_MODE,
        maybe("value", AttributeKind::Float, "The constant; 0 if absent."),
    ])
    .traits(Traits::PURE)
    .verify(movement::pad);

/// Strided slice.
pub static STRIDED_SLICE: OpDefinition = op("nn.strided_slice", "A part of a tensor.")
    .operands(INPUT)
    .results(OUTPUT)
    .attributes(movement::STRIDED_SLICE)
    .traits(Traits::PURE)
    .verify(movement::strided_slice);

/// Split.
pub static SPLIT: OpDefinition =
    op("nn.split", "The parts of a tensor along an axis, in order; their sizes are those of the results.")
        .operands(INPUT)
        .results(&[some("outputs", TENSOR)])
        .attributes(&[AXIS])
        .traits(Traits::PURE)
        .verify(movement::split);

/// Space to depth.
pub static SPACE_TO_DEPTH: OpDefinition =
    op("nn.space_to_depth", "Moves blocks of pixels into channels (reorganisation, pixel unshuffle).")
        .describe(movement::ORDERS)
        .operands(INPUT_MAP)
        .results(OUTPUT_MAP)
        .attributes(movement::SPACE_AND_DEPTH)
        .traits(Traits::PURE)
        .verify(movement::space_to_depth);

/// Depth to space.
pub static DEPTH_TO_SPACE: OpDefinition = op(
    "nn.depth_to_space",
    "Moves channels into blocks of pixels (pixel shuffle); the inverse of `nn.space_to_depth`.",
)
.describe(movement::ORDERS)
.operands(INPUT_MAP)
.results(OUTPUT_MAP)
.attributes(movement::SPACE_AND_DEPTH)
.traits(Traits::PURE)
.verify(movement::depth_to_space);

pub(super) const REDUCTION: &[AttributeDefinition] = &[
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
        &MAX_POOL,
        &AVG_POOL,
        &RELU,
        &RELU6,
        &LEAKY_RELU,
        &PRELU,
        &HARD_SIGMOID,
        &HARD_SWISH,
        &SIGMOID,
        &TANH,
        &SOFTMAX,
        &ADD,
        &SUB,
        &MUL,
        &DIV,
        &MAX,
        &MIN,
        &CONCAT,
        &RESHAPE,
        &TRANSPOSE,
        &RESIZE,
        &PAD,
        &STRIDED_SLICE,
        &SPLIT,
        &SPACE_TO_DEPTH,
        &DEPTH_TO_SPACE,
        &REDUCE_MEAN,
        &REDUCE_MAX,
        &REDUCE_SUM,
        &ARGMAX,
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

fn verify_matmul(ir: &Ir, op: OpId, findings: &mut Findings) {
    let (Some(input), Some(weights)) = (ir.shape_of(ir.operand(op, 0)), ir.shape_of(ir.operand(op, 1))) else { return };
    let (Some(result), Some(transposed)) = (ir.shape_of(ir.result(op)), ir.bool(op, "transpose_b")) else { return };
    let (&[.., length], &[rows, columns]) = (&input[..], &weights[..]) else {
        findings.error(
            ir,
            op,
            "matmul-shape",
            format!("has weights of shape {}, which is no matrix", shapes::show(&weights)),
        );
        return;
    };
    let (inner, outer) = if transposed { (columns, rows) } else { (rows, columns) };
    if inner != length {
        let message = format!("multiplies rows of {length} elements with weights for {inner}");
        findings.error(ir, op, "matmul-shape", message);
        return;
    }
    let mut expected = input.clone();
    if let Some(last) = expected.last_mut() {
        *last = outer;
    }
    shapes::expect_shape(ir, op, &result, &expected, findings);
}
