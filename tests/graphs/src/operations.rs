//! The operations random networks are made of.

use dpuc_dialects::ValueId;
use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::int8;

use crate::arithmetic;
use crate::growth::Growth;
use crate::net::{Conv, Net};
use crate::patterns;
use crate::rearrange;

/// An operation, or a pattern of several.
pub(crate) struct Operation {
    /// How often it is chosen, relative to the others.
    pub(crate) weight: u32,
    /// Adds it; `None` if nothing there fits it.
    pub(crate) build: fn(&mut Growth) -> Option<ValueId>,
}

const fn operation(weight: u32, build: fn(&mut Growth) -> Option<ValueId>) -> Operation {
    Operation { weight, build }
}

/// All operations and patterns.
pub(crate) static OPERATIONS: &[Operation] = &[
    operation(10, |growth| convolution(growth, Kind::Dense)),
    operation(5, |growth| convolution(growth, Kind::Depthwise)),
    operation(2, |growth| transposed(growth, Kind::Dense)),
    operation(1, |growth| transposed(growth, Kind::Depthwise)),
    operation(3, |growth| pool(growth, &int8::MAX_POOL)),
    operation(3, |growth| pool(growth, &int8::AVG_POOL)),
    operation(6, sum),
    operation(2, product),
    operation(5, concat),
    operation(3, |growth| pointwise(growth, |net, x, fix| net.requantise(x, "none", fix))),
    operation(1, |growth| pointwise(growth, |net, x, fix| net.requantise(x, "relu", fix))),
    operation(1, |growth| pointwise(growth, |net, x, fix| net.requantise(x, "relu6", fix))),
    operation(1, hard_sigmoid),
    operation(1, leaky_relu),
    operation(2, reshape),
    operation(2, |growth| upsample(growth, "nearest")),
    operation(1, |growth| upsample(growth, "bilinear")),
    operation(2, rearrange::interpolate),
    operation(3, rearrange::slice),
    operation(2, rearrange::pad),
    operation(1, rearrange::transpose),
    operation(1, rearrange::space_to_depth),
    operation(1, rearrange::depth_to_space),
    operation(1, downsample),
    operation(2, arithmetic::difference),
    operation(2, arithmetic::extreme),
    operation(3, arithmetic::channels),
    operation(2, arithmetic::hard_swish),
    operation(2, arithmetic::reduction),
    operation(2, arithmetic::argmax),
    operation(2, arithmetic::grouped),
    operation(2, patterns::residual),
    operation(2, patterns::branches),
    operation(1, patterns::hourglass),
    operation(2, patterns::chain),
    operation(1, patterns::host_between),
];

/// How a convolution treats channels.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Dense,
    Depthwise,
}

/// A convolution of any geometry.
fn convolution(growth: &mut Growth, kind: Kind) -> Option<ValueId> {
    let x = growth.map();
    let [batch, height, width, channels] = growth.dims(x);
    let mut conv = Conv::same(output_channels(growth, kind, channels), 1, 0);
    for (axis, size) in [height, width].into_iter().enumerate() {
        let kernel = growth.random.pick(&[1, 1, 1, 2, 3, 3, 3, 3, 4, 5, 6, 7]);
        conv.kernel[axis] = if growth.random.one_in(24) { growth.between(8, 20) } else { kernel };
        conv.strides[axis] = i64::from(growth.random.pick(&[1, 1, 1, 1, 1, 2, 2, 2, 3, 4, 5, 8, 9]));
        if growth.random.one_in(8) {
            conv.dilations[axis] = growth.between(2, 5) as i64;
        }
        fit_window(growth, &mut conv, axis, size)?;
    }
    if growth.random.one_in(3) {
        let square = [height, width].iter().all(|&size| size >= conv.kernel[0]);
        conv = if square { Conv { kernel: [conv.kernel[0]; 2], ..keep_size(&conv) } } else { keep_size(&conv) };
    }
    if !has_windows(&conv, [height, width]) {
        return None;
    }
    let size = |axis: usize, size: usize| output_size(&conv, axis, size);
    let (pixels, taps) = (batch * size(0, height) * size(1, width), conv.kernel[0] * conv.kernel[1]);
    let inner = if kind == Kind::Dense { channels } else { 1 };
    if !growth.affords((pixels * conv.channels * taps * inner) as u64, pixels * conv.channels) {
        return None;
    }
    choose_numbers(growth, &mut conv, x, taps * inner);
    Some(match kind {
        Kind::Dense => growth.net.conv(x, &conv),
        Kind::Depthwise => growth.net.depthwise(x, &conv),
    })
}

