//! Fusion of two nests: a consumer computes what it would load.
//!
//! The producer's store walks its buffer in C order, so an address of the buffer, written in the mixed radix of the producer's sizes, *is* the
//! producer's point. A consumer's access is affine; if each of its dimensions moves one digit without carries, every digit is affine in the
//! consumer's dimensions. A dimension that carries into the next digit is split where it does.

use cranelift_codegen::entity::EntityRef;

use super::body::{Body, Node, Operation};
use super::nest::{Access, Nest, row_major};

/// Most accesses and numbers of a fused body; beyond, registers spill.
const MAX_LOADS: usize = 12;
const MAX_NODES: usize = 128;

/// Replaces the loads of the producer's buffer in `consumer` by the producer's own computation. `false`, and a consumer that may have
/// split dimensions but still means the same, if that cannot be done.
pub(crate) fn inline(producer: &Nest, consumer: &mut Nest) -> bool {
    let buffer = producer.store.buffer;
    while let Some(number) = consumer.loads.iter().position(|access| access.buffer == buffer) {
        if consumer.loads.len() + producer.loads.len() > MAX_LOADS
            || consumer.body.len() + producer.body.len() > MAX_NODES
        {
            return false;
        }
        let point = loop {
            match point(consumer, &consumer.loads[number], &producer.extents) {
                Point::Affine(digits) => break digits,
                Point::Split { dim, inner } => consumer.split(dim, inner),
                Point::None => return false,
            }
        };
        substitute(producer, consumer, number, &point);
    }
    true
}

/// One index of the producer, `offset + sum(coefficients[d] * i[d])` in the consumer's dimensions.
struct Digit {
    offset: i64,
    coefficients: Vec<i64>,
}

enum Point {
    Affine(Vec<Digit>),
    /// Affine once this dimension is split.
    Split {
        dim: usize,
        inner: usize,
    },
    None,
}

/// The producer's point, of sizes `radix`, whose element an access of the consumer reads.
fn point(consumer: &Nest, access: &Access, radix: &[usize]) -> Point {
    let weights = row_major(radix);
    if access.offset < 0 {
        return Point::None;
    }
    let digit = |(&size, &weight): (&usize, &i64)| Digit {
        offset: access.offset / weight % size as i64,
        coefficients: vec![0; access.strides.len()],
    };
    let mut digits: Vec<Digit> = radix.iter().zip(&weights).map(digit).collect();
    for (dim, (&stride, &extent)) in access.strides.iter().zip(&consumer.extents).enumerate() {
        if stride == 0 || extent == 1 {
            continue;
        }
        let moves = |at: &usize| radix[*at] > 1 && weights[*at] <= stride && stride % weights[*at] == 0;
        let Some(at) = (0..radix.len()).find(moves) else { return Point::None };
        digits[at].coefficients[dim] = stride / weights[at];
    }
    for (digit, &size) in digits.iter().zip(radix) {
        let moved = digit.coefficients.iter().zip(&consumer.extents);
        let reach = moved.clone().map(|(&step, &extent)| step * (extent as i64 - 1)).sum::<i64>();
        if digit.offset + reach < size as i64 {
            continue;
        }
        let carries = |&(_, (&step, &extent)): &(usize, (&i64, &usize))| {
            step > 0 && (size as i64) % step == 0 && {
                let inner = size / step as usize;
                inner > 1 && inner < extent && extent.is_multiple_of(inner)
            }
        };
        return match moved.enumerate().find(carries) {
            Some((dim, (&step, _))) if digit.offset == 0 => Point::Split { dim, inner: size / step as usize },
            _ => Point::None,
        };
    }
    Point::Affine(digits)
}

