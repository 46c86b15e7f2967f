//! Operators that give elements another order or shape.

use dpuc_dialects::Attribute;
use dpuc_dialects::dialects::nn;

use super::emit::{checked_count, common_layout};
use super::error::Reason;
use super::importer::{Importer, Operand, Outcome, Tensor};
use super::literal::{Literal, broadcast};
use super::node::{Node, axes, axis};
use dpuc_dialects::layout::Layout;

pub(super) fn shape(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let rank = input.rank() as i64;
    let bound = |value: i64| (if value < 0 { value.saturating_add(rank) } else { value }).clamp(0, rank) as usize;
    let (start, end) = (bound(node.int("start", 0)?), bound(node.int("end", rank)?));
    let sizes = input.shape().get(start..end).unwrap_or_default();
    importer.define(node, 0, Literal::integers(sizes.iter().map(|&size| size as i64).collect()));
    Ok(())
}

pub(super) fn size(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let count: usize = importer.operand(node, 0)?.shape().iter().product();
    importer.define(node, 0, Literal { shape: Vec::new(), ..Literal::integers(vec![count as i64]) });
    Ok(())
}

/// The shape that a `Reshape` to `target` gives: 0 keeps a size, unless the node allows zeros, and -1 is what is left.
pub(super) fn reshape_target(node: Node<'_>, shape: &[usize], target: &[i64]) -> Result<Vec<usize>, Reason> {
    let allows_zero = node.flag("allowzero", false)?;
    let size = |(axis, &size): (usize, &i64)| match size {
        -1 => Some(1),
        0 if !allows_zero => shape.get(axis).copied(),
        _ => usize::try_from(size).ok(),
    };
    let fail = || Reason(format!("a tensor of shape {shape:?} cannot have the shape {target:?}"));
    let mut result: Vec<usize> = target.iter().enumerate().map(size).collect::<Option<_>>().ok_or_else(fail)?;
    let count: usize = shape.iter().product();
    let known = result.iter().try_fold(1usize, |count, &size| count.checked_mul(size)).ok_or_else(fail)?;
    let mut open = target.iter().enumerate().filter(|(_, size)| **size == -1);
    match (open.next(), open.next()) {
        (None, _) if known == count => Ok(result),
        (Some((place, _)), None) if known > 0 && count.is_multiple_of(known) => {
            result[place] = count / known;
            Ok(result)
        }
        _ => Err(fail()),
    }
}

pub(super) fn reshape(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let target = importer.integers(node, 1, "shape")?.ok_or("its shape is missing")?;
    let result = importer.reshaped(&input, &reshape_target(node, input.shape(), &target)?)?;
    importer.define(node, 0, result);
    Ok(())
}

/// Two dimensions: those before the axis and those from it on.
pub(super) fn flatten_target(node: Node<'_>, shape: &[usize]) -> Result<Vec<usize>, Reason> {
    let rank = shape.len() as i64;
    let axis = node.int("axis", 1)?;
    let axis = if axis < 0 { axis.saturating_add(rank) } else { axis };
    if !(0..=rank).contains(&axis) {
        return Err(format!("its axis {axis} does not exist").into());
    }
    let (outer, inner) = shape.split_at(axis as usize);
    Ok(vec![outer.iter().product(), inner.iter().product()])
}

pub(super) fn flatten(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let result = importer.reshaped(&input, &flatten_target(node, input.shape())?)?;
    importer.define(node, 0, result);
    Ok(())
}

/// The given axes, which must have size 1, or all of that size.
pub(super) fn squeezed_axes(shape: &[usize], given: Option<&[i64]>) -> Result<Vec<usize>, Reason> {
    let Some(given) = given else { return Ok((0..shape.len()).filter(|&axis| shape[axis] == 1).collect()) };
    let removed = axes(given, shape.len())?;
    match removed.iter().find(|axis| shape[**axis] != 1) {
        Some(axis) => Err(format!("dimension {axis} of shape {shape:?} is not 1").into()),
        None => Ok(removed),
    }
}

pub(super) fn squeeze(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let given = importer.integers(node, 1, "axes")?;
    let removed = squeezed_axes(input.shape(), given.as_deref())?;
    let result = importer.without(&input, &removed)?;
    importer.define(node, 0, result);
    Ok(())
}

