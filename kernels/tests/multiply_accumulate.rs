//! The packed multiply-accumulate operators against the reference, on every tier of this machine.

use dpuc_kernels::int8::{Convolution, Depthwise, Encoding, Encodings, MatMul};
use dpuc_kernels::reference::activation::Activation;
use dpuc_kernels::reference::conv::{Conv2dParams, Fix, depthwise_conv2d, fully_connected, grouped_conv2d};
use dpuc_kernels::reference::transposed_conv::{transposed_conv2d, transposed_depthwise_conv2d};
use dpuc_kernels::simd::{Kernels, Tier};
use ndarray::{Array1, Array2, Array4, ArrayView1, ArrayView4};
use proptest::prelude::*;
use proptest::sample::select;

fn tiers() -> impl Iterator<Item = Kernels> {
    Tier::ALL.into_iter().filter_map(Kernels::new)
}

const ENCODINGS: [Encodings; 4] = [
    Encodings { input: Encoding::Signed, output: Encoding::Signed },
    Encodings { input: Encoding::Offset, output: Encoding::Offset },
    Encodings { input: Encoding::Signed, output: Encoding::Offset },
    Encodings { input: Encoding::Offset, output: Encoding::Signed },
];

/// The common shape of `scratch_bytes` and `run`.
trait Operator {
    fn scratch_bytes(&self) -> usize;
    fn run(&self, input: &[u8], output: &mut [u8], scratch: &mut [u8]);
}

macro_rules! operators {
    ($($name:ident),*) => {
        $(impl Operator for $name {
            fn scratch_bytes(&self) -> usize {
                self.scratch_bytes()
            }

            fn run(&self, input: &[u8], output: &mut [u8], scratch: &mut [u8]) {
                self.run(input, output, scratch);
            }
        })*
    };
}

operators!(Convolution, Depthwise, MatMul);

/// Runs an operator on memory that held something else before.
fn run(operator: &impl Operator, input: &[i8], outputs: usize, encodings: Encodings) -> Vec<i8> {
    let input: Vec<u8> = input.iter().map(|&q| encodings.input.encode(q)).collect();
    let (mut output, mut scratch) = (vec![0x5a; outputs], vec![0xa5; operator.scratch_bytes()]);
    operator.run(&input, &mut output, &mut scratch);
    output.into_iter().map(|byte| encodings.output.decode(byte)).collect()
}

/// Extremes and zeros as often as anything in between.
fn codes(count: usize) -> impl Strategy<Value = Vec<i8>> {
    let extreme = prop_oneof![Just(-128i8), Just(127), Just(0)];
    prop_oneof![
        4 => prop::collection::vec(any::<i8>(), count),
        2 => prop::collection::vec(prop_oneof![extreme.clone(), any::<i8>()], count),
        1 => extreme.prop_map(move |code| vec![code; count]),
    ]
}

fn activation() -> impl Strategy<Value = Activation> {
    prop_oneof![
        Just(Activation::None),
        Just(Activation::Relu),
        Just(Activation::LeakyRelu),
        Just(Activation::Relu6),
        (any::<i8>(), -2..=12i32).prop_map(|(multiplier, shift)| Activation::PRelu { multiplier, shift }),
        (0..=8u32).prop_map(|pre| Activation::HardSigmoid { pre }),
        (0..=8u32, 5..=8i32).prop_map(|(pre, gate)| Activation::HardSwish { pre, gate }),
    ]
}

/// Shifts as networks have them, and everything the instruction fields can hold and beyond.
fn fix() -> impl Strategy<Value = Fix> {
    let cut = prop_oneof![4 => 0..=12i32, 1 => -9..=63i32];
    let shift_bias = prop_oneof![4 => -3..=10i32, 1 => -9..=40i32];
    (-4..=10i32, -4..=10i32, cut, shift_bias).prop_map(|(input, weights, cut, shift_bias)| Fix {
        input,
        weights,
        bias: input + weights - shift_bias,
        output: input + weights - cut,
    })
}

fn params() -> impl Strategy<Value = Conv2dParams> {
    let pair = |range: std::ops::RangeInclusive<usize>| [range.clone(), range];
    let pads = prop_oneof![
        Just([0; 4]),
        [0..=2usize, 0..=2usize, 0..=2usize, 0..=2usize],
        [0..=9usize, 0..=9usize, 0..=9usize, 0..=9usize]
    ];
    let strides = prop_oneof![Just([1, 1]), pair(1..=4)];
    let dilations = prop_oneof![3 => Just([1, 1]), 1 => pair(1..=3)];
    (strides, dilations, pads, fix(), activation()).prop_map(|(strides, dilations, pads, fix, activation)| {
        Conv2dParams { strides, dilations, pads, fix, activation }
    })
}

