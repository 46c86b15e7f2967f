//! What calibration samples say about the tensors of a network.
//!
//! The numbers come from the float network, one record for each sample and tensor, so that a record does not depend on which other samples
//! there are: shards of a calibration set, merged in any order, are exactly what one machine would have found. Sums over samples are only
//! formed at the end, in order of the samples.

mod choose;
mod file;

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::error::Error;
use crate::position::{SCOPE, SquaredError, non_overflow, range, squared_error};
use crate::progress::{Progress, Stage, Tick};
use crate::run::{Runner, Samples, sample};
pub(crate) use choose::choose;

/// Positions below the non-overflow one whose errors are recorded. Still coarser ones round everything to zero.
const COARSER: i32 = 9;
/// Positions whose errors are recorded.
const RECORDED: usize = (COARSER + SCOPE) as usize;

/// What one sample says about one tensor.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) least: f32,
    pub(crate) most: f32,
    /// Sum of the squared elements.
    pub(crate) energy: f64,
    /// The squared errors at each position from [`Self::first`] on.
    pub(crate) errors: Vec<SquaredError>,
}

impl Record {
    /// The record of a tensor; `None` if it has elements that are no finite numbers.
    pub(crate) fn of(elements: &[f32]) -> Option<Self> {
        // A NaN would get lost in minima and maxima, but not in the sum.
        let energy: f64 = elements.iter().map(|&value| f64::from(value) * f64::from(value)).sum();
        if !energy.is_finite() {
            return None;
        }
        let (least, most) = range(elements);
        let mut record = Self { least, most, energy, errors: Vec::new() };
        let first = record.first();
        record.errors = (0..RECORDED as i32).map(|step| squared_error(elements, first + step)).collect();
        Some(record)
    }

    fn first(&self) -> i32 {
        non_overflow(self.least, self.most) - COARSER
    }

    /// The squared errors at a position, which must not be finer than the candidates for this sample alone.
    pub(crate) fn error(&self, position: i32) -> SquaredError {
        let zeros = SquaredError { total: self.energy, saturated: 0.0 };
        usize::try_from(position - self.first()).map_or(zeros, |at| self.errors.get(at).copied().unwrap_or(zeros))
    }
}

/// Which part of the calibration samples a machine looks at: those whose number leaves this rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 0.
    pub index: usize,
    /// How many shards there are, at least 1.
    pub count: usize,
}

impl Shard {
    /// All samples.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    fn has(self, sample: usize) -> bool {
        sample % self.count.max(1) == self.index
    }
}

/// What calibration samples say about a network, or what some of them say.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// Identifies the network and everything that was done to it before.
    network: String,
    /// Number of samples of all shards together.
    total: usize,
    /// The tensors, in the order of the records.
    tensors: Vec<String>,
    /// By sample: one record for each tensor.
    samples: BTreeMap<usize, Vec<Record>>,
}

impl Statistics {
    /// Runs a shard of the samples; `runner` gives the tensors.
    pub(crate) fn collect(
        network: String,
        tensors: Vec<String>,
        runner: &Runner,
        samples: &dyn Samples,
        shard: Shard,
        progress: &dyn Progress,
    ) -> Result<Self, Error> {
        let total = samples.count();
        let own: Vec<usize> = (0..total).filter(|&index| shard.has(index)).collect();
        if own.is_empty() {
            return Err(Error::NoSamples);
        }
        let tick = Tick::new(progress, Stage::Calibrate, own.len());
        let record = |&index: &usize| {
            let values = runner.run(&sample(samples, index)?)?;
            let records = values.par_iter().zip(&tensors).map(|(elements, tensor)| {
                Record::of(elements).ok_or_else(|| Error::NotFinite { tensor: tensor.clone(), sample: index })
            });
            let records = records.collect::<Result<Vec<_>, Error>>()?;
            tick.step();
            Ok((index, records))
        };
        let samples = own.par_iter().map(record).collect::<Result<_, Error>>()?;
        Ok(Self { network, total, tensors, samples })
    }

    /// Number of samples in it.
    pub fn count(&self) -> usize {
        self.samples.len()
    }

    /// Number of samples of all shards together.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Joins the statistics of several shards; the order does not matter.
    ///
    /// # Errors
    /// Shards of different networks or calibration sets, a sample in two shards with different numbers, no shard at all.
    pub fn merge(shards: impl IntoIterator<Item = Self>) -> Result<Self, Error> {
        let refuse = |reason: &str| Err(Error::Statistics(reason.to_owned()));
        let mut shards = shards.into_iter();
        let Some(mut merged) = shards.next() else { return refuse("there are none") };
        for shard in shards {
            if shard.network != merged.network || shard.tensors != merged.tensors {
                return refuse("two shards are of different networks, or of one network with different options");
            }
            if shard.total != merged.total {
                return refuse("two shards are of calibration sets of different sizes");
            }
            for (index, records) in shard.samples {
                if merged.samples.get(&index).is_some_and(|own| *own != records) {
                    return Err(Error::Statistics(format!("two shards disagree about sample {index}")));
                }
                merged.samples.insert(index, records);
            }
        }
        Ok(merged)
    }

    /// Checks that they are complete and belong to a network.
    pub(crate) fn check(&self, network: &str, tensors: &[String]) -> Result<(), Error> {
        if self.network != network || self.tensors != tensors {
            let reason = "they are of another network, or were collected with other options";
            return Err(Error::Statistics(reason.to_owned()));
        }
        match (0..self.total).find(|index| !self.samples.contains_key(index)) {
            Some(missing) => {
                let (found, total) = (self.samples.len(), self.total);
                let reason =
                    format!("they have {found} of {total} samples, sample {missing} is missing: merge all shards");
                Err(Error::Statistics(reason))
            }
            None => Ok(()),
        }
    }

    /// The records of one tensor, in order of the samples.
    pub(crate) fn records(&self, tensor: usize) -> Vec<&Record> {
        self.samples.values().filter_map(|records| records.get(tensor)).collect()
    }
}