/// The shape with dimensions of size 1 at the given places of the result.
pub(super) fn unsqueeze_target(shape: &[usize], given: &[i64]) -> Result<Vec<usize>, Reason> {
    let rank = shape.len() + given.len();
    let added = axes(given, rank)?;
    let mut sizes = shape.iter().copied();
    Ok((0..rank).map(|axis| if added.contains(&axis) { 1 } else { sizes.next().unwrap_or(1) }).collect())
}

pub(super) fn unsqueeze(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let given = importer.integers(node, 1, "axes")?.ok_or("its axes are missing")?;
    let result = importer.reshaped(&input, &unsqueeze_target(input.shape(), &given)?)?;
    importer.define(node, 0, result);
    Ok(())
}

/// The order of a `Transpose`; without one, the dimensions are reversed.
pub(super) fn transpose_order(node: Node<'_>, rank: usize) -> Result<Vec<usize>, Reason> {
    let Some(given) = node.ints("perm")? else { return Ok((0..rank).rev().collect()) };
    let order: Vec<usize> = given.iter().map(|&value| axis(value, rank)).collect::<Result<_, _>>()?;
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if !sorted.into_iter().eq(0..rank) {
        return Err(format!("its order {given:?} is no permutation of {rank} dimensions").into());
    }
    Ok(order)
}

/// A transposition is nothing but another layout if there is one that fits.
pub(super) fn transpose(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let tensor = importer.tensor(&input)?;
    let rank = tensor.shape.len();
    let order = transpose_order(node, rank)?;
    let shape: Vec<usize> = order.iter().map(|&axis| tensor.shape[axis]).collect();
    // Where each dimension of the result is in the operand, in the IR.
    let places: Vec<usize> = order.iter().map(|&axis| tensor.layout.place(rank, axis)).collect();
    let fits = |layout: &Layout| layout.arrange(&places).into_iter().eq(0..rank);
    let result = match [Layout::Same, Layout::ChannelsLast].into_iter().find(fits) {
        Some(layout) => Tensor { shape, layout, ..tensor },
        None => {
            let value = importer.transpose(tensor.value, &places)?;
            Tensor { value, shape, layout: Layout::Same, element: tensor.element }
        }
    };
    importer.define(node, 0, result);
    Ok(())
}

pub(super) fn concat(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let operands = importer.operands(node)?;
    let result = importer.joined(&operands, node.int("axis", 1)?)?;
    importer.define(node, 0, result);
    Ok(())
}

/// The shape of tensors joined along an axis.
pub(super) fn concat_shape(shapes: &[&[usize]], axis: usize) -> Result<Vec<usize>, Reason> {
    let mut result = shapes.first().ok_or("it has no input")?.to_vec();
    for shape in &shapes[1..] {
        let agrees =
            shape.len() == result.len() && (0..shape.len()).all(|dim| dim == axis || shape[dim] == result[dim]);
        if !agrees {
            return Err(format!("its inputs of shapes {shapes:?} cannot be joined along axis {axis}").into());
        }
        result[axis] = result[axis].checked_add(shape[axis]).ok_or("its result is too large")?;
    }
    Ok(result)
}

