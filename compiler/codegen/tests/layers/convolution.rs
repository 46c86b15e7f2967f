//! Convolutions: plain, dilated, augmented, depthwise, transposed.

use dpuc_codegen::{Activation, Convolution, FeatureMap, Layer, augmentation_headroom, hardware_bias};
use dpuc_isa::{Random, Target};
use dpuc_kernels::reference::activation::Activation as ReferenceActivation;
use dpuc_kernels::reference::conv::{Conv2dParams, Fix, conv2d, depthwise_conv2d};
use dpuc_kernels::reference::transposed_conv::{transposed_conv2d, transposed_depthwise_conv2d};
use ndarray::{Array1, Array4, s};

use crate::data::{channels, map_values, side, values};
use crate::harness::{INPUTS, Memory, OUTPUTS, for_each_case};

/// The member of the family under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Member {
    Dense,
    Augmented,
    Depthwise,
    Transposed,
    TransposedDepthwise,
}

/// Geometry of a case.
#[derive(Clone, Copy, Debug)]
struct Shape {
    input: [u32; 3],
    output_channels: u32,
    kernel: [u32; 2],
    strides: [u32; 2],
    dilations: [u32; 2],
    pads: [u32; 4],
}

impl Member {
    fn is_depthwise(self) -> bool {
        matches!(self, Self::Depthwise | Self::TransposedDepthwise)
    }

    /// Runs the reference.
    fn reference(
        self,
        input: &Array4<i8>,
        weights: &Array4<i8>,
        bias: &Array1<i8>,
        params: &Conv2dParams,
    ) -> Array4<i8> {
        let run = match self {
            Self::Dense | Self::Augmented => conv2d,
            Self::Depthwise => depthwise_conv2d,
            Self::Transposed => transposed_conv2d,
            Self::TransposedDepthwise => transposed_depthwise_conv2d,
        };
        run(&input.view(), &weights.view(), Some(bias.view()), params).expect("a legal reference case")
    }

    fn layer(self, convolution: Convolution) -> Layer {
        match self {
            Self::Dense | Self::Augmented => Layer::Conv2d { convolution, augment_channels: self == Self::Augmented },
            Self::Depthwise => Layer::DepthwiseConv2d(convolution),
            Self::Transposed => Layer::TransposedConv2d(convolution),
            Self::TransposedDepthwise => Layer::TransposedDepthwiseConv2d(convolution),
        }
    }
}

/// Fix points that keep most results in range, or extreme ones.
fn fix_points(products: u32, random: &mut Random) -> Fix {
    let (input, weights) = (random.below(12) as i32 - 2, random.below(14) as i32 - 2);
    let typical = 7 + products.ilog2().div_ceil(2) as i32;
    let cut = match random.below(10) {
        0 => 0,
        1 => 63,
        2 => random.below(64) as i32,
        _ => typical + random.below(3) as i32 - 1,
    };
    let bias_shift = match random.below(8) {
        0 => 20,
        1 => 0,
        2 => -(random.below(12) as i32),
        _ => random.below(typical as u32 + 4) as i32,
    };
    Fix { input, weights, bias: input + weights + 1 - bias_shift, output: input + weights - cut }
}

