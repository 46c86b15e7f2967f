//! Up- and down-sampling of feature maps (numerics.md 5.7).
//!
//! Coordinates and interpolation are in single precision, as in the operator reference. For bilinear scales 2, 4 and 8
//! without aligned corners all weights are dyadic and the integer form of the hardware gives the same result.

use std::iter::zip;

use ndarray::{Array4, ArrayView4};

use super::error::{Result, parameter_error};
use super::layout::{check_size, elements, result_size, row_major};
use super::round::{Rescale, requantise_real};
use super::sampling::{Coordinates, Interpolation, Sampling};

/// Nearest-element resize of `[n, h, w, channels]` to the size `output`, `[h, w]`, for any element type.
///
/// # Errors
/// An empty input or output.
pub fn resize_nearest<T: Copy>(
    input: &ArrayView4<'_, T>,
    output: [usize; 2],
    coordinates: Coordinates,
) -> Result<Array4<T>> {
    check_resize("resize_nearest", input.shape(), output)?;
    let (_, height, width, _) = input.dim();
    Ok(select(input, &coordinates.nearest(height, output[0]), &coordinates.nearest(width, output[1])))
}

/// The pixels of given rows and columns.
pub fn select<T: Copy>(input: &ArrayView4<'_, T>, rows: &[usize], columns: &[usize]) -> Array4<T> {
    row_major(input.select(ndarray::Axis(1), rows).select(ndarray::Axis(2), columns))
}

/// Bilinear resize of `[n, h, w, channels]` to the size `output`, `[h, w]`: interpolates along the width, then along the
/// height, and rounds once.
///
/// # Errors
/// An empty input or output.
pub fn resize_bilinear(
    input: &ArrayView4<'_, i8>,
    output: [usize; 2],
    coordinates: Coordinates,
    fix: Rescale,
) -> Result<Array4<i8>> {
    const OPERATOR: &str = "resize_bilinear";
    let shape = check_resize(OPERATOR, input.shape(), output)?;
    let pixels = elements(OPERATOR, "input", input)?;
    let (_, height, width, channels) = input.dim();
    let rows = coordinates.linear(height, output[0]);
    let columns = coordinates.linear(width, output[1]);
    let mut values = Vec::with_capacity(result_size(OPERATOR, &shape)?);
    for image in pixels.chunks_exact(height * width * channels) {
        let pixel = |y: usize, x: usize| &image[(y * width + x) * channels..][..channels];
        for row in &rows {
            for column in &columns {
                let top = zip(pixel(row.low, column.low), pixel(row.low, column.high));
                let bottom = zip(pixel(row.high, column.low), pixel(row.high, column.high));
                values.extend(zip(top, bottom).map(|(top, bottom)| {
                    let along_width = |(&l, &r): (&i8, &i8)| column.interpolate(f32::from(l), f32::from(r));
                    let value = row.interpolate(along_width(top), along_width(bottom));
                    requantise_real(value, fix.shift())
                }));
            }
        }
    }
    Ok(Array4::from_shape_vec(shape, values)?)
}

/// Resize of real maps `[n, h, w, channels]` to the size `output`, `[h, w]`, in single precision.
///
/// # Errors
/// An empty input or output.
pub fn resize_real(input: &ArrayView4<'_, f32>, output: [usize; 2], sampling: Sampling) -> Result<Array4<f32>> {
    let shape = check_resize("resize", input.shape(), output)?;
    let (_, height, width, _) = input.dim();
    let [rows, columns] = sampling.axes([height, width], output);
    Ok(match sampling.interpolation {
        Interpolation::Nearest(rounding) => select(input, &rows.nearest(rounding), &columns.nearest(rounding)),
        Interpolation::Bilinear => {
            let (rows, columns) = (rows.linear(), columns.linear());
            Array4::from_shape_fn(shape, |(n, y, x, c)| {
                let (row, column) = (rows[y], columns[x]);
                let along_width = |y| column.interpolate(input[[n, y, column.low, c]], input[[n, y, column.high, c]]);
                row.interpolate(along_width(row.low), along_width(row.high))
            })
        }
        Interpolation::Cubic(cubic) => {
            let (rows, columns) = (rows.cubic(cubic), columns.cubic(cubic));
            Array4::from_shape_fn(shape, |(n, y, x, c)| {
                let along_width = |y| columns[x].interpolate(columns[x].places.map(|x| input[[n, y, x, c]]));
                rows[y].interpolate(rows[y].places.map(along_width))
            })
        }
    })
}

