//! Pooling (numerics.md 5.3 and 5.4; dpuczdx8g-isa.md 3.5.3 and B.4).

use ndarray::{Array4, ArrayView4};

use super::error::Result;
use super::geometry::{Plane, Window};
use super::layout::{elements, result_size};
use super::round::{Rescale, rsat};

/// Parameters of a pooling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool2dParams {
    /// Size of the window, `[h, w]`.
    pub kernel: [usize; 2],
    /// Step of the window, `[h, w]`.
    pub strides: [usize; 2],
    /// Cells around the input, `[top, left, bottom, right]`.
    pub pads: [usize; 4],
    /// Fix points.
    pub fix: Rescale,
}

/// Maximum of each window: `rsat(max, input - output)`. Padding counts as -128.
///
/// `input` is `[n, h, w, channels]`; the result has `floor((size + pads - kernel) / stride) + 1` elements per spatial
/// axis.
///
/// # Errors
/// An empty input or a window that does not fit.
pub fn max_pool(input: &ArrayView4<'_, i8>, params: &Pool2dParams) -> Result<Array4<i8>> {
    let maximum = |best: &mut i8, q: i8| *best = q.max(*best);
    pool("max_pool", input, params, i8::MIN, maximum, |best| rsat(best.into(), params.fix.shift()))
}

/// Average of each window: `rsat(sum * multiplier, shift + input - output)` with the factor of [`average_factor`].
///
/// Padding counts as zeros and always as part of the window. Shapes as [`max_pool`].
///
/// # Errors
/// An empty input or a window that does not fit.
pub fn avg_pool(input: &ArrayView4<'_, i8>, params: &Pool2dParams) -> Result<Array4<i8>> {
    let factor = average_factor(params.kernel);
    let add = |sum: &mut i64, q: i8| *sum += i64::from(q);
    pool("avg_pool", input, params, 0i64, add, |sum| factor.scale(sum, params.fix.shift()))
}

/// Folds every window channel by channel. Padding contributes nothing, so `initial` is the value of a padded cell.
fn pool<A: Copy>(
    operator: &'static str,
    input: &ArrayView4<'_, i8>,
    params: &Pool2dParams,
    initial: A,
    fold: impl Fn(&mut A, i8),
    finish: impl Fn(A) -> i8,
) -> Result<Array4<i8>> {
    let pixels = elements(operator, "input", input)?;
    let (batch, height, width, channels) = input.dim();
    let Pool2dParams { kernel, strides, pads, .. } = *params;
    let plane = Plane::sliding(operator, [height, width], &Window { kernel, strides, dilations: [1, 1], pads })?;
    let shape = [batch, plane.rows.output, plane.columns.output, channels];
    let mut output = Vec::with_capacity(result_size(operator, &shape)?);
    let mut accumulators = vec![initial; channels];
    for image in pixels.chunks_exact(height * width * channels) {
        for y in 0..plane.rows.output {
            for x in 0..plane.columns.output {
                accumulators.fill(initial);
                for row in plane.rows.taps(y) {
                    for column in plane.columns.taps(x) {
                        let pixel = (row.input * width + column.input) * channels;
                        for (accumulator, &q) in accumulators.iter_mut().zip(&image[pixel..pixel + channels]) {
                            fold(accumulator, q);
                        }
                    }
                }
                output.extend(accumulators.iter().map(|&accumulator| finish(accumulator)));
            }
        }
    }
    Ok(Array4::from_shape_vec(shape, output)?)
}

/// `multiplier / 2^shift`, which the hardware uses in place of a division.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AverageFactor {
    /// Numerator; at most 127 for a single window or axis.
    pub multiplier: i64,
    /// Binary logarithm of the denominator.
    pub shift: u32,
}

