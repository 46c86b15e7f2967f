//! Chains of reshapes and transpositions say one thing: which parts of the dimensions change places. One transposition is enough for that.
//!
//! A shuffle of channels in a framework that computes with channels first is the common case: transposed to channels first, split into
//! groups, transposed, joined, and transposed back.

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::{int8, nn};
use dpuc_dialects::rewrite::{Pattern, Patterns, Rewriter};
use dpuc_dialects::{Ir, OpBuilder, OpId, ValueId};

use crate::rebuild::{list, producer, reshaped, sizes};

/// Most movements that are looked at as one chain; no network has more.
const LONGEST: usize = 32;

/// Adds the pattern of this file.
pub(super) fn add(patterns: Patterns) -> Patterns {
    let dialects = [(&nn::RESHAPE, &nn::TRANSPOSE), (&int8::RESHAPE, &int8::TRANSPOSE)];
    dialects.into_iter().fold(patterns, |patterns, (reshape, transpose)| {
        let chain = |root| Chain { root, reshape, transpose };
        patterns.with(chain(reshape)).with(chain(transpose))
    })
}

/// A chain with several transpositions becomes a reshape, a transposition and a reshape. It is seen from each of its members.
struct Chain {
    root: &'static OpDefinition,
    reshape: &'static OpDefinition,
    transpose: &'static OpDefinition,
}

/// A chain, first operation first, and what it does.
struct Found {
    source: ValueId,
    chain: Vec<OpId>,
    /// The dimensions of the source, divided so that a transposition can do the rest.
    parts: Vec<usize>,
    /// Where the parts come from in the result.
    order: Vec<usize>,
}

impl Pattern for Chain {
    const NAME: &'static str = "movement-chain";
    type Match = Found;

    fn root(&self) -> &'static OpDefinition {
        self.root
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<Found> {
        let last = self.last_transpose(ir, op)?;
        let mut chain = vec![last];
        let mut source = ir.operand(last, 0);
        while let Some(movement) = producer(ir, source, &[self.reshape, self.transpose]) {
            if ir.use_count(source) != 1 || chain.len() == LONGEST {
                break;
            }
            chain.push(movement);
            source = ir.operand(movement, 0);
        }
        // A chain starts with a transposition: a reshape in front of it stays as it is.
        while chain.last().is_some_and(|&first| ir.is(first, self.reshape)) {
            source = ir.result(chain.pop()?);
        }
        chain.reverse();
        // New operations come in front of `op`, which must not be in front of the source.
        if !chain.contains(&op) || chain.iter().filter(|&&movement| ir.is(movement, self.transpose)).count() < 2 {
            return None;
        }
        let mut places = Places::new(&ir.shape_of(source)?);
        for &movement in &chain {
            if ir.is(movement, self.transpose) {
                places.transpose(&sizes(ir, movement, "order")?)?;
            } else {
                places.reshape(&ir.shape_of(ir.result(movement))?)?;
            }
        }
        let (parts, order) = places.simplest();
        Some(Found { source, chain, parts, order })
    }

    fn rewrite(&self, found: Found, _: OpId, rewriter: &mut Rewriter<'_>) {
        let Found { source, chain, parts, order } = found;
        let Some(&last) = chain.last() else { return };
        let location = rewriter.fuse(&chain);
        let ty = rewriter.ir().value_type(rewriter.ir().result(last));
        let turned: Vec<usize> = order.iter().map(|&part| parts[part]).collect();
        let types = [&parts, &turned].map(|shape| reshaped(rewriter.tables(), source, shape));
        let [Some(parts_type), Some(turned_type)] = types else { return };
        let mut insert = |builder: OpBuilder<'_>| {
            let inserted = rewriter.insert(builder.at(location));
            rewriter.ir().result(inserted)
        };
        let mut value = insert(OpBuilder::new(self.reshape).operands([source]).result(parts_type, ""));
        if !order.is_sorted() {
            let transpose = OpBuilder::new(self.transpose).operands([value]).attribute("order", list(order));
            value = insert(transpose.result(turned_type, ""));
        }
        let result = insert(OpBuilder::new(self.reshape).operands([value]).result(ty, ""));
        rewriter.replace(last, &[result]);
    }
}

