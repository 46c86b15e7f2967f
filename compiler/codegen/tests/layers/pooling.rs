//! Max and average pools.

use dpuc_codegen::{Layer, Pool, PoolKind, average_factor};
use dpuc_isa::{Random, Target};
use dpuc_kernels::reference::pool::{self, Pool2dParams, avg_pool, max_pool};
use dpuc_kernels::reference::round::Rescale;

use crate::data::{channels, map_values, side};
use crate::harness::{INPUTS, Memory, OUTPUTS, for_each_case};

struct Shape {
    input: [u32; 3],
    kernel: [u32; 2],
    strides: [u32; 2],
    pads: [u32; 4],
}

fn check(kind: PoolKind, shape: &Shape, target: &Target, random: &mut Random) {
    let Shape { input, kernel, strides, pads } = *shape;
    let input_fix = random.below(12) as i32 - 3;
    let step = if random.one_in(2) { 0 } else { random.below(9) as i32 - 2 };
    let least = if kind == PoolKind::Average { -(average_factor(kernel).1 as i32) } else { 0 };
    let output_fix = (input_fix + step).min(input_fix + 7 - least);
    let pair = |[h, w]: [u32; 2]| [h as usize, w as usize];
    let params = Pool2dParams {
        kernel: pair(kernel),
        strides: pair(strides),
        pads: pads.map(|pad| pad as usize),
        fix: Rescale { input: input_fix, output: output_fix },
    };
    let values = map_values(input, random);
    let run = match kind {
        PoolKind::Max => max_pool,
        PoolKind::Average => avg_pool,
    };
    let expected = run(&values.view(), &params).expect("a legal reference case");
    let (_, height, width, _) = expected.dim();
    let mut memory = Memory::new();
    let input = memory.map(INPUTS, input, input_fix, random);
    let output = memory.map(OUTPUTS, [height as u32, width as u32, input.channels], output_fix, random);
    memory.fill(&input, &values.view());
    let layer = Layer::Pool(Pool { kind, input, output, kernel, strides, pads });
    memory.assert_computes(&layer, &output, &expected.view(), target, random);
}

#[test]
fn pools() {
    for_each_case("pools", 70, |target, random| {
        let kernel = [0; 2].map(|_| random.between(1, 14));
        let strides = [0; 2].map(|_| random.between(1, 4));
        let pads = [0, 1, 0, 1].map(|axis: usize| if random.one_in(2) { 0 } else { random.below(kernel[axis]) });
        let mut input = [side(30, random), side(40, random), channels(target, 60, random)];
        for axis in 0..2 {
            input[axis] = input[axis].max(kernel[axis].saturating_sub(pads[axis] + pads[axis + 2]));
        }
        let kind = random.pick(&[PoolKind::Max, PoolKind::Average]);
        check(kind, &Shape { input, kernel, strides, pads }, target, random);
    });
}

#[test]
fn global_and_tall_pools() {
    for_each_case("tall pools", 12, |target, random| {
        // The window must leave room in the banks for rows that do not fill them evenly.
        let height = random.between(14, 100);
        let kernel = [height, random.between(1, 60).min(1200 * target.pixel_parallel as u32 / height)];
        let extra = if random.one_in(2) { [0, 0] } else { [random.below(30), random.below(6)] };
        let input = [kernel[0] + extra[0], kernel[1] + extra[1], random.between(1, 20)];
        let kind = random.pick(&[PoolKind::Max, PoolKind::Average]);
        let strides = [random.between(1, 20), random.between(1, 5)];
        check(kind, &Shape { input, kernel, strides, pads: [0; 4] }, target, random);
    });
}

#[test]
fn wide_pools() {
    for_each_case("wide pools", 2, |target, random| {
        let input = [random.between(3, 9), random.between(1100, 2600), random.between(1, 9)];
        let strides = [random.between(1, 3), random.between(1, 3)];
        check(PoolKind::Max, &Shape { input, kernel: [3, 3], strides, pads: [1; 4] }, target, random);
        let input = [random.between(3, 9), random.between(5, 9), 270 * target.channel_parallel as u32];
        check(PoolKind::Average, &Shape { input, kernel: [3, 3], strides: [2, 2], pads: [0; 4] }, target, random);
    });
}

#[test]
fn factors_equal_the_reference() {
    for height in 1..=256u32 {
        for width in 1..=256u32 {
            let reference = pool::average_factor([height as usize, width as usize]);
            let (factor, shift) = average_factor([height, width]);
            assert_eq!((i64::from(factor), shift), (reference.multiplier, reference.shift), "{height} x {width}");
            assert!(factor <= 127, "{height} x {width} needs the factor {factor}");
        }
    }
}
