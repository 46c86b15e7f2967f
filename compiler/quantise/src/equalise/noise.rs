//! What roundings cost.
//!
//! A rounding to steps of `d` makes noise of variance `d^2 / 12`. With factor `s` for a channel of a seam, in units of the unscaled network:
//!
//! * the channel's own rounding, and those of the weights and the bias that compute it, count `s^2`;
//! * the rounding of the weights that read it meets the channel's values divided by `s`: it counts `1 / s^2`.
//!
//! Steps follow from the greatest magnitude over all channels. What noise of a channel counts is estimated by passing the squares of the
//! weights back from the results of the network, through each `ReLU` as far as it is active. Roundings of activations differ from pixel to
//! pixel, so that windows average them; what wrong weights and biases do is as smooth as the maps are, and adds up. Where biases are
//! corrected, the mean error of a channel costs nothing: the next layer's bias makes up for it. What is left of a weight's error is that of
//! its input's deviation from the mean, and of a bias's error what the `ReLU` behind it makes vary.

use dpuc_dialects::dialects::nn;
use dpuc_dialects::{Ir, OpId};

use super::factors::{Bounds, Model, Scaled};
use super::ranges::Channels;
use super::seam::Seam;
use super::weights::Weights;
use crate::place::{Activation, Layer, LayerId, OperatorKind, ParameterId, Placement, SiteId};

/// Least part of a bias's error that the next layer does not make up for.
const LEAST_COHERENCE: f64 = 0.05;
/// Least range that counts, relative to the greatest one: dead channels are not blown up.
const DEAD: f32 = 1e-3;
/// A range of this part of 6 counts as one that a `relu6` clips.
const CLIPPED: f32 = 0.99;

/// The weights and activations of a network while it is scaled.
pub(super) struct Network<'a> {
    ir: &'a Ir,
    placement: &'a Placement,
    /// Whether biases will make up for mean errors.
    corrects_bias: bool,
    /// By layer, if it has weights.
    weights: Vec<Option<Weights>>,
    /// By site.
    channels: Vec<Channels>,
    /// By site: what noise counts.
    importance: Vec<Importance>,
}

/// What noise of each channel of a site counts.
#[derive(Clone)]
struct Importance {
    /// Noise that differs from pixel to pixel.
    white: Vec<f64>,
    /// Noise that is equal for neighbouring pixels.
    smooth: Vec<f64>,
}

impl Importance {
    /// What the noise of wrong weights counts: it is as smooth as the maps are, about half-way between the two.
    fn of_weights(&self) -> Vec<f64> {
        self.white.iter().zip(&self.smooth).map(|(white, smooth)| (white * smooth).sqrt()).collect()
    }

    fn both(&mut self) -> [&mut Vec<f64>; 2] {
        [&mut self.white, &mut self.smooth]
    }
}

impl<'a> Network<'a> {
    /// `parameter` gives the elements of parameters; `corrects_bias` says whether biases will make up for mean errors.
    pub(super) fn new(
        ir: &'a Ir,
        placement: &'a Placement,
        parameter: impl Fn(ParameterId) -> Vec<f32>,
        channels: Vec<Channels>,
        corrects_bias: bool,
    ) -> Self {
        let weights = |layer: LayerId| {
            let (weights, bias) = placement.weights(layer)?;
            let shape = &placement.parameters[weights].shape;
            Some(Weights::of(ir, placement.layers[layer].op, shape, parameter(weights), bias.map(&parameter)))
        };
        let weights = (0..placement.layers.len()).map(weights).collect();
        Self { ir, placement, corrects_bias, weights, channels, importance: Vec::new() }
    }

    /// The scaled constants.
    pub(super) fn into_constants(self) -> Vec<(ParameterId, Vec<f32>)> {
        let mut constants = Vec::new();
        for (layer, weights) in self.weights.into_iter().enumerate() {
            let (Some(weights), Some((id, bias))) = (weights, self.placement.weights(layer)) else { continue };
            constants.push((id, weights.elements));
            constants.extend(bias.zip(weights.bias));
        }
        constants
    }

