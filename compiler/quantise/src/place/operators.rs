//! Which operators get integer forms, and which operators join their producers (`spec/quantisation.md` section 4).

use dpuc_dialects::dialects::nn;
use dpuc_dialects::{Attribute, Ir, OpId, ValueId};

use crate::network::constant;

/// The slope of the leaky `ReLU` that is wired into the hardware.
pub(crate) const LEAKY_SLOPE: f64 = 26.0 / 256.0;

/// What an operator does, as far as quantisation is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OperatorKind {
    /// The convolution family and products with a constant matrix: weights, perhaps a bias.
    Weighted,
    /// Sum or difference.
    Sum,
    /// Product.
    Product,
    /// Larger or smaller one of two.
    Extremum,
    /// Maximum over a window or along axes.
    Maximum,
    /// Nearest neighbour.
    Nearest,
    /// A clip that joined no producer.
    Rectifier,
    /// Concatenation.
    Concat,
    /// Hard sigmoid.
    HardSigmoid,
    /// Hard swish.
    HardSwish,
    /// Everything else that has one rounding: means, interpolation, `PReLU`, sums along axes.
    Other,
}

impl OperatorKind {
    /// Whether every element of the result is one of the operands' elements, or zero.
    pub(crate) const fn selects(self) -> bool {
        matches!(self, Self::Maximum | Self::Nearest | Self::Rectifier)
    }
}

/// An activation that joins its producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activation {
    /// `max(x, 0)`
    Relu,
    /// `min(max(x, 0), 6)`
    Relu6,
    /// Slope 26/256 for negative numbers.
    LeakyRelu,
}

impl Activation {
    /// The activation of a number.
    pub(crate) fn apply(self, value: f32) -> f32 {
        match self {
            Self::Relu => value.max(0.0),
            Self::Relu6 => value.clamp(0.0, 6.0),
            Self::LeakyRelu => value.max(value * LEAKY_SLOPE as f32),
        }
    }

    pub(crate) fn of(ir: &Ir, op: OpId) -> Option<Self> {
        match ir.op_name(op) {
            "nn.relu" => Some(Self::Relu),
            "nn.relu6" => Some(Self::Relu6),
            "nn.leaky_relu" => {
                let slope = ir.attribute(op, "alpha").and_then(Attribute::as_float);
                (slope == Some(LEAKY_SLOPE)).then_some(Self::LeakyRelu)
            }
            _ => None,
        }
    }
}

/// What an operation is, if the DPU, or the CPU with integers, runs it on fixed-point values.
pub(crate) fn operator_kind(ir: &Ir, op: OpId) -> Option<OperatorKind> {
    let is_constant = |index: usize| ir.operands(op).get(index).is_none_or(|&value| constant(ir, value).is_some());
    let bilinear_factor = || {
        let (before, after) = (ir.shape_of(ir.operand(op, 0))?, ir.shape_of(ir.result(op))?);
        let whole = |axis: usize| after[axis].is_multiple_of(before[axis]) || before[axis].is_multiple_of(after[axis]);
        (before.len() == 4 && before[1] > 0 && before[2] > 0 && whole(1) && whole(2)).then_some(())
    };
    Some(match ir.op_name(op) {
        "nn.conv2d"
        | "nn.depthwise_conv2d"
        | "nn.transposed_conv2d"
        | "nn.transposed_depthwise_conv2d"
        | "nn.matmul"
            if is_constant(1) && is_constant(2) =>
        {
            OperatorKind::Weighted
        }
        "nn.add" | "nn.sub" if is_elementwise(ir, op) => OperatorKind::Sum,
        "nn.mul" if is_elementwise(ir, op) => OperatorKind::Product,
        "nn.max" | "nn.min" if is_elementwise(ir, op) => OperatorKind::Extremum,
        "nn.max_pool" | "nn.reduce_max" => OperatorKind::Maximum,
        "nn.resize" => {
            bilinear_factor()?;
            match ir.str(op, "mode")? {
                "nearest" => OperatorKind::Nearest,
                "bilinear" => OperatorKind::Other,
                _ => return None,
            }
        }
        "nn.relu" | "nn.relu6" => OperatorKind::Rectifier,
        "nn.concat" => OperatorKind::Concat,
        "nn.hard_sigmoid" => OperatorKind::HardSigmoid,
        "nn.hard_swish" => OperatorKind::HardSwish,
        "nn.prelu" if is_constant(1) => OperatorKind::Other,
        "nn.leaky_relu" => {
            Activation::of(ir, op)?;
            OperatorKind::Other
        }
        "nn.avg_pool" if ir.bool(op, "exclude_padding") != Some(true) => OperatorKind::Other,
        "nn.reduce_mean" | "nn.reduce_sum" => OperatorKind::Other,
        _ => return None,
    })
}

/// Whether an elementwise operation has operands that the integer forms combine: equal shapes, a constant that is broadcast, or a vector
/// of the channels of a map.
fn is_elementwise(ir: &Ir, op: OpId) -> bool {
    let Some(shape) = ir.shape_of(ir.result(op)) else { return false };
    let &[lhs, rhs] = ir.operands(op) else { return false };
    let own = |value: ValueId| ir.shape_of(value).unwrap_or_default();
    let is_constant = |value| constant(ir, value).is_some();
    let is_vector = |value: ValueId| {
        shape.len() == 4
            && own(value).split_last().is_some_and(|(last, rest)| *last == shape[3] && rest.iter().all(|&dim| dim == 1))
    };
    let fits = |value: ValueId| {
        let is_commutative = ir.is(op, &nn::MUL) || ir.is(op, &nn::ADD);
        own(value) == shape || is_constant(value) || is_commutative && is_vector(value)
    };
    // At least one operand is data of the result's shape.
    let is_data = |value: ValueId| own(value) == shape && !is_constant(value);
    fits(lhs) && fits(rhs) && (is_data(lhs) || is_data(rhs))
}

/// Whether an activation behind an operator is computed with it, before the one rounding.
pub(crate) fn absorbs(ir: &Ir, op: OpId, kind: OperatorKind, activation: Activation) -> bool {
    match kind {
        OperatorKind::Weighted => true,
        OperatorKind::Sum | OperatorKind::Product => activation == Activation::Relu && !ir.is(op, &nn::SUB),
        _ => false,
    }
}

/// Whether an operation only moves elements of its one variable operand: its result has the codes of its operand.
pub(crate) fn moves(ir: &Ir, op: OpId) -> bool {
    match ir.op_name(op) {
        "nn.reshape" | "nn.transpose" | "nn.strided_slice" | "nn.split" | "nn.space_to_depth" | "nn.depth_to_space" => {
            true
        }
        "nn.pad" => ir.attribute(op, "value").and_then(Attribute::as_float).is_none_or(|value| value == 0.0),
        _ => false,
    }
}