fn check(member: Member, shape: Shape, target: &Target, random: &mut Random) {
    let Shape { input: [_, _, input_channels], output_channels, kernel, strides, dilations, pads } = shape;
    let products = kernel[0] * kernel[1] * if member.is_depthwise() { 1 } else { input_channels };
    let fix = fix_points(products, random);
    let codes = if member.is_depthwise() { 3 } else { 4 };
    let (activation, reference_activation) = [
        (Activation::None, ReferenceActivation::None),
        (Activation::Relu, ReferenceActivation::Relu),
        (Activation::Relu6, ReferenceActivation::Relu6),
        (Activation::LeakyRelu, ReferenceActivation::LeakyRelu),
    ][random.below(codes) as usize];
    let input_values = map_values(shape.input, random);
    let filters = if member.is_depthwise() { 1 } else { output_channels };
    let weight_shape = [filters, kernel[0], kernel[1], input_channels].map(|n| n as usize);
    let weight_values = Array4::from_shape_vec(weight_shape, values(weight_shape.iter().product(), random)).unwrap();
    let bias_values = Array1::from(values(output_channels as usize, random));
    let pair = |[h, w]: [u32; 2]| [h as usize, w as usize];
    let params = Conv2dParams {
        strides: pair(strides),
        dilations: pair(dilations),
        pads: pads.map(|pad| pad as usize),
        fix,
        activation: reference_activation,
    };
    let expected = member.reference(&input_values, &weight_values, &bias_values, &params);

    let mut memory = Memory::new();
    let bias = hardware_bias(bias_values.as_slice().unwrap(), fix.input, fix.weights, fix.bias).unwrap();
    let weights = memory.constant(weight_values.iter().copied(), random);
    let bias_constant = memory.constant(bias.bytes.iter().copied(), random);
    let (_, height, width, _) = expected.dim();
    let output = memory.map(OUTPUTS, [height as u32, width as u32, output_channels], fix.output, random);
    let mut convolution = Convolution {
        input: FeatureMap::packed(INPUTS, 0, shape.input, fix.input),
        output,
        kernel,
        strides,
        dilations,
        pads,
        weights,
        weight_fix_point: fix.weights,
        bias: bias_constant,
        bias_shift: bias.shift,
        activation,
    };
    if member == Member::Augmented {
        let headroom = augmentation_headroom(&convolution);
        memory.garbage(INPUTS, headroom.before, random);
        convolution.input.address = headroom.before;
        memory.garbage(INPUTS, shape.input.iter().product::<u32>() + headroom.after, random);
    } else {
        convolution.input = memory.map(INPUTS, shape.input, fix.input, random);
    }
    memory.fill(&convolution.input, &input_values.view());
    memory.assert_computes(&member.layer(convolution), &output, &expected.view(), target, random);
}

/// A pad below the extent of a dilated kernel, and not above what the fields count.
fn pad(kernel: u32, dilation: u32, random: &mut Random) -> u32 {
    random.below((kernel - 1) * dilation + 1).min(15)
}

fn pads(kernel: [u32; 2], dilations: [u32; 2], random: &mut Random) -> [u32; 4] {
    [0, 1, 0, 1].map(|axis: usize| if random.one_in(3) { 0 } else { pad(kernel[axis], dilations[axis], random) })
}

/// Makes the padded input at least as large as the kernel.
fn enlarge(input: &mut [u32; 3], kernel: [u32; 2], dilations: [u32; 2], pads: [u32; 4]) {
    for axis in 0..2 {
        let extent = (kernel[axis] - 1) * dilations[axis] + 1;
        input[axis] = input[axis].max(extent.saturating_sub(pads[axis] + pads[axis + 2]));
    }
}

/// Bounds the multiplications of a case.
fn fits_budget(shape: &Shape, depthwise: bool) -> bool {
    let channels = u64::from(shape.input[2]) * if depthwise { 1 } else { u64::from(shape.output_channels) };
    let pixels = u64::from(shape.input[0]) * u64::from(shape.input[1]);
    pixels * u64::from(shape.kernel[0] * shape.kernel[1]) * channels < 600_000
}

fn sliding(depthwise: bool, kernel_max: u32, dilation_max: u32, target: &Target, random: &mut Random) -> Shape {
    loop {
        let kernel = [0; 2].map(|_| if random.one_in(4) { 1 } else { random.between(1, kernel_max) });
        let dilations = [0; 2].map(|_| random.between(1, dilation_max));
        let strides = [0; 2].map(|_| if random.one_in(2) { 1 } else { random.between(1, 4) });
        let pads = pads(kernel, dilations, random);
        let mut input = [side(24, random), side(40, random), channels(target, 70, random)];
        enlarge(&mut input, kernel, dilations, pads);
        let output_channels = if depthwise { input[2] } else { channels(target, 70, random) };
        let shape = Shape { input, output_channels, kernel, strides, dilations, pads };
        if fits_budget(&shape, depthwise) {
            return shape;
        }
    }
}

#[test]
fn plain_convolutions() {
    for_each_case("conv", 60, |target, random| {
        let shape = sliding(false, 7, 1, target, random);
        check(Member::Dense, shape, target, random);
    });
}