impl AverageFactor {
    /// The best factor for `1 / count`: of all shifts below `ceil(log2(128 * count))` with the multiplier
    /// `round(2^shift / count)`, the first with the smallest error. A `count` of 0 is taken as 1.
    pub fn search(count: usize) -> Self {
        let count = count.max(1) as u128;
        let bits = (128 * count).next_power_of_two().ilog2();
        let mut best = Self { multiplier: 0, shift: 0 };
        // Error of a candidate times count * 2^shift; the initial error is 1.
        let mut best_error = count;
        for shift in 0..bits {
            let power = 1u128 << shift;
            let multiplier = (2 * power + count) / (2 * count);
            let error = (multiplier * count).abs_diff(power);
            if error << best.shift < best_error << shift {
                best = Self { multiplier: multiplier as i64, shift };
                best_error = error;
            }
        }
        best
    }

    /// `rsat(sum * multiplier, self.shift + shift)`.
    ///
    /// From 2^24 on the product is rounded to single precision, as the simulator and the CPU reference do (rule D6).
    pub fn scale(self, sum: i64, shift: i64) -> i8 {
        let product = sum as f32 * self.multiplier as f32;
        rsat(product as i64, i64::from(self.shift) + shift)
    }
}

/// The factor for a window `[h, w]`: a table for the common square windows, else [`AverageFactor::search`].
pub fn average_factor(kernel: [usize; 2]) -> AverageFactor {
    let factor = |multiplier, shift| AverageFactor { multiplier, shift };
    match kernel {
        [3, 3] => factor(7, 6),
        [5, 5] => factor(10, 8),
        [6, 6] => factor(7, 8),
        [7, 7] => factor(21, 10),
        [14, 14] => factor(21, 12),
        [height, width] => AverageFactor::search(height.saturating_mul(width)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(kernel: [usize; 2], strides: [usize; 2], pads: [usize; 4]) -> Pool2dParams {
        Pool2dParams { kernel, strides, pads, fix: Rescale::none(0) }
    }

    /// The average of one whole map with this sum.
    fn average(kernel: [usize; 2], sum: i64, fix: Rescale) -> i8 {
        let cells = (kernel[0] * kernel[1]) as i64;
        let (each, ones) = (sum.div_euclid(cells), sum.rem_euclid(cells));
        let values = (0..cells).map(|i| (each + i64::from(i < ones)) as i8).collect();
        let input = Array4::from_shape_vec((1, kernel[0], kernel[1], 1), values).unwrap();
        let params = Pool2dParams { fix, ..window(kernel, [1, 1], [0; 4]) };
        avg_pool(&input.view(), &params).unwrap()[[0, 0, 0, 0]]
    }

    #[test]
    fn averages_of_the_examples() {
        for (kernel, sum, expected) in [
            ([3, 3], 90, 10),
            ([3, 3], -45, -5),
            ([2, 2], -6, -1),
            ([2, 2], 6, 2),
            ([5, 5], 1000, 39),
            ([6, 6], 1000, 27),
            ([7, 7], 49 * 64, 64),
            ([7, 7], 49 * 127, 127),
            ([14, 14], 10_000, 51),
            ([4, 4], 100, 6),
            ([3, 5], 100, 7),
        ] {
            assert_eq!(average(kernel, sum, Rescale::none(3)), expected, "{kernel:?} {sum}");
        }
        assert_eq!(average([7, 7], 1000, Rescale { input: 4, output: 5 }), 41);
    }

    #[test]
    fn factors_of_the_tables() {
        for (kernel, multiplier, shift) in [
            ([3, 3], 7, 6),
            ([5, 5], 10, 8),
            ([6, 6], 7, 8),
            ([7, 7], 21, 10),
            ([14, 14], 21, 12),
            ([1, 1], 1, 0),
            ([1, 2], 1, 1),
            ([2, 2], 1, 2),
            ([2, 3], 85, 9),
            ([1, 7], 73, 9),
            ([3, 5], 17, 8),
            ([4, 4], 1, 4),
            ([4, 8], 1, 5),
            ([8, 8], 1, 6),
            ([8, 10], 51, 12),
            ([9, 9], 101, 13),
            ([7, 14], 21, 11),
            ([10, 10], 41, 12),
            ([11, 11], 17, 11),
            ([12, 12], 57, 13),
            ([13, 13], 97, 14),
            ([15, 15], 73, 14),
            ([12, 20], 17, 12),
            ([15, 20], 109, 15),
            ([20, 20], 41, 14),
            ([28, 28], 21, 14),
            ([91, 68], 85, 19),
            ([182, 136], 85, 21),
            ([100, 100], 105, 20),
        ] {
            assert_eq!(average_factor(kernel), AverageFactor { multiplier, shift }, "{kernel:?}");
        }
    }

    /// AMD's search in floating point, as numerics.md 5.4 writes it.
    #[test]
    fn the_exact_search_equals_the_float_search() {
        for count in 1..=65_536usize {
            let (mut best, mut diff) = ((0i64, 0u32), 1.0f64);
            for shift in 0..(count as f64 * 128.0).log2().ceil() as u32 {
                let power = f64::exp2(f64::from(shift));
                let multiplier = (power / count as f64).round();
                let d = (multiplier / power - 1.0 / count as f64).abs();
                if d < diff {
                    (best, diff) = ((multiplier as i64, shift), d);
                }
            }
            let found = AverageFactor::search(count);
            assert_eq!((found.multiplier, found.shift), best, "{count}");
            assert!(found.multiplier <= 127);
        }
    }

    #[test]
    fn example_p1() {
        let input = Array4::from_shape_fn((1, 4, 4, 1), |(_, y, x, _)| (4 * (4 * y + x)) as i8 - 30);
        let params = window([3, 3], [2, 2], [1, 1, 0, 0]);
        let flat = |output: Result<Array4<i8>>| output.unwrap().into_raw_vec_and_offset().0;
        assert_eq!(flat(avg_pool(&input.view(), &params)), [-9, -9, 3, 10]);
        assert_eq!(flat(max_pool(&input.view(), &params)), [-10, -2, 22, 30]);
    }

    #[test]
    fn a_window_of_padding_is_minus_128_for_max_and_0_for_average() {
        let input = Array4::from_elem((1, 1, 1, 2), -128i8);
        let params = window([1, 1], [1, 1], [0, 1, 0, 0]);
        let flat = |output: Result<Array4<i8>>| output.unwrap().into_raw_vec_and_offset().0;
        assert_eq!(flat(max_pool(&input.view(), &params)), [-128; 4]);
        assert_eq!(flat(avg_pool(&input.view(), &params)), [0, 0, -128, -128]);
    }

    #[test]
    fn max_rounds_half_up_when_it_requantises() {
        let input = Array4::from_shape_vec((1, 1, 4, 1), vec![-3, -1, 1, 127]).unwrap();
        let params = Pool2dParams { fix: Rescale { input: 1, output: 0 }, ..window([1, 1], [1, 1], [0; 4]) };
        assert_eq!(max_pool(&input.view(), &params).unwrap().into_raw_vec_and_offset().0, [-1, 0, 1, 64]);
    }

    /// The sums of rule D6 whose single-precision product rounds up across a tie.
    #[test]
    fn large_windows_round_the_product_to_single_precision() {
        for sum in [684_071, 843_854, 1_003_637, 1_163_420i64] {
            let exact = rsat(sum * 105, 20);
            assert_eq!(average([100, 100], sum, Rescale::none(0)), exact + 1, "{sum}");
        }
    }

    #[test]
    fn wrong_windows_are_named() {
        let input = Array4::<i8>::zeros([1, 2, 2, 1]);
        let message = |params| max_pool(&input.view(), &params).unwrap_err().to_string();
        assert_eq!(
            message(window([3, 1], [1, 1], [0; 4])),
            "max_pool: kernel spans 3 along the height, but the padded input only 2"
        );
        assert_eq!(
            message(window([1, 1 << 40], [1, 1], [0; 4])),
            "max_pool: kernel [h, w] = [1, 1099511627776], each must be 1 to 65535"
        );
    }
}
