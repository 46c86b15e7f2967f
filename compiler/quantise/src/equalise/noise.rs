//! Choosing factors for the least noise.
//!
//! A rounding to steps of `d` makes noise of variance `d^2 / 12`. With factor `s` for a channel of a seam, in units of the unscaled network:
//!
//! * the channel's own rounding, and those of the weights and the bias that compute it, count `s^2`;
//! * the rounding of the weights that read it meets the channel's values divided by `s`: it counts `1 / s^2`.
//!
//! Steps follow from the greatest magnitude over all channels. What noise of a channel counts is estimated by passing the squares of the
//! weights back from the results of the network. Factors are products of powers of the channel's ranges (in the weights in front, in the
//! data, in the weights behind) and of a common factor, which moves ranges to just below a power of two; the powers with the least
//! noise are found by trying. No scaling at all is among them.

use dpuc_dialects::Ir;

use super::ranges::Channels;
use super::seam::Seam;
use super::weights::Weights;
use crate::network::set_constant;
use crate::place::{Activation, LayerId, OperatorKind, Parameter, ParameterId, Placement, SiteId};
use crate::position::{non_overflow, power};

/// Exponents of a range in a factor.
const EXPONENTS: [f32; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];
/// Common factors, as exponents of two.
const COMMON: [f32; 8] = [-0.5, -0.375, -0.25, -0.125, 0.0, 0.125, 0.25, 0.375];
/// An error of a bias is the same for all pixels and adds up; what it counts beyond one that does not.
const COHERENCE: f64 = 4.0;
/// Least range that counts, relative to the greatest one: dead channels are not blown up.
const DEAD: f32 = 1e-3;

/// The weights and activations of a network while it is scaled.
pub(super) struct Network<'a> {
    placement: &'a Placement,
    /// By layer, if it has weights.
    weights: Vec<Option<Weights>>,
    /// By site.
    channels: Vec<Channels>,
    /// By site: what noise of each channel counts.
    importance: Vec<Vec<f64>>,
}

impl<'a> Network<'a> {
    /// `parameter` gives the elements of parameters.
    pub(super) fn new(
        ir: &Ir,
        placement: &'a Placement,
        parameter: impl Fn(ParameterId) -> Vec<f32>,
        channels: Vec<Channels>,
    ) -> Self {
        let weights = |layer: LayerId| {
            let (weights, bias) = placement.weights(layer)?;
            let shape = &placement.parameters[weights].shape;
            Some(Weights::of(ir, placement.layers[layer].op, shape, parameter(weights), bias.map(&parameter)))
        };
        let weights = (0..placement.layers.len()).map(weights).collect();
        Self { placement, weights, channels, importance: Vec::new() }
    }

    /// Writes the scaled constants.
    pub(super) fn write(self, ir: &mut Ir) {
        for (layer, weights) in self.weights.iter().enumerate() {
            let (Some(weights), Some((id, bias))) = (weights, self.placement.weights(layer)) else { continue };
            let mut write = |id: ParameterId, elements: &[f32]| {
                let Parameter { symbol, shape, .. } = &self.placement.parameters[id];
                set_constant(ir, symbol, shape, elements);
            };
            write(id, &weights.elements);
            if let (Some(id), Some(bias)) = (bias, &weights.bias) {
                write(id, bias);
            }
        }
    }

    /// Estimates what noise of each channel counts, from the last layer to the first.
    pub(super) fn weigh(&mut self) {
        let mut importance: Vec<Vec<f64>> = self.channels.iter().map(|of| vec![0.0; of.range.len()]).collect();
        for (site, own) in importance.iter_mut().enumerate() {
            if !self.placement.layers.iter().any(|layer| layer.inputs.contains(&site)) {
                own.fill(1.0);
            }
        }
        for (layer, weights) in self.placement.layers.iter().zip(&self.weights).rev() {
            let output = importance[layer.output].clone();
            let passed = weights.as_ref().map_or_else(|| output.clone(), |weights| weights.input_importance(&output));
            let mut offset = 0;
            for &input in &layer.inputs {
                let own = &mut importance[input];
                let part =
                    if layer.kind == OperatorKind::Concat { &passed[offset.min(passed.len())..] } else { &passed[..] };
                offset += own.len();
                add_folded(own, part, layer.kind == OperatorKind::Concat);
            }
        }
        self.importance = importance;
    }

    /// Scales the channels of a seam.
    pub(super) fn equalise(&mut self, seam: &Seam) {
        let channels = self.channels[seam.members[0]].range.len();
        let bounds = Bounds::of(self, seam, channels);
        let logarithms = [
            relative(
                seam.heads.iter().filter_map(|&head| Some(self.weights[head].as_ref()?.output_ranges())),
                channels,
            ),
            relative(seam.members.iter().map(|&member| self.channels[member].range.clone()), channels),
            relative(seam.tails.iter().filter_map(|&tail| Some(self.weights[tail].as_ref()?.input_ranges())), channels),
        ];
        let model = Model::of(self, seam);
        let mut best = (model.noise(&vec![1.0; channels]), vec![1.0; channels]);
        let exponents = || EXPONENTS.into_iter();
        let powers = exponents()
            .flat_map(|head| exponents().flat_map(move |data| exponents().map(move |tail| [head, data, -tail])));
        for power in powers {
            for common in COMMON {
                let factor = |channel: usize| {
                    let exponent: f32 = logarithms.iter().zip(power).map(|(of, power)| of[channel] * power).sum();
                    (exponent + common).exp2()
                };
                let factors = bounds.apply((0..channels).map(factor).collect());
                let noise = model.noise(&factors);
                if noise < best.0 {
                    best = (noise, factors);
                }
            }
        }
        self.scale(seam, &best.1);
    }

