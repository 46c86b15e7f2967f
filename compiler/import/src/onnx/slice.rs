//! Operators that take parts of a tensor or add to its borders.

use dpuc_dialects::Attribute;
use dpuc_dialects::dialects::nn;
use dpuc_dialects::layout::Layout;
use dpuc_dialects::{OpBuilder, ValueId};

use super::emit::{checked_count, float, list};
use super::error::Reason;
use super::importer::{Importer, Operand, Outcome, Tensor};
use super::literal::Literal;
use super::node::{MAX_SIZE, Node, axis};

/// Indices `start`, `start + step`, … of one dimension, `count` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) start: usize,
    pub(super) step: i64,
    pub(super) count: usize,
}

impl Range {
    pub(super) const fn whole(size: usize) -> Self {
        Self { start: 0, step: 1, count: size }
    }

    /// What `start:end:step` means for a dimension of `size`, NumPy's rule.
    pub(super) fn new(start: i64, end: i64, step: i64, size: usize) -> Result<Self, Reason> {
        if step == 0 {
            return Err("its step is 0".into());
        }
        let size = size as i64;
        let from_end = |bound: i64| if bound < 0 { bound.saturating_add(size) } else { bound };
        let (low, high) = if step > 0 { (0, size) } else { (-1, size - 1) };
        let (start, end) = (from_end(start).clamp(low.max(0), high.max(0)), from_end(end).clamp(low, high));
        let distance = if step > 0 { end - start } else { start - end };
        let count = if distance <= 0 { 0 } else { (distance as u64).div_ceil(step.unsigned_abs()) };
        Ok(Self { start: start as usize, step, count: count as usize })
    }
}

/// The bounds of a `Slice`: lists for its axes, as attributes up to operator set 9 and as inputs later.
pub(super) struct Bounds {
    pub(super) starts: Vec<i64>,
    pub(super) ends: Vec<i64>,
    pub(super) axes: Option<Vec<i64>>,
    pub(super) steps: Option<Vec<i64>>,
}

impl Bounds {
    /// One range for each dimension of a tensor.
    pub(super) fn ranges(&self, shape: &[usize]) -> Result<Vec<Range>, Reason> {
        let count = self.starts.len();
        let default_axes: Vec<i64> = (0..count as i64).collect();
        let axes = self.axes.as_deref().unwrap_or(&default_axes);
        let ones = vec![1; count];
        let steps = self.steps.as_deref().unwrap_or(&ones);
        if [self.ends.len(), axes.len(), steps.len()] != [count; 3] {
            return Err("its starts, ends, axes and steps are not as many".into());
        }
        let mut ranges: Vec<Range> = shape.iter().map(|&size| Range::whole(size)).collect();
        for index in 0..count {
            let axis = axis(axes[index], shape.len())?;
            ranges[axis] = Range::new(self.starts[index], self.ends[index], steps[index], shape[axis])?;
        }
        Ok(ranges)
    }
}

pub(super) fn slice(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let bounds = Bounds {
        starts: importer.integers(node, 1, "starts")?.ok_or("its starts are missing")?,
        ends: importer.integers(node, 2, "ends")?.ok_or("its ends are missing")?,
        axes: importer.integers(node, 3, "axes")?,
        steps: importer.integers(node, 4, "steps")?,
    };
    let result = importer.sliced(&input, &bounds.ranges(input.shape())?)?;
    importer.define(node, 0, result);
    Ok(())
}

