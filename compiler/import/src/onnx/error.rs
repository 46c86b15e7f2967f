//! Why a model cannot be imported.

use std::fmt;

use dpuc_dialects::verify::Findings;
use thiserror::Error;

/// Why a node cannot be imported, in words that follow "the node".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reason(pub(crate) String);

impl<T: Into<String>> From<T> for Reason {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

/// A node that cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// Name of the node, or of its first output if it has none.
    pub node: String,
    /// Its operator, with the domain in front if that is not ONNX's own.
    pub operator: String,
    /// Why.
    pub reason: String,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {:?} ({}): {}", self.node, self.operator, self.reason)
    }
}

/// Why a model cannot be imported.
#[derive(Debug, Error)]
pub enum OnnxError {
    /// The operator set is too old, or none is named.
    #[error(
        "the model {0}; operator sets from {OLDEST_OPSET} on can be imported: convert it with onnx.version_converter"
    )]
    Opset(String),
    /// An input has no usable type or shape.
    #[error("input {name:?}: {problem}")]
    Input {
        /// The input.
        name: String,
        /// What is wrong, and the way out.
        problem: String,
    },
    /// An initialiser cannot be read.
    #[error("initialiser {name:?}: {problem}")]
    Initializer {
        /// The initialiser.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// The caller gave a shape to an input that does not exist.
    #[error("a shape is given for the input {name:?}, which the model does not have; its inputs are {known:?}")]
    UnknownInput {
        /// The name given.
        name: String,
        /// The inputs there are.
        known: Vec<String>,
    },
    /// An output that no node gives.
    #[error("output {0:?} is not computed by any node")]
    Output(String),
    /// Nothing is computed.
    #[error("the model has no output")]
    NoOutput,
    /// Nodes that have no form here, all of them.
    #[error("{} of the model's nodes cannot be imported:{}", .0.len(), Lines(.0))]
    Unsupported(Vec<Unsupported>),
    /// The result contradicts itself, because the model does.
    #[error("the model is inconsistent: {}", .0.list().first().map(ToString::to_string).unwrap_or_default())]
    Inconsistent(Findings),
}

/// First operator set whose operators are known here.
pub(crate) const OLDEST_OPSET: i64 = 7;

struct Lines<'a>(&'a [Unsupported]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|unsupported| write!(f, "\n  {unsupported}"))
    }
}