impl Chain {
    /// The last transposition of the chain that an operation is in.
    fn last_transpose(&self, ir: &Ir, op: OpId) -> Option<OpId> {
        let is_movement = |&op: &OpId| ir.is(op, self.reshape) || ir.is(op, self.transpose);
        let next = |&op: &OpId| match ir.users(ir.result(op))[..] {
            [next] => Some(next).filter(is_movement),
            _ => None,
        };
        let rest = std::iter::successors(Some(op), next).take(LONGEST);
        rest.filter(|&op| ir.is(op, self.transpose)).last()
    }
}

/// Where the parts of a tensor's dimensions are after movements.
#[derive(Clone, Debug)]
struct Places {
    /// Sizes of the parts, in their order at first.
    parts: Vec<usize>,
    /// The parts in each dimension, by number.
    dimensions: Vec<Vec<usize>>,
}

impl Places {
    fn new(shape: &[usize]) -> Self {
        Self { parts: shape.to_vec(), dimensions: (0..shape.len()).map(|dimension| vec![dimension]).collect() }
    }

    fn transpose(&mut self, order: &[usize]) -> Option<()> {
        let moved = order.iter().map(|&from| self.dimensions.get(from).cloned()).collect::<Option<_>>()?;
        self.dimensions = moved;
        Some(())
    }

    /// `None` if a dimension of the new shape starts or ends within a part that cannot be divided there.
    fn reshape(&mut self, shape: &[usize]) -> Option<()> {
        let mut row: Vec<usize> = self.dimensions.concat();
        let mut at = 0;
        let mut dimensions = Vec::with_capacity(shape.len());
        for &size in shape {
            let (mut members, mut product) = (Vec::new(), 1);
            while product < size {
                let part = *row.get(at)?;
                let rest = size / product;
                if size % product != 0 || self.parts[part] == 0 {
                    return None;
                }
                if self.parts[part] > rest {
                    self.divide(part, rest, &mut row, &mut dimensions, &mut members)?;
                }
                let part = row[at];
                product = product.checked_mul(self.parts[part])?;
                members.push(part);
                at += 1;
            }
            if product != size {
                return None;
            }
            dimensions.push(members);
        }
        // Parts of one element may be left; they can be anywhere.
        if row[at..].iter().any(|&part| self.parts[part] != 1) {
            return None;
        }
        self.dimensions = dimensions;
        Some(())
    }

    /// Divides a part in two, of which the second has `self.parts[part] / rest` elements for each of the first's `rest`.
    fn divide(
        &mut self,
        part: usize,
        rest: usize,
        row: &mut Vec<usize>,
        done: &mut [Vec<usize>],
        members: &mut [usize],
    ) -> Option<()> {
        if !self.parts[part].is_multiple_of(rest) {
            return None;
        }
        let inner = self.parts[part] / rest;
        self.parts[part] = rest;
        self.parts.insert(part + 1, inner);
        let known = row.iter_mut().chain(done.iter_mut().flatten()).chain(members);
        known.filter(|known| **known > part).for_each(|known| *known += 1);
        let place = row.iter().position(|&known| known == part)?;
        row.insert(place + 1, part + 1);
        Some(())
    }

