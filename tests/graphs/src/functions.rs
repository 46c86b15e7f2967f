//! Random functions, choices and contractions of floats.

use dpuc_dialects::dialects::nn;
use dpuc_dialects::weights::Weight;
use dpuc_dialects::{Attribute, ValueId};
use dpuc_isa::Random;

use crate::floats::{Precision, constant, ints};
use crate::net::Net;

/// One operation on `x`; steps, whose results jump, are among the exact ones alone.
pub(crate) fn operation(
    net: &mut Net,
    x: ValueId,
    values: &[ValueId],
    precision: Precision,
    random: &mut Random,
) -> Option<ValueId> {
    match (precision, random.below(8)) {
        (_, 0) => Some(clip(net, x, random)),
        (_, 1) => Some(broadcast(net, x, random)),
        (_, 2) => Some(gather(net, x, random)),
        (_, 3) => resize(net, x, precision, random),
        (_, 4) => Some(reduce_min(net, x, random)),
        (Precision::Exact, 5) => Some(select(net, x, values, random)),
        (Precision::Exact, _) => {
            let kind = random.pick(&[&nn::ABS, &nn::SQRT, &nn::FLOOR, &nn::CEIL, &nn::ROUND]);
            let shape = net.shape(x);
            Some(net.float(kind, &[x], &[], &shape))
        }
        (Precision::Close, 5) => Some(layer_norm(net, x, random)),
        (Precision::Close, 6) => batch_matmul(net, x, random),
        (Precision::Close, _) => Some(smooth(net, x, random)),
    }
}

/// Functions that do not enlarge differences; sine and cosine do, of large numbers.
fn smooth(net: &mut Net, x: ValueId, random: &mut Random) -> ValueId {
    let shape = net.shape(x);
    let kinds = [&nn::SILU, &nn::MISH, &nn::SOFTPLUS, &nn::ERF, &nn::GELU, &nn::ELU];
    let kind = random.pick(&kinds);
    let mut attributes = Vec::new();
    if kind.is(&nn::ELU) {
        attributes.push(("alpha", Attribute::Float(0.75, None)));
    }
    if kind.is(&nn::GELU) {
        attributes.push(("approximate", Attribute::string(random.pick(&["none", "tanh"]))));
    }
    net.float(kind, &[x], &attributes, &shape)
}

fn clip(net: &mut Net, x: ValueId, random: &mut Random) -> ValueId {
    let shape = net.shape(x);
    let bounds = [("min", -1.5), ("max", 0.75)].map(|(name, bound)| (name, Attribute::Float(bound, None)));
    let kept: Vec<_> = bounds.into_iter().filter(|_| !random.one_in(3)).collect();
    net.float(&nn::CLIP, &[x], &kept, &shape)
}

/// A choice between values of one shape, by a comparison with another.
fn select(net: &mut Net, x: ValueId, values: &[ValueId], random: &mut Random) -> ValueId {
    let shape = net.shape(x);
    let same: Vec<ValueId> = values.iter().copied().filter(|&value| net.shape(value) == shape).collect();
    let other = random.pick(&same);
    let last = shape[shape.len() - 1];
    let bound = constant(net, &[last]);
    let predicate = Attribute::string(random.pick(&["eq", "ne", "lt", "le", "gt", "ge"]));
    let rhs = if random.one_in(2) { bound } else { random.pick(&same) };
    let condition = net.float(&nn::COMPARE, &[x, rhs], &[("predicate", predicate)], &shape);
    net.float(&nn::SELECT, &[condition, other, bound], &[], &shape)
}

fn broadcast(net: &mut Net, x: ValueId, random: &mut Random) -> ValueId {
    let mut shape: Vec<usize> =
        net.shape(x).iter().map(|&size| if size == 1 { random.between(1, 3) as usize } else { size }).collect();
    if shape.len() < 6 && random.one_in(2) {
        shape.insert(0, random.between(1, 3) as usize);
    }
    net.float(&nn::BROADCAST, &[x], &[], &shape)
}

