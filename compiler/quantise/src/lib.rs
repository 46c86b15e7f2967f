//! Post-training quantisation: from a float network and calibration samples to the same network with fixed-point tensors, which
//! `dpuc-passes` lowers to integers.
//!
//! The stages, each a module (`spec/quantisation.md` is the source of the rules):
//!
//! 1. `prepare`: constants of the graph become what the hardware has;
//! 2. `place`: which values are rounded;
//! 3. `equalise`: channels are scaled across layers so that one position serves all of them;
//! 4. `statistics`: what the samples say about each tensor; shards of the samples can be looked at by different machines;
//! 5. `position`, `adjust`: from statistics to positions that the hardware can compute with;
//! 6. `correct`, `round`: biases make up for mean errors, weights are rounded with the layer's result in view;
//! 7. `emit`, `info`, `report`: the quantised graph, its positions, and what it costs.
//!
//! Results do not depend on the number of threads.

mod adjust;
mod correct;
mod emit;
mod equalise;
mod error;
mod headroom;
mod info;
mod network;
mod options;
mod place;
mod position;
mod prepare;
mod progress;
mod quantiser;
mod report;
mod round;
mod run;
mod statistics;
mod walk;

pub use error::Error;
pub use info::QuantInfo;
pub use options::{Effort, Options, Profile, Statistic};
pub use progress::{Progress, Silent, Stage};
pub use quantiser::{Quantised, Quantiser, quantise};
pub use report::{ConstantReport, Histogram, Report, TensorReport};
pub use run::Samples;
pub use statistics::{Shard, Statistics};
