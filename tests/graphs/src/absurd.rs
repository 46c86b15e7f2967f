//! Networks that verify and make no sense: nothing may panic, hang or need unbounded memory over them.

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::int8;
use dpuc_dialects::{Ir, ValueId};
use dpuc_isa::Random;

use crate::net::{Conv, Net};

/// Elements of a constant, which must exist; all other tensors are shapes only.
const CONSTANT_ELEMENTS: usize = 1 << 16;

/// A network of a few operations with shapes up to and beyond what 29-bit addresses reach, kernels and strides that dwarf the map, and
/// fix points far from each other. It is to be compiled, not evaluated. Equal seeds give equal networks.
pub fn absurd_network(seed: u64) -> Ir {
    let mut random = Random::new(seed ^ 0x6162_7375_7264);
    let mut net = Net::new(seed);
    let shape = shape(&mut random);
    let fix = fix(&mut random);
    let mut values = vec![net.input(&shape, fix)];
    if random.one_in(3) {
        let fix = self::fix(&mut random);
        values.push(net.input(&shape, fix));
    }
    for _ in 0..random.between(1, 4) {
        let x = random.pick(&values);
        if let Some(value) = operation(&mut net, x, &mut random) {
            values.push(value);
        }
    }
    let mut outputs = vec![values[values.len() - 1]];
    if random.one_in(3) {
        outputs.push(random.pick(&values));
    }
    net.finish(&outputs)
}

/// A size: one, a power of two or beside one, or anything; small and huge ones are equally likely.
fn size(random: &mut Random, max_bits: u32) -> usize {
    let power = 1usize << random.below(max_bits + 1);
    match random.below(4) {
        0 => 1,
        1 => power,
        2 => power + 1,
        _ => power + (random.bits() as usize) % power,
    }
}

fn shape(random: &mut Random) -> Vec<usize> {
    let mut shape: Vec<usize> = (0..4).map(|_| 1).collect();
    // About 2^29 elements in all, more or less.
    let mut bits = random.between(0, 31);
    for axis in [1, 2, 3, 0] {
        let most = if axis == 0 { bits.min(3) } else { bits };
        shape[axis] = size(random, random.clone().below(most + 1));
        bits = bits.saturating_sub(shape[axis].ilog2());
    }
    shape
}

fn fix(random: &mut Random) -> i32 {
    match random.below(4) {
        0 => random.between(0, 512) as i32 - 256,
        1 => random.pick(&[i32::MIN / 4, -300, -64, 64, 300, i32::MAX / 4]),
        _ => random.between(0, 8) as i32,
    }
}