fn gather(net: &mut Net, x: ValueId, random: &mut Random) -> ValueId {
    let shape = net.shape(x);
    let axis = random.below(shape.len() as u32) as usize;
    let size = shape[axis] as i64;
    let rank = random.between(u32::from(shape.len() == 1), 2);
    let own: Vec<usize> = (0..rank).map(|_| random.between(1, 3) as usize).collect();
    let indices: Vec<f32> =
        (0..own.iter().product()).map(|_| (i64::from(random.below(2 * size as u32)) - size) as f32).collect();
    let symbol = format!("indices_{}", net.random.bits());
    let weight = Weight::from_f32(&own, &indices).expect("as many values as the shape says");
    net.ir.weights.insert(symbol.as_str(), weight);
    let indices = net.float(&nn::CONSTANT, &[], &[("value", Attribute::symbol(symbol))], &own);
    let result = [&shape[..axis], &own, &shape[axis + 1..]].concat();
    net.float(&nn::GATHER, &[x, indices], &[("axis", Attribute::int(axis as i64))], &result)
}

fn resize(net: &mut Net, x: ValueId, precision: Precision, random: &mut Random) -> Option<ValueId> {
    let &[batch, height, width, channels] = &net.shape(x)[..] else { return None };
    let size = [height, width].map(|size| random.between(1, 2 * size as u32) as usize);
    let mode = random.pick(&["nearest", "nearest", "bilinear", "cubic"]);
    // Differences of infinities are no numbers.
    let mode = if precision == Precision::Exact { "nearest" } else { mode };
    let coordinates = ["asymmetric", "half_pixel", "align_corners", "pytorch_half_pixel", "half_pixel_symmetric"];
    let mut attributes = vec![
        ("mode", Attribute::string(mode)),
        ("coordinates", Attribute::string(random.pick(&coordinates))),
        ("rounding", Attribute::string(random.pick(&["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"]))),
        ("exclude_outside", Attribute::Bool(random.one_in(2))),
    ];
    if random.one_in(2) {
        attributes.push(("scales", Attribute::floats([1.5, 0.75])));
    }
    Some(net.float(&nn::RESIZE, &[x], &attributes, &[batch, size[0], size[1], channels]))
}

fn reduce_min(net: &mut Net, x: ValueId, random: &mut Random) -> ValueId {
    let mut shape = net.shape(x);
    let axis = random.below(shape.len() as u32) as usize;
    shape[axis] = 1;
    net.float(&nn::REDUCE_MIN, &[x], &[("axes", ints([axis]))], &shape)
}

fn layer_norm(net: &mut Net, x: ValueId, random: &mut Random) -> ValueId {
    let shape = net.shape(x);
    let axis = random.below(shape.len() as u32) as usize;
    let mut operands = vec![x];
    for _ in 0..random.below(3) {
        operands.push(constant(net, &shape[axis..]));
    }
    let attributes = [("axis", Attribute::int(axis as i64)), ("epsilon", Attribute::Float(0.25, None))];
    net.float(&nn::LAYER_NORM, &operands, &attributes, &shape)
}

/// With the transposed operand, or a constant.
fn batch_matmul(net: &mut Net, x: ValueId, random: &mut Random) -> Option<ValueId> {
    let mut shape = net.shape(x);
    let rank = shape.len();
    let &[.., rows, inner] = &shape[..] else { return None };
    let columns = if random.one_in(2) { rows } else { random.between(1, 20) as usize };
    let rhs = if columns == rows {
        let order = (0..rank - 2).chain([rank - 1, rank - 2]);
        let turned = [&shape[..rank - 2], &[inner, rows]].concat();
        net.float(&nn::TRANSPOSE, &[x], &[("order", ints(order))], &turned)
    } else {
        constant(net, &[inner, columns])
    };
    let operands = [x, rhs];
    shape[rank - 1] = columns;
    Some(net.float(&nn::BATCH_MATMUL, &operands, &[], &shape))
}