/// Output channels; groups that are exactly full, and one more or less, are likely.
fn output_channels(growth: &mut Growth, kind: Kind, input: usize) -> usize {
    if kind == Kind::Depthwise {
        return input;
    }
    match growth.random.below(8) {
        0 => input,
        1..4 => {
            let groups = growth.between(1, 6) * 8;
            (groups + growth.random.pick(&[0, 0, 1])).saturating_sub(growth.random.pick(&[0, 0, 1]))
        }
        4 => growth.between(49, 300),
        _ => growth.between(1, 48),
    }
}

/// Pads one axis at random, and until a window fits.
fn fit_window(growth: &mut Growth, conv: &mut Conv, axis: usize, size: usize) -> Option<()> {
    let reach = (conv.kernel[axis] - 1) * conv.dilations[axis] as usize;
    if reach >= size {
        (conv.kernel[axis], conv.dilations[axis]) = (growth.between(1, size.min(3)), 1);
    }
    let reach = (conv.kernel[axis] - 1) * conv.dilations[axis] as usize;
    for side in [axis, axis + 2] {
        conv.pads[side] = growth.random.below(reach as u32 + 1) as i64;
    }
    (reach < size + (conv.pads[axis] + conv.pads[axis + 2]) as usize).then_some(())
}

/// The same convolution with step 1 and pads that keep the map's size, as most are.
fn keep_size(conv: &Conv) -> Conv {
    let total = |axis: usize| (conv.kernel[axis] as i64 - 1) * conv.dilations[axis];
    let pads = [total(0) / 2, total(1) / 2, total(0) - total(0) / 2, total(1) - total(1) / 2];
    Conv { strides: [1, 1], pads, ..conv.clone() }
}

fn has_windows(conv: &Conv, sizes: [usize; 2]) -> bool {
    (0..2).all(|axis| room(conv, axis, sizes[axis]) >= 0)
}

/// Steps of 1 the window can make.
fn room(conv: &Conv, axis: usize, size: usize) -> i64 {
    size as i64 + conv.pads[axis] + conv.pads[axis + 2] - (conv.kernel[axis] as i64 - 1) * conv.dilations[axis] - 1
}

fn output_size(conv: &Conv, axis: usize, size: usize) -> usize {
    (room(conv, axis, size) / conv.strides[axis] + 1) as usize
}

/// Activation and fix points of a convolution that sums `terms` products: mostly such that the results fill the range of a byte,
/// otherwise at and beyond the ends of the shifters.
fn choose_numbers(growth: &mut Growth, conv: &mut Conv, input: ValueId, terms: usize) {
    conv.activation = growth.random.pick(&["none", "none", "relu", "relu", "relu6", "leaky_relu"]);
    let input_fix = growth.fix_of(input);
    // Codes of inputs and weights have a deviation of about 2^6 each.
    let usual = 6 + terms.ilog2() as i32 / 2;
    let cut = match growth.random.below(20) {
        0 => growth.random.pick(&[-1, 0, 1, 31, 32, 62, 63, 64]),
        _ => usual + growth.random.pick(&[-2, -1, 0, 0, 1, 2]),
    };
    conv.fix = growth.free_fix();
    conv.weight_fix = cut + conv.fix - input_fix;
    let bias_shift = match growth.random.below(10) {
        0 => growth.random.pick(&[-12, -8, -2, -1, 18, 19, 20, 21]),
        _ => growth.between(0, 8) as i32,
    };
    conv.bias_fix = (!growth.random.one_in(5)).then_some(input_fix + conv.weight_fix - bias_shift);
}

