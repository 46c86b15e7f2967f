//! What the channels of tensors hold.

use rayon::prelude::*;

use crate::error::Error;
use crate::place::{Activation, LayerId, OperatorKind};
use crate::progress::Tick;
use crate::quantiser::Quantiser;
use crate::run::{Samples, sample};

/// The channels, the last dimension, of one tensor over all samples.
#[derive(Clone, Debug)]
pub(super) struct Channels {
    /// Greatest magnitude.
    pub(super) range: Vec<f32>,
    /// Mean square.
    pub(super) energy: Vec<f64>,
    /// Mean.
    pub(super) mean: Vec<f64>,
    /// Fraction of elements that are not zero.
    pub(super) active: Vec<f64>,
}

impl Channels {
    fn of(elements: &[f32], channels: usize) -> Self {
        let zeros = || vec![0f64; channels];
        let mut found = Self { range: vec![0.0; channels], energy: zeros(), mean: zeros(), active: zeros() };
        for pixel in elements.chunks_exact(channels) {
            for (channel, &value) in pixel.iter().enumerate() {
                found.range[channel] = found.range[channel].max(value.abs());
                found.energy[channel] += f64::from(value) * f64::from(value);
                found.mean[channel] += f64::from(value);
                found.active[channel] += f64::from(u8::from(value != 0.0));
            }
        }
        found.divide((elements.len() / channels).max(1) as f64);
        found
    }

    /// Joins what was found in several samples of one size.
    fn join(parts: &[&Self]) -> Self {
        let mut joined = parts[0].clone();
        for part in &parts[1..] {
            for (range, other) in joined.range.iter_mut().zip(&part.range) {
                *range = range.max(*other);
            }
            for (sums, others) in joined.sums().into_iter().zip([&part.energy, &part.mean, &part.active]) {
                sums.iter_mut().zip(others).for_each(|(sum, other)| *sum += other);
            }
        }
        joined.divide(parts.len() as f64);
        joined
    }

    fn sums(&mut self) -> [&mut Vec<f64>; 3] {
        [&mut self.energy, &mut self.mean, &mut self.active]
    }

    fn divide(&mut self, count: f64) {
        self.sums().into_iter().flatten().for_each(|sum| *sum /= count);
    }

    /// Mean square deviation from the mean.
    pub(super) fn variance(&self) -> Vec<f64> {
        self.energy.iter().zip(&self.mean).map(|(energy, mean)| (energy - mean * mean).max(0.0)).collect()
    }

    /// Divides the channels by factors.
    pub(super) fn scale(&mut self, factors: &[f32]) {
        for (channel, &factor) in factors.iter().enumerate() {
            self.range[channel] /= factor;
            self.energy[channel] /= f64::from(factor).powi(2);
            self.mean[channel] /= f64::from(factor);
        }
    }
}

/// The channels of all sites.
pub(super) fn observe(
    quantiser: &Quantiser,
    samples: &dyn Samples,
    chosen: &[usize],
    tick: &Tick<'_>,
) -> Result<Vec<Channels>, Error> {
    let sites = &quantiser.placement.sites;
    let values: Vec<_> = sites.iter().map(|site| site.value).collect();
    let channels: Vec<usize> = values
        .iter()
        .map(|&value| quantiser.ir.shape_of(value).and_then(|shape| shape.last().copied()).unwrap_or(1).max(1))
        .collect();
    let runner = quantiser.runner(&values)?;
    let of_sample = |&index: &usize| {
        let tensors = runner.run(&sample(samples, index)?)?;
        tick.step();
        Ok(tensors.iter().zip(&channels).map(|(elements, &count)| Channels::of(elements, count)).collect())
    };
    let found: Vec<Vec<Channels>> = chosen.par_iter().map(of_sample).collect::<Result<_, Error>>()?;
    let join = |site| Channels::join(&found.iter().map(|sample| &sample[site]).collect::<Vec<_>>());
    Ok((0..sites.len()).map(join).collect())
}

/// The layers with a `relu6`, and the fraction of elements that it clips.
pub(super) fn clipped(
    quantiser: &Quantiser,
    samples: &dyn Samples,
    chosen: &[usize],
    tick: &Tick<'_>,
) -> Result<Vec<(LayerId, f64)>, Error> {
    let layers = quantiser.placement.layers.iter().enumerate();
    let layers: Vec<LayerId> = layers
        .filter(|(_, layer)| layer.kind == OperatorKind::Weighted && layer.activation == Some(Activation::Relu6))
        .map(|(id, _)| id)
        .collect();
    let values: Vec<_> =
        layers.iter().map(|&layer| quantiser.ir.result(quantiser.placement.layers[layer].op)).collect();
    let runner = quantiser.runner(&values)?;
    let of_sample = |&index: &usize| {
        let tensors = runner.run(&sample(samples, index)?)?;
        tick.step();
        let fraction = |elements: &Vec<f32>| {
            elements.iter().filter(|&&value| value > 6.0).count() as f64 / elements.len().max(1) as f64
        };
        Ok(tensors.iter().map(fraction).collect())
    };
    let found: Vec<Vec<f64>> = chosen.par_iter().map(of_sample).collect::<Result<_, Error>>()?;
    let mean = |at: usize| found.iter().map(|sample| sample[at]).sum::<f64>() / found.len() as f64;
    Ok(layers.into_iter().enumerate().map(|(at, layer)| (layer, mean(at))).collect())
}
