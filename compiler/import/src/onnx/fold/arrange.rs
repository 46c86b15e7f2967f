//! Constants in another order or shape.

use super::{Folded, check, input, integers};
use crate::onnx::arrange::{
    concat_shape, expand_target, flatten_target, repeats, reshape_target, squeezed_axes, transpose_order,
    unsqueeze_target,
};
use crate::onnx::literal::{Literal, Numbers, broadcast_places, strides, walk};
use crate::onnx::node::{Node, axis};
use crate::onnx::slice::{Bounds, Range, normalised, split_sizes};

pub(crate) fn reshape(node: Node<'_>, inputs: &[Option<Literal>]) -> Folded {
    let literal = input(inputs, 0)?;
    let target = integers(node, inputs, 1, "shape")?.ok_or("its shape is missing")?;
    Ok(vec![literal.reshaped(&reshape_target(node, &literal.shape, &target)?)])
}

pub(crate) fn flatten(node: Node<'_>, inputs: &[Option<Literal>]) -> Folded {
    let literal = input(inputs, 0)?;
    Ok(vec![literal.reshaped(&flatten_target(node, &literal.shape)?)])
}

pub(crate) fn squeeze(node: Node<'_>, inputs: &[Option<Literal>]) -> Folded {
    let literal = input(inputs, 0)?;
    let removed = squeezed_axes(&literal.shape, integers(node, inputs, 1, "axes")?.as_deref())?;
    let kept = (0..literal.shape.len()).filter(|axis| !removed.contains(axis));
    let shape: Vec<usize> = kept.map(|axis| literal.shape[axis]).collect();
    Ok(vec![literal.reshaped(&shape)])
}

pub(crate) fn unsqueeze(node: Node<'_>, inputs: &[Option<Literal>]) -> Folded {
    let literal = input(inputs, 0)?;
    let given = integers(node, inputs, 1, "axes")?.ok_or("its axes are missing")?;
    Ok(vec![literal.reshaped(&unsqueeze_target(&literal.shape, &given)?)])
}

pub(crate) fn transpose(node: Node<'_>, inputs: &[Option<Literal>]) -> Folded {
    let literal = input(inputs, 0)?;
    Ok(vec![literal.transposed(&transpose_order(node, literal.shape.len())?)])
}

pub(crate) fn expand(node: Node<'_>, inputs: &[Option<Literal>]) -> Folded {
    let literal = input(inputs, 0)?;
    let target = integers(node, inputs, 1, "shape")?.ok_or("its shape is missing")?;
    let shape = expand_target(&literal.shape, &target)?;
    if literal.stored() == 1 {
        return Ok(vec![Literal { shape, ..literal.clone() }]);
    }
    check(&shape)?;
    Ok(vec![literal.picked(&shape, broadcast_places(&literal.shape, &shape))])
}

pub(crate) fn tile(node: Node<'_>, inputs: &[Option<Literal>]) -> Folded {
    let literal = input(inputs, 0)?;
    let given = integers(node, inputs, 1, "repeats")?.ok_or("its repeats are missing")?;
    let counts = repeats(&given, literal.shape.len())?;
    // Dimensions twice: how often, and the own ones.
    let own = strides(&literal.shape);
    let doubled: Vec<usize> = counts.iter().zip(&literal.shape).flat_map(|(&count, &size)| [count, size]).collect();
    check(&doubled)?;
    let steps: Vec<isize> = own.iter().flat_map(|&step| [0, step as isize]).collect();
    let shape: Vec<usize> = counts.iter().zip(&literal.shape).map(|(count, size)| count * size).collect();
    Ok(vec![literal.picked(&shape, walk(&doubled, 0, &steps))])
}

