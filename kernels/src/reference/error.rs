//! What is wrong with the operands or parameters of an operator.

use std::borrow::Cow;

use ndarray::{ArrayView, Dimension, ShapeError};

/// The most elements a tensor may have: 2^31, the 2 GiB of int8 that an `.xmodel` can hold.
///
/// The bound keeps every index and size computation of this module far from overflow, and a hostile parameter from
/// asking for unbounded memory.
pub const MAX_ELEMENTS: usize = 1 << 31;

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
pub(super) fn shape_error(
    operator: &'static str,
    operand: impl Into<String>,
    found: &[usize],
    expected: impl Into<String>,
) -> KernelError {
    KernelError::Shape { operator, operand: operand.into(), found: found.to_vec(), expected: expected.into() }
}

/// The error for `parameter` of `operator` whose value is outside its domain.
pub(super) fn parameter_error(
    operator: &'static str,
    parameter: &'static str,
    problem: impl Into<String>,
) -> KernelError {
    KernelError::Parameter { operator, parameter, problem: problem.into() }
}

/// Checks that an operand has between 1 and [`MAX_ELEMENTS`] elements.
pub(super) fn check_size(operator: &'static str, operand: &str, shape: &[usize]) -> Result<()> {
    match element_count(shape) {
        Some(1..) => Ok(()),
        _ => Err(shape_error(operator, operand, shape, format!("1 to {MAX_ELEMENTS} elements"))),
    }
}

/// Number of elements of a result of `operator`.
///
/// # Errors
/// [`KernelError::TooLarge`] above [`MAX_ELEMENTS`].
pub(super) fn result_size(operator: &'static str, shape: &[usize]) -> Result<usize> {
    element_count(shape).ok_or_else(|| KernelError::TooLarge { operator, shape: shape.to_vec() })
}

fn element_count(shape: &[usize]) -> Option<usize> {
    let count = shape.iter().try_fold(1usize, |count, &size| count.checked_mul(size))?;
    (count <= MAX_ELEMENTS).then_some(count)
}

/// The elements of an operand in row-major order, after [`check_size`].
pub(super) fn elements<'a, T: Copy, D: Dimension>(
    operator: &'static str,
    operand: &str,
    view: &'a ArrayView<'_, T, D>,
) -> Result<Cow<'a, [T]>> {
    check_size(operator, operand, view.shape())?;
    Ok(view.as_slice().map_or_else(|| view.iter().copied().collect(), Cow::Borrowed))
}
