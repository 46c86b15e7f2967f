//! Loop nests over index spaces.

use cranelift_codegen::entity::{PrimaryMap, entity_impl};

use dpuc_kernels::int8::Encoding;

use super::body::{Body, CODE, Kind, Node, Operation};
use crate::network::Element;

/// A region of memory that holds one tensor or several after each other.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Buffer(u32);
entity_impl!(Buffer, "b");

/// All buffers of a function.
pub(crate) type Buffers = PrimaryMap<Buffer, BufferInfo>;

/// What is known of a buffer.
#[derive(Clone, Debug)]
pub(crate) struct BufferInfo {
    pub(crate) element: Element,
    /// Number of elements.
    pub(crate) elements: usize,
    /// How bytes stand for codes.
    pub(crate) encoding: Encoding,
    pub(crate) place: Place,
}

impl BufferInfo {
    pub(crate) fn bytes(&self) -> usize {
        self.elements * self.element.bytes()
    }
}

/// Where a buffer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// An argument of the function.
    Input(usize),
    /// A result of the function.
    Output(usize),
    /// A constant of the function.
    Constant(usize),
    /// In the arena, while it is needed.
    Arena,
}

/// A tensor in C order inside a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) buffer: Buffer,
    /// First element.
    pub(crate) offset: usize,
}

/// An affine access: element `offset + sum(strides[d] * i[d])` of a buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) buffer: Buffer,
    pub(crate) offset: i64,
    /// One for each dimension of the nest.
    pub(crate) strides: Vec<i64>,
}

/// `store[…] = result` for every point of the parallel dimensions; the reduced ones are folded by the one reduction of the body.
#[derive(Clone, Debug)]
pub(crate) struct Nest {
    /// The operations it came from.
    pub(crate) label: String,
    /// Sizes of the dimensions, the parallel ones first, then the reduced ones.
    pub(crate) extents: Vec<usize>,
    /// How many of the dimensions are parallel.
    pub(crate) parallel: usize,
    pub(crate) loads: Vec<Access>,
    pub(crate) body: Body,
    pub(crate) result: Node,
    pub(crate) store: Access,
}

impl Nest {
    /// A nest that has no body yet; its result is a literal.
    pub(crate) fn new(label: String, extents: Vec<usize>, parallel: usize, store: Access) -> Self {
        let mut body = Body::default();
        let result = body.integer(0);
        Self { label, extents, parallel, loads: Vec::new(), body, result, store }
    }

    /// The element at an access.
    pub(crate) fn load(&mut self, access: Access, element: Element) -> Node {
        let number = self.loads.iter().position(|known| *known == access).unwrap_or_else(|| {
            self.loads.push(access);
            self.loads.len() - 1
        });
        let kind = match element {
            Element::I8 => CODE,
            Element::F32 => Kind::Real,
        };
        self.body.push(Operation::Load(number), kind)
    }

    /// Points of the parallel dimensions.
    pub(crate) fn points(&self) -> usize {
        self.extents[..self.parallel].iter().product()
    }

    /// Points of the reduced dimensions.
    pub(crate) fn folded(&self) -> usize {
        self.extents[self.parallel..].iter().product()
    }

    /// Whether it only moves elements.
    pub(crate) fn is_copy(&self) -> bool {
        self.parallel == self.extents.len() && matches!(self.body.operation(self.result), Operation::Load(_))
    }

    /// Drops what the result does not need.
    pub(crate) fn prune(&mut self) {
        let (loads, mut kept) = (std::mem::take(&mut self.loads), Vec::<Access>::new());
        let place = |number: usize| {
            kept.iter().position(|known| *known == loads[number]).unwrap_or_else(|| {
                kept.push(loads[number].clone());
                kept.len() - 1
            })
        };
        let (body, result) = self.body.prune(self.result, place);
        (self.body, self.result, self.loads) = (body, result, kept);
    }

    /// All accesses.
    pub(crate) fn accesses_mut(&mut self) -> impl Iterator<Item = &mut Access> {
        self.loads.iter_mut().chain([&mut self.store])
    }

    fn accesses(&self) -> impl Iterator<Item = &Access> {
        self.loads.iter().chain([&self.store])
    }

    /// Drops dimensions of one element and joins neighbours that are walked in one stride by every access. One reduced dimension stays.
    pub(crate) fn simplify(&mut self) {
        self.prune();
        for dim in (0..self.extents.len()).rev() {
            let is_last_reduced = dim == self.parallel && self.extents.len() == self.parallel + 1;
            if self.extents[dim] == 1 && !is_last_reduced {
                self.remove(dim);
            }
        }
        for dim in (1..self.extents.len()).rev() {
            let inner = self.extents[dim] as i64;
            let joins = |access: &Access| access.strides[dim - 1] == access.strides[dim] * inner;
            if dim != self.parallel && self.accesses().all(joins) {
                self.extents[dim] *= self.extents[dim - 1];
                self.remove(dim - 1);
            }
        }
    }

    fn remove(&mut self, dim: usize) {
        self.extents.remove(dim);
        self.parallel -= usize::from(dim < self.parallel);
        self.accesses_mut().for_each(|access| {
            access.strides.remove(dim);
        });
    }

    /// Splits a dimension into an outer one and an inner one of `inner` elements, which must divide it.
    pub(crate) fn split(&mut self, dim: usize, inner: usize) {
        let outer = self.extents[dim] / inner;
        self.extents[dim] = outer;
        self.extents.insert(dim + 1, inner);
        self.parallel += usize::from(dim < self.parallel);
        self.accesses_mut().for_each(|access| {
            let stride = access.strides[dim];
            access.strides[dim] = stride * inner as i64;
            access.strides.insert(dim + 1, stride);
        });
    }
}

/// The strides of a tensor in C order.
pub(crate) fn row_major(shape: &[usize]) -> Vec<i64> {
    let mut strides = vec![1; shape.len()];
    for dim in (1..shape.len()).rev() {
        strides[dim - 1] = strides[dim] * shape[dim] as i64;
    }
    strides
}

#[cfg(test)]
mod tests {
    use cranelift_codegen::entity::EntityRef;

    use super::*;

    fn access(strides: &[i64]) -> Access {
        Access { buffer: Buffer::new(0), offset: 0, strides: strides.to_vec() }
    }

    #[test]
    fn neighbours_join_where_every_access_allows() {
        let mut nest = Nest::new(String::new(), vec![2, 1, 3, 4, 5], 5, access(&[60, 60, 20, 5, 1]));
        nest.result = nest.load(access(&[60, 60, 20, 5, 1]), Element::F32);
        let mut rows = nest.clone();
        nest.simplify();
        assert_eq!((nest.extents, nest.store.strides), (vec![120], vec![1]));
        let channels = rows.load(access(&[0, 0, 0, 0, 1]), Element::F32);
        rows.result = rows.body.binary(super::super::body::Binary::Add, rows.result, channels);
        rows.simplify();
        assert_eq!((rows.extents, rows.loads[1].strides.clone()), (vec![24, 5], vec![0, 1]));
    }

    #[test]
    fn reduced_dimensions_do_not_join_parallel_ones() {
        let mut nest = Nest::new(String::new(), vec![4, 5, 6], 1, access(&[1, 0, 0]));
        let x = nest.load(access(&[30, 6, 1]), Element::F32);
        nest.result = nest.body.reduce(super::super::body::Reduction::Sum, x, 30);
        nest.simplify();
        assert_eq!((nest.extents, nest.parallel, nest.loads[0].strides.clone()), (vec![4, 30], 1, vec![30, 1]));
    }
}