#[derive(Debug, Clone)]
struct Case {
    input: Array4<i8>,
    weights: Array4<i8>,
    bias: Option<Array1<i8>>,
    groups: usize,
    params: Conv2dParams,
    encodings: Encodings,
}

impl Case {
    fn shape(&self) -> [usize; 4] {
        self.input.dim().into()
    }

    fn bias(&self) -> Option<ArrayView1<'_, i8>> {
        self.bias.as_ref().map(|bias| bias.view())
    }
}

fn map4(shape: [usize; 4]) -> impl Strategy<Value = Array4<i8>> {
    codes(shape.iter().product()).prop_map(move |values| Array4::from_shape_vec(shape, values).unwrap())
}

/// Channels and outputs of one group around the sizes of quads, vectors and panels.
fn case(is_depthwise: bool, groups: &'static [usize]) -> impl Strategy<Value = Case> {
    let channels = select(vec![1, 2, 3, 4, 5, 8, 15, 16, 17, 24, 33, 64]);
    let outputs = select(vec![1, 2, 7, 15, 16, 17, 31, 32, 33, 48, 49, 65, 80, 100]);
    let spatial = prop_oneof![Just([1, 1]), [1..=6usize, 1..=6usize], [1..=3usize, 1..=40usize]];
    let kernel = prop_oneof![Just([1, 1]), Just([3, 3]), [1..=5usize, 1..=5usize]];
    (1..=2usize, spatial, kernel, channels, outputs, select(groups), params(), select(&ENCODINGS[..]), any::<bool>())
        .prop_flat_map(
            move |(
                batch,
                [height, width],
                [kernel_height, kernel_width],
                channels,
                outputs,
                groups,
                params,
                encodings,
                biased,
            )| {
                let weights = if is_depthwise {
                    [1, kernel_height, kernel_width, channels]
                } else {
                    [outputs * groups, kernel_height, kernel_width, channels]
                };
                let biases = if is_depthwise { channels } else { outputs * groups };
                (map4([batch, height, width, channels * groups]), map4(weights), codes(biases)).prop_map(
                    move |(input, weights, bias)| Case {
                        input,
                        weights,
                        bias: biased.then(|| Array1::from_vec(bias)),
                        groups,
                        params,
                        encodings,
                    },
                )
            },
        )
}

