//! Operators that move elements without changing them, for any element type (numerics.md 5.6, 5.16 to 5.18).
//!
//! A quantised operator that moves *and* changes the fix point is one of these followed by
//! [`Rescale::apply`](super::round::Rescale::apply); rounding is per element, so the order does not matter.

use ndarray::{ArrayD, ArrayViewD, Axis, Slice};

use super::eltwise::Operand;
use super::error::{Result, parameter_error, shape_error};
use super::layout::{check_size, elements, result_size, row_major};
use super::round::Rescale;

/// The same elements in row-major order under another shape.
///
/// # Errors
/// A shape with another number of elements.
pub fn reshape<T: Copy>(input: &ArrayViewD<'_, T>, shape: &[usize]) -> Result<ArrayD<T>> {
    const OPERATOR: &str = "reshape";
    let values = elements(OPERATOR, "input", input)?;
    if result_size(OPERATOR, shape)? != values.len() {
        let problem = format!("{shape:?} does not have the {} elements of the input {:?}", values.len(), input.shape());
        return Err(parameter_error(OPERATOR, "shape", problem));
    }
    Ok(ArrayD::from_shape_vec(shape, values.into_owned())?)
}

/// Axis `i` of the result is axis `order[i]` of the input.
///
/// # Errors
/// An `order` that is no permutation of the axes.
pub fn transpose<T: Copy>(input: &ArrayViewD<'_, T>, order: &[usize]) -> Result<ArrayD<T>> {
    const OPERATOR: &str = "transpose";
    check_size(OPERATOR, "input", input.shape())?;
    let mut sorted = order.to_vec();
    sorted.sort_unstable();
    if !sorted.into_iter().eq(0..input.ndim()) {
        let problem = format!("{order:?} is no permutation of the {} axes of the input", input.ndim());
        return Err(parameter_error(OPERATOR, "order", problem));
    }
    Ok(input.view().permuted_axes(order).as_standard_layout().into_owned())
}

