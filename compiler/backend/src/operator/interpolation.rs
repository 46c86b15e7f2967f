//! Bilinear enlargement as a transposed depthwise convolution on a map with repeated edges (`spec/recipes-eltwise-data.md` section 12.2,
//! `spec/xmodel.md` section 5.7).
//!
//! Output `o` of an axis lies at `c = o / s` of the input, or at `(o + 1/2) / s - 1/2` with half pixels, and input `m` has the weight
//! `1 - |c - m|` there: a tent of whole multiples of `1 / s` or `1 / 2s`. For powers of two the sums are exact, and equal single-precision
//! interpolation to the bit.

use dpuc_dialects::{Ir, OpId};

use super::Reason;
use super::window::numbers;

/// The kernel of an enlargement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tent {
    /// Factors, the strides of the convolution.
    pub(crate) scale: [u32; 2],
    /// Weights of the taps of each axis; those of the kernel are the products.
    pub(crate) taps: [Vec<i32>; 2],
    /// Fix point of the products.
    pub(crate) fix_point: i32,
    /// Copies of the edge that the map needs, `[top, left, bottom, right]`.
    pub(crate) edges: [u32; 4],
    /// Crops of the convolution, in the same order.
    pub(crate) crops: [u32; 4],
}

/// The kernel of one axis.
struct Axis {
    taps: Vec<i32>,
    /// Logarithm of what the weights are multiples of.
    places: i32,
    edges: [u32; 2],
    crops: [u32; 2],
}

impl Axis {
    /// `None` for factors that are no small power of two.
    fn of(scale: u32, half_pixel: bool) -> Option<Self> {
        if scale == 1 {
            return Some(Self { taps: vec![1], places: 0, edges: [0; 2], crops: [0; 2] });
        }
        // The hardware's weights end at 127.
        if !scale.is_power_of_two() || scale > 64 {
            return None;
        }
        let (s, places) = (scale.cast_signed(), scale.ilog2().cast_signed());
        Some(if half_pixel {
            // Taps at odd multiples of 1 / 2s from the middle.
            let taps = (0..2 * s).map(|k| 2 * s - (2 * k + 1 - 2 * s).abs()).collect();
            Self { taps, places: places + 1, edges: [1; 2], crops: [scale / 2 * 3; 2] }
        } else {
            // No output lies before the first input.
            let taps = (1 - s..s).map(|k| s - k.abs()).collect();
            Self { taps, places, edges: [0, 1], crops: [scale - 1, scale] }
        })
    }
}

impl Tent {
    /// The kernel of an `int8.upsample` with bilinear interpolation.
    ///
    /// # Errors
    /// Factors that are no powers of two, or whose weights are no signed bytes.
    pub(crate) fn of(ir: &Ir, op: OpId) -> Result<Self, Reason> {
        let scale: [u32; 2] = numbers(ir, op, "scale")?;
        let half_pixel = ir.bool(op, "half_pixel") == Some(true);
        let refused = || Reason::Bilinear { height: scale[0], width: scale[1] };
        let [rows, columns] = scale.map(|scale| Axis::of(scale, half_pixel));
        let (rows, columns) = (rows.ok_or_else(refused)?, columns.ok_or_else(refused)?);
        let largest = |axis: &Axis| axis.taps.iter().copied().max().unwrap_or(1);
        if largest(&rows) * largest(&columns) > i32::from(i8::MAX) {
            return Err(refused());
        }
        let around = |rows: [u32; 2], columns: [u32; 2]| [rows[0], columns[0], rows[1], columns[1]];
        Ok(Self {
            scale,
            fix_point: rows.places + columns.places,
            edges: around(rows.edges, columns.edges),
            crops: around(rows.crops, columns.crops),
            taps: [rows.taps, columns.taps],
        })
    }

    /// Height and width of the kernel.
    pub(crate) fn kernel(&self) -> [usize; 2] {
        self.taps.each_ref().map(Vec::len)
    }

    /// The weights of `[1, height, width, channels]`, C order.
    pub(crate) fn weights(&self, channels: usize) -> Vec<i8> {
        let [rows, columns] = &self.taps;
        let products = rows.iter().flat_map(|row| columns.iter().map(move |column| (row * column) as i8));
        products.flat_map(|weight| std::iter::repeat_n(weight, channels)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tents_of_the_vendor() {
        let doubled = Axis::of(2, true).unwrap();
        assert_eq!((doubled.taps, doubled.places, doubled.crops), (vec![1, 3, 3, 1], 2, [3, 3]));
        let quadrupled = Axis::of(4, true).unwrap();
        assert_eq!((quadrupled.taps, quadrupled.crops), (vec![1, 3, 5, 7, 7, 5, 3, 1], [6, 6]));
        let plain = Axis::of(4, false).unwrap();
        assert_eq!((plain.taps, plain.places, plain.crops), (vec![1, 2, 3, 4, 3, 2, 1], 2, [3, 4]));
        assert!(Axis::of(3, false).is_none());
    }
}
