//! The evaluators against the formulas of `spec/numerics.md` in double precision, written the way the specification
//! writes them: no shifts, no accumulated integers, every index computed from scratch.

use ndarray::{Array1, Array4, ArrayD};
use proptest::prelude::*;

use super::activation::{Activation, activate, prelu};
use super::blocks::{depth_to_space, reorg_reverse, space_to_depth};
use super::conv::{Conv2dParams, Fix, conv2d, depthwise_conv2d};
use super::eltwise::{Operand, channel_scale, elementwise_add, elementwise_mul};
use super::pool::{Pool2dParams, average_factor, avg_pool, max_pool};
use super::real::{RealFunction, softmax};
use super::rearrange::{PadMode, concat, pad, reshape, strided_slice, transpose};
use super::reduce::{Reduction, argmax, reduce_mean, reduce_sum};
use super::resize::{downsample, resize_bilinear, resize_nearest};
use super::round::{Rescale, RoundMode, dequantise_all, quantise_all};
use super::sampling::Coordinates;
use super::transposed_conv::{transposed_conv2d, transposed_depthwise_conv2d};

/// `R(x)`: round half up, saturate.
fn r(x: f64) -> i8 {
    (x + 0.5).floor().clamp(-128.0, 127.0) as i8
}

fn two_to(exponent: i32) -> f64 {
    f64::exp2(f64::from(exponent))
}

/// `R(act(t))` of numerics.md 4; `fo` is the output position.
fn activated(t: f64, activation: Activation, fo: i32) -> i8 {
    let hard_sigmoid = |x: i8, fx: u32, fh: i32| {
        let fx = fx.cast_signed();
        let u = 2731.0 * f64::from(x) + 3.0 * 2731.0 * two_to(fx);
        r(u.max(0.0).min(two_to(32)) / two_to(14 + fx - fh))
    };
    match activation {
        Activation::None => r(t),
        Activation::LeakyRelu => r(if t < 0.0 { t * 0.101_562_5 } else { t }),
        Activation::Relu6 if fo <= 4 => r(t.clamp(0.0, 96.0)),
        Activation::Relu | Activation::Relu6 => r(t.max(0.0)),
        Activation::PRelu { multiplier, shift } => {
            r(if t < 0.0 { t * f64::from(multiplier) / two_to(shift) } else { t })
        }
        Activation::HardSigmoid { pre } => hard_sigmoid(r(t * two_to(pre.cast_signed() - fo)), pre, fo),
        Activation::HardSwish { pre, gate } => {
            let x = r(t * two_to(pre.cast_signed() - fo));
            let h = hard_sigmoid(x, pre, gate);
            r(f64::from(x) * f64::from(h) / two_to(pre.cast_signed() + gate - fo))
        }
    }
}

/// `R(act(t))` with the accumulator and bias of numerics.md 5.1; the bias keeps one fractional bit (6.2).
fn convolved(acc: f64, bias: Option<i8>, params: &Conv2dParams) -> i8 {
    let Fix { input, weights, bias: bias_fix, output } = params.fix;
    let shift_bias = input + weights - bias_fix;
    let bias = bias.map_or(0.0, |b| (2.0 * f64::from(b) * two_to(shift_bias)).floor());
    activated((2.0 * acc + bias) / two_to(input + weights - output + 1), params.activation, output)
}

/// Value of the zero-padded image at a signed position.
fn at(x: &Array4<i8>, n: usize, y: i64, column: i64, c: usize) -> f64 {
    match (usize::try_from(y), usize::try_from(column)) {
        (Ok(y), Ok(column)) => x.get([n, y, column, c]).map_or(0.0, |&q| f64::from(q)),
        _ => 0.0,
    }
}

/// Extremes and zeros as often as anything in between.
fn code() -> impl Strategy<Value = i8> {
    prop_oneof![Just(-128i8), Just(127), Just(-1), Just(0), Just(1), any::<i8>()]
}

fn codes(count: usize) -> impl Strategy<Value = Vec<i8>> {
    prop::collection::vec(code(), count)
}

fn map4(shape: [usize; 4]) -> impl Strategy<Value = Array4<i8>> {
    codes(shape.iter().product()).prop_map(move |values| Array4::from_shape_vec(shape, values).unwrap())
}

