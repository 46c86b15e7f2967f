//! Limits: what is accepted can be emitted, what is not is explained.

use dpuc_codegen::limits::TABLE;
use dpuc_codegen::{
    Activation, Constant, Convolution, ElementwiseKind, FeatureMap, Layer, Pool, PoolKind, Stream, check, emit,
    hardware_bias, relu6_weight,
};
use dpuc_isa::{Random, Target};

use crate::harness::{cases, for_each_case};

fn map(shape: [u32; 3]) -> FeatureMap {
    FeatureMap::packed(0, 0, shape, 4)
}

fn convolution(input: [u32; 3], output: [u32; 3], kernel: [u32; 2]) -> Convolution {
    Convolution {
        input: map(input),
        output: map(output),
        kernel,
        strides: [1, 1],
        dilations: [1, 1],
        pads: [0; 4],
        weights: Constant::default(),
        weight_fix_point: 4,
        bias: Constant::default(),
        bias_shift: 0,
        activation: Activation::None,
    }
}

fn conv2d(convolution: Convolution) -> Layer {
    Layer::Conv2d { convolution, augment_channels: false }
}

fn pool(input: [u32; 3], output: [u32; 3], kernel: [u32; 2], strides: [u32; 2]) -> Layer {
    let (input, output) = (map(input), map(output));
    Layer::Pool(Pool { kind: PoolKind::Max, input, output, kernel, strides, pads: [0; 4] })
}

/// B4096.
fn target() -> Target {
    Target::registered()[7].clone()
}

/// Emits a layer that is expected to be within the limits.
fn accept(layer: &Layer) {
    let mut stream = Stream::new(&target());
    emit(layer, &mut stream).unwrap_or_else(|error| panic!("{error}\n{layer:#?}"));
    stream.finish().expect("the program is legal");
}

/// The violations of a layer, which must not change the stream.
fn refuse(layer: &Layer) -> Vec<String> {
    let mut stream = Stream::new(&target());
    let error = emit(layer, &mut stream).expect_err("the layer is beyond a limit");
    assert!(stream.instructions().is_empty());
    assert_eq!(check(layer, &target()), Err(error.violations.clone()));
    error.violations.iter().map(ToString::to_string).collect()
}

#[test]
fn convolution_kernels() {
    accept(&conv2d(convolution([16, 16, 4], [1, 1, 4], [16, 16])));
    assert_eq!(
        refuse(&conv2d(convolution([17, 17, 4], [1, 1, 4], [17, 17]))),
        [
            "kernel height 17; the convolution engine takes 1..=16",
            "kernel width 17; the convolution engine takes 1..=16"
        ]
    );
    assert_eq!(
        refuse(&conv2d(convolution([5, 5, 4], [6, 6, 4], [0, 0]))),
        ["kernel height 0; the convolution engine takes 1..=16", "kernel width 0; the convolution engine takes 1..=16"]
    );
}

#[test]
fn argmax_of_signed_bytes() {
    let argmax = |channels, output| Layer::Argmax { input: map([3, 4, channels]), output };
    accept(&argmax(128, map([3, 4, 1])));
    assert_eq!(
        refuse(&argmax(129, map([3, 4, 1]))),
        ["channel count of the argmax 129; an index in a signed byte allows 1..=128"]
    );
    assert_eq!(refuse(&argmax(9, map([3, 4, 2]))), ["output channel count 2; the input of the operator gives 1"]);
    // Save counts all channels of the last pixel.
    let at_end = |spare: u32| FeatureMap::packed(0, (1 << 29) - 12 - spare, [3, 4, 1], 0);
    accept(&argmax(9, at_end(8)));
    assert_eq!(
        refuse(&argmax(9, at_end(7))),
        ["output end of the bytes in DDR 536870913; 29-bit addresses take 1..=536870912"]
    );
    let without = Target { argmax: false, ..target() };
    let violations = check(&argmax(9, map([3, 4, 1])), &without).unwrap_err();
    assert!(violations[0].to_string().starts_with("argmax; the Save of "), "{violations:?}");
}

#[test]
fn convolution_strides() {
    let strided = |stride, kernel| {
        let size = 3 * stride + kernel;
        conv2d(Convolution { strides: [stride; 2], ..convolution([size, size, 4], [4, 4, 4], [kernel; 2]) })
    };
    accept(&strided(8, 2));
    // One row and one column at a time.
    accept(&strided(9, 2));
    accept(&strided(40, 16));
    // A 1 x 1 kernel moves the stride into the Load.
    accept(&strided(9, 1));
    assert_eq!(refuse(&strided(0, 2))[0], "vertical stride 0; the convolution takes 1..=65535");
}

