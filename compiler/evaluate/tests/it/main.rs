//! Networks evaluated and compared with AMD's own results.

mod compiled;
mod golden;
mod quantised;
mod samples;
