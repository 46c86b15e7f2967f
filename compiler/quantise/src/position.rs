//! Positions from data (`spec/quantisation.md` sections 2 and 6). A number with position `p` is a multiple of `2^-p`.

use dpuc_kernels::reference::round::RoundMode;

/// Highest position that is chosen (section 6.1).
pub(crate) const HIGHEST: i32 = 12;
/// Lowest position: codes of 2^16, far above what any network holds.
pub(crate) const LOWEST: i32 = -16;
/// Candidates of the least-error search: the non-overflow position and finer ones.
pub(crate) const SCOPE: i32 = 5;

/// `2^exponent`; exact for every position.
pub(crate) fn power(exponent: i32) -> f32 {
    f64::exp2(f64::from(exponent)) as f32
}

/// The finest position at which nothing in `least..=most` saturates (section 2.1); [`HIGHEST`] for a tensor of zeros.
pub(crate) fn non_overflow(least: f32, most: f32) -> i32 {
    let step = (f64::from(least) / -128.5).max(f64::from(most) / 127.5);
    if step <= 0.0 {
        return HIGHEST;
    }
    ((1.0 / step).log2().floor() as i32).clamp(LOWEST, HIGHEST)
}

/// The candidate with the least error, the coarsest of equal ones (section 2.2).
pub(crate) fn least_error(non_overflow: i32, error: impl Fn(i32) -> f64) -> i32 {
    let mut best = (f64::INFINITY, non_overflow);
    for position in non_overflow..(non_overflow + SCOPE).min(HIGHEST + 1) {
        let error = error(position);
        if error < best.0 {
            best = (error, position);
        }
    }
    best.1
}

/// The value that occurs most often, the smallest of equally frequent ones (section 6.2); `None` without values.
pub(crate) fn mode(values: &[i32]) -> Option<i32> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let runs = sorted.chunk_by(|a, b| a == b);
    runs.fold(None, |best: Option<&[i32]>, run| match best {
        Some(best) if best.len() >= run.len() => Some(best),
        _ => Some(run),
    })
    .map(|run| run[0])
}

/// The least-error position of a constant.
pub(crate) fn of_constant(elements: &[f32]) -> i32 {
    let (least, most) = range(elements);
    least_error(non_overflow(least, most), |position| squared_error(elements, position).total)
}

/// Least and greatest element, and zero.
pub(crate) fn range(elements: &[f32]) -> (f32, f32) {
    elements.iter().fold((0.0f32, 0.0f32), |(least, most), &value| (least.min(value), most.max(value)))
}

/// What rounding does to a tensor.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct SquaredError {
    /// Sum over all elements.
    pub(crate) total: f64,
    /// The part of elements beyond the greatest and least code.
    pub(crate) saturated: f64,
}

/// Elements of which the errors are summed in single precision lanes before they join the sum in double precision.
const CHUNK: usize = 256;
/// Independent partial sums.
const LANES: usize = 8;
/// `1.5 * 2^23`: adding and subtracting it rounds numbers below 2^22 to integers.
const ROUNDER: f32 = 12_582_912.0;

/// Sum of `(x - Q(x))^2` at a position. Ties may be rounded either way: the error is the same.
pub(crate) fn squared_error(elements: &[f32], position: i32) -> SquaredError {
    let (scale, step) = (power(position), power(-position));
    let mut error = SquaredError::default();
    for chunk in elements.chunks(CHUNK) {
        let mut total = [0f32; LANES];
        let mut saturated = [0f32; LANES];
        let (blocks, rest) = chunk.as_chunks::<LANES>();
        for block in blocks {
            for lane in 0..LANES {
                let (all, beyond) = error_of(block[lane], scale, step);
                total[lane] += all;
                saturated[lane] += beyond;
            }
        }
        for (lane, &value) in rest.iter().enumerate() {
            let (all, beyond) = error_of(value, scale, step);
            total[lane] += all;
            saturated[lane] += beyond;
        }
        error.total += total.iter().map(|&sum| f64::from(sum)).sum::<f64>();
        error.saturated += saturated.iter().map(|&sum| f64::from(sum)).sum::<f64>();
    }
    error
}

