//! Rearrangements between spatial blocks and channels, for any element type (numerics.md 5.15).
//!
//! Each is a reshape, a permutation of axes and a reshape. None changes the fix point; `reorg-fix` with different fix
//! points is followed by [`Rescale::apply`](super::round::Rescale::apply).

use ndarray::{Array4, ArrayView4, Axis, Ix4};

use super::error::{Result, parameter_error, shape_error};
use super::layout::{check_size, row_major};
use super::rearrange::{reshape, transpose};

/// Space to depth (`gstiling` and `tile-fix`, forward): `in[y * block + dy, x * block + dx, c]` becomes
/// `out[y, x, (dy * block + dx) * channels + c]`.
///
/// # Errors
/// A spatial size that is no multiple of `block`.
pub fn space_to_depth<T: Copy>(input: &ArrayView4<'_, T>, block: usize) -> Result<Array4<T>> {
    let Coarse { n, h, w, c, area } = Coarse::of_space("space_to_depth", input, block)?;
    regroup(input, [n, h, block, w, block, c], [0, 1, 3, 2, 4, 5], [n, h, w, area * c])
}

/// Depth to space (`gstiling` and `tile-fix`, reverse), the inverse of [`space_to_depth`].
///
/// # Errors
/// A number of channels that is no multiple of `block * block`.
pub fn depth_to_space<T: Copy>(input: &ArrayView4<'_, T>, block: usize) -> Result<Array4<T>> {
    let Coarse { n, h, w, c, .. } = Coarse::of_depth("depth_to_space", input, block)?;
    regroup(input, [n, h, w, block, block, c], [0, 1, 3, 2, 4, 5], [n, h * block, w * block, c])
}

/// Pixel shuffle in the channel order of PyTorch: `in[y, x, c * block^2 + dy * block + dx]` becomes
/// `out[y * block + dy, x * block + dx, c]`.
///
/// # Errors
/// A number of channels that is no multiple of `block * block`.
pub fn pixel_shuffle<T: Copy>(input: &ArrayView4<'_, T>, block: usize) -> Result<Array4<T>> {
    let Coarse { n, h, w, c, .. } = Coarse::of_depth("pixel_shuffle", input, block)?;
    regroup(input, [n, h, w, c, block, block], [0, 1, 4, 2, 5, 3], [n, h * block, w * block, c])
}

/// The inverse of [`pixel_shuffle`].
///
/// # Errors
/// A spatial size that is no multiple of `block`.
pub fn pixel_unshuffle<T: Copy>(input: &ArrayView4<'_, T>, block: usize) -> Result<Array4<T>> {
    let Coarse { n, h, w, c, area } = Coarse::of_space("pixel_unshuffle", input, block)?;
    regroup(input, [n, h, block, w, block, c], [0, 1, 3, 5, 2, 4], [n, h, w, area * c])
}

/// `reorg`, forward, in the order of Darknet: exchanges rows inside groups of `block * block` rows, then
/// [`space_to_depth`].
///
/// # Errors
/// A height that is no multiple of `block * block`, or a width that is none of `block`.
pub fn reorg<T: Copy>(input: &ArrayView4<'_, T>, block: usize) -> Result<Array4<T>> {
    Coarse::of_space("reorg", input, block)?;
    space_to_depth(&exchange_rows("reorg", input, block)?.view(), block)
}

/// `reorg`, reverse, the inverse of [`reorg`].
///
/// # Errors
/// A number of channels that is no multiple of `block * block`, or a height that is none of `block`.
pub fn reorg_reverse<T: Copy>(input: &ArrayView4<'_, T>, block: usize) -> Result<Array4<T>> {
    Coarse::of_depth("reorg_reverse", input, block)?;
    exchange_rows("reorg_reverse", &depth_to_space(input, block)?.view(), block)
}

/// Sizes of a map whose elements are whole blocks: `c` channels for each of the `area` elements of a block.
struct Coarse {
    n: usize,
    h: usize,
    w: usize,
    c: usize,
    area: usize,
}

impl Coarse {
    fn of_space<T>(operator: &'static str, input: &ArrayView4<'_, T>, block: usize) -> Result<Self> {
        let area = check_block(operator, input, block)?;
        let (n, h, w, c) = input.dim();
        if !h.is_multiple_of(block) || !w.is_multiple_of(block) {
            let expected = format!("a height and a width that are multiples of {block}");
            return Err(shape_error(operator, "input", input.shape(), expected));
        }
        Ok(Self { n, h: h / block, w: w / block, c, area })
    }

    fn of_depth<T>(operator: &'static str, input: &ArrayView4<'_, T>, block: usize) -> Result<Self> {
        let area = check_block(operator, input, block)?;
        let (n, h, w, c) = input.dim();
        if !c.is_multiple_of(area) {
            let expected = format!("a number of channels that is a multiple of {area}");
            return Err(shape_error(operator, "input", input.shape(), expected));
        }
        Ok(Self { n, h, w, c: c / area, area })
    }
}

