//! Networks of one operation, on every target.

use dpuc_backend::Device;
use dpuc_dialects::dialects::int8;
use dpuc_dialects::{Ir, ValueId};
use dpuc_isa::Random;

use crate::harness::{check_network, targets};
use dpuc_graphs::{Conv, Net};

/// Checks `build` with random parameters on every target: the operation must run on the DPU and be exact.
pub(crate) fn on_every_target(name: &str, cases: u64, build: impl Fn(&mut Net, &mut Random) -> ValueId) {
    for target in targets() {
        for case in 0..cases {
            let seed = name
                .bytes()
                .chain(target.name.bytes())
                .fold(case, |seed, byte| seed.wrapping_mul(31) ^ u64::from(byte));
            let ir = network(seed, &build);
            let compiled = check_network(&ir, &target, seed);
            let cpu: Vec<_> = compiled.report.operations.iter().filter(|op| op.device == Device::Cpu).collect();
            assert!(cpu.is_empty(), "{name} case {case} on {}: {cpu:?}", target.name);
        }
    }
}

fn network(seed: u64, build: &impl Fn(&mut Net, &mut Random) -> ValueId) -> Ir {
    let mut net = Net::new(seed);
    let mut random = Random::new(seed ^ 0x5eed);
    let output = build(&mut net, &mut random);
    net.finish(&[output])
}

pub(crate) fn map(net: &mut Net, random: &mut Random) -> ValueId {
    let shape = [1, size(random, 1, 12), size(random, 1, 12), size(random, 1, 40)];
    let fix = fix(random);
    net.input(&shape, fix)
}

pub(crate) fn size(random: &mut Random, min: u32, max: u32) -> usize {
    random.between(min, max) as usize
}

pub(crate) fn fix(random: &mut Random) -> i32 {
    random.between(0, 9) as i32 - 1
}

fn conv_of(random: &mut Random, input: [usize; 2]) -> Conv {
    let kernel = [0, 1].map(|axis| size(random, 1, 5.min(input[axis] as u32)));
    let pad = |random: &mut Random, axis: usize| i64::from(random.below(kernel[axis] as u32));
    let pads = [pad(random, 0), pad(random, 1), pad(random, 0), pad(random, 1)];
    Conv {
        channels: size(random, 1, 40),
        kernel,
        strides: [0, 1].map(|_| i64::from(random.between(1, 3))),
        pads,
        dilations: [1, 1],
        activation: random.pick(&["none", "relu", "relu6"]),
        weight_fix: random.between(5, 8) as i32,
        bias_fix: (!random.one_in(4)).then(|| random.between(0, 14) as i32),
        fix: random.between(0, 4) as i32,
    }
}

#[test]
fn conv2d() {
    on_every_target("conv2d", 4, |net, random| {
        let shape = [1, size(random, 1, 12), size(random, 1, 12), size(random, 1, 40)];
        let input = net.input(&shape, random.between(2, 6) as i32);
        let conv = conv_of(random, [shape[1], shape[2]]);
        let activation = random.pick(&[conv.activation, "leaky_relu"]);
        net.conv(input, &Conv { activation, ..conv })
    });
}

#[test]
fn first_layer_with_few_channels() {
    on_every_target("first layer", 4, |net, random| {
        let shape = [1, size(random, 7, 14), size(random, 7, 14), size(random, 1, 4)];
        let input = net.input(&shape, 5);
        let conv = conv_of(random, [shape[1], shape[2]]);
        net.conv(input, &conv)
    });
}

#[test]
fn dilated_conv2d() {
    on_every_target("dilated", 2, |net, random| {
        let input = net.input(&[1, 11, 10, size(random, 1, 20)], 5);
        let conv = Conv { dilations: [2, 3], pads: [2, 3, 2, 3], ..Conv::same(7, 3, 3) };
        if random.one_in(2) { net.conv(input, &conv) } else { net.depthwise(input, &conv) }
    });
}

#[test]
fn depthwise_conv2d() {
    on_every_target("depthwise", 3, |net, random| {
        let shape = [1, size(random, 1, 12), size(random, 1, 12), size(random, 1, 40)];
        let input = net.input(&shape, random.between(2, 6) as i32);
        let conv = conv_of(random, [shape[1], shape[2]]);
        net.depthwise(input, &conv)
    });
}

#[test]
fn transposed_convolutions() {
    on_every_target("transposed", 4, |net, random| {
        let shape = [1, size(random, 2, 7), size(random, 2, 7), size(random, 1, 20)];
        let input = net.input(&shape, 4);
        let (kernel, stride, crop) = random.pick(&[(2, 2, 0), (4, 2, 1), (3, 2, 1), (3, 1, 1), (4, 4, 0)]);
        let conv = Conv {
            kernel: [kernel; 2],
            strides: [stride; 2],
            pads: [crop; 4],
            bias_fix: (!random.one_in(3)).then_some(6),
            ..Conv::same(size(random, 1, 20), 3, 2)
        };
        if random.one_in(3) { net.transposed_depthwise(input, &conv) } else { net.transposed(input, &conv) }
    });
}

