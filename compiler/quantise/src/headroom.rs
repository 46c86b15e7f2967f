//! Room for results that are larger than those of the calibration data.
//!
//! Scores that saturate together can no longer be told apart, and a few images seldom hold the greatest score there is. Where the noise
//! that a result has anyway hides the rounding of a coarser position, that position costs nothing and saturates later.

use rayon::prelude::*;

use crate::adjust::{Positions, is_computable};
use crate::error::Error;
use crate::place::SiteId;
use crate::position::{non_overflow, power};
use crate::quantiser::Quantiser;
use crate::walk::{Arithmetic, Segment};

/// How much larger than all calibration data a result may become.
const HEADROOM: f32 = 1.25;
/// The part of the noise that rounding may have: 6 dB below it. New data make more noise than those the network was calibrated with.
const HIDDEN: f64 = 1.0 / 4.0;

/// What the samples say about a result in front of its rounding.
#[derive(Clone, Copy, Debug, Default)]
struct Evidence {
    least: f32,
    most: f32,
    /// Sum of squared differences from the float network.
    noise: f64,
    count: usize,
}

impl Evidence {
    fn of(expected: &[f32], found: &[f32]) -> Self {
        let (least, most) = crate::position::range(expected);
        let noise = expected.iter().zip(found).map(|(expected, found)| f64::from(expected - found).powi(2)).sum();
        Self { least, most, noise, count: expected.len() }
    }

    fn join(self, other: Self) -> Self {
        Self {
            least: self.least.min(other.least),
            most: self.most.max(other.most),
            noise: self.noise + other.noise,
            count: self.count + other.count,
        }
    }

    /// The position that leaves room, or the one nearest to it of which the rounding is hidden; `current` if none is. The hardware can
    /// compute with those that `is_possible` holds for.
    fn position(&self, current: i32, is_possible: impl Fn(i32) -> bool) -> i32 {
        let wanted = non_overflow(self.least * HEADROOM, self.most * HEADROOM);
        // Rounding to multiples of a step makes an error of a twelfth of its square.
        let rounding = |position: i32| f64::from(power(-position)).powi(2) / 12.0 * self.count as f64;
        let is_hidden = |position: i32| rounding(position) <= HIDDEN * self.noise;
        (wanted..current).find(|&position| is_hidden(position) && is_possible(position)).unwrap_or(current)
    }
}

impl Quantiser {
    /// Makes the position of a weighted layer's result coarser where that is hidden by its noise.
    pub(crate) fn leave_headroom(
        &self,
        segment: &Segment<'_, '_>,
        site: SiteId,
        samples: usize,
        positions: &mut Positions,
        rounded: &[Vec<f32>],
    ) -> Result<(), Error> {
        let placed = &self.placement.sites[site];
        let Some(layer) = placed.layer.filter(|&layer| self.placement.weights(layer).is_some()) else { return Ok(()) };
        let float = segment.compile(&[placed.value], Arithmetic::Float)?;
        let noisy = segment.compile(&[placed.value], Arithmetic::Constants(rounded))?;
        let of_sample = |number: usize| {
            let expected = float.run(&segment.float_inputs(number))?.swap_remove(0);
            let found = noisy.run(&segment.quantised_inputs(number, positions))?.swap_remove(0);
            Ok(Evidence::of(&expected, &found))
        };
        let parts = (0..samples).into_par_iter().map(of_sample).collect::<Result<Vec<_>, Error>>()?;
        let evidence = parts.into_iter().fold(Evidence::default(), Evidence::join);
        let is_possible = |position: i32| {
            let mut moved = positions.clone();
            moved.sites[site] = position;
            is_computable(&self.placement, &moved, layer, self.options.profile)
        };
        positions.sites[site] = evidence.position(positions.sites[site], is_possible);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_noisy_result_gets_room_and_a_clean_one_keeps_its_precision() {
        // 15.9 fits position 3, a quarter more position 2. Noise of a variance of 0.3 hides steps of 0.25.
        let scores = |variance: f64| Evidence { least: -7.0, most: 15.9, noise: 1000.0 * variance, count: 1000 };
        let any = |_: i32| true;
        assert_eq!(scores(0.3).position(3, any), 2);
        assert_eq!(scores(0.01).position(3, any), 3);
        // No coarser than the room needs, however large the noise; nor than the hardware can shift.
        assert_eq!(scores(100.0).position(4, any), 2);
        assert_eq!(scores(100.0).position(4, |position| position >= 3), 3);
        // What has room already stays.
        assert_eq!(scores(100.0).position(1, any), 1);
        assert_eq!(Evidence::default().position(12, any), 12);
    }

    #[test]
    fn evidence_is_summed_over_samples() {
        let joined = Evidence::of(&[1.0, -3.0], &[2.0, -3.0]).join(Evidence::of(&[5.0], &[3.0]));
        assert_eq!((joined.least, joined.most, joined.noise, joined.count), (-3.0, 5.0, 5.0, 3));
    }
}
