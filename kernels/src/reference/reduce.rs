//! Reductions over whole axes (numerics.md 5.12 and 5.14).

use ndarray::{ArrayD, ArrayViewD, Axis};

use super::error::{Result, parameter_error};
use super::layout::{check_size, row_major};
use super::pool::AverageFactor;
use super::rearrange::check_axis;
use super::round::{Rescale, rsat};

/// The axes to reduce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reduction<'a> {
    /// Indices of the axes, each at most once.
    pub axes: &'a [usize],
    /// Whether a reduced axis stays, with size 1.
    pub keep_dims: bool,
}

/// Mean: `rsat(sum * M, S + input - output)`, with `M / 2^S` the product of the factors [`AverageFactor::search`] of the
/// reduced axes.
///
/// The DPU can do this while `M` is at most 127; from 2^24 on `sum * M` is rounded to single precision.
///
/// # Errors
/// No, unknown or repeated axes; or so many that `M` exceeds 64 bits.
pub fn reduce_mean(input: &ArrayViewD<'_, i8>, reduction: Reduction<'_>, fix: Rescale) -> Result<ArrayD<i8>> {
    const OPERATOR: &str = "reduce_mean";
    let sums = fold(OPERATOR, input, reduction, 0, |sum, q| sum + q)?;
    let mut factor = AverageFactor { multiplier: 1, shift: 0 };
    for &axis in reduction.axes {
        let next = AverageFactor::search(input.shape()[axis]);
        let Some(multiplier) = factor.multiplier.checked_mul(next.multiplier) else {
            return Err(parameter_error(OPERATOR, "axes", "are too many for one multiplier"));
        };
        factor = AverageFactor { multiplier, shift: factor.shift + next.shift };
    }
    Ok(sums.mapv(|sum| factor.scale(sum, fix.shift())))
}

/// Sum: `rsat(sum, input - output)`.
///
/// # Errors
/// No, unknown or repeated axes.
pub fn reduce_sum(input: &ArrayViewD<'_, i8>, reduction: Reduction<'_>, fix: Rescale) -> Result<ArrayD<i8>> {
    let sums = fold("reduce_sum", input, reduction, 0, |sum, q| sum + q)?;
    Ok(sums.mapv(|sum| rsat(sum, fix.shift())))
}

/// Maximum: `rsat(max, input - output)`.
///
/// # Errors
/// No, unknown or repeated axes.
pub fn reduce_max(input: &ArrayViewD<'_, i8>, reduction: Reduction<'_>, fix: Rescale) -> Result<ArrayD<i8>> {
    let maxima = fold("reduce_max", input, reduction, i64::MIN, i64::max)?;
    Ok(maxima.mapv(|max| rsat(max, fix.shift())))
}

/// Minimum: `rsat(min, input - output)`.
///
/// # Errors
/// No, unknown or repeated axes.
pub fn reduce_min(input: &ArrayViewD<'_, i8>, reduction: Reduction<'_>, fix: Rescale) -> Result<ArrayD<i8>> {
    let minima = fold("reduce_min", input, reduction, i64::MAX, i64::min)?;
    Ok(minima.mapv(|min| rsat(min, fix.shift())))
}

/// Index of the first maximum along an axis, which disappears; for any ordered element type.
///
/// The save engine of the DPU stores the index modulo 256.
///
/// # Errors
/// An unknown axis.
pub fn argmax<T: Copy + PartialOrd>(input: &ArrayViewD<'_, T>, axis: usize) -> Result<ArrayD<i32>> {
    const OPERATOR: &str = "argmax";
    check_size(OPERATOR, "input", input.shape())?;
    check_axis(OPERATOR, axis, input.ndim())?;
    Ok(row_major(input.map_axis(Axis(axis), |lane| {
        let better = |best: usize, (index, value): (usize, &T)| if *value > lane[best] { index } else { best };
        lane.iter().enumerate().fold(0, better) as i32
    })))
}