/// `downsample-fix` of `[n, h, w, channels]` by `scale`, `[h, w]`, for any element type: output element `o` is input
/// element `trunc(o * scale)`, in the modes NEAREST and BILINEAR alike (rule D14). The result has `ceil(in / scale)`
/// elements per spatial axis.
///
/// # Errors
/// An empty input, or a scale that is not a finite number of at least 1.
pub fn downsample<T: Copy>(input: &ArrayView4<'_, T>, scale: [f32; 2]) -> Result<Array4<T>> {
    const OPERATOR: &str = "downsample";
    let [rows, columns] = downsampled(OPERATOR, input.shape(), scale)?;
    Ok(select(input, &rows, &columns))
}

/// The rows and columns that [`downsample`] takes.
pub(crate) fn downsampled(operator: &'static str, input: &[usize], scale: [f32; 2]) -> Result<[Vec<usize>; 2]> {
    check_size(operator, "input", input)?;
    if !scale.iter().all(|scale| scale.is_finite() && *scale >= 1.0) {
        let problem = format!("[h, w] = {scale:?}, each must be a finite number of at least 1");
        return Err(parameter_error(operator, "scale", problem));
    }
    let sources = |size: usize, scale: f32| {
        let count = (size as f32 / scale).ceil() as usize;
        (0..count).map(|o| ((o as f32 * scale) as usize).min(size - 1)).collect::<Vec<_>>()
    };
    Ok([sources(input[1], scale[0]), sources(input[2], scale[1])])
}

