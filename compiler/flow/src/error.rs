//! What can go wrong.

use std::path::PathBuf;

use dpuc_backend::BackendError;
use dpuc_dialects::pass::PassError;
use dpuc_runtime::RuntimeError;
use thiserror::Error;

/// Why a session cannot be built, loaded or run.
#[derive(Debug, Error)]
pub enum Error {
    /// No input has this name.
    #[error("the network has no input `{name}`; it has {}", known.join(", "))]
    UnknownInput {
        /// The name.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// The session is run before all inputs are set.
    #[error("the input `{0}` is not set")]
    MissingInput(String),
    /// The wrong number of inputs in a call.
    #[error("the network takes {expected} input(s), but {found} are given")]
    InputCount {
        /// What it takes.
        expected: usize,
        /// What is given.
        found: usize,
    },
    /// There is no such output, or nothing has run yet.
    #[error("there is no output {index}: {count} have been computed")]
    NoOutput {
        /// The output asked for.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// Neither calibration calls nor a quantised network.
    #[error(
        "0 calls are to calibrate, and the network is not quantised: give a number of calls (PX_QUANT_SIZE), or quantise it with `dpuc quantize`"
    )]
    NoCalibration,
    /// An export is asked for before the network is quantised.
    #[error("{seen} of {wanted} calibration calls are done; the network can be exported when it is quantised")]
    NotCalibrated {
        /// Calls so far.
        seen: usize,
        /// Calls needed.
        wanted: usize,
    },
    /// Nothing of the network runs on the DPU.
    #[error("nothing of the network runs on the DPU:\n{0}")]
    NothingOnDpu(String),
    /// The compiled network has other outputs than the float one.
    #[error("fault of the compiler: the compiled network does not give the network's outputs; please report it")]
    Outputs,
    /// Running a part failed.
    #[error(transparent)]
    Run(Box<RuntimeError>),
    /// Quantising failed.
    #[error(transparent)]
    Quantise(#[from] dpuc_quantise::Error),
    /// A pass failed.
    #[error(transparent)]
    Pass(#[from] PassError),
    /// Compiling failed.
    #[error(transparent)]
    Compile(#[from] BackendError),
    /// What was compiled cannot be explained.
    #[error(transparent)]
    Report(#[from] dpuc_report::ReportError),
    /// The compiled file or the constants cannot be written.
    #[error("the result cannot be written: {0}")]
    Write(String),
    /// A file of the build folder or artefact cannot be read or written.
    #[error("cannot access {}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A file of the build folder or artefact is damaged.
    #[error("{file} is damaged: {problem}; build the network again")]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// The folder holds no artefact.
    #[error("{} is no deployed network: it has no manifest.json", .0.display())]
    NoManifest(PathBuf),
    /// The build folder belongs to another network.
    #[error("{} holds calls or a build of another network: give another folder, or empty it", .0.display())]
    OtherNetwork(PathBuf),
    /// The artefact was made for another DPU.
    #[error("the network was compiled for {built}, the device is {device}:\n{difference}build it again for {device}")]
    OtherTarget {
        /// Its target.
        built: String,
        /// The device.
        device: String,
        /// The features in which they differ, a line each.
        difference: String,
    },
}

impl From<RuntimeError> for Error {
    fn from(error: RuntimeError) -> Self {
        Self::Run(Box::new(error))
    }
}
