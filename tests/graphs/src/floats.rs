//! Random networks of float operations, any rank.

use dpuc_dialects::dialects::nn;
use dpuc_dialects::weights::Weight;
use dpuc_dialects::{Attribute, Ir, ValueId};
use dpuc_isa::Random;

use crate::functions;
use crate::net::Net;

/// Most elements of a tensor.
const ELEMENTS: usize = 1 << 12;

/// What a network of floats may be made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// Operations whose results every implementation must agree on to the bit: elementwise ones, each rounded once, movements, maxima.
    Exact,
    /// Also sums, transcendental functions and products of matrices; nothing that rounds to integers, which would enlarge differences.
    Close,
}

/// A network of random float operations, shapes and connections; of any rank from 1 to 6. Equal seeds give equal networks.
pub fn random_float_network(seed: u64, precision: Precision) -> Ir {
    let mut random = Random::new(seed ^ 0x666c_6f61_7473);
    let mut net = Net::new(seed);
    let shape = shape(&mut random);
    let mut values = vec![net.float_input(&shape)];
    if random.one_in(2) {
        values.push(net.float_input(&shape));
    }
    for _ in 0..random.between(1, 10) {
        let x = random.pick(&values);
        if let Some(value) = operation(&mut net, x, &values, precision, &mut random)
            && net.shape(value).iter().product::<usize>() <= ELEMENTS
        {
            values.push(value);
        }
    }
    let mut outputs = vec![values[values.len() - 1]];
    if random.one_in(3) {
        outputs.push(random.pick(&values));
    }
    net.finish(&outputs)
}

fn shape(random: &mut Random) -> Vec<usize> {
    if random.one_in(2) {
        return [1, 9, 9, 24].map(|most| random.between(1, most) as usize).to_vec();
    }
    let rank = random.between(1, 6);
    (0..rank).map(|_| random.between(1, if rank > 3 { 4 } else { 19 }) as usize).collect()
}

fn operation(
    net: &mut Net,
    x: ValueId,
    values: &[ValueId],
    precision: Precision,
    random: &mut Random,
) -> Option<ValueId> {
    if random.one_in(3) {
        return functions::operation(net, x, values, precision, random);
    }
    match random.below(if precision == Precision::Close { 16 } else { 13 }) {
        0..3 => Some(unary(net, x, precision, random)),
        3..6 => Some(binary(net, x, values, precision, random)),
        6 => Some(transpose(net, x, random)),
        7 => Some(reshape(net, x, random)),
        8 => Some(slice(net, x, random)),
        9 => Some(pad(net, x, random)),
        10 => Some(concat(net, x, values, random)),
        11 => exchange(net, x, random),
        12 => Some(reduce(net, x, precision, random)),
        13 => Some(matmul(net, x, random)),
        14 => {
            let shape = net.shape(x);
            let axis = random.below(shape.len() as u32);
            Some(net.float(&nn::SOFTMAX, &[x], &[("axis", Attribute::int(axis.into()))], &shape))
        }
        _ => pool(net, x, random),
    }
}

fn unary(net: &mut Net, x: ValueId, precision: Precision, random: &mut Random) -> ValueId {
    let shape = net.shape(x);
    let kind = match random.below(8) {
        0 => &nn::RELU,
        1 => &nn::RELU6,
        2 => &nn::HARD_SIGMOID,
        3 => &nn::HARD_SWISH,
        4 => {
            let alpha = random.pick(&[0.1, 26.0 / 256.0, 2.0, -1.0]);
            return net.float(&nn::LEAKY_RELU, &[x], &[("alpha", Attribute::Float(alpha, None))], &shape);
        }
        5 if precision == Precision::Close => &nn::SIGMOID,
        6 if precision == Precision::Close => &nn::TANH,
        _ if precision == Precision::Close => &nn::RELU,
        _ => {
            let attributes = [
                ("fix_point", Attribute::int(i64::from(random.below(12)) - 2)),
                ("bit_width", Attribute::int(random.pick(&[8, 8, 8, 1, 12, 24]))),
                ("signed", Attribute::Bool(!random.one_in(4))),
                ("round_mode", Attribute::string(random.pick(&["dpu", "std", "py3"]))),
            ];
            return net.float(&nn::FIX, &[x], &attributes, &shape);
        }
    };
    net.float(kind, &[x], &[], &shape)
}

