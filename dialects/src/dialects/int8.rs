//! The `int8` dialect: the exact integer arithmetic of the quantised network.

use super::nn::{AXIS, CROPS, DILATIONS, GROUPS, KERNEL, PADS, REDUCTION, STRIDES, verify_constant};
use super::{movement, shapes};
use crate::define::{
    AttributeDefinition, AttributeKind, DefaultValue, Dialect, OpDefinition, Traits, TypeConstraint, ValueDefinition,
    any_number, default, one, op, optional, required, some,
};
use crate::ir::{Ir, OpId, ValueId};
use crate::verify::Findings;

const TENSOR: TypeConstraint = TypeConstraint::FixTensor;
const MAP: TypeConstraint = TypeConstraint::FixMap;

const INPUT: &[ValueDefinition] = &[one("input", TENSOR)];
const OUTPUT: &[ValueDefinition] = &[one("output", TENSOR)];
const INPUT_MAP: &[ValueDefinition] = &[one("input", MAP)];
const OUTPUT_MAP: &[ValueDefinition] = &[one("output", MAP)];
const PAIR: &[ValueDefinition] = &[one("lhs", TENSOR), one("rhs", TENSOR)];
const INPUT_AND_PARAMETERS: &[ValueDefinition] = &[one("input", TENSOR), any_number("parameters", TENSOR)];
const INPUTS: &[ValueDefinition] = &[some("inputs", TENSOR)];
const WEIGHTED_INPUTS: &[ValueDefinition] = &[one("input", MAP), one("weights", MAP), optional("bias", TENSOR)];

/// Activations of convolutions.
const ACTIVATION: AttributeDefinition = default(
    "activation",
    AttributeKind::Choice(&["none", "relu", "relu6", "leaky_relu"]),
    DefaultValue::Str("none"),
    "Applied to the exact value before its one rounding. `leaky_relu` has slope 26/256; `relu6` clamps at 96 if the output's fix point is at most 4 and at 127 otherwise.",
);
/// Activations of elementwise operations.
const RELU_ONLY: AttributeDefinition = default(
    "activation",
    AttributeKind::Choice(&["none", "relu"]),
    DefaultValue::Str("none"),
    "Applied to the exact value before its one rounding.",
);

/// Operands that are no inputs.
const PARAMETERS: AttributeDefinition = default(
    "parameters",
    AttributeKind::Int(0, 4),
    DefaultValue::Int(0),
    "How many operands at the end are constants that the DPU's form of the operation reads. They do not change the result; the memory plan adds them.",
);

/// The operands of an operation without those that its attribute `parameters` counts.
pub fn inputs(ir: &Ir, op: OpId) -> &[ValueId] {
    let operands = ir.operands(op);
    let parameters = ir.int(op, "parameters").and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
    &operands[..operands.len().saturating_sub(parameters)]
}

const SCALE: AttributeDefinition = required("scale", AttributeKind::Ints(2, 1, 65535), "Factors, `[h, w]`.");

/// Meaning of the whole convolution family.
const CONVOLUTION: &str = "With fix points `fi` of the input, `fw` of the weights, `fb` of the bias and `fo` of the output:\n\n\
```text\ncut = fi + fw - fo        bias_shift = fi + fw - fb\nv   = 2 * sum(x * w) + 2 * b * 2^bias_shift        (floor(b * 2^(bias_shift + 1)) if bias_shift < -1)\ny   = saturate(floor(act(v) / 2^(cut + 1) + 1/2))\n```\n\n\
Padding contributes 0. Source: `spec/numerics.md` section 5.1 and 8.";

const fn convolution(name: &'static str, summary: &'static str) -> OpDefinition {
    op(name, summary).describe(CONVOLUTION).operands(WEIGHTED_INPUTS).results(OUTPUT_MAP).traits(Traits::PURE)
}

const fn unary(name: &'static str, summary: &'static str) -> OpDefinition {
    op(name, summary).operands(INPUT).results(OUTPUT).traits(Traits::PURE).verify(shapes::same_shape)
}

/// A constant.
pub static CONSTANT: OpDefinition =
    op("int8.constant", "A constant of signed bytes: a symbol of the side file, or `dense<…>`.")
        .results(OUTPUT)
        .attributes(&[required("value", AttributeKind::Weights, "Where the elements are, C order.").positional()])
        .traits(Traits::PURE)
        .verify(verify_constant);

