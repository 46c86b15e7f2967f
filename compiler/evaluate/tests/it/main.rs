//! Networks evaluated and compared with AMD's own results.

mod compiled;
mod golden;
mod networks;
mod quantised;
mod random;
mod samples;
