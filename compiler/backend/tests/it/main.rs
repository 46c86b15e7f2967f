//! Compiled networks against the reference.

mod harness;
mod net;
mod nets;
mod partition;
mod plan;
mod program;
mod single;
