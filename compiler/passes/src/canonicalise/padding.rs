//! Padding with zeros as part of the window that reads it (`spec/xmodel.md` section 5.2).

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::{int8, nn};
use dpuc_dialects::rewrite::{Pattern, Patterns, Rewriter};
use dpuc_dialects::{Attribute, Ir, Location, LocationKind, OpId, ValueId};

use crate::rebuild::producer;

/// Adds the patterns of this file.
pub(super) fn add(patterns: Patterns) -> Patterns {
    let windows: [&OpDefinition; 8] = [
        &nn::CONV2D,
        &nn::DEPTHWISE_CONV2D,
        &nn::AVG_POOL,
        &nn::MAX_POOL,
        &int8::CONV2D,
        &int8::DEPTHWISE_CONV2D,
        &int8::AVG_POOL,
        &int8::MAX_POOL,
    ];
    windows.into_iter().fold(patterns, |patterns, root| patterns.with(AbsorbPadding { root }))
}

/// `window(pad(x)) = window {pads}(x)`, for paddings that the window steps over in one stride: the hardware has no wider ones.
struct AbsorbPadding {
    root: &'static OpDefinition,
}

impl Pattern for AbsorbPadding {
    const NAME: &'static str = "absorb-padding";
    /// The padding, and the pads of the window.
    type Match = (OpId, [i64; 4]);

    fn root(&self) -> &'static OpDefinition {
        self.root
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<(OpId, [i64; 4])> {
        let pad = producer(ir, ir.operand(op, 0), &[&nn::PAD, &int8::PAD])?;
        if !pads_zeros(ir, pad) {
            return None;
        }
        let source = ir.operand(pad, 0);
        // The zeros of an operation count, the padding of such a mean does not.
        if ir.bool(op, "exclude_padding") == Some(true) {
            return None;
        }
        let takes_maximum = ir.is(op, &nn::MAX_POOL) || ir.is(op, &int8::MAX_POOL);
        // The padding of a maximum never wins, a zero may; but not against what is no less.
        if takes_maximum && !is_not_negative(ir, source) {
            return None;
        }
        let [0, 0, top, bottom, left, right, 0, 0] = ir.int_array::<8>(pad, "paddings")? else { return None };
        let (own, extent) = (ir.int_array::<4>(op, "pads")?, extent(ir, op)?);
        let mut pads = [top, left, bottom, right];
        for (side, pad) in pads.iter_mut().enumerate() {
            *pad += own[side];
            if *pad >= extent[side % 2] {
                return None;
            }
        }
        Some((pad, pads))
    }

    fn rewrite(&self, (pad, pads): (OpId, [i64; 4]), op: OpId, rewriter: &mut Rewriter<'_>) {
        rewriter.modify(op, |ir| {
            let location = with_part(ir, op, pad);
            ir.set_location(op, location);
            ir.set_attribute(op, "pads", Attribute::ints(pads));
        });
        let source = rewriter.ir().operand(pad, 0);
        rewriter.set_operand(op, 0, source);
    }
}

/// The location of `op` with that of `part` behind the operator's name; the tensor's name stays the last.
fn with_part(ir: &mut Ir, op: OpId, part: OpId) -> Location {
    let (own, part) = (ir.op(op).location, ir.op(part).location);
    let LocationKind::Fused(parts) = ir.location_kind(own) else { return own };
    let mut parts = parts.to_vec();
    parts.insert(1.min(parts.len()), part);
    ir.fused_location(parts)
}

fn pads_zeros(ir: &Ir, pad: OpId) -> bool {
    let zero = match ir.attribute(pad, "value") {
        Some(value) => value.as_float().or_else(|| value.as_int().map(|code| code as f64)) == Some(0.0),
        None => true,
    };
    ir.str(pad, "mode") == Some("constant") && zero
}

/// Elements from the first to the last tap of a window, `[h, w]`.
fn extent(ir: &Ir, op: OpId) -> Option<[i64; 2]> {
    if let Some(kernel) = ir.int_array::<2>(op, "kernel") {
        return Some(kernel);
    }
    let &[_, height, width, _] = &ir.shape_of(*ir.operands(op).get(1)?)?[..] else { return None };
    let dilations = ir.int_array::<2>(op, "dilations")?;
    let axis = |size: usize, axis: usize| Some((i64::try_from(size).ok()? - 1) * dilations[axis] + 1);
    Some([axis(height, 0)?, axis(width, 1)?])
}

/// Whether no element of a value is negative, as far as the operations right behind it tell.
fn is_not_negative(ir: &Ir, value: ValueId) -> bool {
    /// Movements looked through.
    const DEPTH: usize = 16;
    let mut value = value;
    for _ in 0..DEPTH {
        let Some(op) = ir.defining_op(value) else { return false };
        match ir.op_name(op) {
            "nn.relu" | "nn.relu6" | "nn.sigmoid" | "nn.softmax" | "nn.hard_sigmoid" | "nn.exp" | "nn.abs"
            | "nn.softplus" | "int8.hard_sigmoid" => {
                return true;
            }
            "nn.fix" | "nn.reshape" | "nn.transpose" | "nn.strided_slice" | "nn.max_pool" | "nn.avg_pool"
            | "int8.reshape" | "int8.transpose" | "int8.strided_slice" | "int8.max_pool" | "int8.avg_pool" => {
                value = ir.operand(op, 0);
            }
            _ => return matches!(ir.str(op, "activation"), Some("relu" | "relu6")),
        }
    }
    false
}