#[test]
fn biases_of_every_fineness() {
    on_every_target("bias", 1, |net, random| {
        let input = net.input(&[1, 3, 3, 5], 3);
        // Shifts from far below the field, where bits are lost, to its end.
        let bias_fix = random.pick(&[25, 18, 13, 12, 11, 10, 0, -8]);
        let conv = Conv { bias_fix: Some(bias_fix), weight_fix: 8, ..Conv::same(9, 1, 3) };
        net.conv(input, &conv)
    });
}

#[test]
fn pools() {
    on_every_target("pools", 4, |net, random| {
        let shape = [1, size(random, 3, 14), size(random, 3, 14), size(random, 1, 40)];
        let input_fix = random.between(2, 5) as i32;
        let input = net.input(&shape, input_fix);
        let global = random.one_in(4);
        let kernel = if global {
            [shape[1], shape[2]]
        } else {
            [0, 1].map(|axis| size(random, 1, shape[1 + axis].min(5) as u32))
        };
        let pads = if global { [0; 4] } else { [0, 1, 0, 1].map(|axis| i64::from(random.below(kernel[axis] as u32))) };
        let strides = [0, 1].map(|_| i64::from(random.between(1, 3)));
        let kind = if random.one_in(2) { &int8::MAX_POOL } else { &int8::AVG_POOL };
        net.pool(kind, input, kernel, strides, pads, input_fix + random.below(3) as i32 - 1)
    });
}

#[test]
fn sums_and_products() {
    on_every_target("eltwise", 4, |net, random| {
        let shape = [1, size(random, 1, 9), size(random, 1, 9), size(random, 1, 40)];
        let count = size(random, 2, 4);
        // More than two operands are summed exactly, which fix points far apart do not allow.
        let coarse = fix(random);
        let own = |random: &mut Random| if count > 2 { coarse + random.below(3) as i32 } else { fix(random) };
        let inputs: Vec<ValueId> = (0..count).map(|_| net.input(&shape, own(random))).collect();
        let activation = random.pick(&["none", "relu"]);
        let fix = if count > 2 { coarse + random.below(4) as i32 } else { fix(random) };
        if random.one_in(3) { net.mul([inputs[0], inputs[1]], fix) } else { net.add(&inputs, activation, fix) }
    });
}

#[test]
fn constant_operand() {
    on_every_target("constant operand", 1, |net, random| {
        let shape = [1, 5, 6, size(random, 1, 40)];
        let input = net.input(&shape, 4);
        let constant = net.constant(&shape, 5);
        let sum = net.add(&[constant, input], "none", 3);
        net.concat(&[sum, constant], 3, 3)
    });
}

#[test]
fn every_rank() {
    on_every_target("ranks", 2, |net, random| {
        let shape: &[usize] = random.pick(&[&[1, 10], &[1, 7, 33], &[1, 2, 3, 4, 5]]);
        let (a, b) = (net.input(shape, 4), net.input(shape, 5));
        net.add(&[a, b], "relu", 4)
    });
}

#[test]
fn requantisation() {
    on_every_target("requantise", 4, |net, random| {
        let input = map(net, random);
        let from = net.ir.fix_of(input).unwrap();
        let (activation, fix) = random.pick(&[
            ("none", from + 3),
            ("relu", from - 2),
            ("relu", from),
            ("relu6", from + 1),
            ("relu6", from - 1),
        ]);
        net.requantise(input, activation, fix)
    });
}

#[test]
fn resampling() {
    on_every_target("resampling", 4, |net, random| {
        let input = map(net, random);
        let fix = net.ir.fix_of(input).unwrap() - random.below(2) as i32;
        let scale = [size(random, 1, 3), size(random, 1, 3)];
        if random.one_in(2) { net.upsample(input, scale, "nearest", fix) } else { net.downsample(input, scale, fix) }
    });
}

#[test]
fn activations() {
    on_every_target("activations", 4, |net, random| {
        let shape = [1, size(random, 1, 9), size(random, 1, 9), size(random, 1, 40)];
        let input = net.input(&shape, random.between(0, 6) as i32);
        if random.one_in(2) {
            net.hard_sigmoid(input, random.between(5, 8) as i32)
        } else {
            net.leaky_relu(input, i64::from(random.below(128)), i64::from(random.below(9)), random.between(0, 6) as i32)
        }
    });
}