#[test]
fn large_kernels_and_strides() {
    for_each_case("large kernels", 15, |target, random| {
        let kernel = [random.between(9, 16), random.pick(&[1, 2, 3, 16])];
        let strides = [random.between(1, 20), random.between(1, 20)];
        let pads = pads(kernel, [1, 1], random);
        let mut input = [side(50, random), side(20, random), random.between(1, 6)];
        enlarge(&mut input, kernel, [1, 1], pads);
        let shape = Shape { input, output_channels: random.between(1, 4), kernel, strides, dilations: [1, 1], pads };
        check(Member::Dense, shape, target, random);
        let depthwise = Shape { output_channels: input[2], ..shape };
        check(Member::Depthwise, depthwise, target, random);
    });
}

#[test]
fn dilated_convolutions() {
    for_each_case("dilated", 25, |target, random| {
        let member = random.pick(&[Member::Dense, Member::Depthwise]);
        let shape = sliding(member.is_depthwise(), 4, 6, target, random);
        check(member, shape, target, random);
    });
}

#[test]
fn depthwise_convolutions() {
    for_each_case("depthwise", 50, |target, random| {
        let shape = sliding(true, 7, 1, target, random);
        check(Member::Depthwise, shape, target, random);
    });
}

#[test]
fn tall_depthwise_kernels() {
    for_each_case("tall depthwise", 6, |target, random| {
        let kernel = [random.between(17, 100), random.between(1, 4)];
        let input = [kernel[0] + random.below(20), kernel[1] + random.below(9), random.between(1, 20)];
        let strides = [random.between(1, 3), 1];
        let shape = Shape {
            input,
            output_channels: input[2],
            kernel,
            strides,
            dilations: [1, 1],
            pads: [random.below(16), 0, 0, 0],
        };
        check(Member::Depthwise, shape, target, random);
    });
}

#[test]
fn augmented_convolutions() {
    for_each_case("augmented", 40, |target, random| {
        let (kernel, strides, channels) = loop {
            let kernel = [random.pick(&[1, 2, 3, 5, 7]), random.pick(&[1, 2, 3, 5, 7, 11])];
            let (strides, channels) = ([random.between(1, 3), random.between(1, 3)], random.between(1, 4));
            if strides[1] <= kernel[1] && kernel[1] * channels <= 2 * target.channel_parallel as u32 {
                break (kernel, strides, channels);
            }
        };
        let mut pads = pads(kernel, [1, 1], random);
        let line = target.channel_parallel as u32;
        let filler = (kernel[1] * channels).next_multiple_of(line) - kernel[1] * channels;
        pads[1] = pads[1].min(31 / channels);
        pads[3] = pads[3].min((31 - filler) / channels);
        let mut input = [side(24, random), side(60, random), channels];
        enlarge(&mut input, kernel, [1, 1], pads);
        let shape = Shape { input, output_channels: random.between(1, 20), kernel, strides, dilations: [1, 1], pads };
        check(Member::Augmented, shape, target, random);
    });
}

#[test]
fn transposed_convolutions() {
    for_each_case("transposed", 30, |target, random| {
        let member = random.pick(&[Member::Transposed, Member::TransposedDepthwise]);
        let shape = loop {
            let (kernel, strides) = ([0; 2].map(|_| random.between(1, 6)), [0; 2].map(|_| random.between(1, 4)));
            let input = [side(15, random), side(20, random), channels(target, 50, random)];
            let output_channels = if member.is_depthwise() { input[2] } else { channels(target, 50, random) };
            let pads = [0, 1, 0, 1].map(|axis: usize| random.below(kernel[axis] + 1));
            let shape = Shape { input, output_channels, kernel, strides, dilations: [1, 1], pads };
            let full = |axis: usize| (input[axis] - 1) * strides[axis] + kernel[axis];
            let remains = (0..2).all(|axis| full(axis) > pads[axis] + pads[axis + 2]);
            if remains && fits_budget(&shape, member.is_depthwise()) {
                break shape;
            }
        };
        check(member, shape, target, random);
    });
}

#[test]
fn fully_connected_layers() {
    for_each_case("fully connected", 10, |target, random| {
        let input = [random.between(1, 6), random.between(1, 6), random.between(1, 200)];
        let output_channels = random.between(1, 120);
        let kernel = [input[0], input[1]];
        let shape = Shape { input, output_channels, kernel, strides: [1, 1], dilations: [1, 1], pads: [0; 4] };
        check(Member::Dense, shape, target, random);
    });
}

