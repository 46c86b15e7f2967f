//! Compiled networks against the reference.

mod arithmetic;
mod batch;
mod export;
mod harness;
mod movement;
mod nets;
mod partition;
mod plan;
mod program;
mod quantised;
mod samples;
mod single;
