//! Up- and down-sampling (`spec/numerics.md` section 5.7).
//!
//! AMD's compiler takes the first pixel of each block in every down-sampling, whatever the graph says (D14). Here the sampling means what the
//! graph says: where it needs other pixels, or the mean of two, it becomes a depthwise convolution, which is exact.

use dpuc_dialects::dialects::{int8, nn};
use dpuc_dialects::{Attribute, Ir, OpId};

use super::code::{Fix, code};
use super::lowered::{FixPattern, Lowered, NewConstant, Operand};

/// Largest kernel made for a down-sampling, per axis: that of the depthwise engine.
const MAX_KERNEL: usize = 256;
/// Most channels of a map for which weights are made; the hardware ends at 4096.
const MAX_CHANNELS: usize = 1 << 14;

/// `nn.resize` by whole factors.
pub(super) struct Resize;

impl FixPattern for Resize {
    const NAME: &'static str = "resize";

    fn lower(&self, ir: &Ir, fix: Fix) -> Option<Lowered> {
        let op = fix.producer_of(ir, &nn::RESIZE)?;
        let input = code(ir, ir.operand(op, 0))?;
        let (before, after) = (ir.shape_of(input)?, ir.shape_of(ir.result(op))?);
        let (&[batch, height, width, channels], &[same_batch, rows, columns, same_channels]) =
            (&before[..], &after[..])
        else {
            return None;
        };
        if (batch, channels) != (same_batch, same_channels) {
            return None;
        }
        if let (Some(h), Some(w)) = (factor(height, rows), factor(width, columns)) {
            let flags = [("align_corners", ir.bool(op, "align_corners")?), ("half_pixel", ir.bool(op, "half_pixel")?)];
            let flags = flags.map(|(name, flag)| (name, Attribute::Bool(flag)));
            return Some(
                Lowered::new(&int8::UPSAMPLE, fix, vec![op], [input])
                    .with("scale", Attribute::ints([h as i64, w as i64]))
                    .with("mode", Attribute::string(ir.str(op, "mode")?))
                    .with_all(flags),
            );
        }
        let factors = [factor(rows, height)?, factor(columns, width)?];
        let scale = Attribute::ints(factors.map(|factor| factor as i64));
        let samples = [Samples::of(ir, op, factors[0])?, Samples::of(ir, op, factors[1])?];
        if samples.iter().all(Samples::is_first) {
            return Some(Lowered::new(&int8::DOWNSAMPLE, fix, vec![op], [input]).with("scale", scale));
        }
        let extents = samples.each_ref().map(Samples::extent);
        if extents.into_iter().any(|extent| extent > MAX_KERNEL) || channels > MAX_CHANNELS {
            return None;
        }
        let weights = Operand::Constant(weights(op, &samples, channels));
        let lowered = Lowered::new(&int8::DEPTHWISE_CONV2D, fix, vec![op], []).with("strides", scale);
        Some(Lowered { operands: vec![Operand::Code(input), weights], ..lowered })
    }
}

/// `large / small`, if it is a whole number.
fn factor(small: usize, large: usize) -> Option<usize> {
    (small > 0 && large > 0 && large.is_multiple_of(small)).then(|| large / small)
}

/// The pixels of a block that one output pixel is the mean of, along one axis.
struct Samples {
    first: usize,
    /// 1 or 2
    count: usize,
}

impl Samples {
    /// With blocks of `factor` pixels. The position in the block is 0, or `(factor - 1) / 2` with half pixels, which the nearest
    /// interpolation rounds up to `factor / 2` and the bilinear one splits between two pixels.
    fn of(ir: &Ir, op: OpId, factor: usize) -> Option<Self> {
        if ir.bool(op, "align_corners")? {
            return None;
        }
        if !ir.bool(op, "half_pixel")? {
            return Some(Self { first: 0, count: 1 });
        }
        match ir.str(op, "mode")? {
            "nearest" => Some(Self { first: factor / 2, count: 1 }),
            "bilinear" => Some(Self { first: (factor - 1) / 2, count: 1 + usize::from(factor.is_multiple_of(2)) }),
            _ => None,
        }
    }

    fn is_first(&self) -> bool {
        self.first == 0 && self.count == 1
    }

    /// Size of the kernel that reaches them.
    fn extent(&self) -> usize {
        self.first + self.count
    }
}

/// Ones at the sampled pixels, with a fix point that divides by their number; strides step over blocks.
fn weights(op: OpId, samples: &[Samples; 2], channels: usize) -> NewConstant {
    let [rows, columns] = samples;
    let shape = vec![1, rows.extent(), columns.extent(), channels];
    let mut elements = Vec::with_capacity(shape.iter().product());
    for y in 0..rows.extent() {
        for x in 0..columns.extent() {
            let is_sampled = y >= rows.first && x >= columns.first;
            elements.extend(std::iter::repeat_n(i8::from(is_sampled), channels));
        }
    }
    let point = (rows.count * columns.count).ilog2() as i32;
    NewConstant { origin: op, suffix: "_weights", shape, elements, point }
}