/// Puts the producer's body in the place of one load of the consumer.
fn substitute(producer: &Nest, consumer: &mut Nest, number: usize, point: &[Digit]) {
    let mut loads: Vec<Access> = Vec::new();
    let mut place = |access: Access| {
        loads.iter().position(|known| *known == access).unwrap_or_else(|| {
            loads.push(access);
            loads.len() - 1
        })
    };
    let composed = |access: &Access| {
        let mut composed =
            Access { buffer: access.buffer, offset: access.offset, strides: vec![0; consumer.extents.len()] };
        for (&stride, digit) in access.strides.iter().zip(point) {
            composed.offset += stride * digit.offset;
            for (own, &step) in composed.strides.iter_mut().zip(&digit.coefficients) {
                *own += stride * step;
            }
        }
        composed
    };
    let mut body = Body::default();
    let mut inner: Vec<Node> = Vec::with_capacity(producer.body.len());
    for (_, operation, kind) in producer.body.nodes() {
        let operation = match operation {
            Operation::Load(number) => Operation::Load(place(composed(&producer.loads[number]))),
            other => other.map(|operand| inner[operand.index()]),
        };
        inner.push(body.push(operation, kind));
    }
    let mut outer: Vec<Node> = Vec::with_capacity(consumer.body.len());
    for (_, operation, kind) in consumer.body.nodes() {
        let node = match operation {
            Operation::Load(load) if load == number => inner[producer.result.index()],
            Operation::Load(load) => body.push(Operation::Load(place(consumer.loads[load].clone())), kind),
            other => body.push(other.map(|operand| outer[operand.index()]), kind),
        };
        outer.push(node);
    }
    consumer.result = outer[consumer.result.index()];
    consumer.body = body;
    consumer.loads = loads;
    consumer.prune();
}

#[cfg(test)]
mod tests {
    use super::super::body::Binary;
    use super::super::nest::Buffer;
    use super::*;
    use crate::network::Element;

    fn access(buffer: usize, offset: i64, strides: &[i64]) -> Access {
        Access { buffer: Buffer::new(buffer), offset, strides: strides.to_vec() }
    }

    /// Buffer 1 is buffer 0 of `[h, w, c]`, each element doubled.
    fn doubled(shape: &[usize]) -> Nest {
        let strides = row_major(shape);
        let mut nest = Nest::new("double".to_owned(), shape.to_vec(), shape.len(), access(1, 0, &strides));
        let x = nest.load(access(0, 0, &strides), Element::F32);
        nest.result = nest.body.binary(Binary::Add, x, x);
        nest
    }

    fn copy(extents: &[usize], load: Access) -> Nest {
        let mut nest = Nest::new("copy".to_owned(), extents.to_vec(), extents.len(), access(2, 0, &row_major(extents)));
        nest.result = nest.load(load, Element::F32);
        nest
    }

    #[test]
    fn a_transposed_reader_reads_through() {
        let mut consumer = copy(&[5, 3, 4], access(1, 0, &[1, 20, 5]));
        assert!(inline(&doubled(&[3, 4, 5]), &mut consumer));
        assert_eq!(consumer.loads, [access(0, 0, &[1, 20, 5])]);
    }

    #[test]
    fn a_reshaped_reader_is_split_where_it_carries() {
        let mut consumer = copy(&[60], access(1, 0, &[1]));
        let mut producer = doubled(&[3, 4, 5]);
        producer.loads[0] = access(0, 0, &[1, 3, 12]);
        assert!(inline(&producer, &mut consumer));
        assert_eq!(consumer.extents, [3, 4, 5]);
        assert_eq!(consumer.loads, [access(0, 0, &[1, 3, 12])]);
    }

    #[test]
    fn a_slice_reads_a_part() {
        let mut consumer = copy(&[2, 2, 5], access(1, 20 + 5, &[20, 10, 1]));
        assert!(inline(&doubled(&[3, 4, 5]), &mut consumer));
        assert_eq!(consumer.loads, [access(0, 25, &[20, 10, 1])]);
    }

    #[test]
    fn what_carries_unevenly_is_refused() {
        // Rows of 7 in a map of rows of 5.
        let mut consumer = copy(&[2, 7], access(1, 0, &[7, 1]));
        assert!(!inline(&doubled(&[3, 5]), &mut consumer));
    }
}
