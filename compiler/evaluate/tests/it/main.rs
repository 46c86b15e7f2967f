//! Networks evaluated and compared with AMD's own results.

mod compiled;
mod containers;
mod float;
mod gates;
mod golden;
mod networks;
mod quantised;
mod resize;
mod samples;
