//! How much of each tensor a program has written.
//!
//! Bytes of the workspace are used again, so that a Save belongs to the first tensor, in the order of the program, that contains its bytes
//! and lacks them. A view has no bytes of its own where it coincides with what it reads.

use dpuc_isa::Bytes;

use super::places::Place;

/// What is still missing of every tensor.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    tensors: Vec<Tensor>,
}

#[derive(Clone, Debug)]
struct Tensor {
    /// Elements that are to be written.
    missing: Elements,
    /// Tensors that are parts or forms of this one, and not complete.
    parts: Vec<usize>,
    state: State,
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
        let mut progress = Self { tensors: places.iter().map(|place| Tensor::new(place, places)).collect() };
        // A view of an input alone is complete as well.
        for (number, place) in places.iter().enumerate() {
            if place.is_input && place.location.extent().is_some() {
                progress.complete(number, &mut Vec::new());
            }
        }
        progress
    }

    /// Notes that a Save wrote `bytes`. Gives the tensors that are complete by it, and the bytes that no tensor lacked.
    pub(super) fn write(&mut self, places: &[Place], bytes: Bytes) -> Written {
        let mut claimed = vec![false; (bytes.end - bytes.start) as usize];
        let mut written = Written::default();
        for (number, place) in places.iter().enumerate() {
            let tensor = &mut self.tensors[number];
            let Some(extent) = place.location.extent().filter(|_| tensor.state == State::Open) else { continue };
            extent.elements_in(bytes, &mut |elements, first| {
                for (element, byte) in elements.zip(first..) {
                    let claimed = &mut claimed[(byte - u64::from(bytes.start)) as usize];
                    *claimed |= !*claimed && tensor.missing.remove(element);
                }
            });
            if tensor.is_complete() {
                self.complete(number, &mut written.complete);
            }
        }
        let unclaimed = claimed.iter().enumerate().filter(|(_, claimed)| !**claimed);
        written.unclaimed = unclaimed.map(|(offset, _)| u64::from(bytes.start) + offset as u64).collect();
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

    /// Whether a tensor is in DDR and not complete.
    pub(super) fn is_open(&self, number: usize) -> bool {
        self.tensors[number].state == State::Open
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
    /// Bytes that no tensor lacked.
    pub(super) unclaimed: Vec<u64>,
}

impl Tensor {
    fn new(place: &Place, places: &[Place]) -> Self {
        let Some(extent) = place.location.extent() else {
            return Self { missing: Elements::all(0), parts: Vec::new(), state: State::Hidden };
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
        Self { missing, parts, state: State::Open }
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

    /// The first element; 0 if there is none.
    fn first(&self) -> usize {
        let word = self.bits.iter().position(|&word| word != 0);
        word.map_or(0, |at| at * 64 + self.bits[at].trailing_zeros() as usize)
    }
}