impl Importer<'_> {
    /// Tensors one behind the other along an axis of the framework. Empty ones add nothing.
    pub(super) fn joined(&mut self, operands: &[Operand], along: i64) -> Result<Operand, Reason> {
        let full: Vec<&Operand> = operands.iter().filter(|operand| !operand.shape().contains(&0)).collect();
        let first = full.first().ok_or("all its inputs are empty")?;
        let rank = first.rank();
        let axis = axis(along, rank)?;
        let shapes: Vec<&[usize]> = full.iter().map(|operand| operand.shape()).collect();
        let shape = concat_shape(&shapes, axis)?;
        let layout = common_layout(&full, rank);
        let mut values = Vec::with_capacity(full.len());
        for operand in &full {
            values.push(self.in_layout(operand, layout)?);
        }
        let place = ("axis", Attribute::int(layout.place(rank, axis) as i64));
        let value = self.emit(&nn::CONCAT, &values, vec![place], &layout.arrange(&shape))?;
        Ok(Tensor { value, shape, layout, element: first.element() }.into())
    }

    fn broadcast_to(&mut self, operand: &Operand, shape: &[usize]) -> Result<Operand, Reason> {
        if operand.shape() == shape {
            return Ok(operand.clone());
        }
        let full: Vec<usize> =
            vec![1; shape.len() - operand.rank()].into_iter().chain(operand.shape().iter().copied()).collect();
        let operand = self.reshaped(operand, &full)?;
        let tensor = self.tensor(&operand)?;
        let value = self.emit(&nn::BROADCAST, &[tensor.value], Vec::new(), &tensor.layout.arrange(shape))?;
        Ok(Tensor { value, shape: shape.to_vec(), ..tensor }.into())
    }

    fn exchange(&mut self, node: Node<'_>, to_space: bool, order: &'static str) -> Outcome {
        let input = self.operand(node, 0)?;
        let &[batch, channels, height, width] = input.shape() else {
            return Err(format!("its input of shape {:?} is no map", input.shape()).into());
        };
        let block = usize::try_from(node.int("blocksize", 0)?).ok().filter(|block| (1..=65535).contains(block));
        let block = block.ok_or("its attribute blocksize is missing or no size")?;
        let divided = |size: usize, by: usize| {
            let fits = size.is_multiple_of(by).then_some(size / by);
            fits.ok_or_else(|| Reason(format!("{size} cannot be divided by {by}")))
        };
        let shape = if to_space {
            let [height, width] = [height, width].map(|size| size.saturating_mul(block));
            [batch, divided(channels, block * block)?, height, width]
        } else {
            [batch, channels.saturating_mul(block * block), divided(height, block)?, divided(width, block)?]
        };
        checked_count(&shape)?;
        let value = self.in_layout(&input, Layout::ChannelsLast)?;
        let attributes = vec![("block", Attribute::int(block as i64)), ("order", Attribute::string(order))];
        let definition = if to_space { &nn::DEPTH_TO_SPACE } else { &nn::SPACE_TO_DEPTH };
        let layout = Layout::ChannelsLast;
        let value = self.emit(definition, &[value], attributes, &layout.arrange(&shape))?;
        self.define(node, 0, Tensor { value, shape: shape.to_vec(), layout, element: input.element() });
        Ok(())
    }
}

pub(super) fn depth_to_space(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let order = match node.text("mode", "DCR")? {
        "DCR" => "dcr",
        "CRD" => "crd",
        other => return Err(format!("its attribute mode is {other:?}").into()),
    };
    importer.exchange(node, true, order)
}

pub(super) fn space_to_depth(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    importer.exchange(node, false, "dcr")
}

/// The shape that an `Expand` gives: the input and the target broadcast.
pub(super) fn expand_target(shape: &[usize], target: &[i64]) -> Result<Vec<usize>, Reason> {
    let sizes: Option<Vec<usize>> = target.iter().map(|&size| usize::try_from(size).ok()).collect();
    let sizes = sizes.ok_or_else(|| Reason(format!("it expands to {target:?}")))?;
    let result = broadcast(&[shape, &sizes])?;
    checked_count(&result)?;
    Ok(result)
}

pub(super) fn expand(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let target = importer.integers(node, 1, "shape")?.ok_or("its shape is missing")?;
    let shape = expand_target(input.shape(), &target)?;
    let result = importer.broadcast_to(&input, &shape)?;
    importer.define(node, 0, result);
    Ok(())
}

/// How often a `Tile` repeats each dimension.
pub(super) fn repeats(given: &[i64], rank: usize) -> Result<Vec<usize>, Reason> {
    let repeats: Option<Vec<usize>> =
        given.iter().map(|&count| usize::try_from(count).ok().filter(|&count| count > 0)).collect();
    repeats
        .filter(|repeats| repeats.len() == rank)
        .ok_or_else(|| format!("its repeats {given:?} do not fit {rank} dimensions").into())
}

/// Along each axis, a new dimension in front of it is broadcast and then joined with it.
pub(super) fn tile(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let mut result = importer.operand(node, 0)?;
    let given = importer.integers(node, 1, "repeats")?.ok_or("its repeats are missing")?;
    let mut shape = result.shape().to_vec();
    for (axis, count) in repeats(&given, shape.len())?.into_iter().enumerate().filter(|(_, count)| *count > 1) {
        let outer: usize = shape[..axis].iter().product();
        let inner: usize = shape[axis..].iter().product();
        let view = importer.reshaped(&result, &[outer, 1, inner])?;
        let repeated = importer.broadcast_to(&view, &[outer, count, inner])?;
        shape[axis] = shape[axis].saturating_mul(count);
        checked_count(&shape)?;
        result = importer.reshaped(&repeated, &shape)?;
    }
    importer.define(node, 0, result);
    Ok(())
}
