//! Computing on constants while importing: what shapes are made of.

mod arrange;
mod elementwise;
mod make;
mod reduce;

pub(super) use arrange::{concat, expand, flatten, gather, reshape, slice, split, squeeze, tile, transpose, unsqueeze};
pub(super) use elementwise::{
    abs, add, and, cast, cast_like, ceil, clip, div, equal, exp, floor, greater, greater_or_equal, less, less_or_equal,
    log, max, min, modulo, mul, neg, not, or, pow, round, select, sqrt, sub,
};
pub(super) use make::{constant_of_shape, non_zero, range};
pub(super) use reduce::{reduce_max, reduce_min, reduce_prod, reduce_sum};

use super::error::Reason;
use super::literal::Literal;
use super::node::Node;

/// Outputs of a node from its inputs, of which optional ones may be absent.
pub(crate) type Fold = fn(Node<'_>, &[Option<Literal>]) -> Result<Vec<Literal>, Reason>;

/// What a fold gives.
type Folded = Result<Vec<Literal>, Reason>;

/// Largest result of a fold, in elements.
const MAX_ELEMENTS: usize = 1 << 26;

fn input(inputs: &[Option<Literal>], index: usize) -> Result<&Literal, Reason> {
    inputs.get(index).and_then(Option::as_ref).ok_or_else(|| format!("its input {index} is missing").into())
}

/// Integers that an input or, in older versions, an attribute holds.
fn integers(node: Node<'_>, inputs: &[Option<Literal>], index: usize, name: &str) -> Result<Option<Vec<i64>>, Reason> {
    if let Some(values) = node.ints(name)? {
        return Ok(Some(values.to_vec()));
    }
    let Some(literal) = inputs.get(index).and_then(Option::as_ref) else { return Ok(None) };
    check(&literal.shape)?;
    literal.to_integers().map(Some).ok_or_else(|| format!("its {name} are no integers").into())
}

/// Refuses a shape with too many elements to store.
fn check(shape: &[usize]) -> Result<usize, Reason> {
    let count = shape.iter().try_fold(1usize, |count, &dim| count.checked_mul(dim));
    count.filter(|&count| count <= MAX_ELEMENTS).ok_or_else(|| {
        format!("a constant of shape {shape:?} has more than {MAX_ELEMENTS} elements, the most that are computed")
            .into()
    })
}
