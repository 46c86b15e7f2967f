//! Fake quantisation.

use crate::error::Problem;
use crate::operation::{Operation, Outcome};

/// `nn.fix`: `clip(round(x * 2^p)) * 2^-p` (numerics.md 3 and 5.21).
pub(super) fn fix(op: Operation<'_>) -> Outcome {
    let bits: i32 = op.integer("bit_width")?;
    if !(1..=32).contains(&bits) {
        return Err(Problem::Attribute("bit_width"));
    }
    let (low, high) = if op.flag("signed")? {
        (-f64::exp2(f64::from(bits - 1)), f64::exp2(f64::from(bits - 1)) - 1.0)
    } else {
        (0.0, f64::exp2(f64::from(bits)) - 1.0)
    };
    let round = match op.text("round_mode")? {
        "dpu" => |x: f64| (x + 0.5).floor(),
        "std" => f64::round,
        "py3" => f64::round_ties_even,
        _ => return Err(Problem::Attribute("round_mode")),
    };
    let fix_point: i32 = op.integer("fix_point")?;
    let unit = f64::exp2(f64::from(fix_point));
    Ok(op.floats(0)?.mapv(|x| (round(f64::from(x) * unit).clamp(low, high) / unit) as f32).into())
}
