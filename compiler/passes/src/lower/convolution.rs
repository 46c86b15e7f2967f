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
        if let Some(groups) = ir.int(found.op, "groups") {
            attributes.push(("groups", Attribute::int(groups)));
        }
        let mut parts = found.parts();
        let input = if let Some(dilations) = ir.int_array::<2>(found.op, "dilations") {
            attributes.push(("dilations", Attribute::ints(dilations)));
            let &[_, height, width, _] = &ir.shape_of(weights)?[..] else { return None };
            let extent = |size: usize, axis: usize| Some((i64::try_from(size).ok()? - 1) * dilations[axis] + 1);
            let padded = PaddedInput::of(ir, found.op, [extent(height, 0)?, extent(width, 1)?])?;
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
    /// The input of `op`, whose windows reach `extent` elements `[h, w]`, through a padding with zeros that every window can step over.
    pub(super) fn of(ir: &Ir, op: OpId, extent: [i64; 2]) -> Option<Self> {
        let code = code(ir, ir.operand(op, 0))?;
        let own = ir.int_array::<4>(op, "pads")?;
        let is_within = |found: &Self| (0..4).all(|side| own[side] + found.pads[side] < extent[side % 2]);
        Some(Self::through_pad(ir, code).filter(is_within).unwrap_or(Self { code, op: None, pads: [0; 4] }))
    }

    fn through_pad(ir: &Ir, code: ValueId) -> Option<Self> {
        let op = ir.defining_op(code).filter(|&op| ir.is(op, &int8::PAD))?;
        let zeros = ir.str(op, "mode") == Some("constant") && ir.int(op, "value") == Some(0);
        let [0, 0, top, bottom, left, right, 0, 0] = ir.int_array::<8>(op, "paddings")? else { return None };
        zeros.then(|| Self { code: ir.operand(op, 0), op: Some(op), pads: [top, left, bottom, right] })
    }

    /// The pads of `op` with these added.
    pub(super) fn add_to(&self, ir: &Ir, op: OpId) -> Option<Attribute> {
        let own = ir.int_array::<4>(op, "pads")?;
        Some(Attribute::ints(own.into_iter().zip(self.pads).map(|(own, added)| own + added)))
    }
}
