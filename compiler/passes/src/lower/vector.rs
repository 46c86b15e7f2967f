//! Products and sums of a map and a vector of its channels (`spec/recipes-eltwise-data.md` section 4).

use dpuc_dialects::dialects::{int8, nn};
use dpuc_dialects::{Ir, OpId, ValueId};

use super::code::{Activated, Fix, code, constant_code, constant_elements};
use super::lowered::{FixPattern, Lowered, NewConstant, Operand};

/// Most channels of a map for which weights are made.
const MAX_CHANNELS: usize = 1 << 20;

/// A map and the vector it is combined with.
struct Combined {
    op: OpId,
    map: ValueId,
    vector: ValueId,
    /// Whether the vector is the first operand.
    is_reversed: bool,
}

impl Combined {
    /// Operands of which one is a map of the result's shape and the other one has a number for each of its channels.
    fn of(ir: &Ir, op: OpId) -> Option<Self> {
        let &[lhs, rhs] = ir.operands(op) else { return None };
        let &[.., channels] = &ir.shape_of(ir.result(op)).filter(|shape| shape.len() == 4)?[..] else { return None };
        let is_map = |value| ir.shape_of(value) == ir.shape_of(ir.result(op));
        let is_vector = |value| {
            ir.shape_of(value).is_some_and(|own| {
                own.split_last().is_some_and(|(&last, rest)| last == channels && rest.iter().all(|&dim| dim == 1))
            })
        };
        let pair = |map, vector, is_reversed| {
            let fits = is_map(map) && is_vector(vector) && !is_vector(map);
            fits.then_some(Self { op, map, vector, is_reversed })
        };
        pair(lhs, rhs, false).or_else(|| pair(rhs, lhs, true))
    }
}

/// `nn.mul` or `nn.add` of a map and a vector that is computed at run time.
pub(super) struct ChannelVector;

impl FixPattern for ChannelVector {
    const NAME: &'static str = "channel-vector";

    fn lower(&self, ir: &Ir, fix: Fix) -> Option<Lowered> {
        let op = fix.producer(ir)?;
        let kind = match ir.op_name(op) {
            "nn.mul" => &int8::CHANNEL_MUL,
            "nn.add" => &int8::CHANNEL_ADD,
            _ => return None,
        };
        let found = Combined::of(ir, op)?;
        let (map, vector) = (code(ir, found.map)?, code(ir, found.vector)?);
        Some(Lowered::new(kind, fix, vec![op], [map, vector]))
    }
}

/// A map plus or minus a constant vector, perhaps after a product with another one: a normalisation that was not folded. It is a depthwise
/// convolution of one tap (`spec/recipes-eltwise-data.md` section 4.3).
pub(super) struct ChannelOffset;

/// Largest exponent of a weight that is a power of two.
const MAX_EXPONENT: i32 = 6;

impl FixPattern for ChannelOffset {
    const NAME: &'static str = "channel-offset";

    fn lower(&self, ir: &Ir, fix: Fix) -> Option<Lowered> {
        let found = Activated::of(ir, fix)?;
        // A leaky ReLU is fused into Conv only.
        if !matches!(ir.op_name(found.op), "nn.add" | "nn.sub") || found.activation == "leaky_relu" {
            return None;
        }
        let sum = Combined::of(ir, found.op)?;
        let is_difference = ir.is(found.op, &nn::SUB);
        let (map_sign, vector_sign) = match (is_difference, sum.is_reversed) {
            (false, _) => (1, 1),
            (true, false) => (1, -1),
            (true, true) => (-1, 1),
        };
        let offset = constant_code(ir, sum.vector)?;
        let channels = *ir.shape_of(offset)?.last().filter(|&&channels| channels <= MAX_CHANNELS)?;
        let (map, scale, inner) = match scaled(ir, sum.map).filter(|_| map_sign == 1) {
            Some((product, map, scale)) => {
                let elements = constant_elements(ir, scale)?;
                let shape = vec![1, 1, 1, channels];
                (map, NewConstant::derived(ir, scale, "_per_channel", shape, elements)?, Some(product))
            }
            None => {
                let map = code(ir, sum.map)?;
                let (own, offset) = (ir.fix_of(map)?, ir.fix_of(offset)?);
                // Fine enough for the result, and for the bias: half a unit of the products.
                let point = fix.point.saturating_sub(own).max(offset.saturating_sub(own).saturating_sub(1)).max(0);
                let weight = (point <= MAX_EXPONENT).then(|| map_sign << point)?;
                let (shape, elements) = (vec![1, 1, 1, channels], vec![weight; channels]);
                (map, NewConstant { origin: found.op, suffix: "_weights", shape, elements, point }, None)
            }
        };
        // -(-128) is no byte.
        let signed = |&value: &i8| value.checked_mul(vector_sign);
        let bias = constant_elements(ir, offset)?.iter().map(signed).collect::<Option<_>>()?;
        let bias = NewConstant::derived(ir, offset, "_per_channel", vec![channels], bias)?;
        let operands = vec![Operand::Code(map), Operand::Constant(scale), Operand::Constant(bias)];
        let parts = inner.into_iter().chain(found.parts()).collect();
        let lowered = Lowered::new(&int8::DEPTHWISE_CONV2D, fix, parts, []).with_all(found.attribute());
        Some(Lowered { operands, ..lowered })
    }
}

/// A map times a constant vector that is not rounded and that nobody else reads: the operator, the map and the vector.
fn scaled(ir: &Ir, value: ValueId) -> Option<(OpId, ValueId, ValueId)> {
    let op = ir.defining_op(value).filter(|&op| ir.is(op, &nn::MUL) && ir.use_count(value) == 1)?;
    let product = Combined::of(ir, op)?;
    Some((product.op, code(ir, product.map)?, constant_code(ir, product.vector)?))
}