impl Importer<'_> {
    /// Part of a tensor; what is taken backwards is gathered.
    pub(super) fn sliced(&mut self, operand: &Operand, ranges: &[Range]) -> Result<Operand, Reason> {
        let mut tensor = self.tensor(operand)?;
        let whole: Vec<Range> = tensor.shape.iter().map(|&size| Range::whole(size)).collect();
        let forward: Vec<Range> =
            ranges.iter().zip(&whole).map(|(range, whole)| if range.step > 0 { *range } else { *whole }).collect();
        if forward != whole {
            let shape: Vec<usize> = forward.iter().map(|range| range.count).collect();
            checked_count(&shape)?;
            let end = |range: &Range| range.start + (range.count - 1) * range.step as usize + 1;
            let lists: [Vec<usize>; 3] = [
                forward.iter().map(|range| range.start).collect(),
                forward.iter().map(end).collect(),
                forward.iter().map(|range| range.step as usize).collect(),
            ];
            let names = ["begin", "end", "strides"];
            let attributes =
                names.into_iter().zip(lists).map(|(name, values)| (name, list(&tensor.layout.arrange(&values))));
            let own = tensor.layout.arrange(&shape);
            tensor.value = self.emit(&nn::STRIDED_SLICE, &[tensor.value], attributes.collect(), &own)?;
            tensor.shape = shape;
        }
        let backward = ranges.iter().enumerate().filter(|(_, range)| range.step < 0);
        for (axis, range) in backward {
            let indices =
                (0..range.count as i64).map(|index| (range.start as i64 + index * range.step) as f32).collect();
            tensor = self.picked(&tensor, axis, &Literal::floats(&[range.count], indices).into())?;
        }
        Ok(tensor.into())
    }

    /// The parts of a tensor along an axis of the framework that a list of indices names.
    fn picked(&mut self, tensor: &Tensor, axis: usize, indices: &Operand) -> Result<Tensor, Reason> {
        let mut shape = tensor.shape.clone();
        shape[axis] = indices.shape().iter().product();
        let indices = self.same(indices)?;
        let place = ("axis", Attribute::int(tensor.layout.place(shape.len(), axis) as i64));
        let value = self.emit(&nn::GATHER, &[tensor.value, indices], vec![place], &tensor.layout.arrange(&shape))?;
        Ok(Tensor { value, shape, ..tensor.clone() })
    }
}

/// Indices as lists are gathered in any layout. One index is a slice without its dimension, and neighbours are a slice.
pub(super) fn gather(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let (data, indices) = (importer.operand(node, 0)?, importer.operand(node, 1)?);
    let axis = axis(node.int("axis", 0)?, data.rank())?;
    let size = data.shape()[axis];
    let result = match indices.known().and_then(Literal::to_integers) {
        Some(places) => {
            let places = normalised(&places, size)?;
            let mut ranges: Vec<Range> = data.shape().iter().map(|&size| Range::whole(size)).collect();
            ranges[axis] = match progression(&places) {
                Some(range) => range,
                None => {
                    let tensor = importer.tensor(&data)?;
                    let list = Literal::floats(&[places.len()], places.iter().map(|&place| place as f32).collect());
                    let picked = importer.picked(&tensor, axis, &list.into())?.into();
                    let result = importer.indexed(&picked, axis, indices.shape())?;
                    importer.define(node, 0, result);
                    return Ok(());
                }
            };
            let part = importer.sliced(&data, &ranges)?;
            importer.indexed(&part, axis, indices.shape())?
        }
        None => {
            let values = [importer.same(&data)?, importer.same(&indices)?];
            let (before, behind) = (&data.shape()[..axis], &data.shape()[axis + 1..]);
            let shape = [before, indices.shape(), behind].concat();
            let place = ("axis", Attribute::int(axis as i64));
            let value = importer.emit(&nn::GATHER, &values, vec![place], &shape)?;
            Tensor { value, shape, layout: Layout::Same, element: data.element() }.into()
        }
    };
    importer.define(node, 0, result);
    Ok(())
}

impl Importer<'_> {
    /// With the dimensions of the indices in place of the axis they were gathered along.
    fn indexed(&mut self, part: &Operand, axis: usize, indices: &[usize]) -> Result<Operand, Reason> {
        match indices {
            [_] => Ok(part.clone()),
            [] => self.without(part, &[axis]),
            _ => {
                let (before, behind) = (&part.shape()[..axis], &part.shape()[axis + 1..]);
                let shape = [before, indices, behind].concat();
                self.reshaped(part, &shape)
            }
        }
    }
}