fn pair(range: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = [usize; 2]> {
    [range.clone(), range]
}

fn pads(range: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = [usize; 4]> {
    [range.clone(), range.clone(), range.clone(), range]
}

fn activation() -> impl Strategy<Value = Activation> {
    prop_oneof![
        Just(Activation::None),
        Just(Activation::Relu),
        Just(Activation::LeakyRelu),
        Just(Activation::Relu6),
        (any::<i8>(), 0..=12i32).prop_map(|(multiplier, shift)| Activation::PRelu { multiplier, shift }),
        (0..=8u32).prop_map(|pre| Activation::HardSigmoid { pre }),
        (0..=8u32, 5..=8i32).prop_map(|(pre, gate)| Activation::HardSwish { pre, gate }),
    ]
}

/// `shift_cut` and `shift_bias` over everything the instruction fields can hold, and beyond on both sides.
fn fix() -> impl Strategy<Value = Fix> {
    (-4..=10i32, -4..=10i32, prop_oneof![-3..=12i32, -9..=63i32], -9..=20i32).prop_map(
        |(input, weights, cut, shift_bias)| Fix {
            input,
            weights,
            bias: input + weights - shift_bias,
            output: input + weights - cut,
        },
    )
}

#[derive(Debug, Clone)]
struct ConvCase {
    input: Array4<i8>,
    weights: Array4<i8>,
    bias: Option<Array1<i8>>,
    params: Conv2dParams,
}

fn conv_case(depthwise: bool) -> impl Strategy<Value = ConvCase> {
    let sizes = (1..=2usize, pair(1..=5), 1..=5usize, 1..=4usize, pair(1..=3));
    sizes.prop_flat_map(move |(batch, [height, width], channels, filters, [kh, kw])| {
        let outputs = if depthwise { channels } else { filters };
        (
            map4([batch, height, width, channels]),
            map4([if depthwise { 1 } else { filters }, kh, kw, channels]),
            prop::option::of(codes(outputs).prop_map(Array1::from_vec)),
            (pair(1..=3), pair(1..=2), pads(0..=3), fix(), activation()),
        )
            .prop_map(|(input, weights, bias, (strides, dilations, pads, fix, activation))| {
                let params = Conv2dParams { strides, dilations, pads, fix, activation };
                ConvCase { input, weights, bias, params }
            })
    })
}

/// Effective kernel sizes.
fn covered(case: &ConvCase) -> [usize; 2] {
    let kernel = [case.weights.dim().1, case.weights.dim().2];
    [0, 1].map(|a| (kernel[a] - 1) * case.params.dilations[a] + 1)
}

/// Checks an output of `case` element by element; `source` maps an output and kernel position on one axis to the input.
fn check(
    case: &ConvCase,
    output: &Array4<i8>,
    depthwise: bool,
    source: impl Fn(usize, usize, usize) -> Option<i64>,
) -> std::result::Result<(), TestCaseError> {
    let ConvCase { input, weights, bias, params } = case;
    let (_, kh, kw, channels) = weights.dim();
    for ((n, y, x, o), &q) in output.indexed_iter() {
        let mut acc = 0.0;
        for ky in 0..kh {
            for kx in 0..kw {
                if let (Some(iy), Some(ix)) = (source(0, y, ky), source(1, x, kx)) {
                    let (filter, own) = if depthwise { (0, o..o + 1) } else { (o, 0..channels) };
                    acc += own.map(|c| at(input, n, iy, ix, c) * f64::from(weights[[filter, ky, kx, c]])).sum::<f64>();
                }
            }
        }
        let bias = bias.as_ref().map(|bias| bias[o]);
        prop_assert_eq!(q, convolved(acc, bias, params), "at {:?}", [n, y, x, o]);
    }
    Ok(())
}

fn check_sliding(case: &ConvCase, depthwise: bool) -> std::result::Result<(), TestCaseError> {
    let bias = case.bias.as_ref().map(|bias| bias.view());
    let run = if depthwise { depthwise_conv2d } else { conv2d };
    let result = run(&case.input.view(), &case.weights.view(), bias, &case.params);
    let Conv2dParams { strides, dilations, pads, .. } = case.params;
    let covered = covered(case);
    let size = [case.input.dim().1, case.input.dim().2];
    let padded = [0, 1].map(|a| size[a] + pads[a] + pads[a + 2]);
    if (0..2).any(|a| padded[a] < covered[a]) {
        prop_assert!(result.is_err());
        return Ok(());
    }
    let output = result.unwrap();
    let expected = [0, 1].map(|a| (padded[a] - covered[a] + strides[a]) / strides[a]);
    prop_assert_eq!([output.dim().1, output.dim().2], expected);
    check(case, &output, depthwise, |a, o, k| Some((o * strides[a] + k * dilations[a]) as i64 - pads[a] as i64))
}

/// The transposed convolution as a plain one on the input with zeros between and around its elements.
fn check_transposed(case: &ConvCase, depthwise: bool) -> std::result::Result<(), TestCaseError> {
    let bias = case.bias.as_ref().map(|bias| bias.view());
    let run = if depthwise { transposed_depthwise_conv2d } else { transposed_conv2d };
    let result = run(&case.input.view(), &case.weights.view(), bias, &case.params);
    let Conv2dParams { strides, dilations, pads, .. } = case.params;
    let covered = covered(case);
    let size = [case.input.dim().1, case.input.dim().2];
    let full = [0, 1].map(|a| (size[a] - 1) * strides[a] + covered[a]);
    if (0..2).any(|a| full[a] <= pads[a] + pads[a + 2]) {
        prop_assert!(result.is_err());
        return Ok(());
    }
    let output = result.unwrap();
    prop_assert_eq!([output.dim().1, output.dim().2], [0, 1].map(|a| full[a] - pads[a] - pads[a + 2]));
    check(case, &output, depthwise, |a, o, k| {
        let spread = (o + k * dilations[a]) as i64 - (covered[a] as i64 - 1 - pads[a] as i64);
        let stride = strides[a] as i64;
        (spread.rem_euclid(stride) == 0).then_some(spread.div_euclid(stride))
    })
}

fn pool_case() -> impl Strategy<Value = (Array4<i8>, Pool2dParams)> {
    (1..=2usize, pair(1..=7), 1..=3usize, pair(1..=7)).prop_flat_map(|(batch, [height, width], channels, kernel)| {
        let parameters = (pair(1..=3), pads(0..=3), -4..=8i32, -4..=8i32);
        (map4([batch, height, width, channels]), parameters).prop_map(move |(x, (strides, pads, input, output))| {
            (x, Pool2dParams { kernel, strides, pads, fix: Rescale { input, output } })
        })
    })
}

fn list(shape: &[usize], values: Vec<i8>) -> ArrayD<i8> {
    ArrayD::from_shape_vec(shape, values).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn conv2d_equals_its_formula(case in conv_case(false)) {
        check_sliding(&case, false)?;
    }

    #[test]
    fn depthwise_conv2d_equals_its_formula(case in conv_case(true)) {
        check_sliding(&case, true)?;
    }

    #[test]
    fn transposed_conv2d_equals_its_formula(case in conv_case(false)) {
        check_transposed(&case, false)?;
    }

    #[test]
    fn transposed_depthwise_conv2d_equals_its_formula(case in conv_case(true)) {
        check_transposed(&case, true)?;
    }

    #[test]
    fn pools_equal_their_formulas((x, params) in pool_case()) {
        let Pool2dParams { kernel, strides, pads, fix } = params;
        let (_, height, width, _) = x.dim();
        let fits = height + pads[0] + pads[2] >= kernel[0] && width + pads[1] + pads[3] >= kernel[1];
        let (max, average) = (max_pool(&x.view(), &params), avg_pool(&x.view(), &params));
        prop_assert_eq!((max.is_ok(), average.is_ok()), (fits, fits));
        if let (Ok(max), Ok(average)) = (max, average) {
            let factor = average_factor(kernel);
            let divisor = factor.multiplier as f64 / f64::exp2(factor.shift.into());
            let rescale = two_to(fix.output - fix.input);
            for ((n, oy, ox, c), &largest) in max.indexed_iter() {
                let cells: Vec<_> = (0..kernel[0] * kernel[1]).map(|cell| {
                    let y = (oy * strides[0] + cell / kernel[1]) as i64 - pads[0] as i64;
                    let column = (ox * strides[1] + cell % kernel[1]) as i64 - pads[1] as i64;
                    let inside = (0..height as i64).contains(&y) && (0..width as i64).contains(&column);
                    (at(&x, n, y, column, c), inside)
                }).collect();
                let highest = cells.iter().map(|&(q, inside)| if inside { q } else { -128.0 }).fold(-128.0, f64::max);
                let sum: f64 = cells.iter().map(|&(q, _)| q).sum();
                prop_assert_eq!(largest, r(highest * rescale));
                prop_assert_eq!(average[[n, oy, ox, c]], r(sum * divisor * rescale));
            }
        }
    }

    #[test]
    fn additions_equal_their_formula(
        inputs in prop::collection::vec((codes(8), -6..=12i32), 1..=4), relu: bool, output in -8..=14i32,
    ) {
        let tensors: Vec<_> = inputs.iter().map(|(values, _)| list(&[2, 4], values.clone())).collect();
        let operands: Vec<_> =
            tensors.iter().zip(&inputs).map(|(x, &(_, fix))| Operand { values: x.view(), fix }).collect();
        let sum = elementwise_add(&operands, relu, output).unwrap();
        let m = inputs.iter().map(|&(_, fix)| fix).min().unwrap();
        for (i, &q) in sum.iter().enumerate() {
            let s: f64 = inputs.iter().map(|(x, fix)| (4.0 * f64::from(x[i]) / two_to(fix - m)).floor()).sum();
            let t = s / two_to(m - output) / 4.0;
            prop_assert_eq!(q, r(if relu { t.max(0.0) } else { t }));
        }
    }

    #[test]
    fn products_equal_their_formula(
        a in codes(6), b in codes(6), fa in -6..=12i32, fb in -6..=12i32, relu: bool, output in -20..=40i32,
    ) {
        let (x, y) = (list(&[2, 3], a.clone()), list(&[2, 3], b.clone()));
        let operands = [Operand { values: x.view(), fix: fa }, Operand { values: y.view(), fix: fb }];
        let product = elementwise_mul(&operands, relu, output).unwrap();
        for (i, &q) in product.iter().enumerate() {
            let t = f64::from(a[i]) * f64::from(b[i]) / two_to(fa + fb - output);
            prop_assert_eq!(q, r(if relu { t.max(0.0) } else { t }));
        }
        let fix = Rescale { input: fa, output };
        let scaled = channel_scale(&x.view(), &Array1::from_vec(b[..3].to_vec()).view(), fb, fix).unwrap();
        for (i, &q) in scaled.iter().enumerate() {
            prop_assert_eq!(q, r(f64::from(a[i]) * f64::from(b[i % 3]) / two_to(fa + fb - output)));
        }
    }

    #[test]
    fn requantisation_equals_its_formula(x in codes(5), input in -70..=70i32, output in -70..=70i32) {
        let rescaled = Rescale { input, output }.apply(&list(&[5], x.clone()).view());
        for (&before, &after) in x.iter().zip(&rescaled) {
            prop_assert_eq!(after, r(f64::from(before) * two_to(output - input)));
        }
    }

    #[test]
    fn activations_equal_their_formulas(
        v in -(1i64 << 40)..(1 << 40), small in -4000..4000i64, fix in -4..=40i32, output in -4..=10i32,
        activation in activation(),
    ) {
        for v in [v, small] {
            let t = v as f64 * two_to(output - fix);
            prop_assert_eq!(activation.apply(v, fix.into(), output), activated(t, activation, output));
        }
    }

    /// Fix points from a hostile file: a result or an error, and without bias always the limit of the formula.
    #[test]
    fn any_fix_point_is_accepted_or_refused(
        x in map4([1, 2, 2, 2]), bias in codes(2), fixes: [i32; 4], activation in activation(),
    ) {
        let [input, weights, bias_fix, output] = fixes;
        let fix = Fix { input, weights, bias: bias_fix, output };
        let params = Conv2dParams { strides: [1, 1], dilations: [1, 1], pads: [0; 4], fix, activation };
        let bias = Array1::from_vec(bias);
        let biased = depthwise_conv2d(&x.view(), &x.view(), Some(bias.view()), &params);
        prop_assert_eq!(biased.is_ok(), fix.shift_bias() <= 40);
        let plain = depthwise_conv2d(&x.view(), &x.view(), None, &Conv2dParams { activation: Activation::None, ..params });
        // Every accumulator is a sum of squares.
        let positive = if fix.shift_cut() > 18 { 0 } else { 127 };
        prop_assume!(!(-7..=18).contains(&fix.shift_cut()));
        let expected = [0, 1].map(|c| if x.iter().skip(c).step_by(2).all(|&q| q == 0) { 0 } else { positive });
        prop_assert_eq!(plain.unwrap().into_raw_vec_and_offset().0, expected);
        let any = x.into_dyn();
        let operands = [Operand { values: any.view(), fix: input }, Operand { values: any.view(), fix: weights }];
        prop_assert!(elementwise_add(&operands, true, output).is_ok());
        prop_assert!(elementwise_mul(&operands, true, output).is_ok());
        let rescale = Rescale { input, output };
        prop_assert!(channel_scale(&any.view(), &bias.view(), weights, rescale).is_ok());
        prop_assert!(prelu(&any.view(), &bias.view(), weights, rescale).is_ok());
        RealFunction::Exp.apply(&any.view(), rescale);
    }

    #[test]
    fn reductions_equal_their_formulas(x in codes(24), input in -3..=6i32, output in -3..=6i32, axes in 1..8usize) {
        let tensor = list(&[2, 3, 4], x);
        let reduced: Vec<_> = (0..3).filter(|axis| axes & (1 << axis) != 0).collect();
        let reduction = Reduction { axes: &reduced, keep_dims: true };
        let fix = Rescale { input, output };
        let means = reduce_mean(&tensor.view(), reduction, fix).unwrap();
        let sums = reduce_sum(&tensor.view(), reduction, fix).unwrap();
        // The search finds 1/2, 85/256 and 1/4.
        let factors = [0.5, 85.0 / 256.0, 0.25];
        let factor: f64 = reduced.iter().map(|&axis| factors[axis]).product();
        for (index, &mean) in means.indexed_iter() {
            let own = |other: &ndarray::IxDyn| (0..3).all(|a| reduced.contains(&a) || other[a] == index[a]);
            let sum: f64 = tensor.indexed_iter().filter(|(i, _)| own(i)).map(|(_, &q)| f64::from(q)).sum();
            prop_assert_eq!(mean, r(sum * factor * two_to(output - input)));
            prop_assert_eq!(sums[&index], r(sum * two_to(output - input)));
        }
    }
}

/// Every evaluator on an operand whose memory is in column-major order.
#[test]
fn results_are_row_major_whatever_the_layout_of_the_operands() {
    let map = Array4::from_shape_fn((4, 4, 4, 4), |(n, h, w, c)| (n * 64 + h * 16 + w * 4 + c) as u8 as i8);
    let map = map.view().reversed_axes();
    assert!(!map.is_standard_layout());
    let any = map.into_dyn();
    let channel = Array1::from_vec(vec![1i8, -2, 3, -4]);
    let fix = Rescale::none(3);
    let operand = || Operand { values: any.clone(), fix: 3 };
    let reduction = Reduction { axes: &[3], keep_dims: true };
    let fours = [
        ("nearest", resize_nearest(&map, [5, 5], Coordinates::HalfPixel)),
        ("bilinear", resize_bilinear(&map, [5, 5], Coordinates::HalfPixel, fix)),
        ("downsample", downsample(&map, [2.0, 1.0])),
        ("space_to_depth", space_to_depth(&map, 2)),
        ("depth_to_space", depth_to_space(&map, 2)),
        ("reorg_reverse", reorg_reverse(&map, 2)),
    ];
    for (name, result) in fours {
        assert!(result.unwrap().is_standard_layout(), "{name}");
    }
    let any_rank = [
        ("add", elementwise_add(&[operand(), operand()], false, 3)),
        ("mul", elementwise_mul(&[operand(), operand()], false, 3)),
        ("channel_scale", channel_scale(&any, &channel.view(), 3, fix)),
        ("prelu", prelu(&any, &channel.view(), 3, fix)),
        ("activate", Ok(activate(&any, Activation::Relu, fix))),
        ("concat", concat(&[operand(), operand()], 2, 3)),
        ("reshape", reshape(&any, &[256])),
        ("transpose", transpose(&any, &[1, 0, 2, 3])),
        ("slice", strided_slice(&any, &[0; 4], &[4; 4], &[2, 1, 1, 2])),
        ("constant", pad(&any, &[[1, 0]; 4], PadMode::Constant(0))),
        ("mirror", pad(&any, &[[1, 0]; 4], PadMode::Reflect)),
        ("mean", reduce_mean(&any, reduction, fix)),
        ("rescale", Ok(fix.apply(&any))),
        ("sigmoid", Ok(RealFunction::Sigmoid.apply(&any, fix))),
    ];
    for (name, result) in any_rank {
        assert!(result.unwrap().is_standard_layout(), "{name}");
    }
    assert!(argmax(&any, 3).unwrap().is_standard_layout());
    let real = dequantise_all(&any, 3);
    assert!(real.is_standard_layout());
    let real = real.view().reversed_axes();
    assert!(softmax(&real, 1).unwrap().is_standard_layout());
    assert!(quantise_all(&real, 3, RoundMode::HalfUp).is_standard_layout());
}
