//! One arena for everything that lives while a function runs, planned by live ranges.

use cranelift_codegen::entity::SecondaryMap;

use crate::error::Error;
use crate::loops::{Buffer, Place};
use crate::program::{Program, Step};

/// Every buffer starts at a multiple of this: a cache line, and the widest vector.
pub(crate) const ALIGNMENT: u64 = 64;

/// Places in the arena, in bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arena {
    /// Of each buffer of the arena.
    pub(crate) offsets: SecondaryMap<Buffer, u64>,
    /// Of the scratch memory of each step, and how much it has. A kernel may ask for more later, where there are more threads.
    pub(crate) scratch: Vec<(u64, usize)>,
    /// Size.
    pub(crate) bytes: u64,
}

/// A range of steps, both ends included, in which some bytes are needed.
#[derive(Clone, Copy, Debug)]
struct Lifetime {
    bytes: u64,
    first: usize,
    last: usize,
}

impl Arena {
    /// Places every buffer of the arena and the scratch memory of every call.
    pub(crate) fn plan(program: &Program, limit: u64) -> Result<Self, Error> {
        let mut ranges: SecondaryMap<Buffer, Option<Lifetime>> = SecondaryMap::new();
        for (index, step) in program.steps.iter().enumerate() {
            for buffer in step.reads().chain(step.writes()) {
                let info = &program.buffers[buffer];
                if info.place == Place::Arena {
                    let bytes = info.bytes() as u64;
                    ranges[buffer].get_or_insert(Lifetime { bytes, first: index, last: index }).last = index;
                }
            }
        }
        let buffers: Vec<Buffer> = program.buffers.keys().filter(|&buffer| ranges[buffer].is_some()).collect();
        let mut lifetimes: Vec<Lifetime> = buffers.iter().filter_map(|&buffer| ranges[buffer]).collect();
        for (index, step) in program.steps.iter().enumerate() {
            let bytes = match step {
                Step::Nest(_) => 0,
                Step::Call(call) => call.kernel.scratch_bytes() as u64,
            };
            lifetimes.push(Lifetime { bytes, first: index, last: index });
        }
        let (places, bytes) = first_fit(&lifetimes);
        if bytes > limit {
            return Err(Error::Memory { bytes, limit });
        }
        let sizes = lifetimes[buffers.len()..].iter().map(|lifetime| lifetime.bytes as usize);
        let scratch = places[buffers.len()..].iter().copied().zip(sizes).collect();
        let mut arena = Self { scratch, bytes, ..Self::default() };
        for (&buffer, &place) in buffers.iter().zip(&places) {
            arena.offsets[buffer] = place;
        }
        Ok(arena)
    }
}

/// The lowest place for each range at which it overlaps nothing that is needed at the same time, large ones first; and the end of all.
fn first_fit(lifetimes: &[Lifetime]) -> (Vec<u64>, u64) {
    let mut order: Vec<usize> = (0..lifetimes.len()).filter(|&index| lifetimes[index].bytes > 0).collect();
    order.sort_by_key(|&index| (std::cmp::Reverse(lifetimes[index].bytes), lifetimes[index].first, index));
    let mut places = vec![0u64; lifetimes.len()];
    // In order of places.
    let mut placed: Vec<usize> = Vec::new();
    let mut end = 0u64;
    for index in order {
        let own = lifetimes[index];
        let mut place = 0u64;
        let together = |other: &Lifetime| other.first <= own.last && own.first <= other.last;
        for &other in placed.iter().filter(|&&other| together(&lifetimes[other])) {
            if place.saturating_add(own.bytes) <= places[other] {
                break;
            }
            let behind = places[other].saturating_add(lifetimes[other].bytes);
            place = place.max(behind.checked_next_multiple_of(ALIGNMENT).unwrap_or(u64::MAX));
        }
        places[index] = place;
        end = end.max(place.saturating_add(own.bytes));
        let rank = placed.partition_point(|&other| places[other] <= place);
        placed.insert(rank, index);
    }
    (places, end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_chain_alternates_between_two_places() {
        let chain = [(100, 0, 1), (50, 1, 2), (100, 2, 3), (50, 3, 4)];
        let chain = chain.map(|(bytes, first, last)| Lifetime { bytes, first, last });
        assert_eq!(first_fit(&chain), (vec![0, 128, 0, 128], 178));
    }

    proptest! {
        #[test]
        fn what_is_alive_together_is_apart(ranges in prop::collection::vec((0u64..500, 0usize..50, 0usize..10), 1..40)) {
            let lifetimes: Vec<Lifetime> =
                ranges.into_iter().map(|(bytes, first, length)| Lifetime { bytes, first, last: first + length }).collect();
            let (places, end) = first_fit(&lifetimes);
            for (i, a) in lifetimes.iter().enumerate().filter(|(_, a)| a.bytes > 0) {
                prop_assert!(places[i].is_multiple_of(ALIGNMENT) && places[i] + a.bytes <= end);
                for (j, b) in lifetimes.iter().enumerate().skip(i + 1) {
                    let together = a.first <= b.last && b.first <= a.last;
                    let apart = places[i] + a.bytes <= places[j] || places[j] + b.bytes <= places[i];
                    prop_assert!(apart || !together || b.bytes == 0);
                }
            }
        }
    }
}
