//! The factors of a seam with the least noise.
//!
//! Candidates are products of powers of the channel's ranges (in the weights in front, in the data, in the weights behind) and of a common
//! factor, which moves ranges to just below a power of two. The best of them says where the positions are; from there single positions and
//! pairs of them move while that helps, with the best factor of each channel for the positions, which has a closed form.

use crate::position::{HIGHEST, non_overflow, power};

/// Exponents of a range in a factor.
const EXPONENTS: [f32; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];
/// Common factors, as exponents of two.
const COMMON: [f32; 8] = [-0.5, -0.375, -0.25, -0.125, 0.0, 0.125, 0.25, 0.375];
/// Times all positions may be moved.
const MOVES: usize = 64;
/// Most tensors of which pairs are moved.
const MOST_PAIRED: usize = 24;
/// Greatest code, with what still rounds to it.
const GREATEST: f32 = 127.49;
/// No channel is scaled by more, unless its range asks for it.
const GREATEST_FACTOR: f32 = 1024.0;

/// A tensor that factors scale.
pub(super) struct Scaled {
    /// Greatest magnitude of each channel.
    pub(super) ranges: Vec<f32>,
    /// What the square of a step counts for each channel.
    pub(super) counts: Vec<f64>,
    /// Whether factors multiply its channels instead of dividing them.
    pub(super) is_multiplied: bool,
}

impl Scaled {
    fn exponent(&self) -> i32 {
        if self.is_multiplied { 1 } else { -1 }
    }

    /// The position that it has with factors.
    fn position(&self, factors: &[f32]) -> i32 {
        let exponent = self.exponent();
        let most = self.ranges.iter().zip(factors).map(|(range, factor)| range * factor.powi(exponent));
        let most = most.fold(0.0, f32::max);
        non_overflow(-most, most)
    }
}

/// Which factors keep a `relu6` exact.
#[derive(Default)]
pub(super) struct Bounds {
    /// Channels that clip; empty without a `relu6`.
    pub(super) clips: Vec<bool>,
    /// Least factors of the others.
    pub(super) least: Vec<f32>,
}

impl Bounds {
    /// The least and the greatest factor of a channel.
    fn of(&self, channel: usize) -> (f32, f32) {
        match (self.clips.get(channel), self.least.get(channel)) {
            (Some(true), _) => (1.0, 1.0),
            (Some(false), Some(&least)) => (least, f32::INFINITY),
            _ => (0.0, f32::INFINITY),
        }
    }
}

/// The noise of a seam as a function of its factors.
pub(super) struct Model {
    pub(super) channels: usize,
    pub(super) tensors: Vec<Scaled>,
    pub(super) bounds: Bounds,
}

impl Model {
    /// The best factors; `logarithms` are those of the ranges in front, of the data and behind.
    pub(super) fn best(&self, logarithms: &[Vec<f32>; 3]) -> Vec<f32> {
        let (_, factors) = self.best_power(logarithms);
        self.refine(factors)
    }

    fn best_power(&self, logarithms: &[Vec<f32>; 3]) -> (f64, Vec<f32>) {
        let ones = vec![1.0; self.channels];
        let mut best = (self.noise(&ones), ones);
        let exponents = || EXPONENTS.into_iter();
        let powers = exponents()
            .flat_map(|head| exponents().flat_map(move |data| exponents().map(move |tail| [head, data, -tail])));
        for power in powers {
            for common in COMMON {
                let factor = |channel: usize| {
                    let exponent: f32 = logarithms.iter().zip(power).map(|(of, power)| of[channel] * power).sum();
                    let (least, most) = self.bounds.of(channel);
                    (exponent + common).exp2().clamp(least, most)
                };
                let factors: Vec<f32> = (0..self.channels).map(factor).collect();
                let noise = self.noise(&factors);
                if noise < best.0 {
                    best = (noise, factors);
                }
            }
        }
        best
    }

    /// In units of steps squared over twelve.
    fn noise(&self, factors: &[f32]) -> f64 {
        let tensor = |tensor: &Scaled| {
            let exponent = -2 * tensor.exponent();
            let counts = tensor.counts.iter().zip(factors);
            let sum: f64 = counts.map(|(count, &factor)| count * f64::from(factor).powi(exponent)).sum();
            sum * squared_step(tensor.position(factors))
        };
        self.tensors.iter().map(tensor).sum()
    }

    /// Moves positions while that makes the noise less.
    fn refine(&self, factors: Vec<f32>) -> Vec<f32> {
        let mut positions: Vec<i32> = self.tensors.iter().map(|tensor| tensor.position(&factors)).collect();
        let mut best = match self.at(&positions) {
            Some(found) if found.0 < self.noise(&factors) => found,
            _ => (self.noise(&factors), factors),
        };
        for _ in 0..MOVES {
            let mut found: Option<Vec<i32>> = None;
            for moved in moves(&positions) {
                if let Some(candidate) = self.at(&moved)
                    && candidate.0 < best.0 * (1.0 - 1e-9)
                {
                    best = candidate;
                    found = Some(moved);
                }
            }
            match found {
                Some(moved) => positions = moved,
                None => break,
            }
        }
        best.1
    }

