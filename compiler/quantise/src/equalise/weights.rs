//! Weights by their channels.

use dpuc_dialects::dialects::nn;
use dpuc_dialects::{Ir, OpId};

/// Where the channels of weights are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// `[out, taps, in]`
    OutFirst,
    /// `[in, out]`
    InFirst,
    /// `[taps, channel]`: each channel by itself.
    Channelwise,
}

/// The weights and the bias of a layer, while they are scaled.
#[derive(Clone, Debug)]
pub(super) struct Weights {
    pub(super) elements: Vec<f32>,
    pub(super) bias: Option<Vec<f32>>,
    layout: Layout,
    pub(super) outputs: usize,
    pub(super) inputs: usize,
    /// Elements of a kernel.
    pub(super) taps: usize,
}

impl Weights {
    pub(super) fn of(ir: &Ir, op: OpId, shape: &[usize], elements: Vec<f32>, bias: Option<Vec<f32>>) -> Self {
        let last = shape.last().copied().unwrap_or(1).max(1);
        let first = shape.first().copied().unwrap_or(1).max(1);
        let count = elements.len();
        let is_channelwise = ir.is(op, &nn::DEPTHWISE_CONV2D) || ir.is(op, &nn::TRANSPOSED_DEPTHWISE_CONV2D);
        let (layout, outputs, inputs, taps) = if is_channelwise {
            (Layout::Channelwise, last, last, count / last)
        } else if ir.bool(op, "transpose_b") == Some(false) {
            (Layout::InFirst, last, first, 1)
        } else {
            (Layout::OutFirst, first, last, count / (first * last))
        };
        Self { elements, bias, layout, outputs, inputs, taps }
    }

    /// Whether each channel is computed by itself.
    pub(super) fn is_channelwise(&self) -> bool {
        self.layout == Layout::Channelwise
    }

    /// Output and input channel of an element.
    fn channels(&self, at: usize) -> (usize, usize) {
        match self.layout {
            Layout::OutFirst => (at / (self.taps * self.inputs), at % self.inputs),
            Layout::InFirst => (at % self.outputs, at / self.outputs),
            Layout::Channelwise => (at % self.outputs, at % self.outputs),
        }
    }

    /// Greatest magnitude for each output channel.
    pub(super) fn output_ranges(&self) -> Vec<f32> {
        let mut ranges = vec![0f32; self.outputs];
        for (at, value) in self.elements.iter().enumerate() {
            let range = &mut ranges[self.channels(at).0];
            *range = range.max(value.abs());
        }
        ranges
    }

    /// Greatest magnitude for each input channel.
    pub(super) fn input_ranges(&self) -> Vec<f32> {
        let mut ranges = vec![0f32; self.inputs];
        for (at, value) in self.elements.iter().enumerate() {
            let range = &mut ranges[self.channels(at).1];
            *range = range.max(value.abs());
        }
        ranges
    }

    /// What noise of each input channel counts that differs from pixel to pixel, given what that of the output channels counts.
    pub(super) fn input_importance(&self, outputs: &[f64]) -> Vec<f64> {
        let mut importance = vec![0f64; self.inputs];
        for (at, &value) in self.elements.iter().enumerate() {
            let (output, input) = self.channels(at);
            importance[input] += outputs[output] * f64::from(value) * f64::from(value);
        }
        importance
    }

    /// The same for noise that is equal for neighbouring pixels.
    pub(super) fn smooth_input_importance(&self, outputs: &[f64]) -> Vec<f64> {
        if self.taps == 1 {
            return self.input_importance(outputs);
        }
        let width = if self.is_channelwise() { 1 } else { self.inputs };
        let mut sums = vec![0f64; self.outputs * width];
        for (at, &value) in self.elements.iter().enumerate() {
            let (output, input) = self.channels(at);
            sums[output * width + input % width] += f64::from(value);
        }
        let mut importance = vec![0f64; self.inputs];
        for (at, sum) in sums.iter().enumerate() {
            let output = at / width;
            let input = if self.is_channelwise() { output } else { at % width };
            importance[input] += outputs[output] * sum * sum;
        }
        importance
    }

    /// Mean square of the sum of inputs that an error of one weight is multiplied with, for each output channel.
    pub(super) fn input_energy(&self, energy: &[f64]) -> Vec<f64> {
        let taps = self.taps as f64;
        if self.is_channelwise() {
            return energy.iter().map(|energy| energy * taps).collect();
        }
        vec![energy.iter().sum::<f64>() * taps; self.outputs]
    }

    /// Divides output channels by factors.
    pub(super) fn divide_outputs(&mut self, factors: &[f32]) {
        for at in 0..self.elements.len() {
            let (output, _) = self.channels(at);
            self.elements[at] /= factors[output];
        }
        for (value, factor) in self.bias.iter_mut().flatten().zip(factors) {
            *value /= factor;
        }
    }

    /// Multiplies input channels by factors.
    pub(super) fn multiply_inputs(&mut self, factors: &[f32]) {
        for at in 0..self.elements.len() {
            let (_, input) = self.channels(at);
            self.elements[at] *= factors[input];
        }
    }
}
