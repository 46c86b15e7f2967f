//! Operations on each element by itself.

use super::{INPUT, OUTPUT, PAIR, TENSOR, shapes};
use crate::define::{AttributeKind, DefaultValue, OpDefinition, Traits, default, maybe, one, op, required};

const fn unary(name: &'static str, summary: &'static str) -> OpDefinition {
    op(name, summary).operands(INPUT).results(OUTPUT).traits(Traits::PURE).verify(shapes::same_shape)
}

const fn binary(name: &'static str, summary: &'static str) -> OpDefinition {
    op(name, summary).operands(PAIR).results(OUTPUT).traits(Traits::PURE).verify(shapes::broadcast)
}

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
/// Exponential linear unit.
pub static ELU: OpDefinition = unary("nn.elu", "`x < 0 ? alpha * (exp(x) - 1) : x`").attributes(&[required(
    "alpha",
    AttributeKind::Float,
    "Minus the limit for small numbers.",
)]);
/// Clipping.
pub static CLIP: OpDefinition = unary("nn.clip", "`min(max(x, min), max)`").attributes(&[
    maybe("min", AttributeKind::Float, "Lower bound; none if absent."),
    maybe("max", AttributeKind::Float, "Upper bound, the stronger one; none if absent."),
]);
/// Sigmoid linear unit.
pub static SILU: OpDefinition = unary("nn.silu", "`x / (1 + exp(-x))`, also called swish");
/// Gaussian error linear unit.
pub static GELU: OpDefinition = unary("nn.gelu", "`x * (1 + erf(x / sqrt(2))) / 2`").attributes(&[default(
    "approximate",
    AttributeKind::Choice(&["none", "tanh"]),
    DefaultValue::Str("none"),
    "`tanh`: `x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) / 2` instead.",
)]);
/// Mish.
pub static MISH: OpDefinition = unary("nn.mish", "`x * tanh(ln(1 + exp(x)))`");
/// Softplus.
pub static SOFTPLUS: OpDefinition = unary("nn.softplus", "`ln(1 + exp(x))`");
/// Exponential.
pub static EXP: OpDefinition = unary("nn.exp", "`exp(x)`");
/// Natural logarithm.
pub static LOG: OpDefinition = unary("nn.log", "`ln(x)`");
/// Square root.
pub static SQRT: OpDefinition = unary("nn.sqrt", "`sqrt(x)`");
/// Absolute value.
pub static ABS: OpDefinition = unary("nn.abs", "`|x|`");
/// Error function.
pub static ERF: OpDefinition = unary("nn.erf", "`2 / sqrt(pi) * integral of exp(-t^2) from 0 to x`");
/// Sine.
pub static SIN: OpDefinition = unary("nn.sin", "`sin(x)`, of radians");
/// Cosine.
pub static COS: OpDefinition = unary("nn.cos", "`cos(x)`, of radians");
/// Rounding down.
pub static FLOOR: OpDefinition = unary("nn.floor", "The largest integer that is not above `x`");
/// Rounding up.
pub static CEIL: OpDefinition = unary("nn.ceil", "The smallest integer that is not below `x`");
/// Rounding to nearest.
pub static ROUND: OpDefinition = unary("nn.round", "The nearest integer, halves to the even one");
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
/// Power.
pub static POW: OpDefinition = binary("nn.pow", "Elementwise `lhs ^ rhs`, broadcasting.");
/// Comparison.
pub static COMPARE: OpDefinition =
    binary("nn.compare", "Elementwise `lhs predicate rhs`, 1 if true and 0 if not, broadcasting.").attributes(&[
        required(
            "predicate",
            AttributeKind::Choice(&["eq", "ne", "lt", "le", "gt", "ge"]),
            "`=`, `/=`, `<`, `<=`, `>` or `>=`; what is not a number only is `ne`.",
        ),
    ]);
/// Choice.
pub static SELECT: OpDefinition = op("nn.select", "`condition /= 0 ? a : b` for each element, broadcasting.")
    .operands(&[one("condition", TENSOR), one("a", TENSOR), one("b", TENSOR)])
    .results(OUTPUT)
    .traits(Traits::PURE)
    .verify(shapes::broadcast);
