//! Operators of several maps in one window, and products with a vector.

use dpuc_codegen::{Activation, Constant, Extreme, FeatureMap, Layer, WeightedSum};
use dpuc_isa::{Random, Target};
use dpuc_kernels::reference::activation::{Activation as Reference, prelu};
use dpuc_kernels::reference::eltwise::{Operand, channel_scale, elementwise_max, elementwise_min, elementwise_sub};
use dpuc_kernels::reference::round::{Rescale, rsat};
use ndarray::{Array1, Array4, ArrayD, Ix4};

use crate::data::{channels, map_values, side, values};
use crate::harness::{INPUTS, Memory, OUTPUTS, for_each_case};

fn shape(target: &Target, random: &mut Random) -> [u32; 3] {
    match random.below(12) {
        0 => [random.between(1, 3), random.between(1000, 2600), random.between(1, 5)],
        1 => [random.between(1, 3), random.between(1, 3), random.between(200, 300) * target.channel_parallel as u32],
        _ => [side(30, random), side(40, random), channels(target, 80, random)],
    }
}

/// Maps in memory and their values.
struct Operands {
    memory: Memory,
    shape: [u32; 3],
    maps: Vec<FeatureMap>,
    arrays: Vec<ArrayD<i8>>,
}

impl Operands {
    fn new(fixes: &[i32], target: &Target, random: &mut Random) -> Self {
        let (shape, mut memory) = (shape(target, random), Memory::new());
        let (mut maps, mut arrays) = (Vec::new(), Vec::new());
        for &fix in fixes {
            let map = memory.map(INPUTS, shape, fix, random);
            let values = map_values(shape, random);
            memory.fill(&map, &values.view());
            maps.push(map);
            arrays.push(values.into_dyn());
        }
        Self { memory, shape, maps, arrays }
    }

    fn operands(&self) -> Vec<Operand<'_>> {
        let pairs = self.arrays.iter().zip(&self.maps);
        pairs.map(|(values, map)| Operand { values: values.view(), fix: map.fix_point }).collect()
    }

    /// The same bytes for every channel, one group of them for each element of `each`.
    fn vectors(&mut self, each: &[i8], random: &mut Random) -> Constant {
        let channels = self.shape[2] as usize;
        self.memory.constant(each.iter().flat_map(|&value| std::iter::repeat_n(value, channels)), random)
    }

    fn check(mut self, layer: &Layer, output: &FeatureMap, expected: ArrayD<i8>, target: &Target, random: &mut Random) {
        let expected: Array4<i8> = expected.into_dimensionality::<Ix4>().expect("four axes");
        self.memory.assert_computes(layer, output, &expected.view(), target, random);
    }
}

#[test]
fn weighted_sums() {
    for_each_case("weighted sums", 30, |target, random| {
        let count = random.between(1, 8) as usize;
        let fixes = vec![0; count];
        let mut case = Operands::new(&fixes, target, random);
        let each = values(count, random);
        let (weights, zeros) = (case.vectors(&each, random), case.vectors(&[0], random));
        let rectified = random.below(count as u32 + 1);
        let (product_fix_point, relu) = (random.below(20) as i32, random.one_in(2));
        let shift = random.below(12) as i32;
        let output = case.memory.map(OUTPUTS, case.shape, product_fix_point - shift, random);
        let mut sums = case.arrays[0].mapv(|_| 0i64);
        for (k, (array, &weight)) in case.arrays.iter().zip(&each).enumerate() {
            let rectified = |x: i8| if (k as u32) < rectified { x.max(0) } else { x };
            sums.zip_mut_with(array, |sum, &x| *sum += i64::from(rectified(x)) * i64::from(weight));
        }
        let expected = sums.mapv(|sum| rsat(if relu { sum.max(0) } else { sum }, shift.into()));
        let inputs = case.maps.clone();
        let sum = WeightedSum { inputs, output, rectified, weights, product_fix_point, zeros, relu };
        case.check(&Layer::WeightedSum(sum), &output, expected, target, random);
    });
}

