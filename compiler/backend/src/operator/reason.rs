//! Why an operation stays on the CPU, in words.

use dpuc_codegen::Violation;
use thiserror::Error;

/// One reason why the DPU cannot run an operation.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Reason {
    /// Some operand or result is no int8 tensor.
    #[error("it computes with floats; the DPU computes with `int8` operations only")]
    Float,
    /// It converts between floats and integers.
    #[error("conversion between floats and int8 is the host's part")]
    Boundary,
    /// There is no instruction for it.
    #[error("`{operation}` has no DPU form")]
    NoDpuForm {
        /// The operation.
        operation: String,
    },
    /// A limit of the accelerator.
    #[error(transparent)]
    Limit(#[from] Violation),
    /// Weights or bias are computed.
    #[error("its {operand} are not a constant; the DPU loads them from its constant region")]
    NotConstant {
        /// `weights`, `bias values` or `slopes`.
        operand: &'static str,
    },
    /// More than one lossy operand.
    #[error(
        "its operands' fix points are so far apart that the elementwise unit would lose bits; requantise them to fix points at most 2 apart"
    )]
    InexactSum,
    /// Bits that the reference drops.
    #[error(
        "its operands' fix points are more than 7 apart, where its seven guard bits lose what the DPU would keep; requantise one"
    )]
    InexactDifference,
    /// Operands too far apart.
    #[error(
        "fix points {lift} apart need a weight of 2^{lift}, which eight bits cannot hold; requantise the finer one"
    )]
    TapWeight {
        /// Binary places between the operands.
        lift: i64,
    },
    /// Slopes that no sum of taps can give.
    #[error("slopes of fix point {fix_point} need more taps than one window has; at most 9 places are possible")]
    Slope {
        /// Of the slopes.
        fix_point: i32,
    },
    /// Reduced axes.
    #[error(
        "it reduces axes {axes:?} of its input; the DPU reduces height, width or both of an NHWC map, or its channels"
    )]
    ReducedAxes {
        /// The axes.
        axes: Vec<i64>,
    },
    /// The compared axis.
    #[error("it compares along axis {axis}; the DPU compares the channels of a pixel, the last axis")]
    ArgmaxAxis {
        /// The axis.
        axis: i64,
    },
    /// The factor of a mean.
    #[error(
        "the product of its axes' factors needs more than the 7 bits of the multiplier; an average pool of the same window has one"
    )]
    MeanFactor,
    /// Many images.
    #[error("its batch is {batch}; a DPU core runs one image after another, and a program has code for up to {most}")]
    Batch {
        /// The first dimension.
        batch: usize,
        /// The largest batch.
        most: usize,
    },
    /// A reshape moves elements into the first dimension.
    #[error("the first dimension changes from {before} to {after}; on the DPU it is the batch")]
    FirstDimension {
        /// Of the input.
        before: usize,
        /// Of the result.
        after: usize,
    },
    /// A tensor is no stack of rows.
    #[error("a tensor of shape {} cannot be addressed as rows of pixels", show(shape))]
    Layout {
        /// The shape.
        shape: Vec<usize>,
    },
    /// A wide border.
    #[error("its border is a constant of {bytes} bytes; up to {most} are stored")]
    Border {
        /// Bytes around the tensor.
        bytes: u64,
        /// Largest constant made.
        most: u64,
    },
    /// A movement of elements that keeps no runs of bytes together.
    #[error("it would take {copies} strided copies; up to {most} are made")]
    Copies {
        /// Copies needed.
        copies: u64,
        /// Copies made at most.
        most: u64,
    },
    /// A reshape, slice or transposition of a host value needs no DPU.
    #[error("its input is not on the DPU")]
    InputNotOnDpu,
    /// A concatenation of host values needs no DPU.
    #[error("none of its inputs is on the DPU")]
    NoInputOnDpu,
    /// A concatenation of host and DPU values.
    #[error(
        "one of its inputs is not on the DPU, and then only 4-D maps joined along axis 3 go to the DPU; this is axis {axis}"
    )]
    MixedConcat {
        /// The axis.
        axis: i64,
    },
    /// Corner-aligned enlargement.
    #[error("the DPU does not support align_corners = true")]
    AlignCorners,
    /// Interpolation whose weights the hardware does not have.
    #[error(
        "bilinear interpolation by {height}x{width} has weights that are no signed bytes; factors 2 and 4 have, and 8 without half_pixel"
    )]
    Bilinear {
        /// Vertical factor.
        height: u32,
        /// Horizontal factor.
        width: u32,
    },
    /// Much mirrored padding.
    #[error("it mirrors {count} rows and columns, each of which is a copy; up to {most} are made")]
    Mirror {
        /// Rows and columns.
        count: u64,
        /// Copies made at most.
        most: u64,
    },
    /// Single-precision coordinates and integer division choose different pixels.
    #[error(
        "for {input} to {output} pixels, coordinates in single precision choose other pixels than the DPU's integer scale"
    )]
    Coordinates {
        /// Input size.
        input: usize,
        /// Output size.
        output: usize,
    },
    /// A pointwise operation with an activation that only convolutions have.
    #[error("the DPU computes a separate ReLU6 of 4-D maps only; this has {rank} dimensions")]
    Relu6Rank {
        /// Number of dimensions.
        rank: usize,
    },
    /// A group of operations that only move data.
    #[error("alone it would be a DPU subgraph without computation")]
    NothingToCompute,
    /// Only the largest group of operations is wanted on the DPU.
    #[error("only the largest subgraph is wanted on the DPU, and it is in a smaller one")]
    SmallerSubgraph,
    /// The operation breaks a rule its verifier should have found.
    #[error("its {what} cannot be read")]
    Malformed {
        /// Attribute or type.
        what: &'static str,
    },
}

fn show(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join("x")
}
