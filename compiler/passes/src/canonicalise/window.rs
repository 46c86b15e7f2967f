//! Windows larger than every DPU's, as smaller ones with the same result.

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::{int8, nn};
use dpuc_dialects::rewrite::{Pattern, Patterns, Rewriter};
use dpuc_dialects::weights::Weight;
use dpuc_dialects::{Attribute, Ir, Location, LocationKind, OpBuilder, OpId, ValueId};

use crate::rebuild::{copy_of, elements, producer, replacing_constant, reshaped};

/// Adds the patterns of this file.
pub(super) fn add(patterns: Patterns) -> Patterns {
    patterns.with(FoldColumns).with(SplitPool { root: &int8::MAX_POOL }).with(SplitPool { root: &nn::MAX_POOL })
}

/// Columns of a kernel of the convolution engine.
const CONVOLUTION_KERNEL: usize = 16;
/// Rows and columns of a pool of the misc engine.
const POOL_KERNEL: i64 = 256;
/// Padding in front of a map.
const PAD: usize = 15;
/// Most channels of a pixel: what every DPU takes.
const CHANNELS: usize = 2048;
/// Most elements of new weights.
const WEIGHTS: usize = 1 << 24;

/// A convolution with too many kernel columns: several columns become channels of one pixel, which the bytes of a row allow as they are.
/// Each new pixel of the result is `outputs` old ones; the filters of each get zeros around them.
struct FoldColumns;

/// How columns become channels.
struct Folding {
    /// Old columns of the result in a new pixel.
    outputs: usize,
    /// Old columns of the input in a new pixel.
    inputs: usize,
    /// New columns of the kernel.
    kernel: usize,
    /// New padding, left and right.
    pads: [usize; 2],
    /// Zeros in front of the kernel of the first old column of a new pixel.
    offset: usize,
    /// Columns by which a window moved.
    stride: usize,
}

impl Folding {
    /// The folding with the fewest channels for `kernel` columns over a row of `width`, if there is one.
    fn of([width, result]: [usize; 2], kernel: usize, stride: usize, pad: usize, channels: usize) -> Option<Self> {
        (1..=CHANNELS).take_while(|outputs| outputs * stride * channels <= CHANNELS).find_map(|outputs| {
            let inputs = outputs * stride;
            if !width.is_multiple_of(inputs) || !result.is_multiple_of(outputs) {
                return None;
            }
            let left = pad.div_ceil(inputs);
            let offset = left * inputs - pad;
            let (columns, results) = (width / inputs, result / outputs);
            // Zeros behind the kernel make the last window end where the row does.
            let columns_needed = (columns + left + 1).saturating_sub(results);
            let kernel = (offset + (outputs - 1) * stride + kernel).div_ceil(inputs).max(columns_needed);
            let right = (results + kernel).checked_sub(1 + columns + left)?;
            let fits = kernel <= CONVOLUTION_KERNEL && left < kernel && left <= PAD && right < kernel;
            fits.then_some(Self { outputs, inputs, kernel, pads: [left, right], offset, stride })
        })
    }

    /// The new weights of old ones of `[out, rows, columns, in]`.
    fn weights(&self, old: &[i8], [filters, rows, columns, channels]: [usize; 4]) -> Option<Vec<i8>> {
        let filter = rows.checked_mul(self.kernel * self.inputs)?.checked_mul(channels)?;
        let count = filter.checked_mul(self.outputs)?.checked_mul(filters).filter(|&count| count <= WEIGHTS)?;
        let mut new = vec![0; count];
        for (row_of_old, taps) in old.chunks_exact((columns * channels).max(1)).enumerate() {
            let (out, row) = (row_of_old / rows, row_of_old % rows);
            for output in 0..self.outputs {
                let start = (output * filters + out) * filter + row * self.kernel * self.inputs * channels;
                let first = start + (self.offset + output * self.stride) * channels;
                new.get_mut(first..first + taps.len())?.copy_from_slice(taps);
            }
        }
        Some(new)
    }
}

/// A convolution and what it becomes.
struct Folded {
    folding: Folding,
    /// New shapes of input, weights and result.
    shapes: [[usize; 4]; 3],
    weights: (OpId, Vec<i8>),
    bias: Option<(OpId, Vec<i8>)>,
}