/// Compares an operator on all tiers with the result of the reference; both must refuse the same cases.
fn check<O: Operator>(
    case: &Case,
    expected: &Result<Array4<i8>, impl std::fmt::Display>,
    new: impl Fn(
        Kernels,
        [usize; 4],
        &ArrayView4<'_, i8>,
        Option<ArrayView1<'_, i8>>,
    ) -> Result<O, dpuc_kernels::reference::KernelError>,
) -> Result<(), TestCaseError> {
    for kernels in tiers() {
        let operator = new(kernels, case.shape(), &case.weights.view(), case.bias());
        match (expected, operator) {
            (Ok(expected), Ok(operator)) => {
                let output = run(&operator, case.input.as_slice().unwrap(), expected.len(), case.encodings);
                prop_assert_eq!(&output[..], expected.as_slice().unwrap(), "{:?}", kernels.tier());
            }
            (Err(expected), Err(error)) => prop_assert_eq!(error.to_string(), expected.to_string()),
            (expected, operator) => {
                prop_assert!(false, "reference succeeds: {}, operator: {}", expected.is_ok(), operator.is_ok());
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn convolutions_equal_the_reference(case in case(false, &[1])) {
        let expected = grouped_conv2d(&case.input.view(), &case.weights.view(), case.bias(), 1, &case.params);
        let expected = expected.map_err(|error| error.to_string().replace("grouped_conv2d", "conv2d"));
        check(&case, &expected, |kernels, shape, weights, bias| {
            Convolution::new(kernels, shape, weights, bias, 1, &case.params, case.encodings)
        })?;
    }

    #[test]
    fn grouped_convolutions_equal_the_reference(case in case(false, &[2, 3])) {
        let expected = grouped_conv2d(&case.input.view(), &case.weights.view(), case.bias(), case.groups, &case.params);
        check(&case, &expected, |kernels, shape, weights, bias| {
            Convolution::new(kernels, shape, weights, bias, case.groups, &case.params, case.encodings)
        })?;
    }

    #[test]
    fn transposed_convolutions_equal_the_reference(case in case(false, &[1])) {
        let expected = transposed_conv2d(&case.input.view(), &case.weights.view(), case.bias(), &case.params);
        check(&case, &expected, |kernels, shape, weights, bias| {
            Convolution::transposed(kernels, shape, weights, bias, &case.params, case.encodings)
        })?;
    }

    #[test]
    fn depthwise_convolutions_equal_the_reference(case in case(true, &[1])) {
        let expected = depthwise_conv2d(&case.input.view(), &case.weights.view(), case.bias(), &case.params);
        check(&case, &expected, |kernels, shape, weights, bias| {
            Depthwise::new(kernels, shape, weights, bias, &case.params, case.encodings)
        })?;
    }

    #[test]
    fn transposed_depthwise_convolutions_equal_the_reference(case in case(true, &[1])) {
        let expected = transposed_depthwise_conv2d(&case.input.view(), &case.weights.view(), case.bias(), &case.params);
        check(&case, &expected, |kernels, shape, weights, bias| {
            Depthwise::transposed(kernels, shape, weights, bias, &case.params, case.encodings)
        })?;
    }

    #[test]
    fn matrix_products_equal_the_reference(
        rows in prop_oneof![1..=40usize, Just(300)],
        (input, weights, bias) in (prop_oneof![1..=70usize, Just(576)], 1..=80usize).prop_flat_map(|(k, n)| (codes(300 * k), codes(k * n), codes(n))),
        fix in fix(),
        activation in activation(),
        encodings in select(&ENCODINGS[..]),
    ) {
        let inputs = input.len() / 300;
        let input = Array2::from_shape_vec((rows, inputs), input[..rows * inputs].to_vec()).unwrap();
        let bias = Array1::from_vec(bias);
        let weights = Array2::from_shape_vec((bias.len(), inputs), weights).unwrap();
        let expected = fully_connected(&input.view(), &weights.view(), Some(bias.view()), fix, activation).unwrap();
        for kernels in tiers() {
            let operator = MatMul::new(kernels, rows, &weights.view(), Some(bias.view()), fix, activation, encodings).unwrap();
            prop_assert_eq!(operator.output_shape(), [rows, bias.len()]);
            let output = run(&operator, input.as_slice().unwrap(), expected.len(), encodings);
            prop_assert_eq!(&output[..], expected.as_slice().unwrap(), "{:?}", kernels.tier());
        }
    }
}

const PLAIN: Conv2dParams = Conv2dParams {
    strides: [1, 1],
    dilations: [1, 1],
    pads: [1; 4],
    fix: Fix { input: 5, weights: 7, bias: 8, output: 3 },
    activation: Activation::LeakyRelu,
};

/// Bytes in no particular order.
fn mixed(count: usize) -> Vec<i8> {
    (0..count as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as i8).collect()
}

fn mixed4(shape: [usize; 4]) -> Array4<i8> {
    Array4::from_shape_vec(shape, mixed(shape.iter().product())).unwrap()
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let (input, weights) = (mixed4([2, 37, 29, 20]), mixed4([40, 3, 3, 20]));
    let (channels, own) = (mixed4([2, 61, 47, 70]), mixed4([1, 5, 5, 70]));
    let convolved = grouped_conv2d(&input.view(), &weights.view(), None, 1, &PLAIN).unwrap();
    let each = depthwise_conv2d(&channels.view(), &own.view(), None, &PLAIN).unwrap();
    for threads in [1, 2, 3, 5] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            for (kernels, encodings) in tiers().zip(ENCODINGS.into_iter().cycle()) {
                let shape = input.dim().into();
                let operator = Convolution::new(kernels, shape, &weights.view(), None, 1, &PLAIN, encodings).unwrap();
                let output = run(&operator, input.as_slice().unwrap(), convolved.len(), encodings);
                assert!(output == convolved.as_slice().unwrap(), "{threads} threads, {:?}", kernels.tier());
                let shape = channels.dim().into();
                let operator = Depthwise::new(kernels, shape, &own.view(), None, &PLAIN, encodings).unwrap();
                let output = run(&operator, channels.as_slice().unwrap(), each.len(), encodings);
                assert!(output == each.as_slice().unwrap(), "{threads} threads, {:?}", kernels.tier());
            }
        });
    }
}

/// What one thread needs is enough on any pool.
#[test]
fn scratch_memory_of_one_thread_suffices() {
    let (input, weights) = (mixed4([1, 40, 40, 32]), mixed4([32, 3, 3, 32]));
    let expected = grouped_conv2d(&input.view(), &weights.view(), None, 1, &PLAIN).unwrap();
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let operator = pool(4).install(|| {
        let kernels = Kernels::detect();
        Convolution::new(kernels, input.dim().into(), &weights.view(), None, 1, &PLAIN, ENCODINGS[0]).unwrap()
    });
    let bytes = pool(1).install(|| operator.scratch_bytes());
    assert!(bytes < pool(4).install(|| operator.scratch_bytes()));
    let bytes_of = |values: &[i8]| -> Vec<u8> { values.iter().map(|&q| q.cast_unsigned()).collect() };
    let (input, mut output) = (bytes_of(input.as_slice().unwrap()), vec![0; expected.len()]);
    pool(4).install(|| operator.run(&input, &mut output, &mut vec![0; bytes]));
    assert!(output == bytes_of(expected.as_slice().unwrap()));
}