    /// The best factors at these positions and their noise; `None` if no factor fits a channel.
    ///
    /// A factor `s` of a channel makes noise `a s^2 + b / s^2`, which is least for `s^4 = b / a`.
    fn at(&self, positions: &[i32]) -> Option<(f64, Vec<f32>)> {
        let grid = |&position: &i32| (squared_step(position), GREATEST * power(-position));
        let grids: Vec<(f64, f32)> = positions.iter().map(grid).collect();
        let mut noise = 0.0;
        let mut factors = Vec::with_capacity(self.channels);
        for channel in 0..self.channels {
            let (mut least, mut most) = self.bounds.of(channel);
            let (mut divided, mut multiplied) = (0.0, 0.0);
            for (tensor, &(step, end)) in self.tensors.iter().zip(&grids) {
                let count = tensor.counts[channel] * step;
                if tensor.is_multiplied {
                    multiplied += count;
                    most = most.min(end / tensor.ranges[channel].max(f32::MIN_POSITIVE));
                } else {
                    divided += count;
                    least = least.max(tensor.ranges[channel] / end);
                }
            }
            if least > most {
                return None;
            }
            let wish = if divided > 0.0 && multiplied > 0.0 { (multiplied / divided).powf(0.25) as f32 } else { 1.0 };
            let factor = wish.clamp(1.0 / GREATEST_FACTOR, GREATEST_FACTOR).clamp(least, most);
            noise += divided * f64::from(factor).powi(2) + multiplied / f64::from(factor).powi(2);
            factors.push(factor);
        }
        Some((noise, factors))
    }
}

/// All ways to move one position by one, or two of a few.
fn moves(positions: &[i32]) -> Vec<Vec<i32>> {
    let moved = |positions: &[i32], at: usize, step: i32| {
        let mut moved = positions.to_vec();
        moved[at] = (moved[at] + step).min(HIGHEST);
        moved
    };
    let is_small = positions.len() <= MOST_PAIRED;
    let mut all = Vec::new();
    for at in 0..positions.len() {
        for step in [-1, 1] {
            let single = moved(positions, at, step);
            let others = (0..if is_small { at } else { 0 }).flat_map(|other| [(other, -1), (other, 1)]);
            all.extend(others.map(|(other, step)| moved(&single, other, step)));
            all.push(single);
        }
    }
    all
}

/// The square of the step at a position.
fn squared_step(position: i32) -> f64 {
    f64::exp2(f64::from(-2 * position))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weights in front, data and weights behind, with channels of very different ranges.
    fn model(bounds: Bounds) -> Model {
        let tensor = |is_multiplied, ranges: [f32; 4], counts: [f64; 4]| Scaled {
            ranges: ranges.to_vec(),
            counts: counts.to_vec(),
            is_multiplied,
        };
        let tensors = vec![
            tensor(false, [0.1, 3.0, 0.5, 0.02], [4.0, 0.1, 2.0, 9.0]),
            tensor(false, [1.0, 5.0, 0.1, 0.3], [1.0, 2.0, 0.5, 3.0]),
            tensor(true, [0.9, 0.01, 0.2, 2.0], [7.0, 30.0, 0.3, 0.4]),
        ];
        Model { channels: 4, tensors, bounds }
    }

    fn logarithms(model: &Model) -> [Vec<f32>; 3] {
        [0, 1, 2].map(|at: usize| model.tensors[at].ranges.iter().map(|range| range.log2()).collect())
    }

    #[test]
    fn no_factor_near_the_best_ones_is_better() {
        let model = model(Bounds::default());
        let factors = model.best(&logarithms(&model));
        let least = model.noise(&factors);
        assert!(least < 0.2 * model.noise(&[1.0; 4]), "{least}");
        for channel in 0..4 {
            for change in [0.5, 0.9, 0.99, 1.01, 1.1, 2.0] {
                let mut other = factors.clone();
                other[channel] *= change;
                assert!(model.noise(&other) >= least * (1.0 - 1e-6), "channel {channel} times {change}");
            }
        }
    }

    #[test]
    fn the_noise_at_positions_is_that_of_the_factors_there() {
        let model = model(Bounds::default());
        let (noise, factors) = model.at(&[6, 4, 5]).unwrap();
        let steps: Vec<i32> = model.tensors.iter().map(|tensor| tensor.position(&factors)).collect();
        assert!(steps.iter().zip([6, 4, 5]).all(|(found, position)| *found >= position), "{steps:?}");
        assert!(model.noise(&factors) <= noise * (1.0 + 1e-6));
        // No channel's range fits both in front and behind.
        assert!(model.at(&[11, 11, 11]).is_none());
    }

    #[test]
    fn channels_that_a_relu6_clips_are_not_scaled() {
        let model = model(Bounds { clips: vec![false, true, false, false], least: vec![0.9, 1.0, 0.5, 0.01] });
        let factors = model.best(&logarithms(&model));
        assert!((factors[1] - 1.0).abs() < f32::EPSILON);
        assert!(factors.iter().zip([0.9, 1.0, 0.5, 0.01]).all(|(factor, least)| *factor >= least));
    }
}
