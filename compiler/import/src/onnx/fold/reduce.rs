//! Reductions of constants.

use super::{Folded, check, input, integers};
use crate::onnx::literal::{Literal, Numbers, strides, walk};
use crate::onnx::node::{Node, axes};

/// Reductions: how two integers and two floats are combined.
macro_rules! reductions {
    ($($name:ident $integers:expr, $floats:expr;)*) => {$(
        pub(crate) fn $name(node: Node<'_>, inputs: &[Option<Literal>]) -> Folded {
            reduce(node, inputs, $integers, $floats)
        }
    )*};
}

reductions! {
    reduce_max |a: i64, b| Some(a.max(b)), f32::max;
    reduce_min |a: i64, b| Some(a.min(b)), f32::min;
    reduce_prod i64::checked_mul, |a: f32, b| a * b;
    reduce_sum i64::checked_add, |a: f32, b| a + b;
}

fn reduce(
    node: Node<'_>,
    inputs: &[Option<Literal>],
    integer: impl Fn(i64, i64) -> Option<i64>,
    float: impl Fn(f32, f32) -> f32,
) -> Folded {
    let literal = input(inputs, 0)?;
    if check(&literal.shape)? == 0 {
        return Err("its input is empty".into());
    }
    let rank = literal.shape.len();
    let axes = match integers(node, inputs, 1, "axes")?.filter(|axes| !axes.is_empty()) {
        Some(given) => axes(&given, rank)?,
        None if node.flag("noop_with_empty_axes", false)? => return Ok(vec![literal.clone()]),
        None => (0..rank).collect(),
    };
    // The reduced dimensions last: each run of neighbours becomes one element.
    let kept: Vec<usize> = (0..rank).filter(|axis| !axes.contains(axis)).collect();
    let own = strides(&literal.shape);
    let order: Vec<usize> = kept.iter().chain(&axes).copied().collect();
    let shape: Vec<usize> = order.iter().map(|&axis| literal.shape[axis]).collect();
    let steps: Vec<isize> = order.iter().map(|&axis| own[axis] as isize).collect();
    let run: usize = axes.iter().map(|&axis| literal.shape[axis]).product();
    let places: Vec<usize> = walk(&shape, 0, &steps).collect();
    let numbers = match &literal.numbers {
        Numbers::Integers(_) => {
            let values = literal.to_integers().unwrap_or_default();
            let combine = |run: &[usize]| {
                let (first, rest) = run.split_first()?;
                rest.iter().try_fold(values[*first], |so_far, &place| integer(so_far, values[place]))
            };
            let combined: Option<Vec<i64>> = places.chunks(run).map(combine).collect();
            Numbers::Integers(combined.ok_or("it overflows 64 bits")?.into())
        }
        Numbers::Floats(_) => {
            let values = literal.all_floats();
            let combine = |run: &[usize]| run.iter().map(|&place| values[place]).reduce(&float).unwrap_or(0.0);
            Numbers::Floats(places.chunks(run).map(combine).collect())
        }
    };
    let keep = node.flag("keepdims", true)?;
    let size = |axis: usize| if axes.contains(&axis) { 1 } else { literal.shape[axis] };
    let shape = (0..rank).filter(|axis| keep || !axes.contains(axis)).map(size).collect();
    Ok(vec![Literal { name: None, shape, element: literal.element, numbers, fix: None }])
}