/// Sums of more products than 32 bits can take, of the largest values.
#[test]
fn long_sums_of_extremes_are_exact() {
    for (value, weight) in [(-128, -128), (-128, 127), (127, 127), (127, -128)] {
        for inputs in [1 << 16, (1 << 17) + 5] {
            let input = Array2::from_elem((3, inputs), value);
            let weights = Array2::from_elem((2, inputs), weight);
            for output in [-17, -11, -9] {
                let fix = Fix { input: 7, weights: 7, bias: 0, output };
                let expected = fully_connected(&input.view(), &weights.view(), None, fix, Activation::None).unwrap();
                for kernels in tiers() {
                    for encodings in ENCODINGS {
                        let weights = weights.view();
                        let operator =
                            MatMul::new(kernels, 3, &weights, None, fix, Activation::None, encodings).unwrap();
                        let output = run(&operator, input.as_slice().unwrap(), 6, encodings);
                        assert_eq!(output, expected.as_slice().unwrap(), "{:?} {value} {weight}", kernels.tier());
                    }
                }
            }
        }
    }
}

/// Every accumulator around a tie, every shift: the sum is `64 · a + b` with all `b` that matter.
#[test]
fn ties_round_up_at_every_shift() {
    let rows: Vec<i8> = (-128..=127i8).flat_map(|a| [-32, -1, 0, 1, 31].map(|b| [a, b])).flatten().collect();
    let input = Array2::from_shape_vec((rows.len() / 2, 2), rows).unwrap();
    let weights = ndarray::arr2(&[[64i8, 1], [-64, 1], [1, 0]]);
    let bias = ndarray::arr1(&[-3i8, 0, 127]);
    let slope = Activation::PRelu { multiplier: -77, shift: 3 };
    for activation in [Activation::None, Activation::Relu, Activation::Relu6, Activation::LeakyRelu, slope] {
        for cut in -12..=40 {
            for shift_bias in [-2, -1, 0, 3] {
                let fix = Fix { input: 4, weights: 4, bias: 8 - shift_bias, output: 8 - cut };
                let bias = Some(bias.view());
                let expected = fully_connected(&input.view(), &weights.view(), bias, fix, activation).unwrap();
                for (kernels, encodings) in tiers().zip(ENCODINGS.into_iter().cycle()) {
                    let rows = input.dim().0;
                    let operator =
                        MatMul::new(kernels, rows, &weights.view(), bias, fix, activation, encodings).unwrap();
                    let output = run(&operator, input.as_slice().unwrap(), expected.len(), encodings);
                    assert!(output == expected.as_slice().unwrap(), "{:?} {fix:?} {activation:?}", kernels.tier());
                }
            }
        }
    }
}

#[test]
fn hostile_shapes_are_refused() {
    let kernels = Kernels::detect();
    let weights = Array4::<i8>::zeros([8, 3, 3, 4]);
    let message = |shape: [usize; 4], groups: usize, params: &Conv2dParams| {
        let operator = Convolution::new(kernels, shape, &weights.view(), None, groups, params, ENCODINGS[0]);
        operator.unwrap_err().to_string()
    };
    assert_eq!(
        message([0, 4, 4, 4], 1, &PLAIN),
        "conv2d: input has shape [0, 4, 4, 4], expected 1 to 2147483648 elements"
    );
    assert!(message([1, 4, 4, usize::MAX], 1, &PLAIN).contains("expected 1 to 2147483648 elements"));
    assert!(message([1, 4, 4, 8], 3, &PLAIN).contains("groups are 3, which do not divide"));
    assert!(message([1, 4, 4, 5], 1, &PLAIN).contains("expected [out, kernel_h, kernel_w, 5]"));
    // One output, but windows that lie far apart in a padded copy of 2^33 bytes.
    let sparse = Conv2dParams { pads: [0xffff; 4], dilations: [0xffff, 0xffff], ..PLAIN };
    let weights = Array4::<i8>::zeros([1, 3, 3, 1]);
    let operator = Convolution::new(kernels, [1, 1, 1, 1], &weights.view(), None, 1, &sparse, ENCODINGS[0]);
    operator.expect("taps that meet nothing need no copy");
    let wide = Conv2dParams { pads: [0xffff; 4], strides: [0xffff, 0xffff], ..PLAIN };
    let weights = Array4::<i8>::zeros([1, 1, 1, 40]);
    let operator = Convolution::new(kernels, [1, 1, 1, 40], &weights.view(), None, 1, &wide, ENCODINGS[0]);
    assert!(operator.is_ok_and(|operator| operator.scratch_bytes() < 1 << 24));
}