#[test]
fn weights_of_one_output_channel() {
    accept(&conv2d(convolution([16, 8, 256], [1, 1, 3], [16, 8])));
    assert_eq!(
        refuse(&conv2d(convolution([16, 8, 257], [1, 1, 3], [16, 8]))),
        ["lines of weights of one output channel 2176; a weight bank holds 1..=2048"]
    );
    accept(&conv2d(convolution([1, 1, 4096], [1, 1, 3], [1, 1])));
    assert_eq!(
        refuse(&conv2d(convolution([1, 1, 4097], [1, 1, 3], [1, 1]))),
        ["number of input channel groups 257; the convolution engine takes 1..=256"]
    );
}

#[test]
fn pads_and_output_sizes() {
    let padded = |pads, size| conv2d(Convolution { pads, ..convolution([5, 5, 4], [size, size, 4], [3, 3]) });
    accept(&padded([2; 4], 7));
    assert_eq!(refuse(&padded([3, 0, 1, 4], 7))[0], "top pad 3; the extent of the kernel allows 0..=2");
    assert_eq!(
        refuse(&padded([1; 4], 6)),
        [
            "output height 6; the geometry of the operator gives 5",
            "output width 6; the geometry of the operator gives 5"
        ]
    );
    assert_eq!(
        refuse(&padded([0, 0, 4, 0], 7))[0],
        "bottom padding of the last window 4; the extent of the kernel allows at most 2"
    );
}

#[test]
fn pool_windows() {
    let capacity = pool([136, 182, 4], [1, 1, 4], [136, 182], [1, 1]);
    assert_eq!(refuse(&capacity), ["lines of a bank for the smallest tile 3094; a bank holds 1..=2048"]);
    accept(&pool([68, 91, 4], [1, 1, 4], [68, 91], [1, 1]));
    accept(&pool([256, 4, 4], [1, 1, 4], [256, 4], [1, 1]));
    assert_eq!(
        refuse(&pool([257, 4, 4], [1, 1, 4], [257, 4], [1, 1])),
        ["kernel height 257; the misc engine takes 1..=256"]
    );
    assert_eq!(
        refuse(&pool([8, 8, 4], [4, 4, 5], [2, 2], [2, 2])),
        ["output channel count 5; the input of the operator gives 4"]
    );
    let rescaled = |input, output| {
        let mut layer = pool([8, 8, 4], [4, 4, 4], [2, 2], [2, 2]);
        if let Layer::Pool(pool) = &mut layer {
            (pool.input.fix_point, pool.output.fix_point) = (input, output);
        }
        layer
    };
    accept(&rescaled(0, 7));
    accept(&rescaled(55, 0));
    assert_eq!(refuse(&rescaled(0, 8)), ["right shift of the pool -8; the shifter takes -7..=55"]);
}

#[test]
fn shifts() {
    let shifted = |weights, output, bias_shift| {
        let mut convolution = convolution([2, 2, 4], [2, 2, 4], [1, 1]);
        (convolution.weight_fix_point, convolution.output.fix_point) = (weights, output);
        conv2d(Convolution { bias_shift, ..convolution })
    };
    accept(&shifted(59, 0, 20));
    accept(&shifted(0, 4, 0));
    assert_eq!(
        refuse(&shifted(60, 0, 21)),
        [
            "output shift (input + weight - output fix point) 64; the shifter takes 0..=63",
            "bias shift (input + weight - bias fix point + 1) 21; the bias shifter takes 0..=20"
        ]
    );
    assert_eq!(
        refuse(&shifted(0, 5, 0)),
        ["output shift (input + weight - output fix point) -1; the shifter takes 0..=63"]
    );
}

#[test]
fn addresses() {
    let at = |address, row_stride| Layer::Copy {
        input: map([2, 2, 4]),
        output: FeatureMap { address, row_stride, ..map([2, 2, 4]) },
        relu: false,
    };
    accept(&at((1 << 29) - 16, 8));
    assert_eq!(
        refuse(&at((1 << 29) - 15, 8)),
        ["output end of the bytes in DDR 536870913; 29-bit addresses take 1..=536870912"]
    );
    assert_eq!(refuse(&at(0, 7)), ["output row stride 7; rows that do not overlap need 8..=4294967295"]);
    let no_region =
        Layer::Copy { input: FeatureMap { region: 8, ..map([2, 2, 4]) }, output: map([2, 2, 4]), relu: false };
    assert_eq!(refuse(&no_region), ["input DDR region 8; an instruction addresses 0..=7"]);
}

