//! Where tensors are in DDR.

use dpuc_codegen::FeatureMap;
use dpuc_dialects::{Attribute, Ir};

/// The DDR regions of a DPU subgraph (`spec/xmodel.md` section 4).
pub mod region {
    /// Constants.
    pub const CONSTANTS: u8 = 0;
    /// Values between operators.
    pub const WORKSPACE: u8 = 1;
    /// Inputs.
    pub const INPUTS: u8 = 2;
    /// Outputs.
    pub const OUTPUTS: u8 = 3;
    /// Number of regions a subgraph uses.
    pub const COUNT: usize = 4;
    /// No region: values that never leave the chip. Their addresses only tell them apart.
    pub const ON_CHIP: u8 = 7;
}

/// The place of an int8 tensor in DDR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// DDR region, the number of `REG_n`.
    pub region: u8,
    /// Byte of the first element in the region.
    pub address: u64,
    /// Bytes between neighbours, for each dimension.
    pub strides: Vec<u64>,
}

impl Placement {
    /// A tensor without gaps.
    pub fn dense(region: u8, address: u64, shape: &[usize]) -> Self {
        Self { region, address, strides: dense_strides(shape) }
    }

    /// Whether a tensor of this shape has no gaps.
    pub fn is_dense(&self, shape: &[usize]) -> bool {
        let dense = dense_strides(shape);
        shape.len() == self.strides.len()
            && shape.iter().zip(self.strides.iter().zip(&dense)).all(|(&dim, (own, dense))| dim <= 1 || own == dense)
    }

    /// What starts at index `first` of dimension `axis`.
    #[must_use]
    pub fn part(&self, axis: usize, first: usize) -> Self {
        let offset = self.strides[axis].saturating_mul(first as u64);
        Self { address: self.address.saturating_add(offset), ..self.clone() }
    }

    /// The tensor as rows of pixels: the last dimension is the channels, the one before it the columns, all others the rows.
    ///
    /// `None` if the strides of the rows do not follow from each other, elements are not adjacent, or a number needs more than
    /// 32 bits.
    pub fn feature_map(&self, shape: &[usize], fix_point: i32) -> Option<FeatureMap> {
        let dims: Vec<(u64, u64)> = shape.iter().map(|&dim| dim as u64).zip(self.strides.iter().copied()).collect();
        let (&(channels, adjacent), outer) = dims.split_last()?;
        if channels > 1 && adjacent != 1 {
            return None;
        }
        let (&(width, pixel_stride), rows) = outer.split_last().unwrap_or((&(1, channels), &[]));
        let pixel_stride = if width > 1 { pixel_stride } else { channels };
        let mut all_rows = (1u64, width.checked_mul(pixel_stride)?);
        for &(count, stride) in rows.iter().rev().filter(|&&(count, _)| count != 1) {
            let (inner_count, inner_stride) = all_rows;
            if inner_count > 1 && stride != inner_count.checked_mul(inner_stride)? {
                return None;
            }
            let first = if inner_count > 1 { inner_stride } else { stride };
            all_rows = (inner_count.checked_mul(count)?, first);
        }
        let (height, row_stride) = all_rows;
        let narrow = |value: u64| u32::try_from(value).ok();
        Some(FeatureMap {
            region: self.region,
            address: narrow(self.address)?,
            height: narrow(height)?,
            width: narrow(width)?,
            channels: narrow(channels)?,
            row_stride: narrow(row_stride)?,
            pixel_stride: narrow(pixel_stride)?,
            fix_point,
        })
    }

    /// As an element of the attribute `placements`.
    pub fn to_attribute(&self, ir: &mut Ir) -> Attribute {
        let entries = [
            ("region", Attribute::int(i64::from(self.region))),
            ("address", Attribute::int(self.address as i64)),
            ("strides", Attribute::ints(self.strides.iter().map(|&stride| stride as i64))),
        ];
        Attribute::Dictionary(entries.into_iter().map(|(name, value)| (ir.name(name), value)).collect())
    }

    /// From an element of the attribute `placements`.
    pub fn from_attribute(ir: &Ir, attribute: &Attribute) -> Option<Self> {
        let Attribute::Dictionary(entries) = attribute else { return None };
        let entry = |name: &str| entries.iter().find(|(own, _)| ir.text(*own) == name).map(|(_, value)| value);
        Self::from_numbers(entry("region")?.as_int()?, entry("address")?.as_int()?, &entry("strides")?.as_ints()?)
    }

    /// From the attributes `region`, `address` and `strides`.
    pub(crate) fn from_numbers(region: i64, address: i64, strides: &[i64]) -> Option<Self> {
        Some(Self {
            region: u8::try_from(region).ok()?,
            address: u64::try_from(address).ok()?,
            strides: strides.iter().map(|&stride| u64::try_from(stride).ok()).collect::<Option<_>>()?,
        })
    }
}

/// Strides of a tensor without gaps. They saturate, which no limit accepts.
pub(crate) fn dense_strides(shape: &[usize]) -> Vec<u64> {
    let mut strides = vec![1u64; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis].saturating_mul(shape[axis] as u64);
    }
    strides
}

/// Bytes of an int8 tensor without gaps; saturates.
pub(crate) fn byte_count(shape: &[usize]) -> u64 {
    shape.iter().fold(1u64, |product, &dim| product.saturating_mul(dim as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape_of(map: FeatureMap) -> [u32; 5] {
        [map.height, map.width, map.channels, map.row_stride, map.pixel_stride]
    }

    #[test]
    fn every_rank_becomes_rows_of_pixels() {
        let view = |shape: &[usize]| Placement::dense(2, 16, shape).feature_map(shape, 5).map(shape_of);
        assert_eq!(view(&[1, 4, 6, 8]), Some([4, 6, 8, 48, 8]));
        assert_eq!(view(&[1, 6, 8]), Some([1, 6, 8, 48, 8]));
        assert_eq!(view(&[1, 10]), Some([1, 1, 10, 10, 10]));
        assert_eq!(view(&[10]), Some([1, 1, 10, 10, 10]));
        assert_eq!(view(&[2, 3, 4, 5, 6]), Some([24, 5, 6, 30, 6]));
        assert_eq!(view(&[]), None);
        assert_eq!(view(&[1 << 20, 1 << 20]), None);
    }

    #[test]
    fn parts_of_a_concatenation_keep_its_strides() {
        let whole = Placement::dense(1, 32, &[1, 4, 6, 8]);
        let part = whole.part(3, 5);
        assert_eq!(part.address, 37);
        assert_eq!(part.feature_map(&[1, 4, 6, 3], 0).map(shape_of), Some([4, 6, 3, 48, 8]));
        assert!(whole.is_dense(&[1, 4, 6, 8]) && !part.is_dense(&[1, 4, 6, 3]));
        assert_eq!(whole.part(1, 2).address, 32 + 2 * 48);
        // Two rows of images with a gap between the images are not evenly spaced.
        let gap = Placement { region: 1, address: 0, strides: vec![100, 24, 8, 1] };
        assert_eq!(gap.feature_map(&[2, 2, 3, 8], 0), None);
        assert!(gap.feature_map(&[1, 2, 3, 8], 0).is_some());
    }

    #[test]
    fn attributes_hold_placements() {
        let mut ir = Ir::new();
        let place = Placement { region: 3, address: 4096, strides: vec![9, 3, 1] };
        let attribute = place.to_attribute(&mut ir);
        assert_eq!(Placement::from_attribute(&ir, &attribute), Some(place));
        assert_eq!(Placement::from_attribute(&ir, &Attribute::int(1)), None);
    }
}
