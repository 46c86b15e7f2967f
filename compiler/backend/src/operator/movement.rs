//! Operations that only move elements, as copies between views (`spec/recipes-eltwise-data.md` sections 9, 11 and 14).
//!
//! Every such operation is a nest of loops with one stride in the source and one in the target. The longest run of adjacent bytes becomes
//! the channels of a copy, two loops become its columns and rows, and the others repeat the copy.

use dpuc_codegen::{FeatureMap, Layer};
use dpuc_dialects::{Ir, OpId};

use super::Reason;
use crate::placement::Placement;

/// Most copies one operation may become.
const COPIES_MAX: u64 = 4096;
/// Largest distance of pixels that one transfer takes.
const JUMP_MAX: u64 = 65_536;

/// One loop: number of steps, and bytes between them in source and target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Loop {
    count: u64,
    from: u64,
    to: u64,
}

/// Two tensors of equal elements in different orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Nest {
    /// Source of the first element.
    source: (u8, u64),
    /// Target of the first element.
    target: (u8, u64),
    loops: Vec<Loop>,
}

/// The part of a tensor that a slice takes, in place.
pub(crate) fn sliced(ir: &Ir, slice: OpId, source: &Placement) -> Option<Placement> {
    let lists = ["begin", "strides"].map(|name| ir.ints(slice, name).filter(|list| list.len() == source.strides.len()));
    let [Some(begin), Some(steps)] = lists else { return None };
    let mut place = source.clone();
    for (axis, (&first, &step)) in begin.iter().zip(&steps).enumerate() {
        place = place.part(axis, usize::try_from(first).ok()?);
        place.strides[axis] = place.strides[axis].saturating_mul(u64::try_from(step).ok()?);
    }
    Some(place)
}

/// A tensor with its dimensions in another order, in place.
pub(crate) fn transposed(ir: &Ir, transpose: OpId, source: &Placement) -> Option<Placement> {
    let order = ir.ints(transpose, "order")?;
    let strides = order.iter().map(|&axis| source.strides.get(usize::try_from(axis).ok()?).copied());
    Some(Placement { strides: strides.collect::<Option<_>>()?, ..source.clone() })
}

impl Nest {
    /// The elements of a tensor of `shape` from one place to another.
    pub(super) fn between(shape: &[usize], source: &Placement, target: &Placement) -> Self {
        let strides = source.strides.iter().zip(&target.strides);
        let loops = shape.iter().zip(strides).map(|(&count, (&from, &to))| Loop { count: count as u64, from, to });
        Self {
            source: (source.region, source.address),
            target: (target.region, target.address),
            loops: loops.collect(),
        }
    }

    /// Space to depth: `large` is the shape of the source. `None` for an unknown order or another rank.
    pub(super) fn to_depth(
        large: &[usize],
        block: u64,
        order: &str,
        source: &Placement,
        target: &Placement,
    ) -> Option<Self> {
        let &[batch, height, width, channels] = large else { return None };
        let (&[image, row, pixel, channel], &[out_image, out_row, out_pixel, out_channel]) =
            (&source.strides[..], &target.strides[..])
        else {
            return None;
        };
        let [batch, height, width, channels] = [batch, height, width, channels].map(|size| size as u64);
        let step = |count: u64, from: u64, from_scale: u64, to: u64, to_scale: u64| Loop {
            count,
            from: from.saturating_mul(from_scale),
            to: to.saturating_mul(to_scale),
        };
        // Distances of channels whose pixels are one row, one column, one channel apart.
        let [below, beside, next] = if order == "crd" {
            [block, 1, block.saturating_mul(block)]
        } else {
            [block.saturating_mul(channels), channels, 1]
        };
        let area = block.saturating_mul(block);
        let rows = match order {
            "dcr" | "crd" => {
                vec![step(height / block, row, block, out_row, 1), step(block, row, 1, out_channel, below)]
            }
            // Row `y * block + x` of a group of `block * block` takes the place of row `x * block + y`.
            "reorg" => vec![
                step(height / area, row, area, out_row, block),
                step(block, row, block, out_channel, below),
                step(block, row, 1, out_row, 1),
            ],
            _ => return None,
        };
        let mut loops = vec![step(batch, image, 1, out_image, 1)];
        loops.extend(rows);
        loops.extend([
            step(width / block, pixel, block, out_pixel, 1),
            step(block, pixel, 1, out_channel, beside),
            step(channels, channel, 1, out_channel, next),
        ]);
        Some(Self { source: (source.region, source.address), target: (target.region, target.address), loops })
    }

    /// The same elements back.
    pub(super) fn reversed(self) -> Self {
        let loops = self.loops.into_iter().map(|Loop { count, from, to }| Loop { count, from: to, to: from });
        Self { source: self.target, target: self.source, loops: loops.collect() }
    }

    /// The loops that have steps, outermost in the target first, those joined that are one in source and target.
    fn joined(&self) -> Vec<Loop> {
        let mut loops: Vec<Loop> = self.loops.iter().copied().filter(|own| own.count > 1).collect();
        loops.sort_by_key(|own| std::cmp::Reverse((own.to, own.from)));
        let mut joined: Vec<Loop> = Vec::new();
        for inner in loops {
            let extends = |outer: &Loop| {
                outer.from == inner.from.saturating_mul(inner.count) && outer.to == inner.to.saturating_mul(inner.count)
            };
            match joined.last_mut().filter(|outer| extends(outer)) {
                Some(outer) => *outer = Loop { count: outer.count.saturating_mul(inner.count), ..inner },
                None => joined.push(inner),
            }
        }
        joined
    }