pub(crate) fn concat(node: Node<'_>, inputs: &[Option<Literal>]) -> Folded {
    let parts: Vec<&Literal> = (0..inputs.len()).map(|index| input(inputs, index)).collect::<Result<_, _>>()?;
    let first = parts.first().ok_or("it has no input")?;
    let axis = axis(node.int("axis", 1)?, first.shape.len())?;
    let shapes: Vec<&[usize]> = parts.iter().map(|part| &part.shape[..]).collect();
    let shape = concat_shape(&shapes, axis)?;
    let outer: usize = shape[..axis].iter().product();
    let inner = |part: &Literal| part.shape[axis..].iter().product::<usize>();
    check(&shape)?;
    let numbers = if parts.iter().all(|part| !part.is_float()) {
        let values: Vec<Vec<i64>> = parts.iter().map(|part| part.to_integers().unwrap_or_default()).collect();
        let row = |index: usize| {
            let values = &values;
            parts
                .iter()
                .zip(values)
                .flat_map(move |(part, values)| &values[index * inner(part)..(index + 1) * inner(part)])
        };
        Numbers::Integers((0..outer).flat_map(row).copied().collect())
    } else {
        let values: Vec<Vec<f32>> = parts.iter().map(|part| part.all_floats()).collect();
        let row = |index: usize| {
            let values = &values;
            parts
                .iter()
                .zip(values)
                .flat_map(move |(part, values)| &values[index * inner(part)..(index + 1) * inner(part)])
        };
        Numbers::Floats((0..outer).flat_map(row).copied().collect())
    };
    Ok(vec![Literal { name: None, shape, element: first.element, numbers, fix: None }])
}

/// The elements at some ranges of a constant's dimensions.
fn part(literal: &Literal, ranges: &[Range]) -> Literal {
    let own = strides(&literal.shape);
    let shape: Vec<usize> = ranges.iter().map(|range| range.count).collect();
    let start = ranges.iter().zip(&own).map(|(range, step)| range.start * step).sum();
    let steps: Vec<isize> =
        ranges.iter().zip(&own).map(|(range, &step)| range.step.wrapping_mul(step as i64) as isize).collect();
    literal.picked(&shape, walk(&shape, start, &steps))
}

pub(crate) fn slice(node: Node<'_>, inputs: &[Option<Literal>]) -> Folded {
    let literal = input(inputs, 0)?;
    let bounds = Bounds {
        starts: integers(node, inputs, 1, "starts")?.ok_or("its starts are missing")?,
        ends: integers(node, inputs, 2, "ends")?.ok_or("its ends are missing")?,
        axes: integers(node, inputs, 3, "axes")?,
        steps: integers(node, inputs, 4, "steps")?,
    };
    Ok(vec![part(literal, &bounds.ranges(&literal.shape)?)])
}

pub(crate) fn split(node: Node<'_>, inputs: &[Option<Literal>]) -> Folded {
    let literal = input(inputs, 0)?;
    let axis = axis(node.int("axis", 0)?, literal.shape.len())?;
    let sizes = split_sizes(node, integers(node, inputs, 1, "split")?, literal.shape[axis])?;
    let mut start = 0;
    let parts = sizes.iter().map(|&count| {
        let mut ranges: Vec<Range> = literal.shape.iter().map(|&size| Range::whole(size)).collect();
        ranges[axis] = Range { start, step: 1, count };
        start += count;
        part(literal, &ranges)
    });
    Ok(parts.collect())
}

pub(crate) fn gather(node: Node<'_>, inputs: &[Option<Literal>]) -> Folded {
    let (data, indices) = (input(inputs, 0)?, input(inputs, 1)?);
    let axis = axis(node.int("axis", 0)?, data.shape.len())?;
    check(&indices.shape)?;
    let places = indices.to_integers().ok_or("its indices are no integers")?;
    let places = normalised(&places, data.shape[axis])?;
    let shape = [&data.shape[..axis], &indices.shape, &data.shape[axis + 1..]].concat();
    check(&shape)?;
    let outer: usize = data.shape[..axis].iter().product();
    let inner: usize = data.shape[axis + 1..].iter().product();
    let size = data.shape[axis];
    let places = &places;
    let row = move |row: usize| {
        places.iter().flat_map(move |&place| (0..inner).map(move |column| (row * size + place) * inner + column))
    };
    Ok(vec![data.picked(&shape, (0..outer).flat_map(row))])
}
