//! Convolutions.

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::{int8, nn};
use dpuc_dialects::{Attribute, Ir, OpId, ValueId};

use super::code::{Activated, Fix, code, constant_code, list};
use super::lowered::{FixPattern, Lowered};

/// A convolution with constant weights, its activation and its `nn.fix`; a zero padding in front becomes part of it.
pub(super) struct Convolution;

impl FixPattern for Convolution {
    const NAME: &'static str = "convolution";

    fn lower(&self, ir: &Ir, fix: Fix) -> Option<Lowered> {
        let found = Activated::of(ir, fix)?;
        let kind = integer_kind(ir, found.op)?;
        let (input, weights) = (ir.operand(found.op, 0), constant_code(ir, ir.operand(found.op, 1))?);
        let bias = match ir.operands(found.op).get(2) {
            Some(&bias) => Some(constant_code(ir, bias)?),
            None => None,
        };
        let mut attributes = vec![list(ir, found.op, "strides")?];
        let mut parts = found.parts();
        let input = if ir.definition(found.op)?.attribute("dilations").is_some() {
            attributes.push(list(ir, found.op, "dilations")?);
            let padded = PaddedInput::of(ir, input)?;
            parts.splice(0..0, padded.op);
            attributes.push(("pads", padded.add_to(ir, found.op)?));
            padded.code
        } else {
            attributes.push(list(ir, found.op, "pads")?);
            code(ir, input)?
        };
        // The operator's name comes first.
        parts.sort_by_key(|&op| op != found.op);
        let operands = [input, weights].into_iter().chain(bias);
        Some(Lowered::new(kind, fix, parts, operands).with_all(attributes).with_all(found.attribute()))
    }
}

fn integer_kind(ir: &Ir, op: OpId) -> Option<&'static OpDefinition> {
    let kinds: [(&'static OpDefinition, &'static OpDefinition); 4] = [
        (&nn::CONV2D, &int8::CONV2D),
        (&nn::DEPTHWISE_CONV2D, &int8::DEPTHWISE_CONV2D),
        (&nn::TRANSPOSED_CONV2D, &int8::TRANSPOSED_CONV2D),
        (&nn::TRANSPOSED_DEPTHWISE_CONV2D, &int8::TRANSPOSED_DEPTHWISE_CONV2D),
    ];
    kinds.into_iter().find(|(float, _)| ir.is(op, float)).map(|(_, integer)| integer)
}

/// The input of a window operator that treats padding as zeros.
pub(super) struct PaddedInput {
    /// Its codes, in front of the padding.
    pub(super) code: ValueId,
    /// The padding, if there is one.
    pub(super) op: Option<OpId>,
    /// Rows and columns it adds, `[top, left, bottom, right]`.
    pads: [i64; 4],
}

impl PaddedInput {
    /// The input `value`, through a `nn.pad` with zeros of height and width.
    pub(super) fn of(ir: &Ir, value: ValueId) -> Option<Self> {
        let found = code(ir, value);
        // A padding that was rounded in turn: its `nn.fix` became a quantisation, which changes nothing if the fix point is the same.
        let requantised = found.and_then(|found| ir.defining_op(found)).filter(|&op| ir.is(op, &int8::QUANTISE));
        let padded = requantised.map_or(value, |op| ir.operand(op, 0));
        Self::through_pad(ir, padded)
            .filter(|through| found.is_none_or(|found| ir.fix_of(found) == ir.fix_of(through.code)))
            .or_else(|| found.map(|code| Self { code, op: None, pads: [0; 4] }))
    }

    fn through_pad(ir: &Ir, value: ValueId) -> Option<Self> {
        let op = ir.defining_op(value).filter(|&op| ir.is(op, &nn::PAD))?;
        if ir.str(op, "mode")? != "constant" {
            return None;
        }
        let [0, 0, top, bottom, left, right, 0, 0] = ir.int_array::<8>(op, "paddings")? else { return None };
        Some(Self { code: code(ir, ir.operand(op, 0))?, op: Some(op), pads: [top, left, bottom, right] })
    }

    /// The pads of `op` with these added.
    pub(super) fn add_to(&self, ir: &Ir, op: OpId) -> Option<Attribute> {
        let own = ir.int_array::<4>(op, "pads")?;
        Some(Attribute::ints(own.into_iter().zip(self.pads).map(|(own, added)| own + added)))
    }
}