/// Number of elements in a block.
fn check_block<T>(operator: &'static str, input: &ArrayView4<'_, T>, block: usize) -> Result<usize> {
    check_size(operator, "input", input.shape())?;
    match block.checked_mul(block) {
        Some(area @ 1..) => Ok(area),
        _ => Err(parameter_error(operator, "block", format!("is {block}"))),
    }
}

fn regroup<T: Copy>(
    input: &ArrayView4<'_, T>,
    split: [usize; 6],
    order: [usize; 6],
    merged: [usize; 4],
) -> Result<Array4<T>> {
    let split = reshape(&input.view().into_dyn(), &split)?;
    let ordered = transpose(&split.view(), &order)?;
    Ok(reshape(&ordered.view(), &merged)?.into_dimensionality::<Ix4>()?)
}

/// Row `r` of each group of `block * block` rows exchanged with row `(r % block) * block + r / block`.
fn exchange_rows<T: Copy>(operator: &'static str, input: &ArrayView4<'_, T>, block: usize) -> Result<Array4<T>> {
    let area = check_block(operator, input, block)?;
    let height = input.dim().1;
    if !height.is_multiple_of(area) {
        let problem = format!("is {block}, but the {height} rows are no multiple of {area}");
        return Err(parameter_error(operator, "block", problem));
    }
    let partner = |row: usize| row - row % area + (row % block) * block + row % area / block;
    let sources: Vec<_> = (0..height).map(partner).collect();
    Ok(row_major(input.select(Axis(1), &sources)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(shape: [usize; 4]) -> Array4<i8> {
        let count: usize = shape.iter().product();
        Array4::from_shape_vec(shape, (0..count).map(|i| i as i8).collect()).unwrap()
    }

    fn flat(output: Result<Array4<i8>>) -> Vec<i8> {
        output.unwrap().into_raw_vec_and_offset().0
    }

    #[test]
    fn examples_of_the_contract() {
        let depth = ramp([1, 1, 1, 8]);
        assert_eq!(depth_to_space(&depth.view(), 2).unwrap(), ramp([1, 2, 2, 2]));
        assert_eq!(flat(pixel_shuffle(&depth.view(), 2)), [0, 4, 1, 5, 2, 6, 3, 7]);
        let tall = ramp([1, 4, 2, 1]);
        assert_eq!(flat(space_to_depth(&tall.view(), 2)), [0, 1, 2, 3, 4, 5, 6, 7]);
        let reorganised = reorg(&tall.view(), 2).unwrap();
        assert_eq!(reorganised.shape(), [1, 2, 1, 4]);
        assert_eq!(flat(Ok(reorganised)), [0, 1, 4, 5, 2, 3, 6, 7]);
    }

    /// The index formulas of numerics.md 5.15 on a batch of rectangular maps.
    #[test]
    fn every_element_is_where_the_formula_says() {
        for s in 1..=3 {
            let x = ramp([2, s * s, 2 * s, 3]);
            let tiled = space_to_depth(&x.view(), s).unwrap();
            let shuffled = pixel_unshuffle(&x.view(), s).unwrap();
            let reorganised = reorg(&x.view(), s).unwrap();
            for ((n, h, w, c), &q) in x.indexed_iter() {
                assert_eq!(tiled[[n, h / s, w / s, ((h % s) * s + w % s) * 3 + c]], q);
                assert_eq!(shuffled[[n, h / s, w / s, c * s * s + (h % s) * s + w % s]], q);
                let row = h / (s * s) * s * s + (h % s) * s + h % (s * s) / s;
                assert_eq!(reorganised[[n, row / s, w / s, ((row % s) * s + w % s) * 3 + c]], q);
            }
        }
    }

    #[test]
    fn reverse_undoes_forward() {
        let x = ramp([1, 9, 6, 2]);
        for (forward, reverse) in [
            (space_to_depth as fn(&ArrayView4<'_, i8>, usize) -> Result<Array4<i8>>, depth_to_space as _),
            (pixel_unshuffle, pixel_shuffle as fn(&ArrayView4<'_, i8>, usize) -> Result<Array4<i8>>),
            (reorg, reorg_reverse),
        ] {
            assert_eq!(reverse(&forward(&x.view(), 3).unwrap().view(), 3).unwrap(), x);
        }
    }

    #[test]
    fn wrong_sizes_are_named() {
        let x = ramp([1, 4, 3, 2]);
        assert_eq!(
            space_to_depth(&x.view(), 2).unwrap_err().to_string(),
            "space_to_depth: input has shape [1, 4, 3, 2], expected a height and a width that are multiples of 2"
        );
        assert_eq!(
            pixel_shuffle(&x.view(), 2).unwrap_err().to_string(),
            "pixel_shuffle: input has shape [1, 4, 3, 2], expected a number of channels that is a multiple of 4"
        );
        assert_eq!(
            reorg(&ramp([1, 6, 4, 1]).view(), 2).unwrap_err().to_string(),
            "reorg: block is 2, but the 6 rows are no multiple of 4"
        );
        assert_eq!(depth_to_space(&x.view(), 0).unwrap_err().to_string(), "depth_to_space: block is 0");
        assert!(depth_to_space(&x.view(), usize::MAX).is_err());
    }
}