/// Float to fixed point.
pub static QUANTISE: OpDefinition = op("int8.quantise", "`saturate(floor(x * 2^fo + 1/2))`")
    .operands(&[one("input", TypeConstraint::FloatTensor)])
    .results(OUTPUT)
    .traits(Traits::PURE)
    .verify(shapes::same_shape);

/// Fixed point to float.
pub static DEQUANTISE: OpDefinition = op("int8.dequantise", "`x * 2^-fi`, exact.")
    .operands(INPUT)
    .results(&[one("output", TypeConstraint::FloatTensor)])
    .traits(Traits::PURE)
    .verify(shapes::same_shape);

/// Change of fix point.
pub static REQUANTISE: OpDefinition = unary("int8.requantise", "`saturate(floor(act(x) * 2^(fo - fi) + 1/2))`")
    .attributes(&[default(
        "activation",
        AttributeKind::Choice(&["none", "relu", "relu6"]),
        DefaultValue::Str("none"),
        "Applied before the rounding; `relu6` as in convolutions.",
    )]);

/// Convolution.
pub static CONV2D: OpDefinition =
    convolution("int8.conv2d", "2-D convolution (correlation) of an NHWC map with OHWI weights.")
        .attributes(&[STRIDES, PADS, DILATIONS, GROUPS, ACTIVATION])
        .verify(shapes::conv2d);

/// Depthwise convolution.
pub static DEPTHWISE_CONV2D: OpDefinition = convolution(
    "int8.depthwise_conv2d",
    "2-D convolution of each channel by itself; weights `[1, kernel_h, kernel_w, channels]`.",
)
.attributes(&[STRIDES, PADS, DILATIONS, ACTIVATION])
.verify(shapes::depthwise_conv2d);

/// Transposed convolution.
pub static TRANSPOSED_CONV2D: OpDefinition =
    convolution("int8.transposed_conv2d", "Transposed 2-D convolution with OHWI weights, stored spatially flipped.")
        .attributes(&[STRIDES, CROPS, ACTIVATION])
        .verify(shapes::transposed_conv2d);

/// Transposed depthwise convolution.
pub static TRANSPOSED_DEPTHWISE_CONV2D: OpDefinition =
    convolution("int8.transposed_depthwise_conv2d", "Transposed 2-D convolution of each channel by itself.")
        .attributes(&[STRIDES, CROPS, ACTIVATION])
        .verify(shapes::transposed_depthwise_conv2d);

/// Maximum pooling.
pub static MAX_POOL: OpDefinition =
    op("int8.max_pool", "`saturate(floor(max(window) * 2^(fo - fi) + 1/2))`; padding is -128.")
        .operands(INPUT_MAP)
        .results(OUTPUT_MAP)
        .attributes(&[KERNEL, STRIDES, PADS])
        .traits(Traits::PURE)
        .verify(shapes::pool);

/// Average pooling.
pub static AVG_POOL: OpDefinition = op("int8.avg_pool", "`saturate(floor(sum(window) * m / 2^k * 2^(fo - fi) + 1/2))`; padding is 0 and counted.")
    .describe("`m / 2^k` stands for 1 / (kernel_h * kernel_w): 7/2^6 for 3x3, 10/2^8 for 5x5, 7/2^8 for 6x6, 21/2^10 for 7x7, 21/2^12 for 14x14, otherwise the first pair with the smallest error. Source: `spec/numerics.md` section 5.4.")
    .operands(INPUT_MAP)
    .results(OUTPUT_MAP)
    .attributes(&[KERNEL, STRIDES, PADS])
    .traits(Traits::PURE)
    .verify(shapes::pool);

/// Sum.
pub static ADD: OpDefinition = op("int8.add", "Sum of tensors of one shape, two fractional bits kept.")
    .describe("With `m = min fi`: `s = sum(floor(4 * x_i / 2^(f_i - m)))`, `y = saturate(floor(act(s) * 2^(fo - m) / 4 + 1/2))`. Source: `spec/numerics.md` section 5.5, hardware form.")
    .operands(INPUTS)
    .results(OUTPUT)
    .attributes(&[RELU_ONLY, PARAMETERS])
    .traits(Traits::PURE)
    .verify(shapes::same_shape);

