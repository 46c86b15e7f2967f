//! Changes in front of everything else that make a float network fit the hardware.

use dpuc_dialects::{Attribute, BlockId, Ir, OpId};

use crate::place::LEAKY_SLOPE;

/// Distance from the slope 26/256 within which another slope is taken for it: one step of the multiplier.
const SLOPE_STEP: f64 = 1.0 / 256.0;

/// Prepares a function; gives what was changed, in words.
pub(crate) fn prepare(ir: &mut Ir, block: BlockId) -> Vec<String> {
    let ops: Vec<OpId> = ir.ops(block).collect();
    ops.into_iter().filter_map(|op| snap_slope(ir, op)).collect()
}

/// A leaky `ReLU` whose slope is nearly 26/256 gets that slope, as in AMD's tools (`spec/quantisation.md` section 4.4).
fn snap_slope(ir: &mut Ir, op: OpId) -> Option<String> {
    let slope =
        ir.attribute(op, "alpha").and_then(Attribute::as_float).filter(|_| ir.op_name(op) == "nn.leaky_relu")?;
    let is_near = slope != LEAKY_SLOPE && (slope - LEAKY_SLOPE).abs() <= SLOPE_STEP;
    if !is_near {
        return None;
    }
    ir.set_attribute(op, "alpha", Attribute::Float(LEAKY_SLOPE, None));
    let name = crate::network::value_name(ir, ir.result(op));
    Some(format!("`{name}` has slope 26/256 instead of {slope}, as the hardware has"))
}
