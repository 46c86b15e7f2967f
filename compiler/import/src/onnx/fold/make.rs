//! Constants from sizes.

use dpuc_onnx::ElementType;

use super::{Folded, check, input};
use crate::onnx::control::fill;
use crate::onnx::literal::{Literal, Numbers, strides};
use crate::onnx::node::Node;

/// One element stands for all, so the size does not matter.
pub(crate) fn constant_of_shape(node: Node<'_>, inputs: &[Option<Literal>]) -> Folded {
    let sizes = input(inputs, 0)?.to_integers().ok_or("its shape is no list of integers")?;
    let shape: Option<Vec<usize>> = sizes.iter().map(|&size| usize::try_from(size).ok()).collect();
    let shape = shape.ok_or_else(|| format!("its shape is {sizes:?}"))?;
    if shape.iter().try_fold(1usize, |count, &dim| count.checked_mul(dim)).is_none() {
        return Err(format!("its shape {shape:?} is too large").into());
    }
    let fill = fill(node)?;
    let literal = Literal { name: None, shape, ..fill };
    if literal.count() == 0 {
        return Ok(vec![literal.picked(&literal.shape, [])]);
    }
    Ok(vec![literal])
}

/// `start`, `start + delta`, … up to `limit`, which is not one of them.
pub(crate) fn range(_: Node<'_>, inputs: &[Option<Literal>]) -> Folded {
    let [start, limit, delta] = [input(inputs, 0)?, input(inputs, 1)?, input(inputs, 2)?];
    if [start, limit, delta].iter().any(|literal| literal.count() != 1) {
        return Err("its inputs are not single numbers".into());
    }
    let (numbers, count) = match (&start.numbers, &limit.numbers, &delta.numbers) {
        (Numbers::Integers(start), Numbers::Integers(limit), Numbers::Integers(delta)) => {
            let (start, limit, delta) = (i128::from(start[0]), i128::from(limit[0]), i128::from(delta[0]));
            if delta == 0 {
                return Err("its delta is 0".into());
            }
            let rounded_up = if delta > 0 { delta - 1 } else { delta + 1 };
            let count = usize::try_from(((limit - start + rounded_up) / delta).max(0)).unwrap_or(usize::MAX);
            check(&[count])?;
            let values = (0..count as i128).map(|index| (start + index * delta) as i64).collect();
            (Numbers::Integers(values), count)
        }
        _ => {
            let [start, limit, delta] = [start, limit, delta].map(|literal| f64::from(literal.to_floats()[0]));
            let count = ((limit - start) / delta).ceil().max(0.0);
            if !count.is_finite() {
                return Err("its delta is 0".into());
            }
            let count = check(&[count as usize])?;
            let values = (0..count).map(|index| (start + index as f64 * delta) as f32).collect();
            (Numbers::Floats(values), count)
        }
    };
    Ok(vec![Literal { name: None, shape: vec![count], element: start.element, numbers, fix: None }])
}

/// Indices of the elements that are not zero: a row for each dimension.
pub(crate) fn non_zero(_: Node<'_>, inputs: &[Option<Literal>]) -> Folded {
    let literal = input(inputs, 0)?;
    check(&literal.shape)?;
    let steps = strides(&literal.shape);
    let values = literal.all_floats();
    let places: Vec<usize> = (0..values.len()).filter(|&place| values[place] != 0.0).collect();
    let index = |axis: usize, place: usize| (place / steps[axis] % literal.shape[axis]) as i64;
    let rows = (0..literal.shape.len()).flat_map(|axis| places.iter().map(move |&place| index(axis, place)));
    let shape = vec![literal.shape.len(), places.len()];
    Ok(vec![Literal {
        name: None,
        shape,
        element: ElementType::INT64,
        numbers: Numbers::Integers(rows.collect()),
        fix: None,
    }])
}
