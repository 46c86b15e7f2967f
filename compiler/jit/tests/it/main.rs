//! Compiled functions against the evaluator.

mod compare;
mod floats;
mod hostile;
mod levels;
mod networks;
mod random;
mod samples;
mod threads;