/// A transposed convolution.
fn transposed(growth: &mut Growth, kind: Kind) -> Option<ValueId> {
    let x = growth.map();
    let [batch, height, width, channels] = growth.dims(x);
    let mut conv = Conv::same(output_channels(growth, kind, channels), 1, 0);
    let mut pixels = batch;
    for (axis, size) in [height, width].into_iter().enumerate() {
        let (kernel, stride) =
            growth.random.pick(&[(2, 2), (2, 2), (3, 2), (4, 2), (1, 1), (3, 1), (4, 4), (5, 3), (2, 3)]);
        (conv.kernel[axis], conv.strides[axis]) = (kernel, stride);
        for side in [axis, axis + 2] {
            conv.pads[side] = growth.random.below(kernel as u32) as i64;
        }
        let full = (size as i64 - 1) * stride + kernel as i64 - conv.pads[axis] - conv.pads[axis + 2];
        pixels *= usize::try_from(full).ok().filter(|&full| full > 0)?;
    }
    let inner = if kind == Kind::Dense { channels } else { 1 };
    let taps = conv.kernel[0] * conv.kernel[1];
    if !growth.affords((pixels * conv.channels * taps * inner) as u64, pixels * conv.channels) {
        return None;
    }
    choose_numbers(growth, &mut conv, x, taps * inner);
    Some(match kind {
        Kind::Dense => growth.net.transposed(x, &conv),
        Kind::Depthwise => growth.net.transposed_depthwise(x, &conv),
    })
}

/// A pool of any geometry, often a global one.
fn pool(growth: &mut Growth, kind: &'static OpDefinition) -> Option<ValueId> {
    let x = growth.map();
    let [batch, height, width, channels] = growth.dims(x);
    let mut conv = Conv::same(channels, 1, 0);
    if growth.random.one_in(5) {
        (conv.kernel, conv.pads) = ([height, width], [0; 4]);
    } else {
        for (axis, size) in [height, width].into_iter().enumerate() {
            conv.kernel[axis] = growth.random.pick(&[1, 2, 2, 2, 3, 3, 3, 4, 5, 6, 7, 9]);
            conv.strides[axis] = i64::from(growth.random.pick(&[1, 1, 2, 2, 2, 3, 4, 7]));
            fit_window(growth, &mut conv, axis, size)?;
        }
    }
    let (rows, columns) = (output_size(&conv, 0, height), output_size(&conv, 1, width));
    let elements = batch * rows * columns * channels;
    if !growth.affords((elements * conv.kernel[0] * conv.kernel[1]) as u64, elements) {
        return None;
    }
    let fix = growth.fix_near(x);
    Some(growth.net.pool(kind, x, conv.kernel, conv.strides, conv.pads, fix))
}

/// A sum of one to eight values of one shape, one of them perhaps constant.
fn sum(growth: &mut Growth) -> Option<ValueId> {
    let mut operands = vec![growth.value()];
    let shape = growth.net.shape(operands[0]);
    let elements: usize = shape.iter().product();
    for _ in 0..growth.random.pick(&[1, 1, 1, 1, 1, 2, 3, 4, 7, 0]) {
        let operand = if growth.random.one_in(16) {
            let fix = growth.fix_near(operands[0]);
            growth.net.constant(&shape, fix)
        } else {
            growth.like(operands[0])
        };
        operands.push(operand);
    }
    if !growth.affords(elements as u64, elements) {
        return None;
    }
    let activation = growth.random.pick(&["none", "relu"]);
    let fix = growth.fix_near(operands[0]);
    Some(growth.net.add(&operands, activation, fix))
}

fn product(growth: &mut Growth) -> Option<ValueId> {
    let x = growth.value();
    let y = growth.like(x);
    let elements = growth.net.shape(x).iter().product();
    if !growth.affords(0, elements) {
        return None;
    }
    // A product of two codes has twelve bits, of which seven are left.
    let usual = growth.fix_of(x) + growth.fix_of(y) - 6;
    let fix = if growth.random.one_in(4) { growth.fix_near(x) } else { usual.clamp(-24, 40) };
    Some(growth.net.mul([x, y], fix))
}