fn operation(net: &mut Net, x: ValueId, random: &mut Random) -> Option<ValueId> {
    let shape = net.shape(x);
    let fix = if random.one_in(2) { fix(random) } else { net.ir.fix_of(x)? };
    let is_map = shape.len() == 4;
    match random.below(12) {
        0 | 1 if is_map => window(net, x, random, Weights::Dense),
        2 if is_map => window(net, x, random, Weights::Depthwise),
        3 if is_map => pool(net, x, random, &int8::MAX_POOL),
        4 if is_map => pool(net, x, random, &int8::AVG_POOL),
        5 if is_map => transposed(net, x, random),
        6 if is_map => {
            let scale = [0, 1].map(|_| size(random, 15).min(65535));
            let mode = random.pick(&["nearest", "bilinear"]);
            Some(if random.one_in(2) { net.upsample(x, scale, mode, fix) } else { net.downsample(x, scale, fix) })
        }
        7 => {
            let operands = vec![x; random.pick(&[1, 2, 3, 4, 5, 40])];
            Some(net.add(&operands, "relu", fix))
        }
        8 => Some(net.concat(&vec![x; random.pick(&[1, 2, 3, 100])], random.below(shape.len() as u32) as usize, fix)),
        9 => {
            let elements = shape.iter().product();
            let shapes = [vec![elements], vec![1, elements], vec![1, 1, elements, 1], vec![elements, 1, 1, 1]];
            Some(net.reshape(x, &shapes[random.below(4) as usize]))
        }
        10 => Some(net.leaky_relu(x, i64::from(random.below(128)), i64::from(random.below(32)), fix)),
        _ => Some(match random.below(5) {
            0 => net.hard_sigmoid(x, fix),
            1 => net.mul([x, x], fix),
            kind => net.requantise(x, ["none", "relu", "relu6"][kind as usize - 2], fix),
        }),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Weights {
    Dense,
    Depthwise,
}

/// Kernel, stride, dilation and pads of one axis, up to the dialect's own limits, with at least one window.
fn axis(conv: &mut Conv, axis: usize, size: usize, random: &mut Random) -> Option<()> {
    const MOST: i64 = 65535;
    conv.kernel[axis] = self::size(random, 8);
    conv.strides[axis] = (self::size(random, 15) as i64).min(MOST);
    conv.dilations[axis] = if random.one_in(3) { (self::size(random, 15) as i64).min(MOST) } else { 1 };
    for side in [axis, axis + 2] {
        conv.pads[side] = if random.one_in(2) { (self::size(random, 15) as i64).min(MOST) } else { 0 };
    }
    let reach = (conv.kernel[axis] as i64 - 1) * conv.dilations[axis];
    (size as i64 + conv.pads[axis] + conv.pads[axis + 2] > reach).then_some(())
}

fn window(net: &mut Net, x: ValueId, random: &mut Random, weights: Weights) -> Option<ValueId> {
    let shape = net.shape(x);
    let mut conv = Conv { weight_fix: fix(random), ..Conv::same(size(random, 12), 1, fix(random)) };
    conv.bias_fix = random.one_in(2).then(|| fix(random));
    axis(&mut conv, 0, shape[1], random)?;
    axis(&mut conv, 1, shape[2], random)?;
    let rows = if weights == Weights::Dense { conv.channels } else { 1 };
    constants_fit(&[rows, conv.kernel[0], conv.kernel[1], shape[3]])?;
    Some(match weights {
        Weights::Dense => net.conv(x, &conv),
        Weights::Depthwise => net.depthwise(x, &conv),
    })
}

fn pool(net: &mut Net, x: ValueId, random: &mut Random, kind: &'static OpDefinition) -> Option<ValueId> {
    let shape = net.shape(x);
    let mut conv = Conv::same(1, 1, fix(random));
    axis(&mut conv, 0, shape[1], random)?;
    axis(&mut conv, 1, shape[2], random)?;
    let global = random.one_in(3) && shape[1..3].iter().all(|&size| size < 65536);
    let kernel = if global { [shape[1], shape[2]] } else { conv.kernel };
    let fits = |axis: usize| shape[1 + axis] as i64 + conv.pads[axis] + conv.pads[axis + 2] >= kernel[axis] as i64;
    (fits(0) && fits(1)).then(|| net.pool(kind, x, kernel, conv.strides, conv.pads, conv.fix))
}

fn transposed(net: &mut Net, x: ValueId, random: &mut Random) -> Option<ValueId> {
    let shape = net.shape(x);
    let mut conv = Conv { weight_fix: fix(random), ..Conv::same(size(random, 8), 1, fix(random)) };
    for axis in 0..2 {
        conv.kernel[axis] = size(random, 6);
        conv.strides[axis] = (size(random, 12) as i64).min(65535);
        conv.pads[axis] = i64::from(random.below(conv.kernel[axis] as u32));
        conv.pads[axis + 2] = if random.one_in(3) { (size(random, 15) as i64).min(65535) } else { 0 };
        let full = (shape[1 + axis] as i64 - 1) * conv.strides[axis] + conv.kernel[axis] as i64;
        if full - conv.pads[axis] - conv.pads[axis + 2] < 1 {
            return None;
        }
    }
    constants_fit(&[conv.channels, conv.kernel[0], conv.kernel[1], shape[3]])?;
    Some(net.transposed(x, &conv))
}

fn constants_fit(shape: &[usize]) -> Option<()> {
    let elements = shape.iter().try_fold(1usize, |product, &dim| product.checked_mul(dim));
    elements.filter(|&elements| elements <= CONSTANT_ELEMENTS).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use dpuc_dialects::verify::verify;

    #[test]
    fn absurd_networks_verify() {
        for seed in 0..400 {
            let findings = verify(&absurd_network(seed));
            assert!(findings.is_empty(), "seed {seed}: {findings:?}");
        }
    }
}
