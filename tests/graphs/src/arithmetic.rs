//! Arithmetic of random networks beyond sums and products of two maps.

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::{int8, nn};
use dpuc_dialects::{Attribute, ValueId};

use crate::growth::Growth;
use crate::net::Conv;

/// A difference; exact where the fix points are not far from each other.
pub(crate) fn difference(growth: &mut Growth) -> Option<ValueId> {
    let x = growth.value();
    let y = growth.like(x);
    let attributes = [("activation", Attribute::string(growth.random.pick(&["none", "relu"])))];
    of_maps(growth, &int8::SUB, &[x, y], &attributes)
}

/// Maximum or minimum of up to six values.
pub(crate) fn extreme(growth: &mut Growth) -> Option<ValueId> {
    let x = growth.value();
    let mut operands = vec![x];
    for _ in 0..growth.between(0, 5) {
        let operand = growth.like(x);
        operands.push(operand);
    }
    let kind = growth.random.pick(&[&int8::MAX, &int8::MIN]);
    of_maps(growth, kind, &operands, &[])
}

fn of_maps(
    growth: &mut Growth,
    kind: &'static OpDefinition,
    operands: &[ValueId],
    attributes: &[(&'static str, Attribute)],
) -> Option<ValueId> {
    let shape = growth.net.shape(operands[0]);
    let fix = growth.fix_near(operands[0]);
    let elements: usize = shape.iter().product();
    growth.affords(elements as u64, elements).then(|| growth.net.op(kind, operands, attributes, &shape, fix))
}

/// Each channel times, plus, or, where negative, times a number of its own: a constant, an input, or the mean of the map.
pub(crate) fn channels(growth: &mut Growth) -> Option<ValueId> {
    let x = growth.map();
    let [batch, height, width, channels] = growth.dims(x);
    let elements = batch * height * width * channels;
    if !growth.affords(2 * elements as u64, elements) {
        return None;
    }
    let kind = growth.random.pick(&[&int8::CHANNEL_MUL, &int8::CHANNEL_MUL, &int8::CHANNEL_ADD, &int8::PRELU]);
    let vector_fix = growth.between(0, 8) as i32;
    let vector = match growth.random.below(4) {
        0 if batch == 1 && kind.name != int8::PRELU.name => {
            let fix = growth.fix_of(x);
            growth.net.pool(&int8::AVG_POOL, x, [height, width], [1, 1], [0; 4], fix)
        }
        1 if kind.name != int8::PRELU.name => growth.net.input(&[1, 1, 1, channels], vector_fix),
        2 => growth.net.constant(&[channels], vector_fix),
        _ => growth.net.constant(&[1, 1, 1, channels], vector_fix),
    };
    let (own, vector_fix) = (growth.fix_of(x), growth.fix_of(vector));
    let fix = match growth.random.below(4) {
        0 => growth.fix_near(x),
        _ if kind.name == int8::CHANNEL_MUL.name => (own + vector_fix - 6).clamp(-24, 40),
        _ => own - growth.random.below(2) as i32,
    };
    let shape = growth.net.shape(x);
    Some(growth.net.op(kind, &[x, vector], &[], &shape, fix))
}

/// A value times its hard sigmoid.
pub(crate) fn hard_swish(growth: &mut Growth) -> Option<ValueId> {
    let x = growth.value();
    let elements = growth.net.shape(x).iter().product();
    let fix = growth.fix_near(x);
    if growth.fix_of(x) < 0 || !growth.affords(elements as u64, elements) {
        return None;
    }
    let gate = growth.net.hard_sigmoid(x, 7);
    let operands = if growth.random.one_in(2) { [gate, x] } else { [x, gate] };
    Some(growth.net.mul(operands, fix))
}

/// Mean, maximum or sum over one or two axes.
pub(crate) fn reduction(growth: &mut Growth) -> Option<ValueId> {
    let x = growth.value();
    let shape = growth.net.shape(x);
    let elements: usize = shape.iter().product();
    let mut axes = vec![growth.between(0, shape.len() - 1)];
    if growth.random.one_in(3) && axes[0] + 1 < shape.len() {
        axes.push(axes[0] + 1);
    }
    // Something must be left of the shape.
    let keep = growth.random.one_in(2) || axes.len() == shape.len();
    if !growth.affords(elements as u64, elements) {
        return None;
    }
    let kind = growth.random.pick(&[&int8::REDUCE_MEAN, &int8::REDUCE_MAX, &int8::REDUCE_SUM]);
    let fix = growth.fix_near(x);
    Some(growth.net.reduce(kind, x, &axes, keep, fix))
}

/// The index of the largest channel, seldom along another axis; of more elements than signed bytes can count, on the host.
pub(crate) fn argmax(growth: &mut Growth) -> Option<ValueId> {
    let x = growth.value();
    let mut shape = growth.net.shape(x);
    let elements: usize = shape.iter().product();
    let axis = if growth.random.one_in(8) { growth.between(0, shape.len() - 1) } else { shape.len() - 1 };
    if !growth.affords(elements as u64, elements) {
        return None;
    }
    let attributes = [("axis", Attribute::int(axis as i64))];
    if std::mem::replace(&mut shape[axis], 1) <= int8::ARGMAX_MAX {
        return Some(growth.net.op(&int8::ARGMAX, &[x], &attributes, &shape, 0));
    }
    let real = growth.net.dequantise(x);
    let indices = growth.net.float(&nn::ARGMAX, &[real], &attributes, &shape);
    Some(growth.net.quantise(indices, 0))
}

/// A convolution in groups of channels.
pub(crate) fn grouped(growth: &mut Growth) -> Option<ValueId> {
    let x = growth.map();
    let [batch, height, width, channels] = growth.dims(x);
    let groups = growth.random.pick(&[2, 2, 3, 4]);
    let (inner, outer) = (channels / groups, growth.between(1, 20) * groups);
    let (pixels, work) = (batch * height * width, batch * height * width * 9 * inner * outer);
    if !channels.is_multiple_of(groups) || !growth.affords(work as u64, pixels * outer) {
        return None;
    }
    let fix = growth.free_fix();
    let weight_fix = 6 + (9 * inner).ilog2() as i32 / 2 + fix - growth.fix_of(x);
    let activation = growth.random.pick(&["none", "relu", "leaky_relu"]);
    let conv = Conv { activation, weight_fix, bias_fix: Some(fix + 2), ..Conv::same(outer, 3, fix) };
    Some(growth.net.grouped(x, groups, &conv))
}