impl Pattern for FoldColumns {
    const NAME: &'static str = "fold-columns";
    type Match = Folded;

    fn root(&self) -> &'static OpDefinition {
        &int8::CONV2D
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<Folded> {
        let shape = |value| -> Option<[usize; 4]> { ir.shape_of(value)?.try_into().ok() };
        let [filters, rows, columns, channels] = shape(ir.operand(op, 1))?;
        if columns <= CONVOLUTION_KERNEL || ir.int(op, "groups")? != 1 || ir.int_array::<2>(op, "dilations")?[1] != 1 {
            return None;
        }
        let [batch, height, width, _] = shape(ir.operand(op, 0))?;
        let [_, out_height, out_width, _] = shape(ir.result(op))?;
        let stride = usize::try_from(ir.int_array::<2>(op, "strides")?[1]).ok()?;
        let pad = usize::try_from(ir.int_array::<4>(op, "pads")?[1]).ok()?;
        let folding = Folding::of([width, out_width], columns, stride, pad, channels)?;
        let constant = |index: usize| {
            let constant = producer(ir, ir.operand(op, index), &[&int8::CONSTANT])?;
            Some((constant, elements(ir, constant)?.to_i8()?))
        };
        let (owner, old) = constant(1)?;
        let weights = folding.weights(&old, [filters, rows, columns, channels])?;
        let bias = match ir.operands(op).len() {
            2 => None,
            _ => constant(2).map(|(owner, old)| Some((owner, old.repeat(folding.outputs))))?,
        };
        let Folding { outputs, inputs, kernel, .. } = folding;
        let shapes = [
            [batch, height, width / inputs, inputs * channels],
            [outputs * filters, rows, kernel, inputs * channels],
            [batch, out_height, out_width / outputs, outputs * filters],
        ];
        Some(Folded { folding, shapes, weights: (owner, weights), bias })
    }

    fn rewrite(&self, found: Folded, op: OpId, rewriter: &mut Rewriter<'_>) {
        fold(found, op, rewriter);
    }
}

/// Replaces a convolution; `None` could only come from a constant that matching has seen.
fn fold(found: Folded, op: OpId, rewriter: &mut Rewriter<'_>) -> Option<()> {
    let Folded { folding, shapes: [input_shape, weights_shape, result_shape], weights, bias } = found;
    let (input, result) = (rewriter.ir().operand(op, 0), rewriter.ir().result(op));
    let mut operands = vec![reshape(rewriter, op, input, &input_shape, "(columns)")?];
    operands.push(constant(rewriter, weights, &weights_shape)?);
    if let Some(bias) = bias {
        let shape = [bias.1.len()];
        operands.push(constant(rewriter, bias, &shape)?);
    }
    let strides = rewriter.ir().int_array::<2>(op, "strides")?;
    let [top, _, bottom, _] = rewriter.ir().int_array::<4>(op, "pads")?;
    let [left, right] = folding.pads.map(|pad| pad as i64);
    let changed =
        [("strides", Attribute::ints([strides[0], 1])), ("pads", Attribute::ints([top, left, bottom, right]))];
    let ty = reshaped(rewriter.tables(), result, &result_shape)?;
    let location = part(rewriter, op, "(folded)");
    let folded = copy_of(rewriter, op, &operands, &changed, ty, location)?;
    let (ty, location) = (rewriter.ir().value_type(result), rewriter.ir().op(op).location);
    let whole = OpBuilder::new(&int8::RESHAPE).at(location).operands([folded]).result(ty, "");
    let whole = rewriter.insert(whole);
    let whole = rewriter.ir().result(whole);
    rewriter.replace(op, &[whole]);
    Some(())
}

fn reshape(rewriter: &mut Rewriter<'_>, op: OpId, value: ValueId, shape: &[usize], suffix: &str) -> Option<ValueId> {
    let ty = reshaped(rewriter.tables(), value, shape)?;
    let location = part(rewriter, op, suffix);
    let reshape = rewriter.insert(OpBuilder::new(&int8::RESHAPE).at(location).operands([value]).result(ty, ""));
    Some(rewriter.ir().result(reshape))
}

