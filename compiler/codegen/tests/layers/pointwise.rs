//! Sums, products, copies and activations.

use dpuc_codegen::{ElementwiseKind, FeatureMap, Layer, argmax_headroom, check, relu6_weight};
use dpuc_isa::{Random, Target};
use dpuc_kernels::reference::activation::{Activation, activate, hard_sigmoid};
use dpuc_kernels::reference::eltwise::{Operand, elementwise_add, elementwise_mul};
use dpuc_kernels::reference::reduce::argmax;
use dpuc_kernels::reference::round::Rescale;
use ndarray::{Array4, Axis, Ix4};

use crate::data::{channels, map_values, side};
use crate::harness::{INPUTS, Memory, OUTPUTS, for_each_case};

fn shape(target: &Target, random: &mut Random) -> [u32; 3] {
    match random.below(12) {
        0 => [random.between(1, 3), random.between(1000, 2600), random.between(1, 5)],
        1 => [random.between(1, 3), random.between(1, 3), random.between(200, 300) * target.channel_parallel as u32],
        _ => [side(30, random), side(40, random), channels(target, 80, random)],
    }
}

/// A case with one input: maps in memory and the input values.
struct Single {
    memory: Memory,
    input: FeatureMap,
    output: FeatureMap,
    values: Array4<i8>,
}

impl Single {
    fn new(fix: Rescale, target: &Target, random: &mut Random) -> Self {
        let shape = shape(target, random);
        let mut memory = Memory::new();
        let input = memory.map(INPUTS, shape, fix.input, random);
        let output = memory.map(OUTPUTS, shape, fix.output, random);
        let values = map_values(shape, random);
        memory.fill(&input, &values.view());
        Self { memory, input, output, values }
    }

    fn check(mut self, layer: &Layer, expected: &Array4<i8>, target: &Target, random: &mut Random) {
        self.memory.assert_computes(layer, &self.output, &expected.view(), target, random);
    }
}

#[test]
fn sums_and_products() {
    for_each_case("elementwise", 60, |target, random| {
        let kind = random.pick(&[ElementwiseKind::Add, ElementwiseKind::Multiply]);
        let count = if kind == ElementwiseKind::Add { random.between(1, 4) } else { 2 };
        let spread = random.pick(&[1, 4, 40]);
        let fix = |random: &mut Random| random.below(spread) as i32 - spread as i32 / 2;
        let (shape, relu, output_fix) = (shape(target, random), random.one_in(2), fix(random));
        let mut memory = Memory::new();
        let mut inputs = Vec::new();
        let mut arrays = Vec::new();
        for _ in 0..count {
            let input = memory.map(INPUTS, shape, fix(random), random);
            let values = map_values(shape, random);
            memory.fill(&input, &values.view());
            inputs.push(input);
            arrays.push(values.into_dyn());
        }
        let operands: Vec<Operand<'_>> = arrays
            .iter()
            .zip(&inputs)
            .map(|(values, input)| Operand { values: values.view(), fix: input.fix_point })
            .collect();
        let expected = match (kind, operands.as_slice()) {
            (ElementwiseKind::Multiply, [a, b]) => elementwise_mul(&[a.clone(), b.clone()], relu, output_fix),
            _ => elementwise_add(&operands, relu, output_fix),
        };
        let expected = expected.expect("a legal reference case").into_dimensionality::<Ix4>().expect("four axes");
        let in_place = random.one_in(3);
        let output = if in_place {
            FeatureMap { fix_point: output_fix, ..inputs[0] }
        } else {
            memory.map(OUTPUTS, shape, output_fix, random)
        };
        let layer = Layer::Elementwise { kind, inputs, output, relu };
        memory.assert_computes(&layer, &output, &expected.view(), target, random);
    });
}

#[test]
fn copies() {
    for_each_case("copies", 40, |target, random| {
        let input = random.below(10) as i32;
        let fix = Rescale { input, output: if random.one_in(2) { input } else { random.below(10) as i32 } };
        let (case, relu) = (Single::new(fix, target, random), random.one_in(3));
        let activation = if relu { Activation::Relu } else { Activation::None };
        let expected = activate(&case.values.view(), activation, fix);
        let layer = Layer::Copy { input: case.input, output: case.output, relu };
        case.check(&layer, &expected, target, random);
    });
}

/// Ties go to the first channel; the bytes of the region that the bounds rule asks for stay as they are.
#[test]
fn argmaxima() {
    for_each_case("argmax", 40, |target, random| {
        let [height, width, _] = shape(target, random);
        let channels = random.pick(&[1, 2, 17, 127, 128, random.clone().between(1, 128)]);
        let layer = |input, output| Layer::Argmax { input, output };
        let mut memory = Memory::new();
        let input = memory.map(INPUTS, [height.min(40), width, channels], 3, random);
        let output = memory.map(OUTPUTS, [input.height, width, 1], 0, random);
        if !target.argmax {
            assert!(check(&layer(input, output), target).is_err());
            return;
        }
        memory.garbage(OUTPUTS, argmax_headroom(channels).after, random);
        let mut values = map_values([input.height, width, channels], random);
        if random.one_in(2) {
            values.mapv_inplace(|value| value.clamp(-1, 1));
        }
        memory.fill(&input, &values.view());
        let indices = argmax(&values.view().into_dyn(), 3).expect("a legal reference case");
        let indices = indices.mapv(|index| index as i8).insert_axis(Axis(3));
        let expected = indices.into_dimensionality::<Ix4>().expect("four axes");
        memory.assert_computes(&layer(input, output), &output, &expected.view(), target, random);
    });
}

#[test]
fn activations() {
    for_each_case("activations", 40, |target, random| match random.below(3) {
        0 => {
            let input = random.below(9) as i32;
            let fix = Rescale { input, output: input + 6 - random.below(20) as i32 };
            let mut case = Single::new(fix, target, random);
            let weight = relu6_weight(fix.input, fix.output).expect("a step of at most 6");
            let scale = case.memory.constant((0..case.input.channels).map(|_| weight), random);
            let expected = activate(&case.values.view(), Activation::Relu6, fix);
            let layer = Layer::Relu6 { input: case.input, output: case.output, scale };
            case.check(&layer, &expected, target, random);
        }
        1 => {
            let fix = Rescale { input: random.below(20) as i32 - 10, output: random.below(20) as i32 - 10 };
            let case = Single::new(fix, target, random);
            let any = (random.below(128) as i8, 5);
            let (slope, slope_fix_point) = random.pick(&[(26, 8), (0, 0), (127, 7), (1, 10), any]);
            let leaky = Activation::PRelu { multiplier: slope, shift: slope_fix_point };
            let expected = activate(&case.values.view(), leaky, fix);
            let layer = Layer::LeakyRelu { input: case.input, output: case.output, slope, slope_fix_point };
            case.check(&layer, &expected, target, random);
        }
        _ => {
            let input = random.below(21) as i32;
            let fix = Rescale { input, output: random.between(0, 14 + input as u32) as i32 };
            let case = Single::new(fix, target, random);
            let expected = hard_sigmoid(&case.values.view(), fix).expect("a fix point of at least 0");
            let layer = Layer::HardSigmoid { input: case.input, output: case.output };
            case.check(&layer, &expected, target, random);
        }
    });
}
