//! How much of each tensor a program has written.
//!
//! The file says where a tensor would be in DDR, not whether the program stores it there: AMD's compiler keeps some of them on chip. And
//! bytes of the workspace are used again. So a Save belongs to the tensors that lack its bytes and expect just these values; if none does, to
//! one that is being written, or the next in the order of the program. A view has no bytes of its own where it coincides with what it reads.

use std::ops::Range;

use dpuc_isa::Bytes;

use super::places::Place;

/// What is still missing of every tensor.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    tensors: Vec<Tensor>,
    /// One more than the last tensor, in order, that a Save was found to belong to.
    reached: usize,
}

#[derive(Clone, Debug)]
struct Tensor {
    /// Elements that are to be written.
    missing: Elements,
    /// Tensors that are parts or forms of this one, and not complete.
    parts: Vec<usize>,
    state: State,
    /// Whether something of it was written.
    is_touched: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not to be seen in DDR.
    Hidden,
    Open,
    Complete,
}

impl Progress {
    /// Nothing is written but the inputs.
    pub(super) fn new(places: &[Place]) -> Self {
        let mut progress =
            Self { tensors: places.iter().map(|place| Tensor::new(place, places)).collect(), reached: 0 };
        // A view of an input alone is complete as well.
        for (number, place) in places.iter().enumerate() {
            if place.is_input && place.location.extent().is_some() {
                progress.complete(number, &mut Vec::new());
            }
        }
        progress
    }

    /// Notes that a Save wrote `bytes`. `agrees` says whether the memory holds what a tensor expects in some elements, the first of them at
    /// a byte; `None` if nothing is expected of it.
    pub(super) fn write(
        &mut self,
        places: &[Place],
        bytes: &[Bytes],
        agrees: &dyn Fn(usize, Range<usize>, u64) -> Option<bool>,
    ) -> Written {
        let mut candidates: Vec<(usize, bool)> = Vec::new();
        for (number, place) in places.iter().enumerate() {
            let tensor = &self.tensors[number];
            let Some(extent) = place.location.extent().filter(|_| tensor.state == State::Open) else { continue };
            let (mut lacks, mut all_agree) = (false, true);
            for &bytes in bytes {
                extent.elements_in(bytes, &mut |elements, first| {
                    lacks |= elements.clone().any(|element| tensor.missing.contains(element));
                    all_agree &= agrees(number, elements, first) == Some(true);
                });
            }
            if lacks {
                candidates.push((number, all_agree));
            }
        }
        if !candidates.iter().any(|(_, agrees)| *agrees) {
            let touched = candidates.iter().position(|&(number, _)| self.tensors[number].is_touched);
            let next = || candidates.iter().position(|&(number, _)| number >= self.reached);
            let best = touched.or_else(next).unwrap_or(0);
            candidates = candidates.get(best).map(|&(number, _)| (number, true)).into_iter().collect();
        }
        let mut written = Written::default();
        let claims: Vec<usize> =
            candidates.into_iter().filter(|(_, agrees)| *agrees).map(|(number, _)| number).collect();
        for &bytes in bytes {
            let mut claimed = vec![false; (bytes.end - bytes.start) as usize];
            for &number in &claims {
                let Some(extent) = places[number].location.extent() else { continue };
                extent.elements_in(bytes, &mut |elements, first| {
                    for (element, byte) in elements.zip(first..) {
                        claimed[(byte - u64::from(bytes.start)) as usize] |=
                            self.tensors[number].missing.remove(element);
                    }
                });
            }
            let unclaimed = claimed.iter().enumerate().filter(|(_, claimed)| !**claimed);
            let byte = |(offset, _)| (bytes.region, u64::from(bytes.start) + offset as u64);
            written.unclaimed.extend(unclaimed.map(byte));
        }
        for number in claims {
            self.tensors[number].is_touched = true;
            self.reached = self.reached.max(number + 1);
            if self.tensors[number].is_complete() {
                self.complete(number, &mut written.complete);
            }
        }
        written
    }

    /// Marks a tensor complete, and the views that lack nothing else.
    fn complete(&mut self, number: usize, completed: &mut Vec<usize>) {
        if self.tensors[number].state != State::Open {
            return;
        }
        self.tensors[number].state = State::Complete;
        completed.push(number);
        for other in 0..self.tensors.len() {
            let tensor = &mut self.tensors[other];
            let before = tensor.parts.len();
            tensor.parts.retain(|&part| part != number);
            if tensor.parts.len() < before && tensor.is_complete() {
                self.complete(other, completed);
            }
        }
    }

    /// Whether a part of a tensor is written, and not all of it.
    pub(super) fn is_partial(&self, number: usize) -> bool {
        self.tensors[number].state == State::Open && self.tensors[number].is_touched
    }

    /// Whether a tensor is in DDR and complete.
    pub(super) fn is_complete(&self, number: usize) -> bool {
        self.tensors[number].state == State::Complete
    }

    /// Number of elements that are missing, and the first of them.
    pub(super) fn missing(&self, number: usize) -> (usize, usize) {
        let missing = &self.tensors[number].missing;
        (missing.count, missing.first())
    }
}

/// What a Save did.
#[derive(Clone, Debug, Default)]
pub(super) struct Written {
    /// Tensors that are complete by it, in order.
    pub(super) complete: Vec<usize>,
    /// Regions and bytes that no tensor lacked.
    pub(super) unclaimed: Vec<(u8, u64)>,
}

impl Tensor {
    fn new(place: &Place, places: &[Place]) -> Self {
        let Some(extent) = place.location.extent() else {
            return Self { missing: Elements::all(0), parts: Vec::new(), state: State::Hidden, is_touched: false };
        };
        let mut missing = Elements::all(extent.elements());
        let mut parts = Vec::new();
        for &read in place.reads.iter().filter(|_| place.is_view) {
            let Some(part) = places[read].location.extent() else { continue };
            let before = missing.count;
            part.runs(&mut |elements, first| {
                let (start, end) = (first as u32, (first + elements.len() as u64) as u32);
                extent.elements_in(Bytes { region: part.region(), start, end }, &mut |own, _| {
                    for element in own {
                        missing.remove(element);
                    }
                });
            });
            if missing.count < before {
                parts.push(read);
            }
        }
        Self { missing, parts, state: State::Open, is_touched: false }
    }

    fn is_complete(&self) -> bool {
        self.state == State::Open && self.missing.count == 0 && self.parts.is_empty()
    }
}

/// A set of elements, as bits.
#[derive(Clone, Debug)]
struct Elements {
    bits: Vec<u64>,
    count: usize,
}

impl Elements {
    fn all(count: usize) -> Self {
        let mut bits = vec![u64::MAX; count.div_ceil(64)];
        if let Some(last) = bits.last_mut().filter(|_| !count.is_multiple_of(64)) {
            *last = (1 << (count % 64)) - 1;
        }
        Self { bits, count }
    }

    /// Removes an element; `false` if it was not there.
    fn remove(&mut self, element: usize) -> bool {
        let bit = 1 << (element % 64);
        let word = &mut self.bits[element / 64];
        let present = *word & bit != 0;
        *word &= !bit;
        self.count -= usize::from(present);
        present
    }

    fn contains(&self, element: usize) -> bool {
        self.bits[element / 64] >> (element % 64) & 1 == 1
    }

    /// The first element; 0 if there is none.
    fn first(&self) -> usize {
        let word = self.bits.iter().position(|&word| word != 0);
        word.map_or(0, |at| at * 64 + self.bits[at].trailing_zeros() as usize)
    }
}