    fn scale(&mut self, seam: &Seam, factors: &[f32]) {
        for &member in &seam.members {
            let channels = &mut self.channels[member];
            for (channel, &factor) in factors.iter().enumerate() {
                channels.range[channel] /= factor;
                channels.energy[channel] /= f64::from(factor).powi(2);
                self.importance[member][channel] *= f64::from(factor).powi(2);
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
fn add_folded(own: &mut [f64], part: &[f64], is_slice: bool) {
    let channels = own.len().max(1);
    let taken = if is_slice { part.len().min(channels) } else { part.len() };
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

/// Which factors keep a `relu6` exact.
struct Bounds {
    /// Channels that clip; empty without a `relu6`.
    clips: Vec<bool>,
    /// Least factors of the others.
    least: Vec<f32>,
}

impl Bounds {
    fn of(network: &Network<'_>, seam: &Seam, channels: usize) -> Self {
        let has_relu6 = |&&head: &&LayerId| network.placement.layers[head].activation == Some(Activation::Relu6);
        let outputs: Vec<SiteId> =
            seam.heads.iter().filter(has_relu6).map(|&head| network.placement.layers[head].output).collect();
        if outputs.is_empty() {
            return Self { clips: Vec::new(), least: Vec::new() };
        }
        let range =
            |channel: usize| outputs.iter().map(|&site| network.channels[site].range[channel]).fold(0.0, f32::max);
        let clips = (0..channels).map(|channel| range(channel) >= 6.0 * CLIPPED).collect();
        Self { clips, least: (0..channels).map(|channel| range(channel) / 6.0).collect() }
    }

    fn apply(&self, mut factors: Vec<f32>) -> Vec<f32> {
        for (channel, factor) in factors.iter_mut().enumerate() {
            match (self.clips.get(channel), self.least.get(channel)) {
                (Some(true), _) => *factor = 1.0,
                (Some(false), Some(&least)) => *factor = factor.max(least),
                _ => {}
            }
        }
        factors
    }
}

/// A channel this near to 6 counts as one that a `relu6` clips.
const CLIPPED: f32 = 0.99;

/// The noise of a seam as a function of its factors.
struct Model {
    /// Ranges that a factor divides, and what the noise of each channel counts for steps of one.
    divided: Vec<(Vec<f32>, Vec<f64>)>,
    /// Ranges that a factor multiplies, likewise.
    multiplied: Vec<(Vec<f32>, Vec<f64>)>,
}

impl Model {
    fn of(network: &Network<'_>, seam: &Seam) -> Self {
        let mut model = Self { divided: Vec::new(), multiplied: Vec::new() };
        for &member in &seam.members {
            model.divided.push((network.channels[member].range.clone(), network.importance[member].clone()));
        }
        for &head in &seam.heads {
            let layer = &network.placement.layers[head];
            let (Some(weights), Some(&input)) = (&network.weights[head], layer.inputs.first()) else { continue };
            let importance = &network.importance[layer.output];
            let energy = weights.input_energy(&network.channels[input].energy);
            let counts = energy.iter().zip(importance).map(|(energy, importance)| energy * importance).collect();
            model.divided.push((weights.output_ranges(), counts));
            if let Some(bias) = &weights.bias {
                let ranges = bias.iter().map(|value| value.abs()).collect();
                model.divided.push((ranges, importance.iter().map(|importance| COHERENCE * importance).collect()));
            }
        }
        for &tail in &seam.tails {
            let layer = &network.placement.layers[tail];
            let (Some(weights), Some(&input)) = (&network.weights[tail], layer.inputs.first()) else { continue };
            let importance = &network.importance[layer.output];
            let all: f64 = importance.iter().sum();
            let count = |(channel, energy): (usize, &f64)| {
                energy * weights.taps as f64 * if weights.is_channelwise() { importance[channel] } else { all }
            };
            let counts = network.channels[input].energy.iter().enumerate().map(count).collect();
            model.multiplied.push((weights.input_ranges(), counts));
        }
        model
    }

    /// In units of steps squared over twelve.
    fn noise(&self, factors: &[f32]) -> f64 {
        let mut noise = 0.0;
        for (ranges, counts) in &self.divided {
            let most = ranges.iter().zip(factors).map(|(range, factor)| range / factor).fold(0.0, f32::max);
            let sum: f64 = counts.iter().zip(factors).map(|(count, &factor)| count * f64::from(factor).powi(2)).sum();
            noise += sum * squared_step(most);
        }
        for (ranges, counts) in &self.multiplied {
            let most = ranges.iter().zip(factors).map(|(range, factor)| range * factor).fold(0.0, f32::max);
            let sum: f64 = counts.iter().zip(factors).map(|(count, &factor)| count / f64::from(factor).powi(2)).sum();
            noise += sum * squared_step(most);
        }
        noise
    }
}

/// The square of the step at the position of a range.
fn squared_step(range: f32) -> f64 {
    f64::from(power(-non_overflow(-range, range))).powi(2)
}