/// A concatenation of one to five values, along channels or any other axis; values may repeat.
fn concat(growth: &mut Growth) -> Option<ValueId> {
    let x = growth.value();
    let rank = growth.net.shape(x).len();
    let axis = if growth.random.one_in(4) { growth.between(0, rank - 1) } else { rank - 1 };
    let mut parts = vec![x];
    for _ in 0..growth.random.pick(&[1, 1, 1, 2, 3, 4, 0]) {
        let part = growth.joinable(x, axis);
        parts.push(part);
    }
    let elements = parts.iter().map(|&part| growth.net.shape(part).iter().product::<usize>()).sum();
    if !growth.affords(0, elements) {
        return None;
    }
    let part = growth.random.pick(&parts);
    // One fix point for all parts lets them be written in place; others are rescaled.
    let fix = if growth.random.one_in(3) { growth.fix_near(part) } else { growth.fix_of(part) };
    if growth.random.one_in(2) {
        parts.reverse();
    }
    Some(growth.net.concat(&parts, axis, fix))
}

/// An operation on each element by itself.
fn pointwise(growth: &mut Growth, build: fn(&mut Net, ValueId, i32) -> ValueId) -> Option<ValueId> {
    let x = growth.value();
    let elements = growth.net.shape(x).iter().product();
    let fix = growth.fix_near(x);
    growth.affords(0, elements).then(|| build(&mut growth.net, x, fix))
}

/// The reference gives it a meaning for fix points from 0 on.
fn hard_sigmoid(growth: &mut Growth) -> Option<ValueId> {
    let x = growth.value();
    let elements = growth.net.shape(x).iter().product();
    let fix = if growth.random.one_in(4) { growth.fix_near(x) } else { growth.random.pick(&[5, 6, 7, 8]) };
    (growth.fix_of(x) >= 0 && growth.affords(0, elements)).then(|| growth.net.hard_sigmoid(x, fix))
}

fn leaky_relu(growth: &mut Growth) -> Option<ValueId> {
    let x = growth.value();
    let elements = growth.net.shape(x).iter().product();
    let (multiplier, shift) = growth.random.pick(&[(26, 8), (26, 8), (1, 0), (0, 0), (127, 7), (127, 31), (13, 5)]);
    let fix = growth.fix_near(x);
    growth.affords(0, elements).then(|| growth.net.leaky_relu(x, multiplier, shift, fix))
}

/// Another shape of the same elements: flat, or two dimensions exchanged in size.
fn reshape(growth: &mut Growth) -> Option<ValueId> {
    let x = growth.value();
    let shape = growth.net.shape(x);
    let elements: usize = shape.iter().product();
    if !growth.affords(0, elements) {
        return None;
    }
    let new = match (growth.random.below(4), &shape[..]) {
        (0, &[batch, height, width, channels]) => vec![batch, width, height, channels],
        (1, &[batch, height, width, channels]) => vec![batch, 1, height * width, channels],
        (2, &[batch, ..]) => vec![batch, elements / batch],
        _ => vec![1, 1, 1, elements],
    };
    Some(growth.net.reshape(x, &new))
}

fn upsample(growth: &mut Growth, mode: &'static str) -> Option<ValueId> {
    let x = growth.map();
    let elements = growth.dims(x).iter().product::<usize>();
    let scale = [0, 1].map(|_| growth.random.pick(&[1, 2, 2, 2, 3, 4]));
    if !growth.affords(0, elements * scale[0] * scale[1]) {
        return None;
    }
    let fix = growth.fix_near(x);
    Some(growth.net.upsample(x, scale, mode, fix))
}

fn downsample(growth: &mut Growth) -> Option<ValueId> {
    let x = growth.map();
    let elements = growth.dims(x).iter().product::<usize>();
    let scale = [0, 1].map(|_| growth.random.pick(&[1, 2, 2, 3, 5]));
    let fix = growth.fix_near(x);
    growth.affords(0, elements).then(|| growth.net.downsample(x, scale, fix))
}