/// Joins tensors along an axis on which alone they may differ.
///
/// # Errors
/// No input, an unknown axis, or shapes that differ elsewhere.
pub fn concatenate<T: Copy>(inputs: &[ArrayViewD<'_, T>], axis: usize) -> Result<ArrayD<T>> {
    const OPERATOR: &str = "concat";
    let Some(first) = inputs.first() else {
        return Err(parameter_error(OPERATOR, "inputs", "are empty"));
    };
    check_axis(OPERATOR, axis, first.ndim())?;
    let mut shape = first.shape().to_vec();
    shape[axis] = 0;
    for (index, input) in inputs.iter().enumerate() {
        let name = format!("input {index}");
        check_size(OPERATOR, &name, input.shape())?;
        let fits = |(i, (a, b)): (usize, (&usize, &usize))| i == axis || a == b;
        if input.ndim() != first.ndim() || !input.shape().iter().zip(first.shape()).enumerate().all(fits) {
            let expected = format!("{:?} like input 0, except on axis {axis}", first.shape());
            return Err(shape_error(OPERATOR, name, input.shape(), expected));
        }
        shape[axis] += input.shape()[axis];
        result_size(OPERATOR, &shape)?;
    }
    Ok(row_major(ndarray::concatenate(Axis(axis), inputs)?))
}

/// `concat-fix`: requantises each input to the output fix point, `rsat(x, f_k - output)`, and joins them.
///
/// # Errors
/// As [`concatenate`].
pub fn concat(inputs: &[Operand<'_>], axis: usize, output_fix: i32) -> Result<ArrayD<i8>> {
    let rescaled: Vec<_> =
        inputs.iter().map(|input| Rescale { input: input.fix, output: output_fix }.apply(&input.values)).collect();
    let views: Vec<_> = rescaled.iter().map(|input| input.view()).collect();
    concatenate(&views, axis)
}

/// Every `strides[a]`-th element from `begin[a]` up to but not including `end[a]`, on each axis `a`.
///
/// Negative bounds count from the end, bounds beyond it are moved to it.
///
/// # Errors
/// A number of bounds other than that of the axes, a stride below 1, or an empty result.
pub fn strided_slice<T: Copy>(
    input: &ArrayViewD<'_, T>,
    begin: &[i64],
    end: &[i64],
    strides: &[i64],
) -> Result<ArrayD<T>> {
    const OPERATOR: &str = "strided_slice";
    check_size(OPERATOR, "input", input.shape())?;
    for (parameter, values) in [("begin", begin), ("end", end), ("strides", strides)] {
        if values.len() != input.ndim() {
            let problem = format!("has {} values for the {} axes of the input", values.len(), input.ndim());
            return Err(parameter_error(OPERATOR, parameter, problem));
        }
    }
    let mut view = input.view();
    for (axis, &size) in input.shape().iter().enumerate() {
        let size = size as i64;
        let bound = |value: i64| if value < 0 { (value + size).max(0) } else { value.min(size) } as isize;
        let (first, last) = (bound(begin[axis]), bound(end[axis]));
        if strides[axis] < 1 {
            let problem = format!("on axis {axis} is {}, but must be at least 1", strides[axis]);
            return Err(parameter_error(OPERATOR, "strides", problem));
        }
        if first >= last {
            let problem = format!("to end on axis {axis} of size {size} is {} to {}: empty", begin[axis], end[axis]);
            return Err(parameter_error(OPERATOR, "begin", problem));
        }
        let step = strides[axis].min(size) as isize;
        view.slice_axis_inplace(Axis(axis), Slice::new(first, Some(last), step));
    }
    Ok(view.as_standard_layout().into_owned())
}

/// What [`pad`] puts around a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PadMode<T> {
    /// One value.
    Constant(T),
    /// The mirrored tensor with its edge repeated: `1 0 | 0 1 2`.
    Symmetric,
    /// The mirrored tensor without its edge: `2 1 | 0 1 2`.
    Reflect,
}

/// Adds elements before and after each axis, `pads[axis] = [before, after]`.
///
/// # Errors
/// A number of pads other than that of the axes, or a mirror wider than the tensor.
pub fn pad<T: Copy>(input: &ArrayViewD<'_, T>, pads: &[[usize; 2]], mode: PadMode<T>) -> Result<ArrayD<T>> {
    const OPERATOR: &str = "pad";
    check_size(OPERATOR, "input", input.shape())?;
    if pads.len() != input.ndim() {
        let problem = format!("have {} pairs for the {} axes of the input", pads.len(), input.ndim());
        return Err(parameter_error(OPERATOR, "pads", problem));
    }
    let sizes = input.shape().iter().zip(pads);
    let shape: Vec<_> =
        sizes.map(|(&size, &[before, after])| size.saturating_add(before).saturating_add(after)).collect();
    result_size(OPERATOR, &shape)?;
    // Distance between the edge and its mirror image.
    let gap = match mode {
        PadMode::Constant(value) => {
            let mut output = ArrayD::from_elem(shape, value);
            let inner = |axis: Axis| {
                let [before, _] = pads[axis.index()];
                Slice::from(before..before + input.shape()[axis.index()])
            };
            output.slice_each_axis_mut(|description| inner(description.axis)).assign(input);
            return Ok(output);
        }
        PadMode::Symmetric => 1,
        PadMode::Reflect => 0,
    };
    let mut output = input.to_owned();
    for (axis, (&size, &[before, after])) in input.shape().iter().zip(pads).enumerate() {
        let widest = size - 1 + gap;
        if before > widest || after > widest {
            let problem = format!("on axis {axis} are [{before}, {after}], but its mirror image has only {widest}");
            return Err(parameter_error(OPERATOR, "pads", problem));
        }
        let head = (0..before).rev().map(|i| i + 1 - gap);
        let tail = (0..after).map(|i| widest - 1 - i);
        let sources: Vec<_> = head.chain(0..size).chain(tail).collect();
        output = output.select(Axis(axis), &sources);
    }
    Ok(row_major(output))
}

pub(crate) fn check_axis(operator: &'static str, axis: usize, rank: usize) -> Result<()> {
    if axis < rank {
        Ok(())
    } else {
        Err(parameter_error(operator, "axis", format!("is {axis} of a tensor of rank {rank}")))
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array, Array4, arr1, arr2};

    use super::*;

    fn row(values: &[i8]) -> ArrayD<i8> {
        arr1(values).into_dyn()
    }

    #[test]
    fn concat_rescales_each_input() {
        for (q, delta, expected) in [
            (5, -1, 3),
            (-5, -1, -2),
            (6, -2, 2),
            (-6, -2, -1),
            (-7, -2, -2),
            (127, -3, 16),
            (-4, -3, 0),
            (3, 1, 6),
            (100, 1, 127),
            (-100, 1, -128),
        ] {
            let (x, y) = (row(&[q]), row(&[7]));
            let inputs = [Operand { values: x.view(), fix: 4 }, Operand { values: y.view(), fix: 4 + delta }];
            assert_eq!(concat(&inputs, 0, 4 + delta).unwrap(), row(&[expected, 7]), "{q} {delta}");
        }
    }

    #[test]
    fn concat_joins_any_axis() {
        let (a, b) = (arr2(&[[1i8, 2]]).into_dyn(), arr2(&[[3i8, 4]]).into_dyn());
        assert_eq!(concatenate(&[a.view(), b.view()], 0).unwrap(), arr2(&[[1, 2], [3, 4]]).into_dyn());
        assert_eq!(concatenate(&[a.view(), b.view()], 1).unwrap(), arr2(&[[1, 2, 3, 4]]).into_dyn());
    }

    #[test]
    fn concat_names_what_does_not_fit() {
        let (a, b) = (arr2(&[[1i8, 2]]).into_dyn(), arr2(&[[3i8], [4]]).into_dyn());
        assert_eq!(
            concatenate(&[a.view(), b.view()], 1).unwrap_err().to_string(),
            "concat: input 1 has shape [2, 1], expected [1, 2] like input 0, except on axis 1"
        );
        assert!(concatenate(&[a.view(), row(&[1, 2]).view()], 1).is_err());
        assert_eq!(concatenate(&[a.view()], 2).unwrap_err().to_string(), "concat: axis is 2 of a tensor of rank 2");
        assert_eq!(concatenate::<i8>(&[], 0).unwrap_err().to_string(), "concat: inputs are empty");
    }

    #[test]
    fn reshape_and_transpose_follow_row_major_order() {
        let x = Array4::from_shape_fn((1, 2, 3, 4), |(_, h, w, c)| (h * 12 + w * 4 + c) as i8).into_dyn();
        assert_eq!(reshape(&x.view(), &[24]).unwrap(), Array::from_iter(0..24i8).into_dyn());
        let channels_first = transpose(&x.view(), &[0, 3, 1, 2]).unwrap();
        assert_eq!(channels_first.shape(), [1, 4, 2, 3]);
        assert_eq!(channels_first[[0, 3, 1, 2]], 23);
        assert_eq!(reshape(&channels_first.view(), &[24]).unwrap()[[1]], 4);
        assert_eq!(transpose(&channels_first.view(), &[0, 2, 3, 1]).unwrap(), x);
    }

    #[test]
    fn reshape_and_transpose_name_what_does_not_fit() {
        let x = row(&[1, 2, 3, 4]);
        assert_eq!(
            reshape(&x.view(), &[3]).unwrap_err().to_string(),
            "reshape: shape [3] does not have the 4 elements of the input [4]"
        );
        assert!(reshape(&x.view(), &[usize::MAX, usize::MAX]).is_err());
        for order in [&[1][..], &[], &[0, 0]] {
            assert!(transpose(&x.view(), order).unwrap_err().to_string().contains("is no permutation of the 1 axes"));
        }
    }

    #[test]
    fn strided_slice_takes_every_nth_element() {
        let x = row(&[0, 1, 2, 3, 4, 5, 6]);
        for (begin, end, stride, expected) in [
            (0, 7, 1, vec![0, 1, 2, 3, 4, 5, 6]),
            (1, 6, 2, vec![1, 3, 5]),
            (1, 7, 3, vec![1, 4]),
            (-3, i64::MAX, 1, vec![4, 5, 6]),
            (i64::MIN, -5, 1, vec![0, 1]),
            (2, 7, i64::MAX, vec![2]),
        ] {
            assert_eq!(strided_slice(&x.view(), &[begin], &[end], &[stride]).unwrap(), row(&expected));
        }
    }

    #[test]
    fn strided_slice_names_what_does_not_fit() {
        let x = row(&[0, 1, 2]);
        let message = |begin: &[i64], end: &[i64], strides: &[i64]| {
            strided_slice(&x.view(), begin, end, strides).unwrap_err().to_string()
        };
        assert_eq!(message(&[2], &[2], &[1]), "strided_slice: begin to end on axis 0 of size 3 is 2 to 2: empty");
        assert_eq!(message(&[0], &[3], &[-1]), "strided_slice: strides on axis 0 is -1, but must be at least 1");
        assert_eq!(message(&[0, 0], &[3], &[1]), "strided_slice: begin has 2 values for the 1 axes of the input");
    }

    #[test]
    fn pads_of_the_examples() {
        let x = row(&[0, 1, 2, 3]);
        assert_eq!(pad(&x.view(), &[[2, 1]], PadMode::Symmetric).unwrap(), row(&[1, 0, 0, 1, 2, 3, 3]));
        assert_eq!(pad(&x.view(), &[[2, 1]], PadMode::Reflect).unwrap(), row(&[2, 1, 0, 1, 2, 3, 2]));
        assert_eq!(pad(&x.view(), &[[2, 1]], PadMode::Constant(-9)).unwrap(), row(&[-9, -9, 0, 1, 2, 3, -9]));
    }

    #[test]
    fn the_widest_mirror_reaches_the_far_edge() {
        let x = row(&[0, 1, 2]);
        assert_eq!(pad(&x.view(), &[[3, 3]], PadMode::Symmetric).unwrap(), row(&[2, 1, 0, 0, 1, 2, 2, 1, 0]));
        assert_eq!(pad(&x.view(), &[[2, 2]], PadMode::Reflect).unwrap(), row(&[2, 1, 0, 1, 2, 1, 0]));
        let one = row(&[5]);
        assert_eq!(pad(&one.view(), &[[1, 1]], PadMode::Symmetric).unwrap(), row(&[5, 5, 5]));
        assert_eq!(pad(&one.view(), &[[0, 0]], PadMode::Reflect).unwrap(), one);
    }

    #[test]
    fn two_axes_mirror_into_the_corners() {
        let x = arr2(&[[1i8, 2], [3, 4]]).into_dyn();
        let padded = pad(&x.view(), &[[1, 0], [0, 1]], PadMode::Reflect).unwrap();
        assert_eq!(padded, arr2(&[[3, 4, 3], [1, 2, 1], [3, 4, 3]]).into_dyn());
        let padded = pad(&x.view(), &[[1, 0], [0, 1]], PadMode::Constant(0)).unwrap();
        assert_eq!(padded, arr2(&[[0, 0, 0], [1, 2, 0], [3, 4, 0]]).into_dyn());
    }

    #[test]
    fn pad_names_what_does_not_fit() {
        let x = row(&[0, 1, 2]);
        let message = |pads: &[[usize; 2]], mode| pad(&x.view(), pads, mode).unwrap_err().to_string();
        assert_eq!(
            message(&[[0, 3]], PadMode::Reflect),
            "pad: pads on axis 0 are [0, 3], but its mirror image has only 2"
        );
        assert_eq!(message(&[], PadMode::Symmetric), "pad: pads have 0 pairs for the 1 axes of the input");
        assert!(message(&[[usize::MAX, 1]], PadMode::Constant(0)).contains("more than"));
    }
}