/// With another value of the shape, or a constant that is broadcast.
fn binary(net: &mut Net, x: ValueId, values: &[ValueId], precision: Precision, random: &mut Random) -> ValueId {
    let shape = net.shape(x);
    let kinds = [&nn::ADD, &nn::MUL, &nn::MAX, &nn::MIN, &nn::SUB, &nn::DIV];
    // Differences cancel and quotients explode.
    let kind = kinds[random.below(if precision == Precision::Exact { 6 } else { 4 }) as usize];
    let other = random.pick(values);
    if random.one_in(2) && net.shape(other) == shape {
        return net.float(kind, &[x, other], &[], &shape);
    }
    let missing = random.below(shape.len() as u32) as usize;
    let own: Vec<usize> = shape[missing..].iter().map(|&size| if random.one_in(2) { 1 } else { size }).collect();
    let constant = constant(net, &own);
    let operands = if random.one_in(2) { [x, constant] } else { [constant, x] };
    net.float(kind, &operands, &[], &shape)
}

pub(crate) fn constant(net: &mut Net, shape: &[usize]) -> ValueId {
    let count = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|_| (net.random.below(4096) as f32 - 2048.0) / 512.0).collect();
    let symbol = format!("float_{}", net.random.bits());
    let weight = Weight::from_f32(shape, &values).expect("as many values as the shape says");
    net.ir.weights.insert(symbol.as_str(), weight);
    net.float(&nn::CONSTANT, &[], &[("value", Attribute::symbol(symbol))], shape)
}

pub(crate) fn ints(values: impl IntoIterator<Item = usize>) -> Attribute {
    Attribute::ints(values.into_iter().map(|value| value as i64))
}

fn transpose(net: &mut Net, x: ValueId, random: &mut Random) -> ValueId {
    let shape = net.shape(x);
    let mut order: Vec<usize> = (0..shape.len()).collect();
    for at in (1..order.len()).rev() {
        order.swap(at, random.below(at as u32 + 1) as usize);
    }
    let result: Vec<usize> = order.iter().map(|&axis| shape[axis]).collect();
    net.float(&nn::TRANSPOSE, &[x], &[("order", ints(order))], &result)
}

/// Splits a dimension, or joins two.
fn reshape(net: &mut Net, x: ValueId, random: &mut Random) -> ValueId {
    let mut shape = net.shape(x);
    let axis = random.below(shape.len() as u32) as usize;
    let part = random.pick(&[2, 3, 4]);
    if shape[axis].is_multiple_of(part) && shape.len() < 6 {
        shape[axis] /= part;
        shape.insert(axis + 1, part);
    } else if axis > 0 {
        let size = shape.remove(axis);
        shape[axis - 1] *= size;
    }
    net.float(&nn::RESHAPE, &[x], &[], &shape)
}

fn slice(net: &mut Net, x: ValueId, random: &mut Random) -> ValueId {
    let shape = net.shape(x);
    let [mut begin, mut end, mut strides, mut result] = [const { Vec::new() }; 4];
    for &size in &shape {
        let first = random.below(size as u32) as usize;
        let last = first + 1 + random.below((size - first) as u32) as usize;
        let step = random.between(1, 3) as usize;
        begin.push(first);
        end.push(last);
        strides.push(step);
        result.push((last - first).div_ceil(step));
    }
    let attributes = [("begin", ints(begin)), ("end", ints(end)), ("strides", ints(strides))];
    net.float(&nn::STRIDED_SLICE, &[x], &attributes, &result)
}

fn pad(net: &mut Net, x: ValueId, random: &mut Random) -> ValueId {
    let shape = net.shape(x);
    let mode = random.pick(&["constant", "reflect", "symmetric"]);
    let mut paddings = Vec::new();
    let mut result = Vec::new();
    for &size in &shape {
        let widest = match mode {
            "reflect" => size - 1,
            "symmetric" => size,
            _ => 3,
        };
        let pair = [0, 1].map(|_| if random.one_in(2) { 0 } else { random.below(widest.min(3) as u32 + 1) as usize });
        result.push(size + pair[0] + pair[1]);
        paddings.extend(pair);
    }
    let attributes =
        [("paddings", ints(paddings)), ("mode", Attribute::string(mode)), ("value", Attribute::Float(-1.5, None))];
    net.float(&nn::PAD, &[x], &attributes, &result)
}

