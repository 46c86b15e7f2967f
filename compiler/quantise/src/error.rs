//! What can go wrong.

use thiserror::Error;

/// Why a network cannot be quantised.
#[derive(Debug, Error)]
pub enum Error {
    /// The module has no function to quantise.
    #[error("the module has no function `main` with a body: give the network's function that name")]
    NoFunction,
    /// The network is quantised already.
    #[error(
        "`{place}` is a `nn.fix`: the network is quantised already; compile it as it is, or quantise the float network"
    )]
    AlreadyQuantised {
        /// The operation.
        place: String,
    },
    /// Nothing in the network has a form for the DPU.
    #[error("the network has no operator that the DPU could run, so there is nothing to quantise")]
    NothingToQuantise,
    /// There are no calibration samples.
    #[error("there are no calibration samples: give at least one, better 100 or more")]
    NoSamples,
    /// A sample could not be read.
    #[error("calibration sample {index} cannot be used: {reason}")]
    Sample {
        /// Which one.
        index: usize,
        /// Why not.
        reason: String,
    },
    /// A tensor has infinities or NaNs.
    #[error(
        "tensor `{tensor}` has elements that are no finite numbers with calibration sample {sample}: check the preprocessing"
    )]
    NotFinite {
        /// The tensor.
        tensor: String,
        /// The sample.
        sample: usize,
    },
    /// A constant has infinities or NaNs, or no value that could be read.
    #[error("constant `{0}` has elements that are no finite floats")]
    Constant(String),
    /// Statistics do not belong to this network, or are incomplete.
    #[error("the calibration statistics cannot be used: {0}")]
    Statistics(String),
    /// Running a part of the network failed.
    #[error("cannot run a part of the network: {0}")]
    Run(#[from] dpuc_jit::Error),
    /// Lowering a part of the network failed.
    #[error("cannot lower a part of the network to integers: {0}")]
    Lower(#[from] dpuc_dialects::pass::PassError),
}