    /// The fewest parts that do the same: neighbours that stay neighbours are one, but for a batch that stays in front. Gives their sizes
    /// and where they come from.
    fn simplest(&self) -> (Vec<usize>, Vec<usize>) {
        let long = |part: &usize| self.parts[*part] != 1;
        let front: Option<Vec<usize>> =
            self.dimensions.first().map(|first| first.iter().copied().filter(long).collect());
        let batch = match front.as_deref() {
            Some([]) if self.parts.first() == Some(&1) => Some(1),
            Some([0]) => Some(self.parts[0]),
            _ => None,
        };
        let is_moved = |part: &usize| long(part) && !(batch.is_some() && *part == 0);
        let row: Vec<usize> = self.dimensions.concat().into_iter().filter(is_moved).collect();
        let moved: Vec<usize> = (0..self.parts.len()).filter(is_moved).collect();
        let follows = |before: usize, after: usize| {
            let place = |part| moved.iter().position(|&known| known == part);
            place(before).map(|place| place + 1) == place(after)
        };
        // Runs of parts in the result's order.
        let runs: Vec<&[usize]> = row.chunk_by(|&before, &after| follows(before, after)).collect();
        let mut sorted = runs.clone();
        sorted.sort_unstable();
        let sizes = sorted.iter().map(|run| run.iter().map(|&part| self.parts[part]).product());
        let order = runs.iter().filter_map(|run| sorted.iter().position(|known| known == run));
        let shift = usize::from(batch.is_some());
        (batch.into_iter().chain(sizes).collect(), (0..shift).chain(order.map(|part| part + shift)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The places of all elements after movements, computed one by one.
    fn moved(shape: &[usize], order: &[usize], elements: &[usize]) -> Vec<usize> {
        let strides: Vec<usize> = (0..shape.len()).map(|axis| shape[axis + 1..].iter().product()).collect();
        let turned: Vec<usize> = order.iter().map(|&axis| shape[axis]).collect();
        let element = |mut at: usize| {
            let mut from = 0;
            for (axis, &size) in order.iter().zip(&turned).rev() {
                from += at % size * strides[*axis];
                at /= size;
            }
            elements[from]
        };
        (0..elements.len()).map(element).collect()
    }

    #[test]
    fn a_shuffle_of_channels_is_one_transposition() {
        let mut places = Places::new(&[1, 5, 7, 12]);
        places.transpose(&[0, 3, 1, 2]).unwrap();
        places.reshape(&[1, 3, 4, 5, 7]).unwrap();
        places.transpose(&[0, 2, 1, 3, 4]).unwrap();
        places.reshape(&[1, 12, 5, 7]).unwrap();
        places.transpose(&[0, 2, 3, 1]).unwrap();
        assert_eq!(places.simplest(), (vec![1, 35, 3, 4], vec![0, 1, 3, 2]));
    }

    #[test]
    fn tensors_without_dimensions_or_elements_have_places() {
        let mut scalar = Places::new(&[]);
        scalar.transpose(&[]).unwrap();
        scalar.reshape(&[1, 1]).unwrap();
        assert_eq!(scalar.simplest(), (vec![], vec![]));
        assert!(Places::new(&[0, 3]).reshape(&[3, 0]).is_none());
    }

    #[test]
    fn reshapes_that_cut_across_parts_are_left() {
        let mut places = Places::new(&[4, 6]);
        places.transpose(&[1, 0]).unwrap();
        assert!(places.reshape(&[8, 3]).is_none());
    }

    #[test]
    fn random_chains_move_every_element_to_its_place() {
        let mut state = 1u64;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        let mut simplified = 0;
        for _ in 0..500 {
            let start: Vec<usize> = (0..=random(4)).map(|_| [1, 2, 3, 4, 6, 12][random(6)]).collect();
            let (mut places, mut shape) = (Places::new(&start), start.clone());
            let mut elements: Vec<usize> = (0..start.iter().product()).collect();
            let mut is_whole = true;
            for _ in 0..4 {
                let mut order: Vec<usize> = (0..shape.len()).collect();
                (1..order.len()).for_each(|last| order.swap(last, random(last + 1)));
                elements = moved(&shape, &order, &elements);
                shape = order.iter().map(|&axis| shape[axis]).collect();
                places.transpose(&order).unwrap();
                // Divide one dimension or join two.
                let axis = random(shape.len());
                match [2, 3].into_iter().find(|&by| shape[axis].is_multiple_of(by) && random(2) == 0) {
                    Some(by) => {
                        shape[axis] /= by;
                        shape.insert(axis, by);
                    }
                    None if axis + 1 < shape.len() => shape[axis] *= shape.remove(axis + 1),
                    None => {}
                }
                is_whole &= places.reshape(&shape).is_some();
                if !is_whole {
                    break;
                }
            }
            if is_whole {
                let (parts, order) = places.simplest();
                let numbers: Vec<usize> = (0..elements.len()).collect();
                assert_eq!(moved(&parts, &order, &numbers), elements, "{start:?} {places:?}");
                simplified += 1;
            }
        }
        assert!(simplified > 200, "{simplified}");
    }
}
