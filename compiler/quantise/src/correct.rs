//! Corrections with the data in view, layer by layer in order of execution: each layer sees the codes that the corrected layers in front
//! of it compute.
//!
//! Rounding weights and inputs shifts the mean of a channel. The mean difference between the layer's float result and the result with
//! quantised weights and inputs, both behind the activation, is made up for by the bias (`spec/quantisation.md` section 7; here in one step,
//! not in steps of a twentieth). A change of the bias moves the pixels where the activation passes it on; the mean is taken over those.

use std::collections::HashSet;

use dpuc_dialects::ValueId;
use rayon::prelude::*;

use crate::adjust::{Positions, bias_range};
use crate::error::Error;
use crate::options::Effort;
use crate::place::{Activation, LayerId, results};
use crate::position::{of_constant, on_grid, power};
use crate::progress::{Progress, Stage, Tick};
use crate::quantiser::{Quantiser, nearest};
use crate::round::{Constants, Reconstruction};
use crate::run::Samples;
use crate::walk::{Arithmetic, Maps, Segment, Walk};

impl Quantiser {
    /// Corrects all layers; gives the parameters on their grids.
    pub(crate) fn correct(
        &self,
        positions: &mut Positions,
        samples: &dyn Samples,
        progress: &dyn Progress,
    ) -> Result<Vec<Vec<f32>>, Error> {
        let mut rounded = nearest(self, positions);
        if !self.options.correct_bias && self.options.effort == Effort::Normal {
            return Ok(rounded);
        }
        let mut walk = Walk::new(self, samples);
        let order = walk.order.clone();
        let results =
            if self.options.result_headroom { results(&self.ir, self.block, &self.placement) } else { HashSet::new() };
        let tick = Tick::new(progress, Stage::Correct, order.len());
        for site in order {
            let placed = &self.placement.sites[site];
            if placed.is_argument {
                walk.load(site, positions.of(&self.placement, site), samples)?;
            } else {
                let segment = walk.segment(site);
                if let Some(layer) = placed.layer {
                    self.correct_layer(&segment, layer, walk.count(), positions, &mut rounded)?;
                }
                if results.contains(&site) {
                    self.leave_headroom(&segment, site, walk.count(), positions, &rounded)?;
                }
                let maps = values(&segment, placed.value, walk.count(), positions, &rounded)?;
                walk.store(site, maps);
            }
            tick.step();
        }
        Ok(rounded)
    }

    /// Corrects the constants of a weighted layer.
    fn correct_layer(
        &self,
        segment: &Segment<'_, '_>,
        layer: LayerId,
        samples: usize,
        positions: &mut Positions,
        rounded: &mut [Vec<f32>],
    ) -> Result<(), Error> {
        if self.options.effort == Effort::High && self.reconstruct(segment, layer, samples, positions, rounded)? {
            return Ok(());
        }
        if self.options.correct_bias {
            self.correct_bias(segment, layer, samples, positions, rounded)?;
        }
        Ok(())
    }

    /// Chooses the codes of a weighted layer for the least error of its result; whether it could.
    fn reconstruct(
        &self,
        segment: &Segment<'_, '_>,
        layer: LayerId,
        samples: usize,
        positions: &mut Positions,
        rounded: &mut [Vec<f32>],
    ) -> Result<bool, Error> {
        let Some((weights, bias)) = self.placement.weights(layer) else { return Ok(false) };
        let op = self.placement.layers[layer].op;
        let seed = self.options.seed ^ (layer as u64) << 40;
        let activation = self.placement.layers[layer].activation;
        let Some(reconstruction) = Reconstruction::new(&self.ir, op, activation, samples, seed) else {
            return Ok(false);
        };
        let result = self.ir.result(op);
        let float = segment.compile(&[result], Arithmetic::Float)?;
        let quantised = segment.compile(&[result, self.ir.operand(op, 0)], Arithmetic::Float)?;
        let gather = |number: usize| {
            let expected = float.run(&segment.float_inputs(number))?.swap_remove(0);
            let found = quantised.run(&segment.quantised_inputs(number, positions))?;
            Ok(reconstruction.gather(number, &found[1], &expected, &found[0]))
        };
        let evidence = (0..samples).into_par_iter().map(gather).collect::<Result<Vec<_>, Error>>()?;
        let floats = (self.parameter(weights), bias.map(|bias| self.parameter(bias)));
        let constants = Constants {
            weights: &floats.0,
            bias: floats.1.as_deref(),
            is_input_first: self.ir.bool(op, "transpose_b") == Some(false),
            position: positions.parameters[weights],
        };
        let solution = reconstruction.solve(&evidence, &constants, |bias| self.bias_position(layer, bias, positions));
        let Some(solution) = solution else { return Ok(false) };
        rounded[weights] = solution.weights;
        if let (Some(bias), Some((elements, position))) = (bias, solution.bias) {
            rounded[bias] = elements;
            positions.parameters[bias] = position;
        }
        Ok(true)
    }

