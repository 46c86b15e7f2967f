//! Operations that move elements without changing them.

use super::{AXIS, INPUT, INPUT_MAP, OUTPUT, OUTPUT_MAP, TENSOR, movement, shapes};
use crate::define::{AttributeKind, OpDefinition, Traits, maybe, one, op, some};

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

/// Repetition along dimensions of size 1.
pub static BROADCAST: OpDefinition = op(
    "nn.broadcast",
    "Repeats a tensor along dimensions of size 1, or new leading ones, up to the shape of the result.",
)
.operands(INPUT)
.results(OUTPUT)
.traits(Traits::PURE)
.verify(movement::broadcast);

/// Parts along an axis, by index.
pub static GATHER: OpDefinition = op(
    "nn.gather",
    "The parts of a tensor that indices name along an axis; the dimensions of the indices take the place of the axis.",
)
.describe("An index is a float that is an integer, from `-size` to `size - 1`; negative ones count from the end. Others are errors when the network runs.")
.operands(&[one("data", TENSOR), one("indices", TENSOR)])
.results(OUTPUT)
.attributes(&[AXIS])
.traits(Traits::PURE)
.verify(movement::gather);