    /// Estimates what noise of each channel counts, from the last layer to the first.
    pub(super) fn weigh(&mut self) {
        let new = |of: &Channels| Importance { white: vec![0.0; of.range.len()], smooth: vec![0.0; of.range.len()] };
        self.importance = self.channels.iter().map(new).collect();
        for (site, own) in self.importance.iter_mut().enumerate() {
            if !self.placement.layers.iter().any(|layer| layer.inputs.contains(&site)) {
                own.both().into_iter().for_each(|of| of.fill(1.0));
            }
        }
        for (layer, weights) in self.placement.layers.iter().zip(&self.weights).rev() {
            let Importance { mut white, smooth } = self.importance_in_front(layer);
            let averaged = mean_of(self.ir, layer.op);
            for white in &mut white {
                *white /= averaged;
            }
            let passed = match weights {
                Some(weights) => Importance {
                    white: weights.input_importance(&white),
                    smooth: weights.smooth_input_importance(&smooth),
                },
                None => Importance { white, smooth },
            };
            let is_concat = layer.kind == OperatorKind::Concat;
            let mut offset = 0;
            for &input in &layer.inputs {
                let own = &mut self.importance[input];
                let skipped = if is_concat { offset } else { 0 };
                offset += own.white.len();
                for (own, passed) in own.both().into_iter().zip([&passed.white, &passed.smooth]) {
                    add_folded(own, &passed[skipped.min(passed.len())..], is_concat);
                }
            }
        }
    }

    /// Scales the channels of a seam.
    pub(super) fn equalise(&mut self, seam: &Seam) {
        let channels = self.channels[seam.members[0]].range.len();
        let logarithms = [
            relative(
                seam.heads.iter().filter_map(|&head| Some(self.weights[head].as_ref()?.output_ranges())),
                channels,
            ),
            relative(seam.members.iter().map(|&member| self.channels[member].range.clone()), channels),
            relative(seam.tails.iter().filter_map(|&tail| Some(self.weights[tail].as_ref()?.input_ranges())), channels),
        ];
        let factors = self.model(seam, channels).best(&logarithms);
        self.scale(seam, &factors);
    }

    /// The fraction of a layer's results that noise in front of its activation reaches, by channel.
    fn activity(&self, layer: &Layer) -> Vec<f64> {
        let channels = &self.channels[layer.output];
        match layer.activation {
            Some(Activation::Relu | Activation::Relu6) => channels.active.clone(),
            _ => vec![1.0; channels.active.len()],
        }
    }

    /// The noise of a seam.
    fn model(&self, seam: &Seam, channels: usize) -> Model {
        let mut tensors = Vec::new();
        let mut add = |is_multiplied, ranges, counts| tensors.push(Scaled { ranges, counts, is_multiplied });
        for &member in &seam.members {
            let own = &self.channels[member];
            // Zeros stay what they are.
            add(false, own.range.clone(), product(&self.importance[member].white, &own.active));
        }
        for &head in &seam.heads {
            let layer = &self.placement.layers[head];
            let (Some(weights), Some(&input)) = (&self.weights[head], layer.inputs.first()) else { continue };
            let importance = self.importance_in_front(layer).of_weights();
            let energy = weights.input_energy(&self.disturbance(input));
            add(false, weights.output_ranges(), product(&energy, &importance));
            if let Some(bias) = &weights.bias {
                let ranges = bias.iter().map(|value| value.abs()).collect();
                let varying = |active: f64| (1.0 - active).max(LEAST_COHERENCE);
                let counts = importance.iter().zip(self.activity(layer));
                let counts = counts
                    .map(|(importance, active)| importance * if self.corrects_bias { varying(active) } else { 1.0 });
                add(false, ranges, counts.collect());
            }
        }
        for &tail in &seam.tails {
            let layer = &self.placement.layers[tail];
            let (Some(weights), Some(&input)) = (&self.weights[tail], layer.inputs.first()) else { continue };
            let importance = self.importance_in_front(layer).of_weights();
            let all: f64 = importance.iter().sum();
            let count = |(channel, energy): (usize, &f64)| {
                energy * weights.taps as f64 * if weights.is_channelwise() { importance[channel] } else { all }
            };
            add(true, weights.input_ranges(), self.disturbance(input).iter().enumerate().map(count).collect());
        }
        Model { channels, tensors, bounds: self.bounds(seam, channels) }
    }

