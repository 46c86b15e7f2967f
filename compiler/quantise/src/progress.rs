//! Telling the caller how far the work is.

use std::sync::atomic::{AtomicUsize, Ordering};

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Finding the ranges of channels, in samples.
    Equalise,
    /// Running calibration samples through the float network, in samples.
    Calibrate,
    /// Correcting layers, in tensors.
    Correct,
    /// Comparing the quantised network with the float one, in samples.
    Compare,
}

/// Hears how far the work is; called from several threads.
pub trait Progress: Sync {
    /// `done` of `total` steps of a stage are done.
    fn report(&self, stage: Stage, done: usize, total: usize);
}

/// Nobody listens.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn report(&self, _: Stage, _: usize, _: usize) {}
}

/// Counts the steps of a stage.
pub(crate) struct Tick<'a> {
    progress: &'a dyn Progress,
    stage: Stage,
    done: AtomicUsize,
    total: usize,
}

impl<'a> Tick<'a> {
    pub(crate) fn new(progress: &'a dyn Progress, stage: Stage, total: usize) -> Self {
        progress.report(stage, 0, total);
        Self { progress, stage, done: AtomicUsize::new(0), total }
    }

    /// One more step is done.
    pub(crate) fn step(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        self.progress.report(self.stage, done, self.total);
    }
}
