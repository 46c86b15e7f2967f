//! Convolutions, poolings and matrix products.

use ndarray::{Array1, Array4, ArrayD};
use proptest::prelude::*;

use super::shared::{Random, assert_within, elements, in_pools, tiers};
use crate::float::{Conv2d, Conv2dParams, DepthwiseConv2d, Function, Matmul, Pool2d, Pool2dParams, Pooling};
use crate::reference::geometry::{Plane, Window};
use crate::simd::{Kernels, Tier};

/// A convolution of any kind.
#[derive(Clone, Debug)]
struct Case {
    input: [usize; 4],
    /// `[out, h, w]`
    kernel: [usize; 3],
    params: Conv2dParams,
    is_transposed: bool,
    is_depthwise: bool,
    seed: u64,
}

impl Case {
    fn weights_shape(&self) -> [usize; 4] {
        let [out, h, w] = self.kernel;
        if self.is_depthwise { [1, h, w, self.input[3]] } else { [out, h, w, self.input[3] / self.params.groups] }
    }

    fn plane(&self) -> Option<Plane> {
        let [_, h, w] = self.kernel;
        let Conv2dParams { strides, dilations, pads, .. } = self.params;
        let window = Window { kernel: [h, w], strides, dilations, pads };
        let plane = if self.is_transposed { Plane::transposed } else { Plane::sliding };
        plane("test", [self.input[1], self.input[2]], &window).ok()
    }

    /// The definition: the sums and the sums of magnitudes.
    fn expected(&self, x: &Array4<f32>, w: &Array4<f32>, bias: &Array1<f32>) -> [ArrayD<f64>; 2] {
        let plane = self.plane().unwrap();
        let channels = if self.is_depthwise { self.input[3] } else { self.kernel[0] };
        let shape = [self.input[0], plane.rows.output, plane.columns.output, channels];
        let sum = |of: fn(f64) -> f64| {
            Array4::from_shape_fn(shape, |(n, y, column, o)| {
                let mut sum = of(f64::from(bias[o]));
                for row in plane.rows.taps(y) {
                    for tap in plane.columns.taps(column) {
                        let depth = if self.is_depthwise { 1 } else { w.dim().3 };
                        for c in 0..depth {
                            let (channel, weight) = if self.is_depthwise {
                                (o, [0, row.kernel, tap.kernel, o])
                            } else {
                                let group = o / (channels / self.params.groups);
                                (group * depth + c, [o, row.kernel, tap.kernel, c])
                            };
                            sum += of(f64::from(x[[n, row.input, tap.input, channel]]) * f64::from(w[weight]));
                        }
                    }
                }
                sum
            })
            .into_dyn()
        };
        [sum(|x| x), sum(f64::abs)]
    }

    fn run(&self, kernels: Kernels, x: &Array4<f32>, w: &Array4<f32>, bias: &Array1<f32>) -> Vec<f32> {
        let (w, bias) = (w.view(), Some(bias.view()));
        let mut output = Vec::new();
        let mut room = |shape: [usize; 4]| output = vec![f32::NAN; shape.iter().product()];
        if self.is_depthwise {
            let build = if self.is_transposed { DepthwiseConv2d::transposed } else { DepthwiseConv2d::new };
            let operator = build(kernels, self.input, &w, bias, &self.params).unwrap();
            room(operator.output_shape());
            operator.run(elements(x), &mut output);
        } else {
            let build = if self.is_transposed { Conv2d::transposed } else { Conv2d::new };
            let operator = build(kernels, self.input, &w, bias, &self.params).unwrap();
            room(operator.output_shape());
            operator.run(elements(x), &mut output);
        }
        output
    }

    fn check(&self) {
        let mut random = Random(self.seed);
        let channels = if self.is_depthwise { self.input[3] } else { self.kernel[0] };
        let (x, w) = (random.whole(self.input), random.whole(self.weights_shape()));
        let bias = random.whole(channels);
        let [expected, _] = self.expected(&x, &w, &bias);
        let (real_x, real_w) = (random.real(self.input), random.real(self.weights_shape()));
        let real_bias = random.real(channels);
        let [sums, magnitudes] = self.expected(&real_x, &real_w, &real_bias);
        let magnitudes: Vec<f64> = magnitudes.iter().copied().collect();
        let products = w.len() as f64 / if self.is_depthwise { channels as f64 } else { self.kernel[0] as f64 };
        let steps = products.min(576.0) + (products / 576.0).ceil() + 1.0;
        for kernels in tiers() {
            let what = (kernels.tier(), self);
            assert_within(&self.run(kernels, &x, &w, &bias), &expected, |_| 0.0, &what);
            let found = self.run(kernels, &real_x, &real_w, &real_bias);
            assert_within(&found, &sums, |i| steps * f64::exp2(-24.0) * magnitudes[i], &what);
        }
    }
}

