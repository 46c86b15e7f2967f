//! Tests of the public interface.

mod attributes;
mod bytes;
mod dpu;
mod hostile;
mod invalid;
mod models;
mod round_trip;
mod samples;