fn concat(net: &mut Net, x: ValueId, values: &[ValueId], random: &mut Random) -> ValueId {
    let mut shape = net.shape(x);
    let other = random.pick(values);
    let axis = random.below(shape.len() as u32) as usize;
    let fits = |other: &[usize]| {
        other.len() == shape.len() && (0..shape.len()).all(|dim| dim == axis || shape[dim] == other[dim])
    };
    let other = if fits(&net.shape(other)) { other } else { x };
    shape[axis] += net.shape(other)[axis];
    net.float(&nn::CONCAT, &[x, other], &[("axis", Attribute::int(axis as i64))], &shape)
}

fn exchange(net: &mut Net, x: ValueId, random: &mut Random) -> Option<ValueId> {
    let &[batch, height, width, channels] = &net.shape(x)[..] else { return None };
    let block = random.between(1, 3) as usize;
    let order = random.pick(&["dcr", "crd", "reorg"]);
    let rows = if order == "reorg" { block * block } else { block };
    let attributes = [("block", Attribute::int(block as i64)), ("order", Attribute::string(order))];
    if height.is_multiple_of(rows) && width.is_multiple_of(block) {
        let shape = [batch, height / block, width / block, channels * block * block];
        return Some(net.float(&nn::SPACE_TO_DEPTH, &[x], &attributes, &shape));
    }
    let fits = channels.is_multiple_of(block * block) && (order != "reorg" || height.is_multiple_of(block));
    let shape = [batch, height * block, width * block, channels / (block * block)];
    fits.then(|| net.float(&nn::DEPTH_TO_SPACE, &[x], &attributes, &shape))
}

fn reduce(net: &mut Net, x: ValueId, precision: Precision, random: &mut Random) -> ValueId {
    let shape = net.shape(x);
    let kind = match random.below(3) {
        0 if precision == Precision::Close => &nn::REDUCE_MEAN,
        1 if precision == Precision::Close => &nn::REDUCE_SUM,
        _ => &nn::REDUCE_MAX,
    };
    let mut axes: Vec<usize> = (0..shape.len()).filter(|_| random.one_in(2)).collect();
    if axes.is_empty() {
        axes.push(shape.len() - 1);
    }
    let keeps = random.one_in(2) || axes.len() == shape.len();
    let size = |(axis, &size): (usize, &usize)| match (axes.contains(&axis), keeps) {
        (false, _) => Some(size),
        (true, true) => Some(1),
        (true, false) => None,
    };
    let result: Vec<usize> = shape.iter().enumerate().filter_map(size).collect();
    net.float(kind, &[x], &[("axes", ints(axes)), ("keep_dims", Attribute::Bool(keeps))], &result)
}

fn matmul(net: &mut Net, x: ValueId, random: &mut Random) -> ValueId {
    let mut shape = net.shape(x);
    let depth = shape[shape.len() - 1];
    let outputs = random.between(1, 20) as usize;
    let weights = constant(net, &[outputs, depth]);
    if let Some(last) = shape.last_mut() {
        *last = outputs;
    }
    net.float(&nn::MATMUL, &[x, weights], &[("transpose_b", Attribute::Bool(true))], &shape)
}

fn pool(net: &mut Net, x: ValueId, random: &mut Random) -> Option<ValueId> {
    let &[batch, height, width, channels] = &net.shape(x)[..] else { return None };
    let kernel = [height, width].map(|size| random.between(1, size.min(3) as u32) as usize);
    let shape = [batch, height - kernel[0] + 1, width - kernel[1] + 1, channels];
    let kind = if random.one_in(2) { &nn::MAX_POOL } else { &nn::AVG_POOL };
    let attributes = [("kernel", ints(kernel)), ("strides", ints([1, 1])), ("pads", ints([0; 4]))];
    Some(net.float(kind, &[x], &attributes, &shape))
}

#[cfg(test)]
mod tests {
    use super::*;
    use dpuc_dialects::verify::verify;

    #[test]
    fn float_networks_verify() {
        for seed in 0..300 {
            for precision in [Precision::Exact, Precision::Close] {
                let findings = verify(&random_float_network(seed, precision));
                assert!(findings.is_empty(), "seed {seed}: {findings:?}");
            }
        }
    }
}