#[test]
fn differences_of_any_fix_points() {
    for_each_case("differences", 12, |target, random| {
        let coarse = random.below(10) as i32 - 4;
        let mut fixes = [coarse, coarse + random.below(7) as i32];
        if random.one_in(2) {
            fixes.reverse();
        }
        let finest = fixes[0].max(fixes[1]);
        let mut case = Operands::new(&fixes, target, random);
        let each = [1i8 << (finest - fixes[0]), -(1i8 << (finest - fixes[1]))];
        let (weights, zeros) = (case.vectors(&each, random), case.vectors(&[0], random));
        let relu = random.one_in(2);
        let output = case.memory.map(OUTPUTS, case.shape, finest - random.below(9) as i32, random);
        let expected = elementwise_sub(&case.operands(), relu, output.fix_point).expect("a legal case");
        let inputs = case.maps.clone();
        let sum = WeightedSum { inputs, output, rectified: 0, weights, product_fix_point: finest, zeros, relu };
        case.check(&Layer::WeightedSum(sum), &output, expected, target, random);
    });
}

#[test]
fn slopes_of_either_sign() {
    for_each_case("slopes", 12, |target, random| {
        let mut case = Operands::new(&[random.below(9) as i32 - 2], target, random);
        let slopes: Vec<i8> = values(case.shape[2] as usize, random).into_iter().map(|slope| slope.max(-63)).collect();
        let taps: Vec<i8> = slopes.iter().map(|slope| 64 - slope).chain(slopes.iter().copied()).collect();
        let (weights, zeros) = (case.memory.constant(taps, random), case.vectors(&[0], random));
        let input = case.maps[0];
        let product_fix_point = input.fix_point + 6;
        let output = case.memory.map(OUTPUTS, case.shape, product_fix_point - random.below(9) as i32, random);
        let fix = Rescale { input: input.fix_point, output: output.fix_point };
        let expected = prelu(&case.arrays[0].view(), &Array1::from_vec(slopes).view(), 6, fix).expect("a legal case");
        let inputs = vec![input; 2];
        let sum = WeightedSum { inputs, output, rectified: 1, weights, product_fix_point, zeros, relu: false };
        case.check(&Layer::WeightedSum(sum), &output, expected, target, random);
    });
}

#[test]
fn maxima_and_minima() {
    for_each_case("extremes", 20, |target, random| {
        let fix = random.below(9) as i32 - 2;
        let count = random.between(1, 6) as usize;
        let mut case = Operands::new(&vec![fix; count], target, random);
        let is_minimum = random.one_in(2);
        let step = if is_minimum { random.below(9) as i32 } else { random.below(12) as i32 - 6 };
        let output = case.memory.map(OUTPUTS, case.shape, fix - step, random);
        let reference = if is_minimum { elementwise_min } else { elementwise_max };
        let expected = reference(&case.operands(), false, output.fix_point).expect("a legal case");
        let minus_ones = is_minimum.then(|| case.vectors(&[-1], random));
        let extreme = Extreme { inputs: case.maps.clone(), output, minus_ones };
        case.check(&Layer::Extreme(extreme), &output, expected, target, random);
    });
}

#[test]
fn products_with_a_vector() {
    for_each_case("vector products", 20, |target, random| {
        let (input_fix, scale_fix_point) = (random.below(9) as i32, random.below(9) as i32);
        let mut case = Operands::new(&[input_fix], target, random);
        let scales = Array1::from_vec(values(case.shape[2] as usize, random));
        let scale = case.memory.constant(scales.iter().copied(), random);
        let step = random.below((input_fix + scale_fix_point + 1).min(20) as u32) as i32;
        let output = case.memory.map(OUTPUTS, case.shape, input_fix + scale_fix_point - step, random);
        let fix = Rescale { input: input_fix, output: output.fix_point };
        let plain = channel_scale(&case.arrays[0].view(), &scales.view(), scale_fix_point, fix).expect("a legal case");
        let activation = random.pick(&[Activation::None, Activation::Relu, Activation::Relu6]);
        let reference = match activation {
            Activation::Relu => Reference::Relu,
            Activation::Relu6 => Reference::Relu6,
            _ => Reference::None,
        };
        let expected = plain.mapv(|q| reference.apply(q.into(), output.fix_point.into(), output.fix_point));
        let input = case.maps[0];
        let layer = Layer::ChannelScale { input, output, scale, scale_fix_point, activation };
        case.check(&layer, &output, expected, target, random);
    });
}
