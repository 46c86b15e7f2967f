//! Numbers that change in steps over time, and their summary at a fixed resolution.

/// Pieces a run is divided into for a summary.
pub(crate) const SAMPLES: usize = 480;

/// Changes kept before those at the same time are joined; bounds the memory for any program.
const PENDING_MAX: usize = 1 << 20;

/// A number that goes up and down.
#[derive(Clone, Debug, Default)]
pub(crate) struct Steps {
    /// Time and change.
    changes: Vec<(u64, i64)>,
    /// Number of changes above which they are joined.
    limit: usize,
}

/// A summary of [`Steps`].
pub(crate) struct Series {
    /// The largest value.
    pub(crate) peak: u64,
    /// The average over time.
    pub(crate) mean: f64,
    /// The largest value in each of [`SAMPLES`] equal pieces.
    pub(crate) samples: Vec<u64>,
}

impl Steps {
    /// Adds `amount` from `from` until `until`.
    pub(crate) fn add(&mut self, from: u64, until: u64, amount: i64) {
        self.changes.push((from, amount));
        self.changes.push((until, -amount));
        if self.changes.len() > self.limit.max(PENDING_MAX) {
            self.join();
            // Joining again pays only when there is twice as much.
            self.limit = 2 * self.changes.len();
        }
    }

    /// Sorts the changes and makes one of those at the same time.
    fn join(&mut self) {
        self.changes.sort_unstable_by_key(|&(time, _)| time);
        self.changes.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
    }

    /// The summary of the time from 0 to `end`.
    pub(crate) fn series(mut self, end: u64) -> Series {
        self.join();
        let mut series = Series { peak: 0, mean: 0.0, samples: vec![0; SAMPLES] };
        if end == 0 {
            return series;
        }
        let piece = |time: u64| ((u128::from(time) * SAMPLES as u128 / u128::from(end)) as usize).min(SAMPLES - 1);
        let mut value = 0i64;
        let mut area = 0u128;
        for (number, &(time, change)) in self.changes.iter().enumerate() {
            value += change;
            let until = self.changes.get(number + 1).map_or(end, |&(next, _)| next).min(end);
            let level = u64::try_from(value).unwrap_or(0);
            if level == 0 || until <= time {
                continue;
            }
            series.peak = series.peak.max(level);
            area += u128::from(level) * u128::from(until - time);
            for sample in &mut series.samples[piece(time)..=piece(until - 1)] {
                *sample = (*sample).max(level);
            }
        }
        series.mean = crate::rounded(area as f64 / end as f64, 1);
        series
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_has_peak_mean_and_the_largest_value_of_each_piece() {
        let mut steps = Steps::default();
        steps.add(0, 480, 3);
        steps.add(240, 241, 4);
        steps.add(480, 960, 2);
        let series = steps.series(960);
        assert_eq!((series.peak, series.mean), (7, 2.5));
        assert_eq!(series.samples[..120], [3; 120]);
        assert_eq!((series.samples[120], series.samples[121], series.samples[240], series.samples[479]), (7, 3, 2, 2));
    }

    #[test]
    fn joining_loses_nothing() {
        let mut steps = Steps::default();
        for number in 0..PENDING_MAX as u64 {
            steps.add(number % 7, 100, 1);
        }
        assert!(steps.changes.len() < PENDING_MAX);
        assert_eq!(steps.series(100).peak, PENDING_MAX as u64);
    }
}
