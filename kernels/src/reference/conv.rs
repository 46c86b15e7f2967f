//! Convolution, depthwise convolution and fully connected layers (numerics.md 5.1 and 5.2; dpuczdx8g-isa.md B.1).
//!
//! ```text
//! acc = sum of products
//! v   = 2 * acc + bias * 2^(shift_bias + 1)          shift_bias = input + weights - bias
//! out = R(act(v / 2^(shift_cut + 1)))                shift_cut  = input + weights - output
//! ```
//!
//! As in the hardware, the bias keeps one bit below the unit of the accumulator; what lies below is floored away (rule
//! D2 of numerics.md 7).

use ndarray::{Array2, Array4, ArrayView1, ArrayView2, ArrayView4, Axis, Slice, concatenate};

use super::activation::Activation;
use super::error::{Result, parameter_error, shape_error};
use super::geometry::{Plane, Window};
use super::layout::{elements, result_size, row_major};

/// Fix points of the operands of a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fix {
    /// Of the feature map.
    pub input: i32,
    /// Of the weights.
    pub weights: i32,
    /// Of the bias; without meaning if there is none.
    pub bias: i32,
    /// Of the result.
    pub output: i32,
}

impl Fix {
    /// Right shift from the accumulator to the output, `input + weights - output`.
    pub const fn shift_cut(self) -> i64 {
        self.input as i64 + self.weights as i64 - self.output as i64
    }

    /// Left shift from the bias to the accumulator, `input + weights - bias`.
    pub const fn shift_bias(self) -> i64 {
        self.input as i64 + self.weights as i64 - self.bias as i64
    }
}

/// Parameters of the convolution family. The kernel size is that of the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv2dParams {
    /// Step of the window, `[h, w]`; of a transposed convolution the step of the output.
    pub strides: [usize; 2],
    /// Distance between kernel elements, `[h, w]`.
    pub dilations: [usize; 2],
    /// Zeros around the input, `[top, left, bottom, right]`; of a transposed convolution the rows and columns cropped
    /// from the output.
    pub pads: [usize; 4],
    /// Fix points.
    pub fix: Fix,
    /// Applied before the only rounding.
    pub activation: Activation,
}

impl Conv2dParams {
    pub(crate) fn window(&self, weights_shape: &[usize]) -> Window {
        Window {
            kernel: [weights_shape[1], weights_shape[2]],
            strides: self.strides,
            dilations: self.dilations,
            pads: self.pads,
        }
    }
}