#[test]
fn activations_and_operands() {
    let leaky = |layer: fn(Convolution) -> Layer| {
        layer(Convolution { activation: Activation::LeakyRelu, ..convolution([2, 2, 4], [2, 2, 4], [1, 1]) })
    };
    accept(&leaky(conv2d));
    assert_eq!(
        refuse(&leaky(Layer::DepthwiseConv2d)),
        ["fused leaky ReLU; the misc engine of DPUCZDX8G_ISA1_B4096 fuses none, ReLU and ReLU6"]
    );
    let sum = |kind, count| Layer::Elementwise {
        kind,
        inputs: vec![map([2, 2, 4]); count],
        output: map([2, 2, 4]),
        relu: false,
    };
    accept(&sum(ElementwiseKind::Add, 4));
    assert_eq!(
        refuse(&sum(ElementwiseKind::Add, 5)),
        ["number of operands of a sum 5; the elementwise unit takes 1..=4"]
    );
    assert_eq!(
        refuse(&sum(ElementwiseKind::Multiply, 3)),
        ["number of operands of a product 3; the elementwise unit takes 2"]
    );
    assert_eq!(
        refuse(&sum(ElementwiseKind::Add, 0)),
        ["number of operands of a sum 0; the elementwise unit takes 1..=4"]
    );
}

#[test]
fn bank_groups() {
    let one_group = Target { feature_groups: 1, ..target() };
    let violations = check(&conv2d(convolution([2, 2, 4], [2, 2, 4], [1, 1])), &one_group).unwrap_err();
    assert_eq!(
        violations[0].to_string(),
        "code for fewer than two feature-map bank groups; DPUCZDX8G_ISA1_B4096 has 1: one is needed for inputs, one for outputs"
    );
}

#[test]
fn biases() {
    assert_eq!(hardware_bias(&[-128, 127], 4, 4, 9).unwrap().shift, 0);
    let finer = hardware_bias(&[-80, 32, 9, 20, -18, 71], 5, 5, 16).unwrap();
    assert_eq!((finer.bytes, finer.shift), (vec![-3, 1, 0, 0, -1, 2], 0));
    let far_finer = hardware_bias(&[-1, -128, 0, 127], 0, 0, 1000).unwrap();
    assert_eq!((far_finer.bytes, far_finer.shift), (vec![-1, -1, 0, 0], 0));
    let coarser = hardware_bias(&[-32, 31, 0], 10, 12, 1).unwrap();
    assert_eq!((coarser.bytes, coarser.shift), (vec![-128, 124, 0], 20));
    let zeros = hardware_bias(&[0, 0], i32::MAX, i32::MAX, i32::MIN).unwrap();
    assert_eq!((zeros.bytes, zeros.shift), (vec![0, 0], 20));
    let error = hardware_bias(&[-32, 32], 10, 12, 1).unwrap_err();
    assert_eq!(error.to_string(), "bias shift (input + weight - bias fix point + 1) 22; the bias shifter takes 0..=20");
}

#[test]
fn relu6_weights() {
    assert_eq!(relu6_weight(4, 4), Ok(1));
    assert_eq!(relu6_weight(7, 0), Ok(1));
    assert_eq!(relu6_weight(0, 6), Ok(64));
    assert!(relu6_weight(0, 7).is_err());
    assert!(relu6_weight(i32::MIN, i32::MAX).is_err());
}

#[test]
fn the_table_is_consistent() {
    for limit in TABLE {
        assert!(limit.min <= limit.max, "{limit:?}");
        assert!(!limit.quantity.is_empty() && !limit.taker.is_empty(), "{limit:?}");
    }
}

/// A number that may be anything, mostly next to some limit.
fn wild(random: &mut Random) -> u32 {
    match random.below(40) {
        0 => random.pick(&[0, u32::MAX, 1 << 29, 1 << 31]),
        1 => random.bits() as u32,
        2..6 => random.pick(&[14, 15, 16, 17, 255, 256, 257]),
        _ => random.between(1, 9),
    }
}

fn wild_map(random: &mut Random) -> FeatureMap {
    let mut map = FeatureMap::packed(random.below(9) as u8 % 8, random.below(5000), [0; 3].map(|_| wild(random)), 0);
    if random.one_in(3) {
        map.pixel_stride = map.pixel_stride.saturating_add(random.below(70_000));
        map.row_stride = map.width.saturating_mul(map.pixel_stride);
    }
    if random.one_in(20) {
        (map.row_stride, map.pixel_stride, map.address) = (wild(random), wild(random), wild(random));
    }
    map.fix_point = if random.one_in(20) { random.bits() as i32 } else { random.below(20) as i32 - 6 };
    map
}

