//! Networks that move elements, on every target: behind an operation that computes, so that they run on the DPU.

use dpuc_backend::{Options, compile};
use dpuc_dialects::ValueId;
use dpuc_dialects::dialects::int8;
use dpuc_graphs::{Conv, Net};
use dpuc_isa::Random;

use crate::harness::largest;
use crate::single::{on_every_target, size};

/// A computed map of `shape`.
fn computed(net: &mut Net, random: &mut Random, shape: &[usize]) -> ValueId {
    let fix = random.between(1, 6) as i32;
    let input = net.input(shape, fix);
    net.requantise(input, random.pick(&["none", "relu"]), fix + random.below(3) as i32 - 1)
}

fn fix(net: &Net, value: ValueId) -> i32 {
    net.ir.fix_of(value).unwrap()
}

/// A reader of a value: nothing, if it is an output of the network, or an operation that takes its strides.
fn read(net: &mut Net, random: &mut Random, value: ValueId) -> ValueId {
    let fix = fix(net, value);
    match random.below(4) {
        0 => value,
        1 => net.requantise(value, "relu", fix - 1),
        2 => net.conv(value, &Conv::same(size(random, 1, 20), 1, fix)),
        _ => net.add(&[value, value], "none", fix),
    }
}

fn some_slice(net: &mut Net, random: &mut Random, value: ValueId, steps: [u32; 4]) -> ValueId {
    let shape = net.shape(value);
    let (mut begin, mut end, mut strides) = (Vec::new(), Vec::new(), Vec::new());
    for (&dim, step) in shape.iter().zip(steps) {
        let first = random.below(dim as u32) as usize;
        begin.push(first);
        end.push(size(random, first as u32 + 1, dim as u32));
        strides.push(size(random, 1, step));
    }
    net.slice(value, &begin, &end, &strides)
}

#[test]
fn slices() {
    on_every_target("slices", 6, |net, random| {
        let shape = [1, size(random, 1, 12), size(random, 1, 12), size(random, 1, 40)];
        let value = computed(net, random, &shape);
        let channel_step = if random.one_in(3) { 3 } else { 1 };
        let part = some_slice(net, random, value, [1, 3, 3, channel_step]);
        read(net, random, part)
    });
}

/// The halves of a map go different ways and meet again.
#[test]
fn split_channels() {
    on_every_target("split", 3, |net, random| {
        let (height, width, half) = (size(random, 3, 10), size(random, 3, 10), size(random, 1, 24));
        let value = computed(net, random, &[1, height, width, 2 * half]);
        let fix = fix(net, value);
        let left = net.slice(value, &[0; 4], &[1, height, width, half], &[1; 4]);
        let right = net.slice(value, &[0, 0, 0, half], &[1, height, width, 2 * half], &[1; 4]);
        let left = net.conv(left, &Conv::same(size(random, 1, 20), 3, fix));
        let right =
            if random.one_in(2) { net.pool(&int8::MAX_POOL, right, [3, 3], [1, 1], [1; 4], fix) } else { right };
        net.concat(&[right, left], 3, fix)
    });
}

#[test]
fn slices_of_other_ranks() {
    on_every_target("slices of ranks", 2, |net, random| {
        let shape: &[usize] = random.pick(&[&[1, 10], &[1, 7, 33], &[1, 3, 3, 4, 5]]);
        let value = computed(net, random, shape);
        let rank = shape.len();
        let mut begin = vec![0; rank];
        begin[rank - 1] = 1;
        let part = net.slice(value, &begin, shape, &vec![1; rank]);
        let fix = fix(net, part);
        net.requantise(part, "none", fix - 1)
    });
}

/// Parts of one fix point are written in place, others are rounded on their way.
#[test]
fn concatenations_along_every_axis() {
    on_every_target("concatenations", 4, |net, random| {
        let axis = size(random, 1, 3);
        let fix = random.between(1, 6) as i32;
        let parts: Vec<ValueId> = (0..size(random, 2, 4))
            .map(|_| {
                let mut shape = [1, 4, 5, 9];
                shape[axis] = size(random, 1, 20);
                let input = net.input(&shape, fix + random.below(3) as i32 - 1);
                net.requantise(input, "relu", fix - random.below(2) as i32)
            })
            .collect();
        let joined = net.concat(&parts, axis, fix);
        let joined = net.requantise(joined, "none", fix - 1);
        net.concat(&[joined, joined], axis, fix)
    });
}

/// What nobody reads by strides is copied: reshapes, outputs, parts of concatenations.
#[test]
fn slices_that_are_copied() {
    on_every_target("copied slices", 2, |net, random| {
        let value = computed(net, random, &[1, 4, 6, 10]);
        let part = some_slice(net, random, value, [1, 2, 2, 1]);
        let shape = net.shape(part);
        let flat = net.reshape(part, &[1, shape.iter().product()]);
        let fix = fix(net, part);
        let sum = net.add(&[part, part], "none", fix);
        let joined = net.concat(&[part, sum], 2, fix);
        let joined = net.reshape(joined, &[1, 2 * shape.iter().product::<usize>()]);
        net.concat(&[flat, joined], 1, fix)
    });
}

