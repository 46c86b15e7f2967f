//! Nearest-neighbour resizing and concatenation in place.

use dpuc_codegen::Layer;
use dpuc_kernels::reference::resize::{downsample, resize_nearest};
use dpuc_kernels::reference::round::Rescale;
use dpuc_kernels::reference::sampling::Coordinates;

use crate::data::{channels, map_values, side};
use crate::harness::{INPUTS, Memory, OUTPUTS, for_each_case};

#[test]
fn enlargements() {
    for_each_case("enlargements", 20, |target, random| {
        let scale = [random.between(1, 4), random.between(1, 4)];
        let shape = [side(12, random), side(20, random), channels(target, 60, random)];
        let fix = Rescale { input: 3, output: random.pick(&[3, 3, 2, 5]) };
        let mut memory = Memory::new();
        let input = memory.map(INPUTS, shape, fix.input, random);
        let large = [shape[0] * scale[0], shape[1] * scale[1]];
        let output = memory.map(OUTPUTS, [large[0], large[1], shape[2]], fix.output, random);
        let values = map_values(shape, random);
        memory.fill(&input, &values.view());
        let size = large.map(|side| side as usize);
        let enlarged = resize_nearest(&values.view(), size, Coordinates::Asymmetric).expect("a legal reference case");
        let layer = Layer::UpsampleNearest { input, output, scale };
        memory.assert_computes(&layer, &output, &fix.apply(&enlarged.view()).view(), target, random);
    });
}

#[test]
fn reductions() {
    for_each_case("reductions", 20, |target, random| {
        let scale = [random.between(1, 5), random.between(1, 5)];
        let shape = [side(40, random), side(50, random), channels(target, 60, random)];
        let fix = Rescale { input: 3, output: random.pick(&[3, 3, 2, 5]) };
        let mut memory = Memory::new();
        let input = memory.map(INPUTS, shape, fix.input, random);
        let small = [shape[0].div_ceil(scale[0]), shape[1].div_ceil(scale[1]), shape[2]];
        let output = memory.map(OUTPUTS, small, fix.output, random);
        let values = map_values(shape, random);
        memory.fill(&input, &values.view());
        let reduced = downsample(&values.view(), scale.map(|scale| scale as f32)).expect("a legal reference case");
        let layer = Layer::Downsample { input, output, scale };
        memory.assert_computes(&layer, &output, &fix.apply(&reduced.view()).view(), target, random);
    });
}

/// Copies into channel slices of one tensor are a concatenation.
#[test]
fn concatenations_in_place() {
    for_each_case("concatenations", 8, |target, random| {
        let (height, width) = (side(12, random), side(20, random));
        let parts: Vec<u32> = (0..random.between(2, 4)).map(|_| channels(target, 40, random)).collect();
        let mut memory = Memory::new();
        let whole = memory.map(OUTPUTS, [height, width, parts.iter().sum()], 4, random);
        let mut layers = Vec::new();
        let mut expected = Vec::new();
        let mut first = 0;
        for &channels in &parts {
            let fix = Rescale { input: random.between(2, 6) as i32, output: 4 };
            let input = memory.map(INPUTS, [height, width, channels], fix.input, random);
            let values = map_values([height, width, channels], random);
            memory.fill(&input, &values.view());
            let output = whole.channel_slice(first, channels);
            layers.push(Layer::Copy { input, output, relu: false });
            expected.push((output, fix.apply(&values.view())));
            first += channels;
        }
        let after = memory.run(&layers, target, random);
        for (output, values) in &expected {
            memory.fill(output, &values.view());
        }
        memory.assert_equals(&after, &layers);
    });
}