/// Difference.
pub static SUB: OpDefinition = op("int8.sub", "Difference of two tensors of one shape, seven fractional bits kept.")
    .describe("With `m = min fi`: `s = floor(128 * x / 2^(fx - m)) - floor(128 * y / 2^(fy - m))`, `z = saturate(floor(act(s) * 2^(fo - m) / 128 + 1/2))`; exact where the fix points differ by at most 7. Source: `spec/numerics.md` section 5.5.")
    .operands(&[one("lhs", TENSOR), one("rhs", TENSOR), any_number("parameters", TENSOR)])
    .results(OUTPUT)
    .attributes(&[RELU_ONLY, PARAMETERS])
    .traits(Traits::PURE)
    .verify(shapes::same_shape);

/// Meaning of maximum and minimum.
const EXTREME: &str = "Values are compared at the coarsest fix point with seven fractional bits, then requantised with one rounding. Source: `spec/numerics.md` section 5.5.";

/// Maximum.
pub static MAX: OpDefinition = op("int8.max", "Largest of the elements of tensors of one shape.")
    .describe(EXTREME)
    .operands(INPUTS)
    .results(OUTPUT)
    .traits(Traits::PURE)
    .verify(shapes::same_shape);

/// Minimum.
pub static MIN: OpDefinition = op("int8.min", "Smallest of the elements of tensors of one shape.")
    .describe(EXTREME)
    .operands(INPUTS)
    .results(OUTPUT)
    .attributes(&[PARAMETERS])
    .traits(Traits::PURE)
    .verify(shapes::same_shape);

/// Product of channels with numbers.
pub static CHANNEL_MUL: OpDefinition = op(
    "int8.channel_mul",
    "`saturate(floor(x * v[c] * 2^(fo - fx - fv) + 1/2))`: each channel, the last dimension, times a number of its own.",
)
.operands(&[one("input", TENSOR), one("vector", TENSOR)])
.results(OUTPUT)
.traits(Traits::PURE)
.verify(shapes::channel_vector);

/// Sum of channels and numbers.
pub static CHANNEL_ADD: OpDefinition = op(
    "int8.channel_add",
    "`saturate(floor((x * 2^-fx + v[c] * 2^-fv) * 2^fo + 1/2))`, exact: each channel, the last dimension, plus a number of its own.",
)
.operands(&[one("input", TENSOR), one("vector", TENSOR), any_number("parameters", TENSOR)])
.results(OUTPUT)
.attributes(&[PARAMETERS])
.traits(Traits::PURE)
.verify(shapes::channel_vector);

/// Product.
pub static MUL: OpDefinition =
    op("int8.mul", "`saturate(floor(act(x * y) * 2^(fo - fx - fy) + 1/2))` for tensors of one shape.")
        .operands(PAIR)
        .results(OUTPUT)
        .attributes(&[RELU_ONLY])
        .traits(Traits::PURE)
        .verify(shapes::same_shape);

/// Concatenation.
pub static CONCAT: OpDefinition =
    op("int8.concat", "Joins tensors along an axis; each input is requantised to the output's fix point.")
        .operands(&[some("inputs", TENSOR)])
        .results(OUTPUT)
        .attributes(&[AXIS])
        .traits(Traits::PURE)
        .verify(shapes::concat);

/// Reshape.
pub static RESHAPE: OpDefinition =
    op("int8.reshape", "The same elements in C order under another shape; the fix point stays.")
        .operands(INPUT)
        .results(OUTPUT)
        .traits(Traits::PURE)
        .verify(|ir, op, findings| {
            shapes::reshape(ir, op, findings);
            verify_same_fix(ir, op, findings);
        });

/// An operation that moves codes; the fix point stays.
const fn moving(name: &'static str, summary: &'static str) -> OpDefinition {
    op(name, summary).operands(INPUT).results(OUTPUT).traits(Traits::PURE)
}

/// Transpose.
pub static TRANSPOSE: OpDefinition = moving("int8.transpose", "Permutes dimensions; the fix point stays.")
    .attributes(movement::TRANSPOSE)
    .verify(|ir, op, findings| {
        movement::transpose(ir, op, findings);
        verify_same_fix(ir, op, findings);
    });

/// Strided slice.
pub static STRIDED_SLICE: OpDefinition = moving("int8.strided_slice", "A part of a tensor; the fix point stays.")
    .attributes(movement::STRIDED_SLICE)
    .verify(|ir, op, findings| {
        movement::strided_slice(ir, op, findings);
        verify_same_fix(ir, op, findings);
    });