/// Indices from the beginning; negative ones count from the end.
pub(super) fn normalised(indices: &[i64], size: usize) -> Result<Vec<usize>, Reason> {
    let place = |&index: &i64| {
        let place = if index < 0 { index.checked_add(size as i64)? } else { index };
        usize::try_from(place).ok().filter(|&place| place < size)
    };
    let places: Option<Vec<usize>> = indices.iter().map(place).collect();
    places.ok_or_else(|| format!("its indices reach beyond a dimension of {size}").into())
}

/// Indices as a range, if they ascend by a constant step.
fn progression(places: &[usize]) -> Option<Range> {
    let &[start, ref rest @ ..] = places else { return None };
    let step = rest.first().map_or(Some(1), |next| next.checked_sub(start).filter(|&step| step > 0))?;
    let follows = places.iter().enumerate().all(|(index, &place)| place == start + index * step);
    follows.then_some(Range { start, step: step as i64, count: places.len() })
}

/// Sizes of the parts of a `Split`.
pub(super) fn split_sizes(node: Node<'_>, given: Option<Vec<i64>>, size: usize) -> Result<Vec<usize>, Reason> {
    let parts = node.proto.outputs.len().max(1);
    let sizes: Vec<usize> = match given {
        Some(given) => given.iter().map(|&size| usize::try_from(size).unwrap_or(0)).collect(),
        None => {
            // The last part may be smaller.
            let part = size.div_ceil(parts);
            (0..parts).map(|index| part.min(size.saturating_sub(index * part))).collect()
        }
    };
    let total = sizes.iter().try_fold(0usize, |total, &size| total.checked_add(size));
    if total != Some(size) || sizes.contains(&0) || sizes.len() < node.proto.outputs.len() {
        return Err(format!("it cannot split a dimension of {size} into parts of {sizes:?}").into());
    }
    Ok(sizes)
}

pub(super) fn split(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let axis = axis(node.int("axis", 0)?, input.rank())?;
    let sizes = split_sizes(node, importer.integers(node, 1, "split")?, input.shape()[axis])?;
    let tensor = importer.tensor(&input)?;
    let shapes = sizes.iter().map(|&size| {
        let mut shape = tensor.shape.clone();
        shape[axis] = size;
        shape
    });
    let shapes: Vec<Vec<usize>> = shapes.collect();
    let place = tensor.layout.place(tensor.shape.len(), axis);
    let mut builder = OpBuilder::new(&nn::SPLIT)
        .at(importer.location)
        .operands([tensor.value])
        .attribute("axis", Attribute::int(place as i64));
    for shape in &shapes {
        builder = builder.result(importer.ir.float_tensor(&tensor.layout.arrange(shape)), "");
    }
    let op = builder.append(&mut importer.ir, importer.entry);
    let results: Vec<ValueId> = importer.ir.results(op).to_vec();
    for (index, (value, shape)) in results.into_iter().zip(shapes).enumerate() {
        importer.define(node, index, Tensor { value, shape, ..tensor.clone() });
    }
    Ok(())
}

/// Elements before and after along each dimension of the framework; negative ones are cut.
fn paddings(importer: &Importer<'_>, node: Node<'_>, rank: usize) -> Result<Vec<[i64; 2]>, Reason> {
    let given = importer.integers(node, 1, "pads")?.ok_or("its pads are missing")?;
    let axes: Vec<usize> = match importer.integers(node, 3, "axes")? {
        Some(axes) => axes.iter().map(|&value| axis(value, rank)).collect::<Result<_, _>>()?,
        None => (0..rank).collect(),
    };
    if given.len() != 2 * axes.len() || given.iter().any(|pad| pad.abs() > MAX_SIZE) {
        return Err(format!("its pads {given:?} do not fit {rank} dimensions or are above {MAX_SIZE}").into());
    }
    let mut pads = vec![[0, 0]; rank];
    for (index, &axis) in axes.iter().enumerate() {
        pads[axis] = [given[index], given[index + axes.len()]];
    }
    Ok(pads)
}