fn constant(rewriter: &mut Rewriter<'_>, (owner, elements): (OpId, Vec<i8>), shape: &[usize]) -> Option<ValueId> {
    let value = rewriter.ir().result(owner);
    let ty = reshaped(rewriter.tables(), value, shape)?;
    let weight = Weight::from_i8(shape, &elements).ok()?;
    replacing_constant(rewriter, owner, weight, "folded", ty)
}

/// The location of an operation that computes a part of what `op` computes.
fn part(rewriter: &mut Rewriter<'_>, op: OpId, suffix: &str) -> Location {
    let ir = rewriter.tables();
    let location = ir.op(op).location;
    match ir.location_name(location).map(|name| format!("{name}{suffix}")) {
        Some(name) => ir.location(LocationKind::Name(name.into(), Some(location))),
        None => location,
    }
}

/// A maximum over a window that is too large: the maximum of maxima. A mean cannot be split so, because the first mean would be rounded.
struct SplitPool {
    root: &'static OpDefinition,
}

/// One axis of two pools.
#[derive(Clone, Copy)]
struct Halves {
    kernels: [i64; 2],
    strides: [i64; 2],
}

impl Halves {
    /// A window of `kernel` over `padded` elements.
    fn of(kernel: i64, stride: i64, padded: i64) -> Self {
        if kernel <= POOL_KERNEL {
            return Self { kernels: [kernel, 1], strides: [stride, 1] };
        }
        let half = kernel - kernel / 2;
        let step = kernel - half;
        // One window is covered by two halves.
        if (padded - half) / step + 1 == 2 {
            return Self { kernels: [half, 2], strides: [step, 1] };
        }
        Self { kernels: [half, kernel - half + 1], strides: [1, stride] }
    }
}

impl Pattern for SplitPool {
    const NAME: &'static str = "split-pool";
    type Match = [Halves; 2];

    fn root(&self) -> &'static OpDefinition {
        self.root
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<[Halves; 2]> {
        let (kernel, strides) = (ir.int_array::<2>(op, "kernel")?, ir.int_array::<2>(op, "strides")?);
        let pads = ir.int_array::<4>(op, "pads")?;
        let shape = ir.shape_of(ir.operand(op, 0))?;
        if kernel.iter().all(|&size| size <= POOL_KERNEL) {
            return None;
        }
        let axis = |axis: usize| {
            let padded = i64::try_from(*shape.get(1 + axis)?).ok()? + pads[axis] + pads[axis + 2];
            Some(Halves::of(kernel[axis], strides[axis], padded))
        };
        Some([axis(0)?, axis(1)?])
    }

    fn rewrite(&self, [rows, columns]: [Halves; 2], op: OpId, rewriter: &mut Rewriter<'_>) {
        split(rows, columns, op, rewriter);
    }
}

fn split(rows: Halves, columns: Halves, op: OpId, rewriter: &mut Rewriter<'_>) -> Option<()> {
    let (input, result) = (rewriter.ir().operand(op, 0), rewriter.ir().result(op));
    let pads = rewriter.ir().int_array::<4>(op, "pads")?;
    let mut shape = rewriter.ir().shape_of(input)?;
    for (axis, halves) in [rows, columns].into_iter().enumerate() {
        let padded = shape[1 + axis] as i64 + pads[axis] + pads[axis + 2];
        shape[1 + axis] = usize::try_from((padded - halves.kernels[0]) / halves.strides[0] + 1).ok()?;
    }
    let window = |half: usize, pads: [i64; 4]| {
        [
            ("kernel", Attribute::ints([rows.kernels[half], columns.kernels[half]])),
            ("strides", Attribute::ints([rows.strides[half], columns.strides[half]])),
            ("pads", Attribute::ints(pads)),
        ]
    };
    let ty = reshaped(rewriter.tables(), input, &shape)?;
    let location = part(rewriter, op, "(first)");
    let first = copy_of(rewriter, op, &[input], &window(0, pads), ty, location)?;
    let (ty, location) = (rewriter.ir().value_type(result), rewriter.ir().op(op).location);
    let second = copy_of(rewriter, op, &[first], &window(1, [0; 4]), ty, location)?;
    rewriter.replace(op, &[second]);
    Some(())
}