/// Padding.
pub static PAD: OpDefinition = moving("int8.pad", "Adds elements around a tensor; the fix point stays.")
    .attributes(&[
        movement::PADDINGS,
        movement::PAD_MODE,
        default("value", AttributeKind::Int(-128, 127), DefaultValue::Int(0), "The constant, a code."),
    ])
    .verify(|ir, op, findings| {
        movement::pad(ir, op, findings);
        verify_same_fix(ir, op, findings);
    });

/// Space to depth.
pub static SPACE_TO_DEPTH: OpDefinition =
    moving("int8.space_to_depth", "Moves blocks of pixels into channels; the fix point stays.")
        .describe(movement::ORDERS)
        .operands(INPUT_MAP)
        .results(OUTPUT_MAP)
        .attributes(movement::SPACE_AND_DEPTH)
        .verify(|ir, op, findings| {
            movement::space_to_depth(ir, op, findings);
            verify_same_fix(ir, op, findings);
        });

/// Depth to space.
pub static DEPTH_TO_SPACE: OpDefinition =
    moving("int8.depth_to_space", "Moves channels into blocks of pixels; the fix point stays.")
        .describe(movement::ORDERS)
        .operands(INPUT_MAP)
        .results(OUTPUT_MAP)
        .attributes(movement::SPACE_AND_DEPTH)
        .verify(|ir, op, findings| {
            movement::depth_to_space(ir, op, findings);
            verify_same_fix(ir, op, findings);
        });

/// Up-sampling.
pub static UPSAMPLE: OpDefinition =
    op("int8.upsample", "Multiplies height and width by nearest or bilinear interpolation, then requantises.")
        .describe("Coordinates and interpolation in single precision. Source: `spec/numerics.md` section 5.7.")
        .operands(INPUT_MAP)
        .results(OUTPUT_MAP)
        .attributes(&[
            SCALE,
            default(
                "mode",
                AttributeKind::Choice(&["nearest", "bilinear"]),
                DefaultValue::Str("nearest"),
                "Interpolation.",
            ),
            default(
                "align_corners",
                AttributeKind::Bool,
                DefaultValue::Bool(false),
                "Whether corner pixels keep their places.",
            ),
            default(
                "half_pixel",
                AttributeKind::Bool,
                DefaultValue::Bool(false),
                "Whether coordinates are pixel centres.",
            ),
        ])
        .traits(Traits::PURE)
        .verify(|ir, op, findings| shapes::scaled(ir, op, true, findings));

/// Down-sampling.
pub static DOWNSAMPLE: OpDefinition = op(
    "int8.downsample",
    "Takes pixel `(h * scale_h, w * scale_w)`, then requantises.",
)
.describe(
    "AMD's compiler gives bilinear down-sampling the same meaning: no interpolation. Source: `spec/numerics.md` D14.",
)
.operands(INPUT_MAP)
.results(OUTPUT_MAP)
.attributes(&[SCALE])
.traits(Traits::PURE)
.verify(|ir, op, findings| shapes::scaled(ir, op, false, findings));

/// Hard sigmoid.
pub static HARD_SIGMOID: OpDefinition =
    unary("int8.hard_sigmoid", "`saturate(floor(max(0, 2731 * x + 3 * 2731 * 2^fi) / 2^(14 + fi - fo) + 1/2))`")
        .describe("There is no upper clamp besides saturation. Source: `spec/numerics.md` section 5.9.");

/// Leaky ReLU by itself.
pub static LEAKY_RELU: OpDefinition =
    unary("int8.leaky_relu", "`x < 0 ? x * multiplier / 2^shift : x`, requantised with one rounding.")
        .operands(INPUT_AND_PARAMETERS)
        .attributes(&[
            default("multiplier", AttributeKind::Int(0, 127), DefaultValue::Int(26), "Slope's numerator."),
            default("shift", AttributeKind::Int(0, 31), DefaultValue::Int(8), "Slope's denominator as a power of two."),
            PARAMETERS,
        ]);

/// `PReLU`.
pub static PRELU: OpDefinition = op(
    "int8.prelu",
    "`x < 0 ? x * slopes[c] * 2^-fs : x`, requantised with one rounding; one slope for each channel, the last dimension.",
)
.operands(&[one("input", TENSOR), one("slopes", TENSOR), any_number("parameters", TENSOR)])
.results(OUTPUT)
.attributes(&[PARAMETERS])
.traits(Traits::PURE)
.verify(shapes::channel_vector);

