//! What is wrong with the operands or parameters of an operator.

use ndarray::ShapeError;

use super::layout::MAX_ELEMENTS;

/// A shape or parameter that the operator cannot accept.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum KernelError {
    /// An operand has a shape that does not fit the operator or the other operands.
    #[error("{operator}: {operand} has shape {found:?}, expected {expected}")]
    Shape {
        /// Name of the operator.
        operator: &'static str,
        /// Name of the operand.
        operand: String,
        /// The shape it has.
        found: Vec<usize>,
        /// What would have been accepted.
        expected: String,
    },
    /// A parameter has a value outside its domain.
    #[error("{operator}: {parameter} {problem}")]
    Parameter {
        /// Name of the operator.
        operator: &'static str,
        /// Name of the parameter.
        parameter: &'static str,
        /// What is wrong with its value.
        problem: String,
    },
    /// The result would exceed [`MAX_ELEMENTS`].
    #[error("{operator}: a result of shape {shape:?} has more than {MAX_ELEMENTS} elements")]
    TooLarge {
        /// Name of the operator.
        operator: &'static str,
        /// Shape of the result.
        shape: Vec<usize>,
    },
    /// `ndarray` refused a shape.
    #[error("inconsistent shapes: {0}")]
    Layout(#[from] ShapeError),
}

/// Result of an evaluator.
pub type Result<T> = std::result::Result<T, KernelError>;

/// The error for `operand` of `operator` whose shape is not what the operator expects.
pub(crate) fn shape_error(
    operator: &'static str,
    operand: impl Into<String>,
    found: &[usize],
    expected: impl Into<String>,
) -> KernelError {
    KernelError::Shape { operator, operand: operand.into(), found: found.to_vec(), expected: expected.into() }
}

/// The error for `parameter` of `operator` whose value is outside its domain.
pub(crate) fn parameter_error(
    operator: &'static str,
    parameter: &'static str,
    problem: impl Into<String>,
) -> KernelError {
    KernelError::Parameter { operator, parameter, problem: problem.into() }
}
