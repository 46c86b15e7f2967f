//! Networks of one arithmetic operation beyond sums and products of two maps, on every target.

use dpuc_dialects::dialects::int8;
use dpuc_dialects::{Attribute, ValueId};
use dpuc_graphs::{Conv, Net};
use dpuc_isa::Random;

use crate::harness::{check_network, targets};
use crate::single::{fix, map, on_every_target, size};

fn shape(random: &mut Random) -> [usize; 4] {
    [1, size(random, 1, 9), size(random, 1, 9), size(random, 1, 40)]
}

/// Maps of one shape with these fix points; one may be a constant.
fn maps(net: &mut Net, random: &mut Random, fixes: &[i32]) -> Vec<ValueId> {
    let shape = shape(random);
    let constant = random.one_in(3).then(|| random.below(fixes.len() as u32) as usize).filter(|_| fixes.len() > 1);
    let value = |(index, &fix): (usize, &i32)| {
        if constant == Some(index) { net.constant(&shape, fix) } else { net.input(&shape, fix) }
    };
    fixes.iter().enumerate().map(value).collect()
}

fn relu(random: &mut Random) -> [(&'static str, Attribute); 1] {
    [("activation", Attribute::string(random.pick(&["none", "relu"])))]
}

#[test]
fn differences() {
    on_every_target("differences", 4, |net, random| {
        let coarse = fix(random);
        let mut fixes = [coarse, coarse + random.below(8) as i32];
        if random.one_in(2) {
            fixes.reverse();
        }
        let inputs = maps(net, random, &fixes);
        let (shape, finest) = (net.shape(inputs[0]), fixes[0].max(fixes[1]));
        net.op(&int8::SUB, &inputs, &relu(random), &shape, finest - random.below(8) as i32)
    });
}

#[test]
fn sums_of_many() {
    on_every_target("sums of many", 4, |net, random| {
        let (coarse, count) = (fix(random), random.between(3, 8));
        let mut fixes: Vec<i32> = (0..count).map(|_| coarse + random.below(3) as i32).collect();
        if count < 6 {
            // One may be so fine that bits below the guard bits are lost, which no rounding sees.
            fixes[0] = coarse + random.below(8) as i32;
        }
        let inputs = maps(net, random, &fixes);
        let activation = random.pick(&["none", "relu"]);
        net.add(&inputs, activation, coarse + random.between(0, 5) as i32 - 4)
    });
}

#[test]
fn maxima_and_minima() {
    on_every_target("extremes", 4, |net, random| {
        let (fix, count) = (fix(random), random.between(1, 6));
        let inputs = maps(net, random, &vec![fix; count as usize]);
        let shape = net.shape(inputs[0]);
        let kind = if random.one_in(2) { &int8::MAX } else { &int8::MIN };
        net.op(kind, &inputs, &[], &shape, fix - random.below(3) as i32)
    });
}

#[test]
fn products_and_sums_with_vectors() {
    on_every_target("vectors", 4, |net, random| {
        let shape = shape(random);
        let (own, vector) = (random.between(0, 6) as i32, random.between(0, 6) as i32);
        let input = net.input(&shape, own);
        let vector_shape: &[usize] = if random.one_in(2) { &[1, 1, 1, shape[3]] } else { &[1, shape[3]] };
        let vector = match random.below(3) {
            0 => net.constant(vector_shape, vector),
            _ => net.input(vector_shape, vector),
        };
        let vector_fix = net.ir.fix_of(vector).unwrap();
        if random.one_in(2) {
            let fix = own + vector_fix - random.below((own + vector_fix + 1) as u32) as i32;
            net.op(&int8::CHANNEL_MUL, &[input, vector], &[], &shape, fix)
        } else {
            net.op(&int8::CHANNEL_ADD, &[input, vector], &[], &shape, own + random.below(5) as i32 - 3)
        }
    });
}

/// A vector that is computed on chip goes through memory.
#[test]
fn squeeze_and_excite() {
    on_every_target("squeeze and excite", 1, |net, random| {
        let shape = shape(random);
        let input = net.input(&shape, 4);
        let mean = net.pool(&int8::AVG_POOL, input, [shape[1], shape[2]], [1, 1], [0; 4], 5);
        let squeezed = net.conv(mean, &Conv::same(size(random, 1, 20), 1, 4).relu());
        let excited = net.conv(squeezed, &Conv::same(shape[3], 1, 4));
        let gate = net.hard_sigmoid(excited, 7);
        net.op(&int8::CHANNEL_MUL, &[input, gate], &[], &shape, 4)
    });
}

#[test]
fn hard_swish() {
    on_every_target("hard swish", 2, |net, random| {
        let shape = shape(random);
        let own = random.between(0, 7) as i32;
        let input = net.input(&shape, own);
        let gate = net.hard_sigmoid(input, 7);
        net.mul([gate, input], own + random.below(8) as i32 - 3)
    });
}

#[test]
fn slopes() {
    on_every_target("slopes", 6, |net, random| {
        let input = map(net, random);
        let (shape, own) = (net.shape(input), net.ir.fix_of(input).unwrap());
        let output = own - random.below(5) as i32 + 2;
        if random.one_in(2) {
            let (multiplier, shift) = random.pick(&[(26, 8), (0, 0), (1, 4), (127, 7), (64, 8), (3, 9), (77, 5)]);
            return net.leaky_relu(input, multiplier, shift, output);
        }
        let slope_fix = random.between(0, 8) as i32;
        let slopes = net.constant(&[1, 1, 1, shape[3]], slope_fix);
        net.op(&int8::PRELU, &[input, slopes], &[], &shape, output.min(own + slope_fix))
    });
}

#[test]
fn reductions() {
    on_every_target("reductions", 6, |net, random| {
        let shape = [1, size(random, 1, 20), size(random, 1, 20), size(random, 1, 60)];
        let own = fix(random);
        let input = net.input(&shape, own);
        let axes: &[i64] = random.pick(&[&[1], &[2], &[3], &[1, 2]]);
        let keep = random.one_in(2);
        let shape: Vec<usize> = (0i64..)
            .zip(shape)
            .filter(|(axis, _)| keep || !axes.contains(axis))
            .map(|(axis, size)| if axes.contains(&axis) { 1 } else { size })
            .collect();
        let attributes = [("axes", Attribute::ints(axes.iter().copied())), ("keep_dims", Attribute::Bool(keep))];
        let kind = if axes.len() == 1 && random.one_in(2) { &int8::REDUCE_MEAN } else { &int8::REDUCE_MAX };
        net.op(kind, &[input], &attributes, &shape, own + random.below(3) as i32 - 1)
    });
}

/// Maps whose channels are reduced, and what that gives, have no gaps, though paddings read them in place.
#[test]
fn reductions_of_channels_beside_paddings() {
    for target in targets() {
        let mut net = Net::new(1);
        let input = net.input(&[1, 9, 2, 24], 2);
        let map = net.op(&int8::MIN, &[input, input], &[], &[1, 9, 2, 24], 2);
        let keep = [("axes", Attribute::ints([3])), ("keep_dims", Attribute::Bool(true))];
        let reduced = net.op(&int8::REDUCE_MAX, &[map], &keep, &[1, 9, 2, 1], 2);
        let mut padded = |value: ValueId, channels: usize| {
            let attributes = [
                ("paddings", Attribute::ints([0, 0, 2, 1, 2, 2, 0, 0])),
                ("mode", Attribute::string("constant")),
                ("value", Attribute::int(3)),
            ];
            net.op(&int8::PAD, &[value], &attributes, &[1, 12, 6, channels], 2)
        };
        let outputs = [padded(map, 24), padded(reduced, 1)];
        check_network(&net.finish(&outputs), &target, 1);
    }
}

/// A shape with an axis of at most 128.
fn classes(random: &mut Random) -> [usize; 4] {
    let [batch, height, width, _] = shape(random);
    [batch, height, width, random.pick(&[1, 2, 21, 127, 128, random.clone().between(1, 128) as usize])]
}

fn argmax(net: &mut Net, input: ValueId) -> ValueId {
    let [rest @ .., _] = &net.shape(input)[..] else { unreachable!("a map") };
    let shape: Vec<usize> = rest.iter().copied().chain([1]).collect();
    net.op(&int8::ARGMAX, &[input], &[("axis", Attribute::int(rest.len() as i64))], &shape, 0)
}

#[test]
fn argmaxima() {
    on_every_target("argmax", 3, |net, random| {
        let [batch, height, width, channels] = classes(random);
        let shape: &[usize] = match random.below(4) {
            0 => &[1, channels],
            1 => &[1, width, channels],
            2 => &[3, height, width, channels],
            _ => &[batch, height, width, channels],
        };
        let input = net.input(shape, fix(random));
        argmax(net, input)
    });
}

/// What an argmax reads need not leave the chip, and its indices are numbers to others.
#[test]
fn segmentation() {
    on_every_target("segmentation", 2, |net, random| {
        let [_, height, width, channels] = classes(random);
        let (height, width) = (height + 3, width + 3);
        let input = net.input(&[1, height, width, size(random, 1, 20)], 4);
        let scores = net.conv(input, &Conv::same(channels, 3, 4));
        let indices = argmax(net, scores);
        let others = net.conv(input, &Conv::same(size(random, 1, 9), 1, 0));
        net.concat(&[others, indices], 3, 0)
    });
}

#[test]
fn groups() {
    on_every_target("groups", 3, |net, random| {
        let (groups, channels, filters) = (size(random, 2, 4), size(random, 1, 18), size(random, 1, 18));
        let input = net.input(&[1, 7, 6, groups * channels], 4);
        let weights = net.constant(&[groups * filters, 3, 3, channels], 7);
        let bias = net.constant(&[groups * filters], 5);
        let attributes = [
            ("pads", Attribute::ints([1, 1, 1, 1])),
            ("strides", Attribute::ints([2, 1])),
            ("groups", Attribute::int(groups as i64)),
            ("activation", Attribute::string(random.pick(&["none", "relu", "leaky_relu"]))),
        ];
        let operands = [input, weights, bias];
        let operands = if random.one_in(3) { &operands[..2] } else { &operands };
        net.op(&int8::CONV2D, operands, &attributes, &[1, 4, 6, groups * filters], 3)
    });
}