/// Mean along axes.
pub static REDUCE_MEAN: OpDefinition =
    op("int8.reduce_mean", "`saturate(floor(sum(x) * m / 2^k * 2^(fo - fi) + 1/2))` over axes.")
        .describe("`m / 2^k` is the product over the axes of the first pair with the smallest error for one over the axis' size. Source: `spec/numerics.md` section 5.12.")
        .operands(INPUT)
        .results(OUTPUT)
        .attributes(REDUCTION)
        .traits(Traits::PURE)
        .verify(shapes::reduction);

/// Maximum along axes.
pub static REDUCE_MAX: OpDefinition = op("int8.reduce_max", "`saturate(floor(max(x) * 2^(fo - fi) + 1/2))` over axes.")
    .operands(INPUT)
    .results(OUTPUT)
    .attributes(REDUCTION)
    .traits(Traits::PURE)
    .verify(shapes::reduction);

/// Sum along axes.
pub static REDUCE_SUM: OpDefinition = op("int8.reduce_sum", "`saturate(floor(sum(x) * 2^(fo - fi) + 1/2))` over axes.")
    .operands(INPUT)
    .results(OUTPUT)
    .attributes(REDUCTION)
    .traits(Traits::PURE)
    .verify(shapes::reduction);

/// Most elements along the axis of an `int8.argmax`: its indices are signed bytes.
pub const ARGMAX_MAX: usize = 128;

/// Index of the maximum along an axis.
pub static ARGMAX: OpDefinition = op(
    "int8.argmax",
    "Index of the first maximum along an axis of at most 128 elements, which stays with size 1.",
)
.describe(
    "The fix point of the result is 0; that of the input does not matter. Source: `spec/numerics.md` section 5.14.",
)
.operands(INPUT)
.results(OUTPUT)
.attributes(&[AXIS])
.traits(Traits::PURE)
.verify(verify_argmax);

/// The dialect.
pub static DIALECT: Dialect = Dialect {
    name: "int8",
    description: "The exact integer arithmetic: signed bytes `q` in tensors `tensor<…xi8, #int8.fix<p>>` that stand for `q * 2^-p`. Every operation rounds once, `floor(x + 1/2)`, and then saturates to -128 … 127.",
    operations: &[
        &CONSTANT,
        &QUANTISE,
        &DEQUANTISE,
        &REQUANTISE,
        &CONV2D,
        &DEPTHWISE_CONV2D,
        &TRANSPOSED_CONV2D,
        &TRANSPOSED_DEPTHWISE_CONV2D,
        &MAX_POOL,
        &AVG_POOL,
        &ADD,
        &SUB,
        &MUL,
        &MAX,
        &MIN,
        &CHANNEL_MUL,
        &CHANNEL_ADD,
        &CONCAT,
        &RESHAPE,
        &TRANSPOSE,
        &STRIDED_SLICE,
        &PAD,
        &SPACE_TO_DEPTH,
        &DEPTH_TO_SPACE,
        &UPSAMPLE,
        &DOWNSAMPLE,
        &HARD_SIGMOID,
        &LEAKY_RELU,
        &PRELU,
        &REDUCE_MEAN,
        &REDUCE_MAX,
        &REDUCE_SUM,
        &ARGMAX,
    ],
};

fn verify_argmax(ir: &Ir, op: OpId, findings: &mut Findings) {
    shapes::argmax(ir, op, findings);
    if let Some(fix) = ir.fix_of(ir.result(op)).filter(|&fix| fix != 0) {
        findings.error(
            ir,
            op,
            "fix-point",
            format!("has indices of fix point {fix}; they are whole numbers, of fix point 0"),
        );
    }
    let axis = ir.int(op, "axis").and_then(|axis| usize::try_from(axis).ok());
    let size = axis.and_then(|axis| ir.shape_of(ir.operand(op, 0))?.get(axis).copied());
    if let Some(size) = size.filter(|&size| size > ARGMAX_MAX) {
        let message = format!("compares {size} elements, but an index in a signed byte needs at most {ARGMAX_MAX}");
        findings.error(ir, op, "argmax-size", message);
    }
}

fn verify_same_fix(ir: &Ir, op: OpId, findings: &mut Findings) {
    let (before, after) = (ir.fix_of(ir.operand(op, 0)), ir.fix_of(ir.result(op)));
    if before != after {
        findings.error(ir, op, "fix-point", "changes the fix point; use `int8.requantise` for that");
    }
}