/// Makes most outputs fit their operator, so that deeper checks are reached.
fn fitted(size: u32, kernel: u32, stride: u32, dilation: u32, pads: u32, transposed: bool) -> u32 {
    let [size, kernel, stride, dilation, pads] = [size, kernel, stride, dilation, pads].map(i128::from);
    let fitted = if transposed {
        (size - 1) * stride + kernel - pads
    } else {
        (size + pads - (kernel - 1) * dilation - 1) / stride.max(1) + 1
    };
    fitted.clamp(0, i128::from(u32::MAX)) as u32
}

fn wild_layer(random: &mut Random) -> Layer {
    let (input, mut output) = (wild_map(random), wild_map(random));
    let pair = |random: &mut Random| [0; 2].map(|_| wild(random));
    let (kernel, strides) = (pair(random), pair(random));
    let dilations = if random.one_in(2) { [1, 1] } else { pair(random) };
    let pads = [0; 4].map(|_| if random.one_in(2) { 0 } else { wild(random) });
    let kind = random.below(11);
    let resize = |output: FeatureMap, height: u32, width: u32, channels: u32| {
        let sized = FeatureMap::packed(output.region, output.address, [height, width, channels], output.fix_point);
        FeatureMap { ..sized }
    };
    if !random.one_in(10) {
        let along = |axis: usize, size: u32| {
            fitted(
                size,
                kernel[axis],
                strides[axis],
                dilations[axis],
                pads[axis].saturating_add(pads[axis + 2]),
                matches!(kind, 3 | 4),
            )
        };
        output = match kind {
            0..5 => {
                let channels = if matches!(kind, 1 | 3) { input.channels } else { output.channels };
                resize(output, along(0, input.height), along(1, input.width), channels)
            }
            _ => resize(output, input.height, input.width, input.channels),
        };
    }
    let constant = |random: &mut Random| Constant { region: random.below(9) as u8 % 8, address: wild(random) };
    let convolution = Convolution {
        input,
        output,
        kernel,
        strides,
        dilations,
        pads,
        weights: constant(random),
        weight_fix_point: wild(random) as i32,
        bias: constant(random),
        bias_shift: wild(random),
        activation: random.pick(&[Activation::None, Activation::Relu, Activation::Relu6, Activation::LeakyRelu]),
    };
    let relu = random.one_in(2);
    match kind {
        0 => Layer::Conv2d { convolution, augment_channels: random.one_in(3) },
        1 => Layer::DepthwiseConv2d(convolution),
        2 => {
            let kind = random.pick(&[PoolKind::Max, PoolKind::Average]);
            let output = FeatureMap { channels: input.channels, ..output };
            Layer::Pool(Pool { kind, input, output, kernel, strides, pads })
        }
        3 => Layer::TransposedDepthwiseConv2d(convolution),
        4 => Layer::TransposedConv2d(convolution),
        5 => {
            let kind = random.pick(&[ElementwiseKind::Add, ElementwiseKind::Multiply]);
            Layer::Elementwise { kind, inputs: vec![input; random.below(6) as usize], output, relu }
        }
        6 => Layer::Copy { input, output, relu },
        7 => Layer::Relu6 { input, output, scale: constant(random) },
        8 => Layer::LeakyRelu { input, output, slope: random.bits() as i8, slope_fix_point: wild(random) as i32 },
        9 => Layer::HardSigmoid { input, output },
        _ => {
            let scale = pair(random);
            if random.one_in(2) {
                let size = |axis: usize, size: u32| size.saturating_mul(scale[axis]);
                let output = resize(output, size(0, input.height), size(1, input.width), input.channels);
                Layer::UpsampleNearest { input, output, scale }
            } else {
                let size = |axis: usize, size: u32| size.div_ceil(scale[axis].max(1));
                let output = resize(output, size(0, input.height), size(1, input.width), input.channels);
                Layer::Downsample { input, output, scale }
            }
        }
    }
}

/// Whatever the numbers: no panic, and what is accepted becomes a legal program.
#[test]
fn accepted_layers_can_be_emitted() {
    let mut accepted = 0;
    for_each_case("wild layers", 1500, |target, random| {
        let layer = wild_layer(random);
        let verdict = check(&layer, target);
        let mut stream = Stream::new(target);
        let emitted = emit(&layer, &mut stream);
        assert_eq!(verdict.is_ok(), emitted.is_ok(), "{layer:#?}");
        if emitted.is_ok() {
            accepted += 1;
            let program = stream.finish().unwrap_or_else(|error| panic!("{error}\n{layer:#?}"));
            if program.instructions.len() < 2000 {
                let report = dpuc_accel::check(&program.instructions, target, 3);
                assert!(report.is_clean(), "{report:#?}\n{layer:#?}");
            }
        } else {
            assert!(emitted.is_err_and(|error| !error.violations.is_empty()));
        }
    });
    assert!(accepted > 8 * cases(150), "only {accepted} wild layers were within the limits");
}