/// The shape of the result.
pub(crate) fn check_resize(operator: &'static str, input: &[usize], output: [usize; 2]) -> Result<[usize; 4]> {
    check_size(operator, "input", input)?;
    if output.contains(&0) {
        return Err(parameter_error(operator, "output size", format!("[h, w] = {output:?} is empty")));
    }
    let (batch, channels) = (input[0], input[3]);
    let shape = [batch, output[0], output[1], channels];
    result_size(operator, &shape)?;
    Ok(shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Coordinates; 3] = [Coordinates::Asymmetric, Coordinates::AlignCorners, Coordinates::HalfPixel];

    fn row(values: &[i8]) -> Array4<i8> {
        Array4::from_shape_vec((1, 1, values.len(), 1), values.to_vec()).unwrap()
    }

    #[test]
    fn nearest_sources_of_the_examples() {
        for coordinates in ALL {
            assert_eq!(coordinates.nearest(3, 6), [0, 0, 1, 1, 2, 2], "{coordinates:?}");
        }
        assert_eq!(Coordinates::Asymmetric.nearest(5, 3), [0, 1, 3]);
        assert_eq!(Coordinates::HalfPixel.nearest(5, 3), [0, 2, 4]);
        assert_eq!(Coordinates::Asymmetric.nearest(3, 5), [0, 0, 1, 1, 2]);
        assert_eq!(Coordinates::HalfPixel.nearest(3, 5), [0, 0, 1, 2, 2]);
    }

    #[test]
    fn nearest_repeats_pixels_on_both_axes() {
        let x = Array4::from_shape_vec((1, 2, 2, 1), vec![1i8, 2, 3, 4]).unwrap();
        let output = resize_nearest(&x.view(), [4, 2], Coordinates::Asymmetric).unwrap();
        assert_eq!(output.into_raw_vec_and_offset().0, [1, 2, 1, 2, 3, 4, 3, 4]);
    }

    #[test]
    fn bilinear_rows_of_the_examples() {
        let x = row(&[10, -31]);
        let equal = [[10, -10, -31, -31], [10, -4, -17, -31], [10, 0, -21, -31]];
        let coarser = [[5, -5, -15, -15], [5, -2, -9, -15], [5, 0, -10, -15]];
        for (output, expected) in [(5, equal), (4, coarser)] {
            for (coordinates, expected) in zip(ALL, expected) {
                let resized = resize_bilinear(&x.view(), [1, 4], coordinates, Rescale { input: 5, output });
                assert_eq!(resized.unwrap(), row(&expected), "{coordinates:?} {output}");
            }
        }
    }

    /// The phases of recipes-eltwise-data.md 12.2: integer weights over a power of two, edges repeated, one rounding.
    #[test]
    fn dyadic_scales_equal_the_integer_form() {
        let (height, width) = (3usize, 5usize);
        let x =
            Array4::from_shape_fn((1, height, width, 2), |(_, y, x, c)| (y * 71 + x * 113 + c * 37 + 5) as u8 as i8);
        for (coordinates, half) in [(Coordinates::Asymmetric, 0i64), (Coordinates::HalfPixel, 1)] {
            for s in [2i64, 4, 8] {
                for delta in -2..=2i64 {
                    let fix = Rescale { input: 3, output: 3 + delta as i32 };
                    let size = [height * s as usize, width * s as usize];
                    let resized = resize_bilinear(&x.view(), size, coordinates, fix).unwrap();
                    // Position in units of 1 / denominator.
                    let denominator = s << half;
                    let at = |o: usize, size: usize| {
                        let position = if half == 1 { 2 * o as i64 + 1 - s } else { o as i64 };
                        let low = position.div_euclid(denominator);
                        let source = |i: i64| i.clamp(0, size as i64 - 1) as usize;
                        (source(low), source(low + 1), position.rem_euclid(denominator))
                    };
                    for ((_, oy, ox, c), &q) in resized.indexed_iter() {
                        let (top, bottom, wy) = at(oy, height);
                        let (left, right, wx) = at(ox, width);
                        let pixel = |y: usize, column: usize| i64::from(x[[0, y, column, c]]);
                        let along = |y| pixel(y, left) * (denominator - wx) + pixel(y, right) * wx;
                        let sum = along(top) * (denominator - wy) + along(bottom) * wy;
                        let bits = 2 * i64::from(denominator.ilog2());
                        assert_eq!(q, crate::reference::round::rsat(sum, bits - delta), "{coordinates:?} {s} {delta}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_single_output_of_aligned_corners_is_the_first_element() {
        let resized = resize_bilinear(&row(&[7, 9, 11]).view(), [1, 1], Coordinates::AlignCorners, Rescale::none(0));
        assert_eq!(resized.unwrap(), row(&[7]));
    }

    #[test]
    fn downsample_truncates() {
        let x = row(&[0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(downsample(&x.view(), [1.0, 2.0]).unwrap(), row(&[0, 2, 4, 6]));
        assert_eq!(downsample(&x.view(), [1.0, 2.5]).unwrap(), row(&[0, 2, 5]));
        assert_eq!(downsample(&x.view(), [8.0, 1e30]).unwrap(), row(&[0]));
    }

    #[test]
    fn wrong_sizes_are_named() {
        let x = row(&[1, 2]);
        assert_eq!(
            resize_nearest(&x.view(), [0, 4], Coordinates::HalfPixel).unwrap_err().to_string(),
            "resize_nearest: output size [h, w] = [0, 4] is empty"
        );
        assert!(resize_bilinear(&x.view(), [usize::MAX, 4], Coordinates::HalfPixel, Rescale::none(0)).is_err());
        for scale in [[0.5, 1.0], [f32::NAN, 1.0], [f32::INFINITY, 1.0]] {
            let message = downsample(&x.view(), scale).unwrap_err().to_string();
            assert!(message.ends_with("each must be a finite number of at least 1"), "{message}");
        }
    }
}