fn fold(
    operator: &'static str,
    input: &ArrayViewD<'_, i8>,
    reduction: Reduction<'_>,
    initial: i64,
    step: impl Fn(i64, i64) -> i64,
) -> Result<ArrayD<i64>> {
    check_size(operator, "input", input.shape())?;
    let mut axes = reduction.axes.to_vec();
    axes.sort_unstable();
    if axes.is_empty() || axes.windows(2).any(|pair| pair[0] == pair[1]) {
        let problem = format!("are {:?}, expected one or more different axes", reduction.axes);
        return Err(parameter_error(operator, "axes", problem));
    }
    let mut folded = input.mapv(i64::from);
    for &axis in axes.iter().rev() {
        check_axis(operator, axis, input.ndim())?;
        folded = folded.fold_axis(Axis(axis), initial, |&accumulator, &value| step(accumulator, value));
        if reduction.keep_dims {
            folded.insert_axis_inplace(Axis(axis));
        }
    }
    Ok(row_major(folded))
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, arr1, arr2, arr3};

    use super::*;

    const ALL: Reduction<'_> = Reduction { axes: &[0], keep_dims: false };

    #[test]
    fn means_of_the_examples() {
        // Six values with the sum 211: 211 * 85 / 2^9 = 35.03.
        let x = arr1(&[36i8, 35, 35, 35, 35, 35]).into_dyn();
        assert_eq!(reduce_mean(&x.view(), ALL, Rescale::none(2)).unwrap()[[]], 35);
        // 10 * 51 / 2^9 * 2^3 = 7.97.
        let ones = Array1::from_elem(10, 1i8).into_dyn();
        assert_eq!(reduce_mean(&ones.view(), ALL, Rescale { input: 0, output: 3 }).unwrap()[[]], 8);
    }

    /// 3x3 is 85/2^8 twice here, not the 7/64 of a pooling.
    #[test]
    fn a_mean_over_two_axes_multiplies_their_factors() {
        let x = arr3(&[[[100i8, 100, 100], [100, 100, 100], [100, 100, 107]]]).into_dyn();
        let reduction = Reduction { axes: &[2, 1], keep_dims: true };
        let factor = AverageFactor::search(3);
        assert_eq!(factor, AverageFactor { multiplier: 85, shift: 8 });
        let mean = reduce_mean(&x.view(), reduction, Rescale::none(0)).unwrap();
        assert_eq!(mean.shape(), [1, 1, 1]);
        assert_eq!(mean[[0, 0, 0]], rsat(907 * 85 * 85, 16));
    }

    #[test]
    fn sum_max_and_min_rescale_after_the_exact_reduction() {
        let x = arr2(&[[-128i8, -128, 127], [1, 2, -4]]).into_dyn();
        let reduction = Reduction { axes: &[1], keep_dims: false };
        let half = Rescale { input: 1, output: 0 };
        assert_eq!(reduce_sum(&x.view(), reduction, half).unwrap(), arr1(&[-64, 0]).into_dyn());
        assert_eq!(reduce_max(&x.view(), reduction, half).unwrap(), arr1(&[64, 1]).into_dyn());
        assert_eq!(reduce_min(&x.view(), reduction, half).unwrap(), arr1(&[-64, -2]).into_dyn());
        assert_eq!(reduce_sum(&x.view(), reduction, Rescale::none(0)).unwrap(), arr1(&[-128, -1]).into_dyn());
    }

    #[test]
    fn argmax_is_the_first_maximum() {
        let x = arr2(&[[1i8, 127, 127], [-128, -128, -128]]).into_dyn();
        assert_eq!(argmax(&x.view(), 1).unwrap(), arr1(&[1, 0]).into_dyn());
        assert_eq!(argmax(&x.view(), 0).unwrap(), arr1(&[0, 0, 0]).into_dyn());
        let real = arr1(&[0.5f32, -1.0, 0.75]).into_dyn();
        assert_eq!(argmax(&real.view(), 0).unwrap()[[]], 2);
    }

    #[test]
    fn wrong_axes_are_named() {
        let x = arr2(&[[1i8, 2]]).into_dyn();
        let message = |axes| {
            let reduction = Reduction { axes, keep_dims: false };
            reduce_sum(&x.view(), reduction, Rescale::none(0)).unwrap_err().to_string()
        };
        assert_eq!(message(&[]), "reduce_sum: axes are [], expected one or more different axes");
        assert_eq!(message(&[1, 1]), "reduce_sum: axes are [1, 1], expected one or more different axes");
        assert_eq!(message(&[0, 2]), "reduce_sum: axis is 2 of a tensor of rank 2");
        assert_eq!(argmax(&x.view(), 2).unwrap_err().to_string(), "argmax: axis is 2 of a tensor of rank 2");
        let deep = ArrayD::<i8>::zeros(vec![3; 12]);
        let every_axis: Vec<_> = (0..12).collect();
        let reduction = Reduction { axes: &every_axis, keep_dims: false };
        assert_eq!(
            reduce_mean(&deep.view(), reduction, Rescale::none(0)).unwrap_err().to_string(),
            "reduce_mean: axes are too many for one multiplier"
        );
    }
}