    /// What noise in front of the activation of a layer counts.
    fn importance_in_front(&self, layer: &Layer) -> Importance {
        let (behind, active) = (&self.importance[layer.output], self.activity(layer));
        Importance { white: product(&behind.white, &active), smooth: product(&behind.smooth, &active) }
    }

    /// The mean square that the errors of weights are multiplied with, as far as nothing makes up for the result.
    fn disturbance(&self, input: SiteId) -> Vec<f64> {
        if self.corrects_bias { self.channels[input].variance() } else { self.channels[input].energy.clone() }
    }

    fn bounds(&self, seam: &Seam, channels: usize) -> Bounds {
        let has_relu6 = |&&head: &&LayerId| self.placement.layers[head].activation == Some(Activation::Relu6);
        let outputs: Vec<SiteId> =
            seam.heads.iter().filter(has_relu6).map(|&head| self.placement.layers[head].output).collect();
        if outputs.is_empty() {
            return Bounds::default();
        }
        let range = |channel: usize| outputs.iter().map(|&site| self.channels[site].range[channel]).fold(0.0, f32::max);
        let clips = (0..channels).map(|channel| range(channel) >= 6.0 * CLIPPED).collect();
        Bounds { clips, least: (0..channels).map(|channel| range(channel) / 6.0).collect() }
    }

    fn scale(&mut self, seam: &Seam, factors: &[f32]) {
        for &member in &seam.members {
            self.channels[member].scale(factors);
            for importance in self.importance[member].both() {
                importance.iter_mut().zip(factors).for_each(|(value, &factor)| *value *= f64::from(factor).powi(2));
            }
        }
        for &head in &seam.heads {
            self.weights[head].iter_mut().for_each(|weights| weights.divide_outputs(factors));
        }
        for &tail in &seam.tails {
            self.weights[tail].iter_mut().for_each(|weights| weights.multiply_inputs(factors));
        }
    }
}

/// Adds what the inputs of a layer count to what the channels of a site count; several elements of an input may belong to one channel.
fn add_folded(own: &mut [f64], part: &[f64], is_concat: bool) {
    let channels = own.len().max(1);
    let taken = if is_concat { part.len().min(channels) } else { part.len() };
    for (at, value) in part[..taken].iter().enumerate() {
        own[at % channels] += value;
    }
}

/// Base-2 logarithms of the greatest of several ranges for each channel, each relative to its greatest channel.
fn relative(ranges: impl Iterator<Item = Vec<f32>>, channels: usize) -> Vec<f32> {
    let mut greatest = vec![DEAD; channels];
    for of in ranges {
        let most = of.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        for (own, range) in greatest.iter_mut().zip(of) {
            *own = own.max(range / most);
        }
    }
    greatest.into_iter().map(f32::log2).collect()
}

/// Number of elements that an operation takes the mean of: noise of each is divided by it.
fn mean_of(ir: &Ir, op: OpId) -> f64 {
    let elements = |value| ir.shape_of(value).unwrap_or_default().iter().product::<usize>().max(1) as f64;
    match ir.int_array::<2>(op, "kernel") {
        Some([height, width]) if ir.is(op, &nn::AVG_POOL) => (height * width).max(1) as f64,
        _ if ir.is(op, &nn::REDUCE_MEAN) => elements(ir.operand(op, 0)) / elements(ir.result(op)),
        _ => 1.0,
    }
}

fn product(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a * b).collect()
}
