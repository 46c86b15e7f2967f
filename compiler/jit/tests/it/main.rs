//! Compiled functions against the evaluator.

mod compare;
mod hostile;
mod networks;
mod random;
mod samples;
mod threads;
