//! Sizes of tensors and the row-major order of their elements.

use std::borrow::Cow;

use ndarray::{Array, ArrayView, Dimension};

use super::error::{KernelError, Result, shape_error};

/// The most elements a tensor may have: 2^31, the 2 GiB of int8 that an `.xmodel` can hold.
///
/// The bound keeps every index and size computation of this module far from overflow, and a hostile parameter from
/// asking for unbounded memory.
pub const MAX_ELEMENTS: usize = 1 << 31;

/// Checks that an operand has between 1 and [`MAX_ELEMENTS`] elements.
pub(crate) fn check_size(operator: &'static str, operand: &str, shape: &[usize]) -> Result<()> {
    match element_count(shape) {
        Some(1..) => Ok(()),
        _ => Err(shape_error(operator, operand, shape, format!("1 to {MAX_ELEMENTS} elements"))),
    }
}

/// Number of elements of a result of `operator`.
///
/// # Errors
/// [`KernelError::TooLarge`] above [`MAX_ELEMENTS`].
pub(crate) fn result_size(operator: &'static str, shape: &[usize]) -> Result<usize> {
    element_count(shape).ok_or_else(|| KernelError::TooLarge { operator, shape: shape.to_vec() })
}

fn element_count(shape: &[usize]) -> Option<usize> {
    let count = shape.iter().try_fold(1usize, |count, &size| count.checked_mul(size))?;
    (count <= MAX_ELEMENTS).then_some(count)
}

/// The elements of an operand in row-major order, after [`check_size`].
pub(crate) fn elements<'a, T: Copy, D: Dimension>(
    operator: &'static str,
    operand: &str,
    view: &'a ArrayView<'_, T, D>,
) -> Result<Cow<'a, [T]>> {
    check_size(operator, operand, view.shape())?;
    Ok(view.as_slice().map_or_else(|| view.iter().copied().collect(), Cow::Borrowed))
}

/// The same array with its elements in row-major order in memory.
///
/// `ndarray` chooses the layout of a mapped or selected array after that of its source; the results of this module are
/// always row-major, so that a caller may use their memory as it is.
pub(crate) fn row_major<T: Copy, D: Dimension>(array: Array<T, D>) -> Array<T, D> {
    if array.is_standard_layout() { array } else { array.as_standard_layout().into_owned() }
}