fn pair(range: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = [usize; 2]> {
    [range.clone(), range]
}

fn cases() -> impl Strategy<Value = Case> {
    let shapes = ([1..3usize, 1..12, 1..20, 1..9], [1..6usize, 1..6, 1..6], 1..5usize);
    let window = (pair(1..=4), pair(1..=3), [0..5usize, 0..5, 0..5, 0..5]);
    let kinds = (any::<[bool; 2]>(), any::<u64>(), prop::sample::select(vec![1, 1, 1, 7, 19, 45]));
    (shapes, window, kinds).prop_filter_map("a window that does not fit", |(shapes, window, kinds)| {
        let ((mut input, mut kernel, groups), (strides, dilations, pads)) = (shapes, window);
        let ([is_transposed, is_depthwise], seed, factor) = kinds;
        let groups = if is_depthwise { 1 } else { groups };
        input[3] *= groups * factor;
        kernel[0] *= groups * if factor == 1 { 8 } else { 3 };
        let dilations = if is_transposed { [1, 1] } else { dilations };
        let params = Conv2dParams { strides, dilations, pads, groups, activation: None };
        let case = Case { input, kernel, params, is_transposed, is_depthwise, seed };
        case.plane().map(|_| case)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn convolutions_equal_their_definition(case in cases()) {
        case.check();
    }
}

/// Depths around the block of sums, columns around one and two vectors, rows around the panels.
#[test]
fn products_of_all_block_sizes() {
    let mut random = Random(3);
    for (rows, depth, columns) in [
        (1, 1, 1),
        (1, 576, 16),
        (13, 575, 17),
        (14, 577, 32),
        (15, 1153, 33),
        (27, 700, 47),
        (230, 3, 64),
        (449, 260, 5),
    ] {
        let (x, w, bias) = (random.whole((rows, depth)), random.whole((depth, columns)), random.whole(columns));
        let expected = (x.dot(&w) + &bias).mapv(f64::from).into_dyn();
        for kernels in tiers() {
            let product = Matmul::new(kernels, &w.view(), Some(bias.view()), None).unwrap();
            let mut output = vec![f32::NAN; rows * columns];
            product.run(elements(&x), &mut output);
            assert_within(&output, &expected, |_| 0.0, &(kernels.tier(), rows, depth, columns));
            let stored = w.t().as_standard_layout().into_owned();
            let product = Matmul::new(kernels, &stored.t(), Some(bias.view()), Some(Function::Relu)).unwrap();
            product.run(elements(&x), &mut output);
            let rectified = expected.mapv(|x| x.max(0.0));
            assert_within(&output, &rectified, |_| 0.0, &(kernels.tier(), rows, depth, columns));
        }
    }
}

#[test]
fn activations_apply_to_the_complete_sum() {
    let mut random = Random(4);
    let (input, kernel) = ([1, 9, 7, 100], [20, 3, 3]);
    for is_depthwise in [false, true] {
        for function in [
            Function::Relu,
            Function::Relu6,
            Function::LeakyRelu(0.25),
            Function::HardSigmoid,
            Function::HardSwish,
            Function::Sigmoid,
            Function::Tanh,
            Function::Silu,
        ] {
            let params = Conv2dParams { pads: [1; 4], ..Conv2dParams::default() };
            let linear = Case { input, kernel, params, is_transposed: false, is_depthwise, seed: 0 };
            let params = Conv2dParams { activation: Some(function), ..params };
            let active = Case { params, ..linear.clone() };
            let (x, w) = (random.whole(input), random.whole(linear.weights_shape()).mapv(|x| x / 64.0));
            let bias = random.whole(if is_depthwise { 100 } else { 20 });
            for kernels in tiers() {
                let mut expected = linear.run(kernels, &x, &w, &bias);
                kernels.map_in_place(function, &mut expected);
                assert_eq!(active.run(kernels, &x, &w, &bias), expected, "{function:?} {:?}", kernels.tier());
            }
        }
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    let mut random = Random(5);
    for (is_transposed, is_depthwise, groups) in
        [(false, false, 1), (true, false, 2), (false, true, 1), (true, true, 1), (false, false, 4)]
    {
        let params = Conv2dParams { strides: [2, 2], pads: [1; 4], groups, ..Conv2dParams::default() };
        let case = Case { input: [2, 31, 33, 64], kernel: [48, 3, 3], params, is_transposed, is_depthwise, seed: 0 };
        let (x, w) = (random.real(case.input), random.real(case.weights_shape()));
        let bias = random.real(if is_depthwise { 64 } else { 48 });
        for kernels in tiers() {
            let [one, three] = in_pools(|| case.run(kernels, &x, &w, &bias));
            assert_eq!(one, three, "{case:?}");
        }
    }
}

#[test]
fn poolings_equal_their_definition() {
    let mut random = Random(6);
    for _ in 0..400 {
        let mut below = |bound| random.below(bound);
        let input = [1 + below(2), 1 + below(14), 1 + below(30), 1 + below(40)];
        let kernel = [1 + below(5), 1 + below(5)];
        let params = Pool2dParams {
            kernel,
            strides: [1 + below(3), 1 + below(3)],
            pads: [below(4), below(4), below(4), below(4)],
        };
        let window = Window { kernel, strides: params.strides, dilations: [1, 1], pads: params.pads };
        let Ok(plane) = Plane::sliding("test", [input[1], input[2]], &window) else { continue };
        let x = random.whole(input);
        let shape = [input[0], plane.rows.output, plane.columns.output, input[3]];
        let fold = |initial: f64, step: fn(f64, f64) -> f64| {
            Array4::from_shape_fn(shape, |(n, y, column, c)| {
                let taps = plane
                    .rows
                    .taps(y)
                    .flat_map(|row| plane.columns.taps(column).map(move |tap| [row.input, tap.input]));
                taps.fold(initial, |sum, [y, column]| step(sum, f64::from(x[[n, y, column, c]])))
            })
            .into_dyn()
        };
        let cells = (kernel[0] * kernel[1]) as f64;
        let maximum = fold(f64::NEG_INFINITY, f64::max);
        let mean = fold(0.0, |sum, x| sum + x).mapv(|sum| f64::from((sum / cells) as f32));
        for (pooling, expected) in [(Pooling::Max, &maximum), (Pooling::Average, &mean)] {
            for kernels in tiers() {
                let operator = Pool2d::new(kernels, pooling, input, &params).unwrap();
                assert_eq!(operator.output_shape(), shape);
                let mut output = vec![f32::NAN; expected.len()];
                operator.run(elements(&x), &mut output);
                assert_within(&output, expected, |_| 0.0, &(kernels.tier(), pooling, input, params));
            }
        }
    }
}

#[test]
fn a_maximum_is_never_nan() {
    for kernels in tiers() {
        let params = Pool2dParams { kernel: [1, 2], strides: [1, 1], pads: [0; 4] };
        let operator = Pool2d::new(kernels, Pooling::Max, [1, 1, 3, 1], &params).unwrap();
        let mut output = [0.0; 2];
        operator.run(&[f32::NAN, -3.0, f32::NAN], &mut output);
        assert_eq!(output, [-3.0; 2]);
    }
}

#[test]
fn wrong_parameters_are_named() {
    let kernels = Kernels::new(Tier::Scalar).unwrap();
    let w = Array4::zeros([4, 3, 3, 2]);
    let message = |input: [usize; 4], params: Conv2dParams| {
        Conv2d::new(kernels, input, &w.view(), None, &params).unwrap_err().to_string()
    };
    let params = Conv2dParams::default();
    assert_eq!(
        message([1, 9, 9, 3], params),
        "conv2d: weights has shape [4, 3, 3, 2], expected [out, kernel_h, kernel_w, 3]"
    );
    assert_eq!(
        message([1, 9, 9, 9], Conv2dParams { groups: 3, ..params }),
        "conv2d: groups are 3, which do not divide 9 input and 4 output channels"
    );
    assert_eq!(message([1, 2, 9, 2], params), "conv2d: kernel spans 3 along the height, but the padded input only 2");
    assert_eq!(
        message([1, 0, 9, 2], params),
        "conv2d: input has shape [1, 0, 9, 2], expected 1 to 2147483648 elements"
    );
    let bias = Array1::zeros(3);
    let error = Conv2d::new(kernels, [1, 9, 9, 2], &w.view(), Some(bias.view()), &params).unwrap_err();
    assert_eq!(error.to_string(), "conv2d: bias has shape [3], expected [4], one per output channel");
    let dilated = Conv2dParams { dilations: [1, 2], ..params };
    let error = Conv2d::transposed(kernels, [1, 9, 9, 2], &w.view(), None, &dilated).unwrap_err();
    assert_eq!(
        error.to_string(),
        "transposed_conv2d: dilations are [1, 2], but a transposed convolution has none: expected [1, 1]"
    );
    assert!(DepthwiseConv2d::new(kernels, [1, 9, 9, 2], &w.view(), None, &params).is_err());
}
