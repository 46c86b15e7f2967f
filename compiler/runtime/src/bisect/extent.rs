//! The bytes of a tensor in DDR.

use std::ops::Range;

use dpuc_isa::Bytes;

/// The bytes of an int8 tensor: elements in C order, dimensions nested in each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    region: u8,
    address: u64,
    /// Dimensions outside a run: size, bytes between neighbours, elements between neighbours; outermost first.
    outer: Vec<(u64, u64, u64)>,
    /// Elements that follow each other without gap.
    run: u64,
}

impl Extent {
    /// `None` if dimensions are not nested, so that a byte could belong to two elements, or a number leaves 64 bits.
    pub(super) fn new(region: u8, address: u64, shape: &[usize], strides: &[u64]) -> Option<Self> {
        if shape.len() != strides.len() || shape.contains(&0) {
            return None;
        }
        let (mut run, mut span, mut elements) = (1u64, 1u64, 1u64);
        let mut outer = Vec::new();
        for (&dim, &stride) in shape.iter().zip(strides).rev().filter(|(dim, _)| **dim > 1) {
            let dim = dim as u64;
            if stride < span {
                return None;
            }
            if outer.is_empty() && stride == run {
                run = run.checked_mul(dim)?;
            } else {
                outer.push((dim, stride, elements));
            }
            span = (dim - 1).checked_mul(stride)?.checked_add(span)?;
            elements = elements.checked_mul(dim)?;
        }
        address.checked_add(span)?;
        outer.reverse();
        Some(Self { region, address, outer, run })
    }

    /// Number of elements.
    pub(super) fn elements(&self) -> usize {
        (self.outer.iter().map(|(dim, ..)| dim).product::<u64>() * self.run) as usize
    }

    /// First byte, and the byte behind the last.
    fn hull(&self) -> Range<u64> {
        let span: u64 = self.outer.iter().map(|(dim, stride, _)| (dim - 1) * stride).sum();
        self.address..self.address + span + self.run
    }

    /// DDR region.
    pub(super) const fn region(&self) -> u8 {
        self.region
    }

    /// Byte of an element.
    pub(super) fn address_of(&self, element: usize) -> u64 {
        let mut rest = element as u64;
        let mut address = self.address;
        for &(_, stride, elements) in &self.outer {
            address += rest / elements * stride;
            rest %= elements;
        }
        address + rest
    }

    /// Calls `each` with the elements and the first byte of every part of `bytes` that belongs to the tensor, in ascending order.
    pub(super) fn elements_in(&self, bytes: Bytes, each: &mut dyn FnMut(Range<usize>, u64)) {
        let hull = self.hull();
        if bytes.region != self.region || u64::from(bytes.start) >= hull.end || u64::from(bytes.end) <= hull.start {
            return;
        }
        let end = u64::from(bytes.end).min(hull.end) - self.address;
        let mut offset = u64::from(bytes.start).max(hull.start) - self.address;
        while offset < end {
            match self.element_at(offset) {
                Ok((element, left)) => {
                    let count = left.min(end - offset);
                    each(element as usize..(element + count) as usize, self.address + offset);
                    offset += count;
                }
                Err(gap) => offset = offset.saturating_add(gap),
            }
        }
    }

    /// The element at a byte and the elements of its run from there on, or the bytes to the end of the gap.
    fn element_at(&self, offset: u64) -> Result<(u64, u64), u64> {
        let (mut rest, mut element, mut period) = (offset, 0, u64::MAX);
        for &(dim, stride, elements) in &self.outer {
            if rest / stride >= dim {
                return Err(period - rest);
            }
            element += rest / stride * elements;
            rest %= stride;
            period = stride;
        }
        if rest < self.run { Ok((element + rest, self.run - rest)) } else { Err(period - rest) }
    }

    /// Calls `each` with the elements and the first byte of every run.
    pub(super) fn runs(&self, each: &mut dyn FnMut(Range<usize>, u64)) {
        let run = self.run as usize;
        for first in (0..self.elements()).step_by(run) {
            each(first..first + run, self.address_of(first));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(extent: &Extent, start: u32, end: u32) -> Vec<(Range<usize>, u64)> {
        let mut parts = Vec::new();
        extent.elements_in(Bytes { region: 1, start, end }, &mut |elements, byte| parts.push((elements, byte)));
        parts
    }

    #[test]
    fn dense_tensors_are_one_run() {
        let extent = Extent::new(1, 16, &[1, 2, 3, 4], &[24, 12, 4, 1]).unwrap();
        assert_eq!(extent.elements(), 24);
        assert_eq!(parts(&extent, 0, 100), [(0..24, 16)]);
        assert_eq!(parts(&extent, 20, 21), [(4..5, 20)]);
        assert_eq!(parts(&extent, 40, 100), []);
        assert_eq!(extent.address_of(23), 39);
    }

    #[test]
    fn parts_of_concatenations_have_gaps() {
        // Two rows of three pixels; three of eight channels.
        let extent = Extent::new(1, 2, &[1, 2, 3, 3], &[48, 24, 8, 1]).unwrap();
        assert_eq!(parts(&extent, 0, 100).len(), 6);
        assert_eq!(parts(&extent, 4, 12), [(2..3, 4), (3..5, 10)]);
        assert_eq!(parts(&extent, 5, 10), []);
        assert_eq!(parts(&extent, 20, 27), [(8..9, 20), (9..10, 26)]);
        let mut runs = Vec::new();
        extent.runs(&mut |elements, byte| runs.push((elements.start, byte)));
        assert_eq!(runs, [(0, 2), (3, 10), (6, 18), (9, 26), (12, 34), (15, 42)]);
        for element in 0..extent.elements() {
            let byte = extent.address_of(element) as u32;
            assert_eq!(parts(&extent, byte, byte + 1), [(element..element + 1, u64::from(byte))]);
        }
    }

    #[test]
    fn gaps_between_rows_are_stepped_over() {
        // Rows of two dense pixels, 10 bytes apart; images 25 bytes apart.
        let extent = Extent::new(1, 0, &[2, 2, 2, 3], &[25, 10, 3, 1]).unwrap();
        assert_eq!(parts(&extent, 0, 99), [(0..6, 0), (6..12, 10), (12..18, 25), (18..24, 35)]);
        assert_eq!(parts(&extent, 17, 26), [(12..13, 25)]);
    }

    #[test]
    fn overlapping_dimensions_are_refused() {
        assert_eq!(Extent::new(1, 0, &[2, 2, 4], &[6, 4, 1]), None);
        assert_eq!(Extent::new(1, 0, &[2, 4], &[3, 1]), None);
        assert_eq!(Extent::new(1, 0, &[2, 0], &[3, 1]), None);
        assert_eq!(Extent::new(1, u64::MAX, &[2, 4], &[4, 1]), None);
        assert!(Extent::new(1, 0, &[1, 4], &[0, 1]).is_some());
    }
}