/// How a window operator finds its input, one of [`Plane::sliding`] and [`Plane::transposed`].
pub(crate) type PlaneOf = fn(&'static str, [usize; 2], &Window) -> Result<Plane>;

/// Two-dimensional convolution.
///
/// `input` is `[n, h, w, in]`, `weights` `[out, kernel_h, kernel_w, in]`, `bias` `[out]`; the result is
/// `[n, out_h, out_w, out]` with `floor((size + pads - k') / stride) + 1` per spatial axis.
///
/// # Errors
/// Empty or mismatched operands, a window that does not fit, a bias too coarse for 64-bit arithmetic.
pub fn conv2d(
    input: &ArrayView4<'_, i8>,
    weights: &ArrayView4<'_, i8>,
    bias: Option<ArrayView1<'_, i8>>,
    params: &Conv2dParams,
) -> Result<Array4<i8>> {
    convolve("conv2d", Plane::sliding, input, weights, bias, params)
}

/// Convolution in groups: part `i` of the output channels reads part `i` of the input channels.
///
/// As [`conv2d`] with `weights` of shape `[out, kernel_h, kernel_w, in / groups]`.
///
/// # Errors
/// As [`conv2d`], or channels that do not split into `groups` equal parts.
pub fn grouped_conv2d(
    input: &ArrayView4<'_, i8>,
    weights: &ArrayView4<'_, i8>,
    bias: Option<ArrayView1<'_, i8>>,
    groups: usize,
    params: &Conv2dParams,
) -> Result<Array4<i8>> {
    const OPERATOR: &str = "grouped_conv2d";
    let (inputs, outputs) = (input.dim().3, weights.dim().0);
    if groups == 0 || !inputs.is_multiple_of(groups) || !outputs.is_multiple_of(groups) {
        let problem = format!("are {groups}, which do not divide {inputs} input and {outputs} output channels");
        return Err(parameter_error(OPERATOR, "groups", problem));
    }
    let part = |channels: usize, group: usize| {
        let size = channels / groups;
        Slice::from(group * size..(group + 1) * size)
    };
    let mut parts = Vec::with_capacity(groups);
    for group in 0..groups {
        let input = input.slice_axis(Axis(3), part(inputs, group));
        let weights = weights.slice_axis(Axis(0), part(outputs, group));
        let bias = match bias {
            Some(bias) if bias.len() != outputs => {
                return Err(shape_error(OPERATOR, "bias", bias.shape(), format!("[{outputs}]")));
            }
            bias => bias.map(|bias| bias.slice_axis_move(Axis(0), part(outputs, group))),
        };
        parts.push(convolve(OPERATOR, Plane::sliding, &input, &weights, bias, params)?);
    }
    let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
    Ok(row_major(concatenate(Axis(3), &views)?))
}

/// Two-dimensional convolution of each channel with its own kernel.
///
/// `input` is `[n, h, w, channels]`, `weights` `[1, kernel_h, kernel_w, channels]`, `bias` `[channels]`; the result is
/// `[n, out_h, out_w, channels]`.
///
/// # Errors
/// As [`conv2d`].
pub fn depthwise_conv2d(
    input: &ArrayView4<'_, i8>,
    weights: &ArrayView4<'_, i8>,
    bias: Option<ArrayView1<'_, i8>>,
    params: &Conv2dParams,
) -> Result<Array4<i8>> {
    convolve_depthwise("depthwise_conv2d", Plane::sliding, input, weights, bias, params)
}

/// Fully connected layer: a 1x1 convolution on a 1x1 map.
///
/// `input` is `[n, in]`, `weights` `[out, in]`, `bias` `[out]`; the result is `[n, out]`.
///
/// # Errors
/// As [`conv2d`].
pub fn fully_connected(
    input: &ArrayView2<'_, i8>,
    weights: &ArrayView2<'_, i8>,
    bias: Option<ArrayView1<'_, i8>>,
    fix: Fix,
    activation: Activation,
) -> Result<Array2<i8>> {
    let params = Conv2dParams { strides: [1, 1], dilations: [1, 1], pads: [0; 4], fix, activation };
    let input = input.insert_axis(Axis(1)).insert_axis(Axis(1));
    let weights = weights.insert_axis(Axis(1)).insert_axis(Axis(1));
    let output = convolve("fully_connected", Plane::sliding, &input, &weights, bias, &params)?;
    Ok(output.remove_axis(Axis(1)).remove_axis(Axis(1)))
}

pub(super) fn convolve(
    operator: &'static str,
    plane_of: PlaneOf,
    input: &ArrayView4<'_, i8>,
    weights: &ArrayView4<'_, i8>,
    bias: Option<ArrayView1<'_, i8>>,
    params: &Conv2dParams,
) -> Result<Array4<i8>> {
    let pixels = elements(operator, "input", input)?;
    let filters = elements(operator, "weights", weights)?;
    let (batch, height, width, channels) = input.dim();
    let (outputs, _, kernel_width, weight_channels) = weights.dim();
    if weight_channels != channels {
        let expected = format!("[out, kernel_h, kernel_w, {channels}], {channels} being the input channels");
        return Err(shape_error(operator, "weights", weights.shape(), expected));
    }
    let plane = plane_of(operator, [height, width], &params.window(weights.shape()))?;
    let epilogue = Epilogue::new(operator, bias, outputs, params)?;
    let shape = [batch, plane.rows.output, plane.columns.output, outputs];
    let mut output = Vec::with_capacity(result_size(operator, &shape)?);
    let filter_size = filters.len() / outputs;
    // Offsets of the channel vectors that meet, in the input and in a filter.
    let mut meetings: Vec<(usize, usize)> = Vec::new();
    for image in pixels.chunks_exact(height * width * channels) {
        for y in 0..plane.rows.output {
            for x in 0..plane.columns.output {
                meetings.clear();
                for row in plane.rows.taps(y) {
                    meetings.extend(plane.columns.taps(x).map(|column| {
                        let pixel = row.input * width + column.input;
                        (pixel * channels, (row.kernel * kernel_width + column.kernel) * channels)
                    }));
                }
                for (o, filter) in filters.chunks_exact(filter_size).enumerate() {
                    let products = meetings
                        .iter()
                        .map(|&(pixel, tap)| dot(&image[pixel..pixel + channels], &filter[tap..tap + channels]));
                    output.push(epilogue.finish(o, products.sum()));
                }
            }
        }
    }
    Ok(Array4::from_shape_vec(shape, output)?)
}

pub(super) fn convolve_depthwise(
    operator: &'static str,
    plane_of: PlaneOf,
    input: &ArrayView4<'_, i8>,
    weights: &ArrayView4<'_, i8>,
    bias: Option<ArrayView1<'_, i8>>,
    params: &Conv2dParams,
) -> Result<Array4<i8>> {
    let pixels = elements(operator, "input", input)?;
    let taps = elements(operator, "weights", weights)?;
    let (batch, height, width, channels) = input.dim();
    let (multiplier, _, kernel_width, weight_channels) = weights.dim();
    if multiplier != 1 || weight_channels != channels {
        let expected = format!("[1, kernel_h, kernel_w, {channels}], {channels} being the input channels");
        return Err(shape_error(operator, "weights", weights.shape(), expected));
    }
    let plane = plane_of(operator, [height, width], &params.window(weights.shape()))?;
    let epilogue = Epilogue::new(operator, bias, channels, params)?;
    let shape = [batch, plane.rows.output, plane.columns.output, channels];
    let mut output = Vec::with_capacity(result_size(operator, &shape)?);
    let mut accumulators = vec![0i64; channels];
    for image in pixels.chunks_exact(height * width * channels) {
        for y in 0..plane.rows.output {
            for x in 0..plane.columns.output {
                accumulators.fill(0);
                for row in plane.rows.taps(y) {
                    for column in plane.columns.taps(x) {
                        let pixel = (row.input * width + column.input) * channels;
                        let tap = (row.kernel * kernel_width + column.kernel) * channels;
                        multiply_add(&mut accumulators, &image[pixel..pixel + channels], &taps[tap..tap + channels]);
                    }
                }
                output.extend(accumulators.iter().enumerate().map(|(c, &acc)| epilogue.finish(c, acc)));
            }
        }
    }
    Ok(Array4::from_shape_vec(shape, output)?)
}

/// Largest bias shift: keeps `2 * acc + bias` below the 2^56 that [`Activation::apply`] allows. The hardware field ends
/// at 19.
const MAX_SHIFT_BIAS: i64 = 40;

/// From accumulator to int8: bias, activation, rounding.
#[derive(Debug, Clone)]
pub(crate) struct Epilogue {
    /// Bias of each output channel in half units of the accumulator; zeros without bias.
    pub(crate) doubled_bias: Vec<i64>,
    accumulator_fix: i64,
    output_fix: i32,
    activation: Activation,
}

impl Epilogue {
    pub(crate) fn new(
        operator: &'static str,
        bias: Option<ArrayView1<'_, i8>>,
        channels: usize,
        params: &Conv2dParams,
    ) -> Result<Self> {
        let doubled_bias = match bias {
            None => vec![0; channels],
            Some(bias) if bias.len() != channels => {
                let expected = format!("[{channels}], one per output channel");
                return Err(shape_error(operator, "bias", bias.shape(), expected));
            }
            Some(_) if params.fix.shift_bias() > MAX_SHIFT_BIAS => {
                let Fix { input, weights, bias, .. } = params.fix;
                let problem = format!(
                    "of the bias is {bias}: more than {MAX_SHIFT_BIAS} below the accumulator's {input} + {weights}"
                );
                return Err(parameter_error(operator, "fix point", problem));
            }
            Some(bias) => bias.iter().map(|&b| double_bias(b, params.fix.shift_bias())).collect(),
        };
        Ok(Self {
            doubled_bias,
            accumulator_fix: i64::from(params.fix.input) + i64::from(params.fix.weights),
            output_fix: params.fix.output,
            activation: params.activation,
        })
    }

    /// The result of a channel whose sum of products is `accumulator`, below 2^54 in magnitude.
    pub(crate) fn finish(&self, channel: usize, accumulator: i64) -> i8 {
        let v = 2 * accumulator + self.doubled_bias[channel];
        self.activation.apply(v, self.accumulator_fix + 1, self.output_fix)
    }
}

/// `floor(bias * 2^(shift_bias + 1))`: the bias in half units of the accumulator.
fn double_bias(bias: i8, shift_bias: i64) -> i64 {
    let shift = shift_bias + 1;
    if shift >= 0 { i64::from(bias) << shift } else { i64::from(bias) >> (-shift).min(63) }
}

/// Sum of products of two channel vectors of the same length.
fn dot(a: &[i8], b: &[i8]) -> i64 {
    // 2^16 products of at most 2^14 fit an i32.
    const CHUNK: usize = 1 << 16;
    let chunks = a.chunks(CHUNK).zip(b.chunks(CHUNK));
    chunks.map(|(a, b)| i64::from(a.iter().zip(b).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum::<i32>())).sum()
}

/// Adds the products of two channel vectors to the accumulators of their channels.
fn multiply_add(accumulators: &mut [i64], a: &[i8], b: &[i8]) {
    for ((acc, &a), &b) in accumulators.iter_mut().zip(a).zip(b) {
        *acc += i64::from(i32::from(a) * i32::from(b));
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{arr1, arr2};

    use super::*;
    use crate::reference::error::KernelError;

    const UNIT: Fix = Fix { input: 0, weights: 0, bias: 0, output: 0 };

    fn params(fix: Fix, activation: Activation) -> Conv2dParams {
        Conv2dParams { strides: [1, 1], dilations: [1, 1], pads: [0; 4], fix, activation }
    }

    /// An accumulator of 16 bits as the dot product of two int8 vectors.
    fn with_accumulator(acc: i64, bias: Option<i8>, fix: Fix, activation: Activation) -> i8 {
        let sixty_fours = acc.div_euclid(64);
        assert!((-128..128).contains(&sixty_fours));
        let input = arr2(&[[sixty_fours as i8, acc.rem_euclid(64) as i8]]);
        let bias = bias.map(|b| arr1(&[b]));
        let bias = bias.as_ref().map(|b| b.view());
        let output = fully_connected(&input.view(), &arr2(&[[64, 1]]).view(), bias, fix, activation);
        output.unwrap()[[0, 0]]
    }

    fn fix(input: i32, weights: i32, bias: i32, output: i32) -> Fix {
        Fix { input, weights, bias, output }
    }

    #[test]
    fn examples_c1_to_c4() {
        let input = arr2(&[[10, -20, 127, -128]]);
        let weights = arr2(&[[3, -5, 7, -1]]);
        for (bias, fix, expected) in
            [(-33, fix(5, 7, 8, 6), 10), (100, fix(5, 7, 8, 2), 3), (5, fix(5, 7, 13, 6), 18), (5, fix(4, 4, 8, 4), 72)]
        {
            let bias = arr1(&[bias]);
            let output =
                fully_connected(&input.view(), &weights.view(), Some(bias.view()), fix, Activation::None).unwrap();
            assert_eq!(output, arr2(&[[expected]]), "{fix:?}");
        }
    }

    #[test]
    fn example_of_a_fully_connected_layer() {
        let input = arr2(&[[12, -7, 33]]);
        let weights = arr2(&[[5, 9, -2]]);
        let bias = arr1(&[3]);
        let fix = fix(2, 3, 3, 2);
        assert_eq!((fix.shift_bias(), fix.shift_cut()), (2, 3));
        let output = fully_connected(&input.view(), &weights.view(), Some(bias.view()), fix, Activation::None);
        assert_eq!(output.unwrap(), arr2(&[[-7]]));
    }

    #[test]
    fn examples_c5_to_c8() {
        let cut_4 = |output| fix(output + 2, 2, 0, output);
        let run = |acc, output, activation| with_accumulator(acc, None, cut_4(output), activation);
        assert_eq!([-24, -8, 8, 24, -40].map(|acc| run(acc, 4, Activation::None)), [-1, 0, 1, 2, -2]);
        assert_eq!(
            [-2000, -1000, -500, -240, -100, -79, -78, 500].map(|acc| run(acc, 4, Activation::LeakyRelu)),
            [-13, -6, -3, -2, -1, -1, 0, 31]
        );
        assert_eq!(run(2000, 4, Activation::Relu6), 96);
        assert_eq!(run(2000, 5, Activation::Relu6), 125);
    }

    fn c9_input() -> Array4<i8> {
        Array4::from_shape_vec((1, 3, 3, 1), vec![1, -2, 3, 4, 5, -6, 7, 8, 9]).unwrap()
    }

    fn c9_weights() -> Array4<i8> {
        Array4::from_shape_vec((1, 2, 2, 1), vec![1, -1, 2, 3]).unwrap()
    }

    #[test]
    fn example_c9_as_convolution_and_as_depthwise() {
        let raw = Conv2dParams { pads: [1, 1, 0, 0], ..params(UNIT, Activation::None) };
        let scaled = Conv2dParams { fix: fix(1, 1, 1, 0), ..raw };
        assert_eq!((scaled.fix.shift_bias(), scaled.fix.shift_cut()), (1, 2));
        let rectified = Conv2dParams { activation: Activation::Relu, ..scaled };
        let (input, weights, bias) = (c9_input(), c9_weights(), arr1(&[5]));
        let bias = bias.view();
        for run in [conv2d, depthwise_conv2d] {
            let flat =
                |bias, params| run(&input.view(), &weights.view(), bias, &params).unwrap().into_raw_vec_and_offset().0;
            assert_eq!(flat(None, raw), [3, -4, 5, 11, 26, -13, 17, 37, 54]);
            assert_eq!(flat(Some(bias), scaled), [3, 2, 4, 5, 9, -1, 7, 12, 16]);
            assert_eq!(flat(Some(bias), rectified), [3, 2, 4, 5, 9, 0, 7, 12, 16]);
        }
    }

    #[test]
    fn example_c10_with_dilation() {
        let params = Conv2dParams { dilations: [2, 2], pads: [1; 4], ..params(UNIT, Activation::None) };
        for run in [conv2d, depthwise_conv2d] {
            let output = run(&c9_input().view(), &c9_weights().view(), None, &params).unwrap();
            assert_eq!(output.into_raw_vec_and_offset().0, [15, -10, 10, 26, 39, 14, -5, 10, 5]);
        }
    }

    /// The worked bias shift of numerics.md 6.2, and the sixth of a leaky output it may change.
    #[test]
    fn fine_biases_are_floored_to_half_an_accumulator_unit() {
        assert_eq!([-80, 32, 9, 20, -18, 71].map(|b| double_bias(b, -6)), [-3, 1, 0, 0, -1, 2]);
        assert_eq!([-128, -1, 0, 127].map(|b| double_bias(b, -1000)), [-1, -1, 0, 0]);
        assert_eq!(double_bias(-128, 19), -128 << 20);
    }

    /// Flooring never shows after NONE, RELU and RELU6: compare with all fraction bits kept.
    #[test]
    fn floored_biases_equal_exact_ones_without_a_leaky_slope() {
        for shift_bias in -9..=-2i64 {
            for cut in 0..6i64 {
                for bias in i8::MIN..=i8::MAX {
                    for acc in -40..40i64 {
                        let scale = -shift_bias;
                        let exact = (acc << scale) + i64::from(bias);
                        let floored = 2 * acc + double_bias(bias, shift_bias);
                        for activation in [Activation::None, Activation::Relu, Activation::Relu6] {
                            assert_eq!(
                                activation.apply(floored, cut + 1 + 4, 4),
                                activation.apply(exact, cut + scale + 4, 4),
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn long_dot_products_of_extremes_do_not_overflow() {
        let input = Array2::from_elem((1, 200_000), -128i8);
        let output = fully_connected(&input.view(), &input.view(), None, fix(7, 7, 0, -10), Activation::None).unwrap();
        // 200000 * 2^14 / 2^24 = 195.3
        assert_eq!(output, arr2(&[[127]]));
        let output = fully_connected(&input.view(), &input.view(), None, fix(7, 7, 0, -11), Activation::None).unwrap();
        assert_eq!(output, arr2(&[[98]]));
    }

    #[test]
    fn a_strided_view_gives_the_result_of_its_copy() {
        let input = Array4::from_shape_fn((2, 5, 4, 3), |(n, y, x, c)| (n * 60 + y * 12 + x * 3 + c) as i8);
        let weights = Array4::from_shape_fn((2, 3, 2, 3), |(o, y, x, c)| (o + y * 3 + x * 5 + c * 7) as i8 - 8);
        let view = input.view().permuted_axes([0, 2, 1, 3]);
        let params = params(fix(5, 5, 0, 2), Activation::None);
        let copy = view.as_standard_layout().into_owned();
        assert!(view.as_slice().is_none());
        assert_eq!(
            conv2d(&view, &weights.view(), None, &params).unwrap(),
            conv2d(&copy.view(), &weights.view(), None, &params).unwrap()
        );
    }

    #[test]
    fn wrong_shapes_and_parameters_are_named() {
        let message = |input: [usize; 4], weights: [usize; 4], bias: usize, params: Conv2dParams| {
            let (input, weights) = (Array4::<i8>::zeros(input), Array4::<i8>::zeros(weights));
            let bias = ndarray::Array1::<i8>::zeros(bias);
            conv2d(&input.view(), &weights.view(), Some(bias.view()), &params).unwrap_err().to_string()
        };
        let plain = params(UNIT, Activation::None);
        assert_eq!(
            message([1, 4, 4, 3], [8, 3, 3, 4], 8, plain),
            "conv2d: weights has shape [8, 3, 3, 4], expected [out, kernel_h, kernel_w, 3], 3 being the input channels"
        );
        assert_eq!(
            message([1, 4, 4, 3], [8, 3, 3, 3], 7, plain),
            "conv2d: bias has shape [7], expected [8], one per output channel"
        );
        assert_eq!(
            message([1, 2, 4, 3], [8, 3, 3, 3], 8, plain),
            "conv2d: kernel spans 3 along the height, but the padded input only 2"
        );
        assert_eq!(
            message([1, 4, 4, 3], [8, 3, 3, 3], 8, Conv2dParams { strides: [1, 0], ..plain }),
            "conv2d: strides [h, w] = [1, 0], each must be 1 to 65535"
        );
        assert!(message([1, 4, 0, 3], [8, 3, 3, 3], 8, plain).starts_with("conv2d: input has shape [1, 4, 0, 3]"));
        assert!(message([1, 4, 4, 3], [8, 3, 0, 3], 8, plain).starts_with("conv2d: weights has shape [8, 3, 0, 3]"));
        let coarse = Conv2dParams { fix: fix(21, 20, 0, 0), ..plain };
        assert_eq!(
            message([1, 4, 4, 3], [8, 3, 3, 3], 8, coarse),
            "conv2d: fix point of the bias is 0: more than 40 below the accumulator's 21 + 20"
        );
        let hostile = Conv2dParams { pads: [usize::MAX; 4], ..plain };
        assert!(message([1, 4, 4, 3], [8, 3, 3, 3], 8, hostile).contains("each must be 0 to 65535"));
        let huge = Conv2dParams { pads: [0xffff; 4], ..plain };
        let (input, weights) = (Array4::<i8>::zeros([1, 4, 4, 3]), Array4::<i8>::zeros([8, 3, 3, 3]));
        assert!(matches!(
            conv2d(&input.view(), &weights.view(), None, &huge),
            Err(KernelError::TooLarge { operator: "conv2d", .. })
        ));
    }

    #[test]
    fn depthwise_rejects_a_channel_multiplier() {
        let (input, weights) = (Array4::<i8>::zeros([1, 4, 4, 3]), Array4::<i8>::zeros([2, 3, 3, 3]));
        let error = depthwise_conv2d(&input.view(), &weights.view(), None, &params(UNIT, Activation::None));
        assert_eq!(
            error.unwrap_err().to_string(),
            "depthwise_conv2d: weights has shape [2, 3, 3, 3], expected [1, kernel_h, kernel_w, 3], 3 being the input channels"
        );
    }
}
