//! Errors of this crate.

use dpuc_evaluate::EvalError;
use dpuc_import::ImportError;
use dpuc_xmodel::{AttrError, DpuSubgraphError, Op};
use thiserror::Error;

use crate::dpu::DpuError;

/// Why a network cannot be loaded or run.
#[derive(Debug, Error)]
pub enum RuntimeError {
    /// An attribute the runtime needs is absent or of the wrong kind.
    #[error(transparent)]
    Attribute(#[from] AttrError),
    /// A DPU subgraph lacks something the runtime needs.
    #[error(transparent)]
    Subgraph(#[from] DpuSubgraphError),
    /// A DPU subgraph cannot be loaded or run.
    #[error("DPU subgraph `{subgraph}`: {error}")]
    Dpu {
        /// The subgraph.
        subgraph: String,
        /// Why.
        error: DpuError,
    },
    /// A part of the CPU cannot be imported.
    #[error("CPU part `{part}`: {error}")]
    Import {
        /// The part.
        part: String,
        /// Why.
        error: ImportError,
    },
    /// A part of the CPU cannot be compiled or run.
    #[error("CPU part `{part}`: {error}")]
    Compile {
        /// The part.
        part: String,
        /// Why.
        error: dpuc_jit::Error,
    },
    /// A part of the CPU cannot be evaluated.
    #[error("CPU part `{part}`: {error}")]
    Evaluate {
        /// The part.
        part: String,
        /// Why.
        error: EvalError,
    },
    /// There is nothing to run.
    #[error("there is no function `@main` with a body")]
    NoMain,
    /// A tensor has unknown dimensions, or more elements than can be addressed.
    #[error("the tensor `{0}` has dimensions that cannot be used")]
    Shape(String),
    /// An input has the wrong shape.
    #[error("the input `{name}` has shape {found:?}; the network takes {expected:?}")]
    InputShape {
        /// The input.
        name: String,
        /// The shape the network takes.
        expected: Vec<usize>,
        /// The shape that was given.
        found: Vec<usize>,
    },
    /// Codes are given for an input of floats.
    #[error("signed bytes are given for the input `{0}`, but it takes floats and has no fix point")]
    NoFixPoint(String),
    /// A tensor is used before anything produced it.
    #[error("nothing has produced the tensor `{0}` when it is needed")]
    MissingTensor(String),
    /// A float tensor enters a DPU subgraph.
    #[error("the tensor `{0}` is float where the DPU takes signed bytes; quantise it with its fix point first")]
    NotInt8(String),
    /// No DPU subgraph has this name.
    #[error("there is no DPU subgraph `{name}`; the file has {}", known.join(", "))]
    NoSubgraph {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
}

impl RuntimeError {
    pub(crate) fn shape(op: &Op) -> Self {
        Self::Shape(op.tensor.name.clone())
    }
}
