//! Random layers of every kind on every registered target and one more: emitted code runs on the accelerator model with garbage in all
//! memories and must give, byte for byte, what the scalar reference computes.

mod combining;
mod convolution;
mod data;
mod examples;
mod exchanged;
mod harness;
mod limits;
mod pointwise;
mod pooling;
mod resampling;
mod schedule;
mod sequences;