    /// The copies that move everything; none if it is in place.
    ///
    /// # Errors
    /// They are too many, or an address needs more than 32 bits.
    pub(super) fn copies(&self, fix_point: i32) -> Result<Vec<Layer>, Reason> {
        let mut loops = self.joined();
        if self.source == self.target && loops.iter().all(|own| own.from == own.to) {
            return Ok(Vec::new());
        }
        let adjacent = loops.iter().position(|own| (own.from, own.to) == (1, 1));
        let channels = adjacent.map_or(1, |index| loops.remove(index).count);
        let short = |own: &Loop| own.from <= JUMP_MAX && own.to <= JUMP_MAX;
        loops.sort_by_key(|own| std::cmp::Reverse((short(own), own.count)));
        let mut loops = loops.into_iter();
        let mut next = || loops.next().unwrap_or(Loop { count: 1, from: channels, to: channels });
        let columns = next();
        let rows = next();
        let repeated: Vec<Loop> = loops.collect();
        let copies = repeated.iter().fold(1u64, |product, own| product.saturating_mul(own.count));
        if copies > COPIES_MAX {
            return Err(Reason::Copies { copies, most: COPIES_MAX });
        }
        let shape = [rows.count, columns.count, channels];
        let mut offsets = vec![(0u64, 0u64)];
        for own in repeated {
            let steps = |&(from, to): &(u64, u64)| {
                (0..own.count).map(move |step| {
                    (from.saturating_add(own.from.saturating_mul(step)), to.saturating_add(own.to.saturating_mul(step)))
                })
            };
            offsets = offsets.iter().flat_map(steps).collect();
        }
        let copy = |(from, to): (u64, u64)| {
            let input = view(self.source, from, shape, [rows.from, columns.from], fix_point)?;
            let output = view(self.target, to, shape, [rows.to, columns.to], fix_point)?;
            Some(Layer::Copy { input, output, relu: false })
        };
        let too_large =
            || Reason::Layout { shape: shape.map(|size| usize::try_from(size).unwrap_or(usize::MAX)).into() };
        offsets.into_iter().map(|offset| copy(offset).ok_or_else(too_large)).collect()
    }
}

fn view(
    (region, address): (u8, u64),
    offset: u64,
    [height, width, channels]: [u64; 3],
    [row_stride, pixel_stride]: [u64; 2],
    fix_point: i32,
) -> Option<FeatureMap> {
    let narrow = |value: u64| u32::try_from(value).ok();
    let row = width.checked_mul(pixel_stride)?;
    Some(FeatureMap {
        region,
        address: narrow(address.checked_add(offset)?)?,
        height: narrow(height)?,
        width: narrow(width)?,
        channels: narrow(channels)?,
        row_stride: narrow(if height > 1 { row_stride } else { row })?,
        pixel_stride: narrow(if width > 1 { pixel_stride } else { channels })?,
        fix_point,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shapes(nest: &Nest) -> Vec<[u32; 3]> {
        let shape = |layer: &Layer| match layer {
            Layer::Copy { input, .. } => [input.height, input.width, input.channels],
            other => panic!("{other:?}"),
        };
        nest.copies(0).unwrap().iter().map(shape).collect()
    }

    #[test]
    fn bytes_that_stay_together_move_together() {
        let dense = |region, shape: &[usize]| Placement::dense(region, 0, shape);
        // A dense copy is one run of bytes.
        let shape = [1, 5, 6, 7];
        assert_eq!(shapes(&Nest::between(&shape, &dense(2, &shape), &dense(3, &shape))), [[1, 1, 210]]);
        // Focus: each row of a block is a copy of pairs of pixels.
        let (large, small) = ([1, 8, 6, 3], [1, 4, 3, 12]);
        let focus = Nest::to_depth(&large, 2, "dcr", &dense(2, &large), &dense(3, &small)).unwrap();
        assert_eq!(shapes(&focus), [[3, 4, 6], [3, 4, 6]]);
        // A pixel shuffle takes every byte apart.
        let (large, small) = ([1, 4, 4, 5], [1, 2, 2, 20]);
        let shuffle = Nest::to_depth(&large, 2, "crd", &dense(3, &large), &dense(2, &small)).unwrap().reversed();
        assert_eq!(shapes(&shuffle), [[2, 5, 1]; 8]);
    }

    #[test]
    fn what_is_in_place_is_not_copied() {
        let place = Placement::dense(1, 64, &[1, 4, 4, 8]);
        assert_eq!(Nest::between(&[1, 4, 4, 8], &place, &place).copies(0), Ok(Vec::new()));
        let other = place.part(1, 1);
        assert_eq!(Nest::between(&[1, 1, 4, 8], &place, &other).copies(0).unwrap().len(), 1);
    }

    #[test]
    fn endless_copies_are_refused() {
        let shape = [1, 64, 64, 64, 64, 64];
        let order = [0, 5, 4, 3, 2, 1];
        let from = Placement::dense(2, 0, &shape);
        let turned = Placement { strides: order.iter().map(|&axis| from.strides[axis]).collect(), ..from };
        let refused = Nest::between(&shape, &turned, &Placement::dense(3, 0, &shape)).copies(0);
        assert_eq!(refused, Err(Reason::Copies { copies: 64 * 64 * 64, most: COPIES_MAX }));
    }
}