/// The squared error of one element, and again if it is beyond the codes.
#[inline]
fn error_of(value: f32, scale: f32, step: f32) -> (f32, f32) {
    let scaled = value * scale;
    let clamped = scaled.clamp(-128.0, 127.0);
    let difference = value - ((clamped + ROUNDER) - ROUNDER) * step;
    let all = difference * difference;
    // Half a step beyond the last code still rounds to it.
    let excess = (scaled - clamped).abs();
    (all, if excess > 0.5 { all } else { 0.0 })
}

/// The codes of a constant, halves away from zero, as numbers.
pub(crate) fn on_grid(elements: &[f32], position: i32) -> Vec<f32> {
    let step = power(-position);
    elements.iter().map(|&value| f32::from(RoundMode::HalfAwayFromZero.quantise(value, position)) * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_overflows_at_the_non_overflow_position_and_something_does_above_it() {
        for (least, most, expected) in
            [(0.0, 6.0, 4), (-1.0, 1.0, 6), (0.0, 255.0, -1), (-128.5, 0.0, 0), (0.0, 127.5, 0), (0.0, 0.0, 12)]
        {
            assert_eq!(non_overflow(least, most), expected, "{least} {most}");
        }
        // Never above 12, whatever the data; never below the least candidate.
        assert_eq!(non_overflow(-1e-9, 1e-9), HIGHEST);
        assert_eq!(non_overflow(0.0, f32::MAX), LOWEST);
    }

    #[test]
    fn an_outlier_is_clipped_if_that_costs_less() {
        let mut elements: Vec<f32> = (0..4000).map(|i| (i % 97) as f32 / 97.0 - 0.5).collect();
        assert_eq!(of_constant(&elements), 8);
        elements.push(1.02);
        assert_eq!(non_overflow(-0.5, 1.02), 6);
        assert_eq!(of_constant(&elements), 7);
        elements.extend([9.0; 100]);
        assert_eq!(of_constant(&elements), 3);
    }

    #[test]
    fn equal_errors_take_the_coarser_position() {
        // Exact at every candidate.
        assert_eq!(of_constant(&[0.5, -0.25, 1.0]), 6);
        assert_eq!(of_constant(&[0.0; 4]), HIGHEST);
    }

    #[test]
    fn the_mode_is_the_smallest_of_the_most_frequent() {
        assert_eq!(mode(&[3, 4, 4, 3, 5]), Some(3));
        assert_eq!(mode(&[5, 4, 4]), Some(4));
        assert_eq!(mode(&[]), None);
    }

    /// Against the definition of section 2, in double precision.
    #[test]
    fn errors_are_those_of_the_definition() {
        let elements: Vec<f32> = (0..1003).map(|i: i32| ((i * 7919) % 4001 - 2000) as f32 / 613.0).collect();
        for position in [-2, 0, 4, 5, 7, 12] {
            let quantised = |value: f32| {
                let scaled = f64::from(value) * f64::exp2(f64::from(position));
                (scaled + 0.5).floor().clamp(-128.0, 127.0) * f64::exp2(f64::from(-position))
            };
            let errors = elements.iter().map(|&value| (f64::from(value) - quantised(value)).powi(2));
            let expected: f64 = errors.clone().sum();
            let beyond = |value: f32| {
                let scaled = f64::from(value) * f64::exp2(f64::from(position));
                !(-128.5..=127.5).contains(&scaled)
            };
            let saturated: f64 =
                errors.zip(&elements).filter(|&(_, &value)| beyond(value)).map(|(error, _)| error).sum();
            let found = squared_error(&elements, position);
            assert!((found.total - expected).abs() <= 1e-4 * expected, "{position}: {found:?} {expected}");
            assert!((found.saturated - saturated).abs() <= 1e-4 * expected, "{position}: {found:?} {saturated}");
        }
    }
}