    /// Corrects the bias of a layer, if it has one.
    fn correct_bias(
        &self,
        segment: &Segment<'_, '_>,
        layer: LayerId,
        samples: usize,
        positions: &mut Positions,
        rounded: &mut [Vec<f32>],
    ) -> Result<(), Error> {
        let Some((_, Some(bias))) = self.placement.weights(layer) else { return Ok(()) };
        let result = self.ir.result(self.placement.layers[layer].op);
        let activation = self.placement.layers[layer].activation;
        let float = segment.compile(&[result], Arithmetic::Float)?;
        // The bias itself is left out of the comparison: its error is the correction's to make up for.
        let mut constants = rounded.to_vec();
        constants[bias] = self.parameter(bias);
        let quantised = segment.compile(&[result], Arithmetic::Constants(&constants))?;
        let channels = constants[bias].len();
        let difference = |number: usize| {
            let expected = float.run(&segment.float_inputs(number))?.swap_remove(0);
            let found = quantised.run(&segment.quantised_inputs(number, positions))?.swap_remove(0);
            Ok(Difference::of(&expected, &found, channels, activation))
        };
        let parts = (0..samples).into_par_iter().map(difference).collect::<Result<Vec<_>, Error>>()?;
        let mut corrected = constants.swap_remove(bias);
        for (channel, value) in corrected.iter_mut().enumerate() {
            let sum: f64 = parts.iter().map(|part| part.sums[channel]).sum();
            let count: u64 = parts.iter().map(|part| part.counts[channel]).sum();
            *value = (f64::from(*value) + sum / count.max(1) as f64) as f32;
        }
        positions.parameters[bias] = self.bias_position(layer, &corrected, positions);
        rounded[bias] = on_grid(&corrected, positions.parameters[bias]);
        Ok(())
    }

    /// The position of a bias with these elements.
    fn bias_position(&self, layer: LayerId, bias: &[f32], positions: &Positions) -> i32 {
        let (coarsest, finest) = bias_range(&self.placement, positions, layer, self.options.profile);
        of_constant(bias).clamp(coarsest, finest)
    }
}

/// What one sample says about the mean error of each channel, the last dimension.
struct Difference {
    /// Sums of `expected - found` behind the activation.
    sums: Vec<f64>,
    /// Numbers of pixels where one of the two is no zero.
    counts: Vec<u64>,
}

impl Difference {
    fn of(expected: &[f32], found: &[f32], channels: usize, activation: Option<Activation>) -> Self {
        let mut difference = Self { sums: vec![0.0; channels], counts: vec![0; channels] };
        let Self { sums, counts } = &mut difference;
        for (expected, found) in expected.chunks_exact(channels).zip(found.chunks_exact(channels)) {
            for channel in 0..channels {
                let (expected, found) = activated(expected[channel], found[channel], activation);
                sums[channel] += f64::from(expected - found);
                counts[channel] += u64::from(expected != 0.0 || found != 0.0);
            }
        }
        difference
    }
}

/// Two numbers behind an activation.
fn activated(expected: f32, found: f32, activation: Option<Activation>) -> (f32, f32) {
    activation.map_or((expected, found), |activation| (activation.apply(expected), activation.apply(found)))
}

/// The values of a segment's site: floats, and the codes that the hardware computes.
pub(crate) fn values(
    segment: &Segment<'_, '_>,
    value: ValueId,
    samples: usize,
    positions: &Positions,
    rounded: &[Vec<f32>],
) -> Result<Vec<Maps>, Error> {
    let float = segment.compile(&[value], Arithmetic::Float)?;
    let integer = segment.compile(&[value], Arithmetic::Integer(positions, rounded))?;
    let scale = power(segment.position(positions));
    let run = |number: usize| {
        let float = float.run(&segment.float_inputs(number))?.swap_remove(0);
        let fixed = integer.run(&segment.quantised_inputs(number, positions))?.swap_remove(0);
        // Exact: the numbers are on the grid.
        let codes = fixed.into_iter().map(|value| (value * scale) as i8).collect();
        Ok(Maps { float, codes })
    };
    (0..samples).into_par_iter().map(run).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two channels: one where a shift is seen by half of the pixels, one where both numbers are clipped.
    #[test]
    fn errors_are_counted_where_the_activation_passes_them() {
        let expected = [1.0, -3.0, -2.0, -4.0, 3.0, -1.0, -5.0, -2.0];
        let found = [0.5, -9.0, -9.0, -1.0, 2.5, -8.0, -1.0, -3.0];
        let relu = Difference::of(&expected, &found, 2, Some(Activation::Relu));
        assert_eq!((relu.sums, relu.counts), (vec![1.0, 0.0], vec![2, 0]));
        let linear = Difference::of(&expected, &found, 2, None);
        assert_eq!((linear.sums, linear.counts), (vec![4.0, 11.0], vec![4, 4]));
        let clipped = Difference::of(&[7.0, 5.0], &[9.0, 6.5], 1, Some(Activation::Relu6));
        assert_eq!((clipped.sums, clipped.counts), (vec![-1.0], vec![2]));
    }
}
