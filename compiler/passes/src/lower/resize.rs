//! Up- and down-sampling (`spec/numerics.md` section 5.7).
//!
//! AMD's compiler takes the first pixel of each block in every down-sampling, whatever the graph says (D14). Here the sampling means what the
//! graph says: where it needs other pixels, or the mean of two, it becomes a depthwise convolution, which is exact.

use dpuc_dialects::dialects::{int8, nn};
use dpuc_dialects::{Attribute, Ir, OpId};
use dpuc_kernels::reference::sampling::{Axis, Coordinates, Rounding};

use super::code::{Fix, code};
use super::lowered::{FixPattern, Lowered, NewConstant, Operand};

/// Longest side of a map that is resampled: the places of all its pixels are listed once.
const MAX_SIDE: usize = 1 << 16;
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
        if [height, width, rows, columns].into_iter().any(|side| side > MAX_SIDE) {
            return None;
        }
        let axes = axes(ir, op, [height, width], [rows, columns])?;
        let mode = Mode::of(ir, op)?;
        if let (Some(h), Some(w)) = (factor(height, rows), factor(width, columns)) {
            let candidates = [Coordinates::Asymmetric, Coordinates::HalfPixel, Coordinates::AlignCorners];
            let same = |coordinates: &Coordinates| axes.iter().all(|axis| mode.is_integer_form(axis, *coordinates));
            let coordinates = candidates.into_iter().find(same)?;
            let flag = |name, value| (name, Attribute::Bool(coordinates == value));
            return Some(
                Lowered::new(&int8::UPSAMPLE, fix, vec![op], [input])
                    .with("scale", Attribute::ints([h as i64, w as i64]))
                    .with("mode", Attribute::string(ir.str(op, "mode")?))
                    .with_all([
                        flag("align_corners", Coordinates::AlignCorners),
                        flag("half_pixel", Coordinates::HalfPixel),
                    ]),
            );
        }
        let factors = [factor(rows, height)?, factor(columns, width)?];
        let scale = Attribute::ints(factors.map(|factor| factor as i64));
        let samples = [Samples::of(mode, &axes[0], factors[0])?, Samples::of(mode, &axes[1], factors[1])?];
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

/// Rows and columns of a resize between sizes `[h, w]`.
fn axes(ir: &Ir, op: OpId, input: [usize; 2], output: [usize; 2]) -> Option<[Axis; 2]> {
    let coordinates = Coordinates::named(ir.str(op, "coordinates")?)?;
    let factors = ir.floats(op, "scales");
    let factor = |axis: usize| factors.as_ref().and_then(|factors| factors.get(axis)).map(|&factor| factor as f32);
    Some([0, 1].map(|axis| Axis { input: input[axis], output: output[axis], coordinates, factor: factor(axis) }))
}

/// Interpolations with an integer form.
#[derive(Clone, Copy)]
enum Mode {
    Nearest(Rounding),
    Bilinear,
}

impl Mode {
    fn of(ir: &Ir, op: OpId) -> Option<Self> {
        match ir.str(op, "mode")? {
            "nearest" => Some(Self::Nearest(Rounding::named(ir.str(op, "rounding")?)?)),
            "bilinear" => Some(Self::Bilinear),
            _ => None,
        }
    }

    /// Whether the quantised operator with these coordinates takes the same pixels.
    fn is_integer_form(self, axis: &Axis, coordinates: Coordinates) -> bool {
        let integer = Axis { coordinates, factor: None, ..*axis };
        match self {
            Self::Nearest(rounding) => axis.nearest(rounding) == integer.nearest(coordinates.rounding()),
            Self::Bilinear => axis.positions().zip(integer.positions()).all(|(a, b)| is_same_place(a, b)),
        }
    }
}

/// Whether positions are equal up to the rounding of the division that made them.
fn is_same_place(a: f32, b: f32) -> bool {
    (a - b).abs() <= 1e-6 * a.abs().max(1.0)
}

/// The pixels of a block that one output pixel is the mean of, along one axis.
struct Samples {
    first: usize,
    /// 1 or 2
    count: usize,
}

impl Samples {
    /// With blocks of `factor` pixels, if all blocks are sampled at the same place: at a pixel, or in the middle between two, whose mean
    /// the bilinear interpolation takes.
    fn of(mode: Mode, axis: &Axis, factor: usize) -> Option<Self> {
        let samples = match mode {
            Mode::Nearest(rounding) => {
                let sources = axis.nearest(rounding);
                let first = *sources.first()?;
                let is_regular = sources.iter().enumerate().all(|(o, &source)| source == o * factor + first);
                is_regular.then_some(Self { first, count: 1 })
            }
            Mode::Bilinear => {
                let first = axis.positions().next()?;
                let is_regular =
                    axis.positions().enumerate().all(|(o, place)| is_same_place(place, (o * factor) as f32 + first));
                let halves = 2.0 * first;
                let is_sampled = is_regular && first >= 0.0 && is_same_place(halves, halves.round());
                let halves = halves.round() as usize;
                is_sampled.then_some(Self { first: halves / 2, count: 1 + halves % 2 })
            }
        };
        samples.filter(|samples| samples.extent() <= factor)
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
