//! Where numbers lie, seen from the int8 range.

use serde::Serialize;

/// Codes in a bin.
const WIDTH: i32 = 4;
/// Bins: twice the int8 range, with the range in the middle.
const BINS: usize = 128;
/// The first code of the first bin.
const FIRST: i32 = -(BINS as i32 / 2) * WIDTH;

/// How many floats are where, in steps of the tensor's position: code `q` is the float that rounds to `q`, and those beyond -128 and 127
/// saturate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Histogram {
    /// Codes in a bin.
    pub width: i32,
    /// The first code of the first bin.
    pub first: i32,
    /// Floats in each bin; without empty bins at either end.
    pub counts: Vec<u64>,
    /// Floats below the first code that bins are kept for, -256.
    pub below: u64,
    /// Floats above the last one, 255.
    pub above: u64,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self { width: WIDTH, first: FIRST, counts: vec![0; BINS], below: 0, above: 0 }
    }

    /// Adds a float in steps of the tensor's position.
    pub(crate) fn add(&mut self, steps: f32) {
        let bin = ((steps + 0.5).floor() - FIRST as f32) / WIDTH as f32;
        if bin < 0.0 {
            self.below += 1;
        } else {
            // A float beyond every integer becomes the largest one.
            match self.counts.get_mut(bin as usize) {
                Some(count) => *count += 1,
                None => self.above += 1,
            }
        }
    }

    /// Adds what another histogram counts; neither is trimmed yet.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (count, other) in self.counts.iter_mut().zip(&other.counts) {
            *count += other;
        }
        self.below += other.below;
        self.above += other.above;
    }

    /// Without the empty bins at both ends.
    pub(crate) fn trimmed(mut self) -> Self {
        let used = |count: &u64| *count > 0;
        let end = self.counts.iter().rposition(used).map_or(0, |last| last + 1);
        let start = self.counts.iter().position(used).unwrap_or(0);
        self.counts = self.counts[start..end].to_vec();
        self.first += start as i32 * WIDTH;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_their_bins() {
        let mut histogram = Histogram::new();
        for steps in [-128.0, -125.4, -128.5, -128.6, 127.4, 127.5, 0.0, 3.49, -0.5, -0.6] {
            histogram.add(steps);
        }
        let code = |code: i32| histogram.counts[((code - FIRST) / WIDTH) as usize];
        assert_eq!([code(-132), code(-128), code(124), code(128), code(0), code(-4)], [1, 3, 1, 1, 3, 1]);
        assert_eq!((histogram.below, histogram.above), (0, 0));
    }

    #[test]
    fn what_is_far_away_is_counted_at_the_ends() {
        let mut histogram = Histogram::new();
        for steps in [-256.0, -256.6, f32::MIN, 255.4, 255.5, f32::MAX, 1.0] {
            histogram.add(steps);
        }
        assert_eq!((histogram.below, histogram.above), (2, 2));
        let trimmed = histogram.trimmed();
        assert_eq!((trimmed.first, trimmed.counts.len()), (-256, 128));
        let mut one = Histogram::new();
        one.add(-9.0);
        let one = one.trimmed();
        assert_eq!((one.first, &one.counts[..]), (-12, &[1][..]));
        assert!(Histogram::new().trimmed().counts.is_empty());
    }
}