pub(super) fn pad(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let pads = paddings(importer, node, input.rank())?;
    let value = match importer.optional_literal(node, 2, "value")? {
        Some(literal) => literal.single().ok_or("its value is not one number")?,
        None => node.float("value", 0.0)?,
    };
    let cut: Vec<Range> = pads
        .iter()
        .zip(input.shape())
        .map(|([before, after], &size)| {
            let [before, after] = [before, after].map(|pad| pad.min(&0).unsigned_abs() as usize);
            Range { start: before, step: 1, count: size.saturating_sub(before + after) }
        })
        .collect();
    let input = importer.sliced(&input, &cut)?;
    let pads: Vec<[usize; 2]> = pads.iter().map(|pair| pair.map(|pad| pad.max(0) as usize)).collect();
    let result = match node.text("mode", "constant")? {
        "constant" => importer.padded(&input, &pads, "constant", value)?,
        "reflect" => importer.padded(&input, &pads, "reflect", 0.0)?,
        "edge" => importer.extended(&input, &pads, |_, _| 0)?,
        "wrap" => importer.extended(&input, &pads, |size, distance| (size - 1) - (distance - 1) % size)?,
        other => return Err(format!("its attribute mode is {other:?}").into()),
    };
    importer.define(node, 0, result);
    Ok(())
}

impl Importer<'_> {
    fn padded(
        &mut self,
        operand: &Operand,
        pads: &[[usize; 2]],
        mode: &'static str,
        value: f32,
    ) -> Result<Operand, Reason> {
        if pads.iter().all(|pair| *pair == [0, 0]) {
            return Ok(operand.clone());
        }
        let tensor = self.tensor(operand)?;
        let shape: Vec<usize> =
            tensor.shape.iter().zip(pads).map(|(size, [before, after])| size + before + after).collect();
        let paddings: Vec<usize> = tensor.layout.arrange(pads).into_iter().flatten().collect();
        let mut attributes = vec![("paddings", list(&paddings)), ("mode", Attribute::string(mode))];
        if value != 0.0 {
            attributes.push(("value", float(value)));
        }
        let value = self.emit(&nn::PAD, &[tensor.value], attributes, &tensor.layout.arrange(&shape))?;
        Ok(Tensor { value, shape, ..tensor }.into())
    }

    /// Elements of the tensor itself around it: `source(size, distance)` is which one of its dimension stands `distance` in front of it;
    /// behind it, it is the mirror image.
    fn extended(
        &mut self,
        operand: &Operand,
        pads: &[[usize; 2]],
        source: impl Fn(usize, usize) -> usize,
    ) -> Result<Operand, Reason> {
        let mut tensor = self.tensor(operand)?;
        for (axis, &[before, after]) in pads.iter().enumerate().filter(|(_, pair)| **pair != [0, 0]) {
            let size = tensor.shape[axis];
            let front = (1..=before).rev().map(|distance| source(size, distance));
            let back = (1..=after).map(|distance| size - 1 - source(size, distance));
            let places: Vec<f32> = front.chain(0..size).chain(back).map(|place| place as f32).collect();
            tensor = self.picked(&tensor, axis, &Literal::floats(&[places.len()], places).into())?;
        }
        Ok(tensor.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_those_of_numpy() {
        let range = |start, end, step| {
            let Range { start, step, count } = Range::new(start, end, step, 10).unwrap();
            (0..count as i64).map(|index| start as i64 + index * step).collect::<Vec<_>>()
        };
        assert_eq!(range(2, 7, 2), [2, 4, 6]);
        assert_eq!(range(-3, i64::MAX, 1), [7, 8, 9]);
        assert_eq!(range(-1, i64::MIN, -4), [9, 5, 1]);
        assert_eq!(range(20, 0, -3), [9, 6, 3]);
        assert!(range(5, 5, 1).is_empty());
        assert!(range(0, 5, -1).is_empty());
        assert!(Range::new(0, 1, 0, 10).is_err());
    }

    #[test]
    fn progressions() {
        assert_eq!(progression(&[1, 3, 5]), Some(Range { start: 1, step: 2, count: 3 }));
        assert_eq!(progression(&[4]), Some(Range { start: 4, step: 1, count: 1 }));
        assert_eq!(progression(&[1, 1]), None);
        assert_eq!(progression(&[2, 1]), None);
        assert_eq!(progression(&[]), None);
    }
}
