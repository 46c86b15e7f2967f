//! Operators that walk a window over a map.

use super::{INPUT_MAP, MAP, OUTPUT_MAP, TENSOR, shapes};
use crate::define::{
    AttributeDefinition, AttributeKind, DefaultValue, OpDefinition, Traits, ValueDefinition, default, one, op,
    optional, required,
};

const WEIGHTED_INPUTS: &[ValueDefinition] = &[one("input", MAP), one("weights", MAP), optional("bias", TENSOR)];

pub(in crate::dialects) const STRIDES: AttributeDefinition =
    default("strides", AttributeKind::Ints(2, 1, 65535), DefaultValue::Ints(&[1, 1]), "Steps of the window, `[h, w]`.");
pub(in crate::dialects) const DILATIONS: AttributeDefinition = default(
    "dilations",
    AttributeKind::Ints(2, 1, 65535),
    DefaultValue::Ints(&[1, 1]),
    "Distances between kernel taps, `[h, w]`.",
);
pub(in crate::dialects) const GROUPS: AttributeDefinition = default(
    "groups",
    AttributeKind::Int(1, 65535),
    DefaultValue::Int(1),
    "Number of equal parts of the channels: part `i` of the output reads part `i` of the input. Weights are `[out, kernel_h, kernel_w, in / groups]`.",
);
pub(in crate::dialects) const PADS: AttributeDefinition = default(
    "pads",
    AttributeKind::Ints(4, 0, 65535),
    DefaultValue::Ints(&[0, 0, 0, 0]),
    "Padding rows and columns, `[top, left, bottom, right]`.",
);
pub(in crate::dialects) const CROPS: AttributeDefinition = default(
    "pads",
    AttributeKind::Ints(4, 0, 65535),
    DefaultValue::Ints(&[0, 0, 0, 0]),
    "Rows and columns cropped from the full output, `[top, left, bottom, right]`.",
);
pub(in crate::dialects) const KERNEL: AttributeDefinition =
    required("kernel", AttributeKind::Ints(2, 1, 65535), "Size of the window, `[h, w]`.");
const CONVOLUTION: &[AttributeDefinition] = &[STRIDES, PADS, DILATIONS];
const TRANSPOSED: &[AttributeDefinition] = &[STRIDES, CROPS];
const POOL: &[AttributeDefinition] = &[KERNEL, STRIDES, PADS];

const fn convolution(name: &'static str, summary: &'static str) -> OpDefinition {
    op(name, summary).operands(WEIGHTED_INPUTS).results(OUTPUT_MAP).traits(Traits::PURE)
}

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

/// Maximum pooling.
pub static MAX_POOL: OpDefinition = op("nn.max_pool", "Maximum over a window; padding never wins.")
    .operands(INPUT_MAP)
    .results(OUTPUT_MAP)
    .attributes(POOL)
    .traits(Traits::PURE)
    .verify(shapes::pool);

/// Average pooling.
pub static AVG_POOL: OpDefinition = op("nn.avg_pool", "Mean over a window.")
    .operands(INPUT_MAP)
    .results(OUTPUT_MAP)
    .attributes(&[
        KERNEL,
        STRIDES,
        PADS,
        default(
            "exclude_padding",
            AttributeKind::Bool,
            DefaultValue::Bool(false),
            "Whether padding is left out of sum and count; otherwise it counts as zeros. Each window must then see an element.",
        ),
    ])
    .traits(Traits::PURE)
    .verify(shapes::pool);