#[test]
fn pads() {
    on_every_target("pads", 6, |net, random| {
        let shape = [1, size(random, 3, 9), size(random, 3, 9), size(random, 3, 30)];
        let value = computed(net, random, &shape);
        let mode = random.pick(&["constant", "constant", "symmetric", "reflect"]);
        let channels = if random.one_in(4) { [1, 2] } else { [0, 0] };
        let some = |random: &mut Random| [size(random, 0, 2), size(random, 0, 2)];
        let paddings = [[0, 0], some(random), some(random), channels];
        let fill = random.pick(&[0, 0, -128, 127, 5]);
        let padded = net.pad(value, &paddings, mode, fill);
        read(net, random, padded)
    });
}

/// Borders and mirrors whose constants or copies would be endless are the host's.
#[test]
fn absurd_pads_stay_on_the_host() {
    let reasons = |paddings: &[[usize; 2]; 4], mode: &'static str| {
        let mut net = Net::new(1);
        let input = net.input(&[1, 80, 80, 8], 4);
        let value = net.requantise(input, "relu", 3);
        let padded = net.pad(value, paddings, mode, 0);
        let ir = net.finish(&[padded]);
        let report = compile(ir, &largest(), &Options::default()).unwrap().report;
        report.operations[1].reasons.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        reasons(&[[0, 0], [600, 600], [600, 600], [0, 0]], "constant"),
        ["its border is a constant of 13056000 bytes; up to 4194304 are stored"]
    );
    assert_eq!(
        reasons(&[[0, 0], [40, 40], [0, 0], [0, 0]], "symmetric"),
        ["it mirrors 80 rows and columns, each of which is a copy; up to 64 are made"]
    );
}

#[test]
fn pads_of_inputs() {
    on_every_target("pads of inputs", 2, |net, random| {
        let input = net.input(&[1, 6, 7, size(random, 1, 4)], 4);
        let padded = net.pad(input, &[[0, 0], [1, 2], [2, 1], [0, 0]], random.pick(&["symmetric", "constant"]), -7);
        net.conv(padded, &Conv { pads: [0; 4], ..Conv::same(9, 3, 4) })
    });
}

#[test]
fn space_and_depth() {
    on_every_target("space and depth", 6, |net, random| {
        let block = size(random, 1, 3);
        let order = random.pick(&["dcr", "crd", "reorg"]);
        let rows = if order == "reorg" { block * block } else { block };
        let [height, width, channels] = [rows * size(random, 1, 3), block * size(random, 1, 5), size(random, 1, 20)];
        let moved = if random.one_in(2) {
            let value = computed(net, random, &[1, height, width, channels]);
            net.space_to_depth(value, block, order)
        } else {
            let value = computed(net, random, &[1, height / block, width / block, channels * block * block]);
            net.depth_to_space(value, block, order)
        };
        read(net, random, moved)
    });
}

/// YOLO's focus as the first layer.
#[test]
fn focus() {
    on_every_target("focus", 1, |net, _| {
        let input = net.input(&[1, 16, 18, 3], 6);
        let focus = net.space_to_depth(input, 2, "dcr");
        net.conv(focus, &Conv::same(16, 3, 4))
    });
}

#[test]
fn transpositions() {
    on_every_target("transpositions", 6, |net, random| {
        let shape = [1, size(random, 1, 9), size(random, 1, 9), size(random, 1, 30)];
        let value = computed(net, random, &shape);
        let order = random.pick(&[[0, 2, 1, 3], [0, 3, 1, 2], [0, 2, 3, 1], [0, 1, 3, 2], [0, 3, 2, 1], [0, 1, 2, 3]]);
        let turned = net.transpose(value, &order);
        read(net, random, turned)
    });
}

#[test]
fn bilinear_enlargements() {
    on_every_target("bilinear", 6, |net, random| {
        let shape = [1, size(random, 1, 9), size(random, 1, 9), size(random, 1, 30)];
        let input = net.input(&shape, random.between(2, 6) as i32);
        let half_pixel = random.one_in(2);
        let scale = if half_pixel {
            random.pick(&[[2, 2], [4, 4], [2, 4], [1, 2], [8, 2]])
        } else {
            random.pick(&[[2, 2], [4, 4], [8, 8], [4, 1], [16, 4]])
        };
        net.interpolate(input, scale, half_pixel, random.between(1, 6) as i32)
    });
}

/// Bilinear enlargements of computed maps behind which another operation stands, next to a nearest one.
#[test]
fn enlarged_and_joined() {
    on_every_target("enlarged", 2, |net, random| {
        let channels = size(random, 1, 20);
        let value = computed(net, random, &[1, 5, 6, channels]);
        let fix = fix(net, value);
        let smooth = net.interpolate(value, [2, 2], true, fix);
        let coarse = net.upsample(value, [2, 2], "nearest", fix);
        let joined = net.concat(&[smooth, coarse], 3, fix);
        net.conv(joined, &Conv::same(8, 3, 3))
    });
}
