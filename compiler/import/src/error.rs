//! Why a graph cannot be imported, and what was lost if it can.

use std::fmt;

use dpuc_dialects::verify::Findings;
use dpuc_dialects::weights::WeightsError;
use dpuc_xmodel::{AttrError, DataType};
use thiserror::Error;

/// Why a graph cannot be imported.
#[derive(Debug, Error)]
pub enum ImportError {
    /// An attribute is missing or of the wrong kind.
    #[error(transparent)]
    Attribute(#[from] AttrError),
    /// An attribute has a value that makes no sense.
    #[error("op {op:?} ({kind}): attribute {attribute:?} {problem}")]
    AttributeValue {
        /// The operator.
        op: String,
        /// Its type.
        kind: String,
        /// The attribute.
        attribute: &'static str,
        /// What is wrong with its value.
        problem: String,
    },
    /// An argument is missing, or its producer makes no tensor.
    #[error("op {op:?} ({kind}): argument {argument:?} {problem}")]
    Argument {
        /// The operator.
        op: String,
        /// Its type.
        kind: String,
        /// The argument.
        argument: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// A tensor has a type the IR cannot say.
    #[error(
        "op {op:?}: its tensor of {data_type} and dimensions {dims:?} has no form in the IR; float32 and XINT8 with known, positive dimensions do"
    )]
    Tensor {
        /// The operator.
        op: String,
        /// Element type.
        data_type: DataType,
        /// Dimensions.
        dims: Vec<i32>,
    },
    /// The bytes of a constant cannot be found or are not as many as its shape needs.
    #[error("constant {op:?}: {problem}")]
    Constant {
        /// The operator.
        op: String,
        /// What is wrong.
        problem: String,
    },
    /// Nothing is computed.
    #[error("the graph has no output: every op is read by another one or is a constant or an input")]
    NoOutput,
    /// The graph contradicts itself, e.g. a tensor has dimensions its operator cannot give.
    #[error("the graph is inconsistent: {}", .0.list().first().map(ToString::to_string).unwrap_or_default())]
    Inconsistent(Findings),
}

impl ImportError {
    pub(crate) fn weights(op: &str, error: &WeightsError) -> Self {
        Self::Constant { op: op.to_owned(), problem: error.to_string() }
    }
}

/// Something about the graph that the IR does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The operator.
    pub op: String,
    /// What the reader should know.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "op {:?}: {}", self.op, self.message)
    }
}

/// Why an operator does not become the operation of its name.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The graph is broken.
    Error(ImportError),
    /// It is valid, but the dialects cannot say it.
    Unsupported(String),
}

impl<E: Into<ImportError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}
