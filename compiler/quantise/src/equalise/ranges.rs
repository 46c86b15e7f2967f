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
}

impl Channels {
    fn of(elements: &[f32], channels: usize) -> Self {
        let mut found = Self { range: vec![0.0; channels], energy: vec![0.0; channels] };
        for pixel in elements.chunks_exact(channels) {
            for ((range, energy), &value) in found.range.iter_mut().zip(&mut found.energy).zip(pixel) {
                *range = range.max(value.abs());
                *energy += f64::from(value) * f64::from(value);
            }
        }
        let pixels = (elements.len() / channels).max(1) as f64;
        found.energy.iter_mut().for_each(|energy| *energy /= pixels);
        found
    }

    /// Joins what was found in `count` samples of one size.
    fn join(parts: &[&Self]) -> Self {
        let mut joined = parts[0].clone();
        for part in &parts[1..] {
            for (range, other) in joined.range.iter_mut().zip(&part.range) {
                *range = range.max(*other);
            }
            for (energy, other) in joined.energy.iter_mut().zip(&part.energy) {
                *energy += other;
            }
        }
        joined.energy.iter_mut().for_each(|energy| *energy /= parts.len() as f64);
        joined
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