/// Weights beyond the ring, wide maps, wide pixels: each forces one kind of cut.
#[test]
fn shapes_that_must_be_cut() {
    for_each_case("cuts", 1, |target, random| {
        let width = target.channel_parallel as u32;
        let plain = |input, output_channels, kernel| Shape {
            input,
            output_channels,
            kernel,
            strides: [1, 1],
            dilations: [1, 1],
            pads: [0; 4],
        };
        check(Member::Dense, plain([9, 6, 40 * width], 7 * width + 1, [3, 3]), target, random);
        check(Member::Dense, plain([2, 2600, 3], 5, [1, 2]), target, random);
        check(Member::Dense, plain([1, 3, 256 * width], 3, [1, 1]), target, random);
        check(Member::Dense, plain([1, 1, 8], 1500, [1, 1]), target, random);
        check(Member::Dense, plain([16, 16, 8 * width], 2, [16, 16]), target, random);
        check(Member::Dense, plain([11, 130, 2 * width + 1], width, [3, 3]), target, random);
        check(Member::Depthwise, plain([5, 4, 300 * width], 300 * width, [3, 3]), target, random);
        check(Member::Depthwise, plain([3, 2600, 9], 9, [2, 2]), target, random);
        check(Member::Depthwise, plain([130, 20, 3 * width + 2], 3 * width + 2, [3, 3]), target, random);
        let augmented = plain([3, 2600, 3], 5, [3, 3]);
        check(Member::Augmented, Shape { pads: [1, 1, 1, 1], ..augmented }, target, random);
    });
}

/// Kernel taps and pixels further apart than one instruction can jump.
#[test]
fn distances_beyond_the_jump_fields() {
    for_each_case("far apart", 1, |target, random| {
        let width = target.channel_parallel as u32;
        let strided = |input, output_channels, kernel, stride| Shape {
            input,
            output_channels,
            kernel,
            strides: [1, stride],
            dilations: [1, 1],
            pads: [0; 4],
        };
        check(Member::Transposed, strided([1, 2, 256 * width], 2, [1, 80], 40), target, random);
        check(Member::TransposedDepthwise, strided([2, 2, 300 * width], 300 * width, [1, 60], 30), target, random);
        let dilated = strided([1, 20, 256 * width], 2, [1, 2], 1);
        check(Member::Dense, Shape { dilations: [1, 18], ..dilated }, target, random);
    });
}

/// Large dilation on a small map: some phases see nothing but padding.
#[test]
fn windows_of_pure_padding() {
    for_each_case("pure padding", 8, |target, random| {
        let kernel = [random.between(2, 3), random.between(1, 3)];
        let dilations = [random.between(3, 15), random.between(3, 15)];
        let pads =
            [0, 1, 0, 1].map(|axis: usize| ((kernel[axis] - 1) * dilations[axis]).saturating_sub(random.below(3)));
        let mut input = [random.between(1, 3), random.between(1, 3), random.between(1, 20)];
        enlarge(&mut input, kernel, dilations, pads);
        let shape = Shape { input, output_channels: input[2], kernel, strides: [1, 1], dilations, pads };
        check(random.pick(&[Member::Dense, Member::Depthwise]), shape, target, random);
    });
}

/// The harness must notice a wrong result.
#[test]
#[should_panic(expected = "differ")]
fn a_wrong_expectation_fails() {
    let target = &Target::registered()[0];
    let mut random = Random::new(1);
    let mut memory = Memory::new();
    let input = memory.map(INPUTS, [2, 2, 3], 0, &mut random);
    let output = memory.map(OUTPUTS, [2, 2, 3], 0, &mut random);
    let mut input_values = map_values([2, 2, 3], &mut random);
    memory.fill(&input, &input_values.view());
    input_values.slice_mut(s![0, 1, 1, 2]).map_inplace(|value| *value = value.wrapping_add(1));
    let layer = Layer::Copy { input, output, relu: false };
    memory.assert_computes(&layer, &output, &input_values.view(), target, &mut random);
}
