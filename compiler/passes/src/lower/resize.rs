//! Up- and down-sampling (`spec/xmodel.md` section 5.7, `spec/numerics.md` section 5.7 and D14).

use dpuc_dialects::dialects::{int8, nn};
use dpuc_dialects::{Attribute, Ir};

use super::code::{Fix, code};
use super::lowered::{FixPattern, Lowered};

/// `nn.resize` by whole factors.
pub(super) struct Resize;

impl FixPattern for Resize {
    const NAME: &'static str = "resize";

    fn lower(&self, ir: &Ir, fix: Fix) -> Option<Lowered> {
        let op = fix.producer_of(ir, &nn::RESIZE)?;
        let input = code(ir, ir.operand(op, 0))?;
        let (before, after) = (ir.shape_of(input)?, ir.shape_of(ir.result(op))?);
        let (&[batch, height, width, channels], &[same_batch, rows, columns, same_channels]) = (&before[..], &after[..]) else {
            return None;
        };
        if (batch, channels) != (same_batch, same_channels) {
            return None;
        }
        let (align, half, mode) = (ir.bool(op, "align_corners")?, ir.bool(op, "half_pixel")?, ir.str(op, "mode")?);
        if let (Some(h), Some(w)) = (factor(height, rows), factor(width, columns)) {
            let flags = [("align_corners", align), ("half_pixel", half)].into_iter().filter(|(_, flag)| *flag);
            return Some(
                Lowered::new(&int8::UPSAMPLE, fix, vec![op], [input])
                    .with("scale", Attribute::ints([h, w]))
                    .with("mode", Attribute::string(mode))
                    .with_all(flags.map(|(name, flag)| (name, Attribute::Bool(flag)))),
            );
        }
        let (h, w) = (factor(rows, height)?, factor(columns, width)?);
        if align {
            return None;
        }
        let is_exact = mode == "nearest" && !half;
        let note = "takes one pixel of each block, the first, as the DPU does; nothing is interpolated";
        let lowered = Lowered::new(&int8::DOWNSAMPLE, fix, vec![op], [input]).with("scale", Attribute::ints([h, w]));
        Some(Lowered { note: (!is_exact).then(|| note.to_owned()), ..lowered })
    }
}

/// `large / small`, if it is a whole number.
fn factor(small: usize, large: usize) -> Option<i64> {
    (small > 0 && large > 0 && large.is_multiple_of(small)).then(|| i64::try_from(large / small).ok())?
}
