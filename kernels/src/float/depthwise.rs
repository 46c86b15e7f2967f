//! Depthwise convolutions.

use ndarray::{ArrayView1, ArrayView4};

use super::channelwise::{Channelwise, Fold};
use super::conv::{Conv2dParams, check_bias};
use super::function::{Function, clamp};
use super::geometry::Space;
use super::lanes::Lanes;
use crate::reference::KernelError;
use crate::reference::error::shape_error;
use crate::reference::geometry::Window;
use crate::reference::layout::{check_size, result_size};
use crate::simd::Kernels;

/// A convolution or transposed convolution of each channel by itself, its weights packed.
///
/// Sums are in f32, tap by tap from the bias on: the result differs from the exact one by at most `kernel_h · kernel_w · 2^-24 ·
/// (Σ|x · w| + |bias|)`. A NaN stays NaN, also behind a fused `relu`.
#[derive(Clone, Debug)]
pub struct DepthwiseConv2d {
    operator: Channelwise,
    /// Channels filled up to whole vectors.
    padded: usize,
    /// `[kernel_h, kernel_w, padded]`
    weights: Vec<f32>,
    /// `[padded]`
    bias: Vec<f32>,
    activation: Option<Function>,
}

impl DepthwiseConv2d {
    /// Prepares the convolution of a map `[n, h, w, channels]` with `weights` `[1, kernel_h, kernel_w, channels]` and `bias`
    /// `[channels]`; `params.groups` has no meaning here. Sizes as [`Conv2d::new`](super::Conv2d::new).
    ///
    /// # Errors
    /// Empty or mismatched operands, a window that does not fit.
    pub fn new(
        kernels: Kernels,
        input: [usize; 4],
        weights: &ArrayView4<'_, f32>,
        bias: Option<ArrayView1<'_, f32>>,
        params: &Conv2dParams,
    ) -> Result<Self, KernelError> {
        Self::build("depthwise_conv2d", Space::sliding, kernels, input, weights, bias, params)
    }

    /// Prepares the transposed convolution; sizes as [`Conv2d::transposed`](super::Conv2d::transposed).
    ///
    /// # Errors
    /// As [`Self::new`], dilations, or pads that crop everything.
    pub fn transposed(
        kernels: Kernels,
        input: [usize; 4],
        weights: &ArrayView4<'_, f32>,
        bias: Option<ArrayView1<'_, f32>>,
        params: &Conv2dParams,
    ) -> Result<Self, KernelError> {
        const OPERATOR: &str = "transposed_depthwise_conv2d";
        params.check_transposed(OPERATOR)?;
        Self::build(OPERATOR, Space::transposed, kernels, input, weights, bias, params)
    }

    fn build(
        operator: &'static str,
        space: fn(&'static str, [usize; 2], &Window) -> Result<Space, KernelError>,
        kernels: Kernels,
        input: [usize; 4],
        weights: &ArrayView4<'_, f32>,
        bias: Option<ArrayView1<'_, f32>>,
        params: &Conv2dParams,
    ) -> Result<Self, KernelError> {
        check_size(operator, "input", &input)?;
        check_size(operator, "weights", weights.shape())?;
        let [_, height, width, channels] = input;
        let (multiplier, kernel_h, kernel_w, depth) = weights.dim();
        if (multiplier, depth) != (1, channels) {
            let expected = format!("[1, kernel_h, kernel_w, {channels}], {channels} being the input channels");
            return Err(shape_error(operator, "weights", weights.shape(), expected));
        }
        check_bias(operator, bias.as_ref(), channels)?;
        let space = space(operator, [height, width], &params.window([kernel_h, kernel_w]))?;
        space.check_phases(operator)?;
        let channelwise = Channelwise::new(kernels, input, space, kernel_w);
        result_size(operator, &channelwise.output_shape())?;
        let padded = channels.next_multiple_of(kernels.lane_count());
        let mut packed = vec![0.0; kernel_h * kernel_w * padded];
        for (tap, own) in packed.chunks_exact_mut(padded).enumerate() {
            for (channel, own) in own.iter_mut().take(channels).enumerate() {
                *own = weights[[0, tap / kernel_w, tap % kernel_w, channel]];
            }
        }
        let mut own_bias = vec![0.0; padded];
        if let Some(bias) = bias {
            own_bias.iter_mut().zip(&bias).for_each(|(own, &bias)| *own = bias);
        }
        Ok(Self { operator: channelwise, padded, weights: packed, bias: own_bias, activation: params.activation })
    }

    /// Shape of the result, `[n, h, w, channels]`.
    pub const fn output_shape(&self) -> [usize; 4] {
        self.operator.output_shape()
    }

    /// Computes the result of all elements of a map into all elements of the output, both NHWC.
    ///
    /// # Panics
    /// If a slice does not have the elements of its shape.
    pub fn run(&self, input: &[f32], output: &mut [f32]) {
        self.operator.run(MultiplyAdd(self), self.activation, input, output);
    }
}

#[derive(Clone, Copy)]
struct MultiplyAdd<'a>(&'a DepthwiseConv2d);

impl Fold for MultiplyAdd<'_> {
    #[inline(always)]
    fn start<L: Lanes>(self, lanes: L, channel: usize) -> L::F32 {
        lanes.load(&self.0.bias[channel..])
    }

    #[inline(always)]
    fn operand<L: Lanes>(self, lanes: L, kernel: usize, channel: usize) -> L::F32 {
        lanes.load(&self.0.weights[kernel * self.0.padded + channel..])
    }

    #[inline(always)]
    fn step<L: Lanes>(self, lanes: L, sum: L::F32, operand: L::F32, x: L::F32) -> L::F32 {
        lanes.mul_add(x, operand, sum)
    }

    #[inline(always)]
    fn finish<L: Lanes>(self, lanes: L, sum: L::F32) -> L::F32 {
        let [low, high] = self.0.activation.and_then(Function::limits).unwrap_or([f32::NEG_INFINITY, f32::INFINITY]);
        clamp(lanes, sum, low, high)
    }
}
