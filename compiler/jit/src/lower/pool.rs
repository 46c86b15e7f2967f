//! `int8` pooling: a fold over the window for every group of outputs whose windows see the same taps. Inside the map that is one nest;
//! along its edges, where taps fall on padding, which contributes nothing, there are narrow ones.

use dpuc_kernels::reference::pool::average_factor;

use super::attributes::sizes;
use super::reduce::EXACT;
use super::{Lowered, Lowering, strided};
use crate::loops::{Binary, Nest, Reduction, row_major};
use crate::network::{Operation, place};

/// Most nests for one pooling; a window wider than the map has as many edges as outputs.
const MAX_REGIONS: usize = 36;

/// Consecutive outputs along one axis that see the same taps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Region {
    /// First output and how many there are.
    first: usize,
    count: usize,
    /// First tap inside the map and how many there are.
    tap: usize,
    taps: usize,
}

impl Lowering<'_> {
    /// Lowers `int8.max_pool` and `int8.avg_pool`.
    pub(super) fn pool(&mut self, operation: &Operation, is_max: bool) -> Lowered {
        let (ir, op) = (self.ir, operation.op);
        let (input, result) = (operation.operands[0], operation.results[0]);
        let lists = [sizes(ir, op, "kernel")?, sizes(ir, op, "strides")?, sizes(ir, op, "pads")?];
        let ([kernel_h, kernel_w], [stride_h, stride_w], [top, left, _, _]) =
            (lists[0][..].try_into().ok()?, lists[1][..].try_into().ok()?, lists[2][..].try_into().ok()?);
        let (&[batch, height, width, channels], &[_, rows, columns, _]) = (self.shape(input), self.shape(result))
        else {
            return None;
        };
        let down = regions(height, rows, kernel_h, stride_h, top)?;
        let across = regions(width, columns, kernel_w, stride_w, left)?;
        if down.len() * across.len() > MAX_REGIONS {
            return None;
        }
        let shift = self.fix(input)? - self.fix(result)?;
        let factor = average_factor([kernel_h, kernel_w]);
        let largest = i64::try_from(kernel_h * kernel_w).ok()?.saturating_mul(128).saturating_mul(factor.multiplier);
        if !is_max && largest > EXACT {
            return None;
        }
        let (from, to) = (row_major(self.shape(input)), row_major(self.shape(result)));
        let (source, target) = (self.read(input), self.write(result));
        let element = self.info(input).element;
        for own in &down {
            for side in &across {
                let extents = vec![batch, own.count, side.count, channels, own.taps, side.taps];
                let place_of = |region: &Region, stride: usize, pad: usize| {
                    (region.first * stride + region.tap) as i64 - pad as i64
                };
                let first = place_of(own, stride_h, top) * from[1] + place_of(side, stride_w, left) * from[2];
                let steps = [stride_h as i64 * from[1], stride_w as i64 * from[2]];
                let load = strided(source, first, vec![from[0], steps[0], steps[1], 1, from[1], from[2]]);
                let first = own.first as i64 * to[1] + side.first as i64 * to[2];
                let store = strided(target, first, vec![to[0], to[1], to[2], 1, 0, 0]);
                let mut nest = Nest::new(place(ir, op), extents, 4, store);
                let x = nest.load(load, element);
                let taps = own.taps * side.taps;
                nest.result = if is_max {
                    let best = nest.body.reduce(Reduction::Max, x, taps);
                    nest.body.requantise(best, shift)
                } else {
                    let sum = nest.body.reduce(Reduction::Sum, x, taps);
                    let multiplier = nest.body.integer(factor.multiplier);
                    let scaled = nest.body.binary(Binary::Mul, sum, multiplier);
                    nest.body.requantise(scaled, i64::from(factor.shift) + shift)
                };
                self.push(nest);
            }
        }
        Some(())
    }
}

/// The regions of one axis; `None` if a window lies in the padding alone, or if there are too many.
fn regions(input: usize, output: usize, kernel: usize, stride: usize, pad: usize) -> Option<Vec<Region>> {
    let mut regions: Vec<Region> = Vec::new();
    // Only windows at either end touch padding, so that the inside need not be walked.
    let inside = if input + pad >= kernel { (input + pad - kernel) / stride.max(1) } else { 0 };
    let mut first = 0;
    while first < output {
        let start = first * stride;
        let tap = pad.saturating_sub(start);
        let end = kernel.min((input + pad).saturating_sub(start));
        let taps = end.checked_sub(tap).filter(|&taps| taps > 0)?;
        let count = if tap == 0 && end == kernel { inside.min(output - 1) + 1 - first } else { 1 };
        match regions.last_mut() {
            Some(last) if (last.tap, last.taps) == (tap, taps) => last.count += count,
            _ => regions.push(Region { first, count, tap, taps }),
        }
        if regions.len() > MAX_REGIONS {
            return None;
        }
        first += count;
    }
    Some(regions)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The regions of an axis tap by tap.
    fn naive(input: usize, output: usize, kernel: usize, stride: usize, pad: usize) -> Vec<Vec<usize>> {
        let is_real = |o: usize, k: usize| (pad..input + pad).contains(&(o * stride + k));
        (0..output).map(|o| (0..kernel).filter(|&k| is_real(o, k)).collect()).collect()
    }

    #[test]
    fn regions_hold_the_taps_of_every_output() {
        for input in 1..12usize {
            for kernel in 1..6 {
                for stride in 1..4 {
                    for pad in 0..kernel {
                        let Some(travel) = (input + 2 * pad).checked_sub(kernel) else { continue };
                        let output = travel / stride + 1;
                        let expected = naive(input, output, kernel, stride, pad);
                        let found = regions(input, output, kernel, stride, pad);
                        let Some(found) = found else {
                            assert!(expected.iter().any(Vec::is_empty));
                            continue;
                        };
                        let taps = found.iter().flat_map(|region| {
                            vec![(region.tap..region.tap + region.taps).collect::<Vec<_>>(); region.count]
                        });
                        assert_eq!(taps.collect::<Vec<_>>(), expected, "{input} {kernel} {stride} {pad}: {found:?}");
                        assert!(found.windows(2).all(|pair| pair[0].first + pair[0].count == pair[1].first));
                    }
                }
            }
        }
    }
}
