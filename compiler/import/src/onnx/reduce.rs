//! Reductions.

use dpuc_dialects::Attribute;
use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::nn;
use dpuc_onnx::ElementType;

use super::emit::list;
use super::error::Reason;
use super::importer::{Importer, Operand, Outcome, Tensor};
use super::node::{Node, axes, axis};
use dpuc_dialects::layout::Layout;

impl Importer<'_> {
    /// A reduction along axes of the framework, which stay with size 1.
    pub(super) fn reduced(
        &mut self,
        definition: &'static OpDefinition,
        operand: &Operand,
        axes: &[usize],
    ) -> Result<Operand, Reason> {
        if axes.is_empty() {
            return Ok(operand.clone());
        }
        let mut tensor = self.tensor(operand)?;
        let rank = tensor.shape.len();
        let mut places: Vec<usize> = axes.iter().map(|&axis| tensor.layout.place(rank, axis)).collect();
        places.sort_unstable();
        for &axis in axes {
            tensor.shape[axis] = 1;
        }
        let shape = tensor.layout.arrange(&tensor.shape);
        tensor.value = self.emit(definition, &[tensor.value], vec![("axes", list(&places))], &shape)?;
        Ok(tensor.into())
    }

    /// Without axes of size 1.
    pub(super) fn without(&mut self, operand: &Operand, axes: &[usize]) -> Result<Operand, Reason> {
        let is_kept = |axis: &usize| !axes.contains(axis);
        let rank = operand.rank();
        let shape: Vec<usize> = (0..rank).filter(is_kept).map(|axis| operand.shape()[axis]).collect();
        if let Operand::Computed(tensor) = operand {
            // If the axes that stay are in the framework's order in the IR as well, nothing moves.
            let kept: Vec<usize> = tensor.layout.order(rank).into_iter().filter(is_kept).collect();
            let long: Vec<usize> = kept.into_iter().filter(|&axis| tensor.shape[axis] != 1).collect();
            if long.is_sorted() {
                let value = self.reshape(tensor.value, &shape)?;
                return Ok(Tensor { value, shape, layout: Layout::Same, element: tensor.element }.into());
            }
        }
        self.reshaped(operand, &shape)
    }

    /// Axes and whether they stay: an attribute in older versions, an input in newer ones; none are all, or nothing if the node says so.
    fn reduction_axes(&mut self, node: Node<'_>, rank: usize) -> Result<(Vec<usize>, bool), Reason> {
        let given = self.integers(node, 1, "axes")?.filter(|axes| !axes.is_empty());
        let axes = match given {
            Some(given) => axes(&given, rank)?,
            None if node.flag("noop_with_empty_axes", false)? => Vec::new(),
            None => (0..rank).collect(),
        };
        Ok((axes, node.flag("keepdims", true)?))
    }

    /// A node that reduces: `before` each element, the reduction, `after` each result.
    fn reduction(
        &mut self,
        node: Node<'_>,
        definition: &'static OpDefinition,
        before: Option<&'static OpDefinition>,
        after: Option<&'static OpDefinition>,
    ) -> Outcome {
        let mut value = self.operand(node, 0)?;
        let (axes, keep) = self.reduction_axes(node, value.rank())?;
        value = match before {
            Some(square) if square.is(&nn::MUL) => self.binary(&nn::MUL, &value, &value)?,
            Some(before) => self.unary(before, &value, Vec::new())?,
            None => value,
        };
        value = self.reduced(definition, &value, &axes)?;
        if let Some(after) = after {
            value = self.unary(after, &value, Vec::new())?;
        }
        self.define_reduced(node, value, &axes, keep)
    }

    fn define_reduced(&mut self, node: Node<'_>, value: Operand, axes: &[usize], keep: bool) -> Outcome {
        let result = if keep { value } else { self.without(&value, axes)? };
        self.define(node, 0, result);
        Ok(())
    }

    /// The index of the largest element along an axis.
    fn arg(&mut self, node: Node<'_>, input: &Operand) -> Outcome {
        if node.flag("select_last_index", false)? {
            return Err("only the first of equal elements can be selected".into());
        }
        let axis = axis(node.int("axis", 0)?, input.rank())?;
        let mut tensor = self.tensor(input)?;
        let place = tensor.layout.place(tensor.shape.len(), axis);
        tensor.shape[axis] = 1;
        tensor.element = ElementType::INT64;
        let shape = tensor.layout.arrange(&tensor.shape);
        let attributes = vec![("axis", Attribute::int(place as i64))];
        tensor.value = self.emit(&nn::ARGMAX, &[tensor.value], attributes, &shape)?;
        self.define_reduced(node, tensor.into(), &[axis], node.flag("keepdims", true)?)
    }
}

/// Reductions: what is done to each element, how they are combined, what is done to the result.
macro_rules! reductions {
    ($($name:ident $before:expr, $definition:ident, $after:expr;)*) => {$(
        pub(super) fn $name(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
            importer.reduction(node, &nn::$definition, $before, $after)
        }
    )*};
}

reductions! {
    mean None, REDUCE_MEAN, None;
    max None, REDUCE_MAX, None;
    min None, REDUCE_MIN, None;
    sum None, REDUCE_SUM, None;
    l1 Some(&nn::ABS), REDUCE_SUM, None;
    l2 Some(&nn::MUL), REDUCE_SUM, Some(&nn::SQRT);
    log_sum None, REDUCE_SUM, Some(&nn::LOG);
    sum_square Some(&nn::MUL), REDUCE_SUM, None;
}

/// `log(sum(exp(x - max))) + max`
pub(super) fn log_sum_exp(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let (axes, keep) = importer.reduction_axes(node, input.rank())?;
    let largest = importer.reduced(&nn::REDUCE_MAX, &input, &axes)?;
    let moved = importer.binary(&nn::SUB, &input, &largest)?;
    let powers = importer.unary(&nn::EXP, &moved, Vec::new())?;
    let sum = importer.reduced(&nn::REDUCE_SUM, &powers, &axes)?;
    let logarithm = importer.unary(&nn::LOG, &sum, Vec::new())?;
    let result = importer.binary(&nn::ADD, &logarithm, &largest)?;
    importer.define_reduced(node, result, &axes, keep)
}

pub(super) fn arg_max(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    importer.arg(node, &input)
}

pub(super) fn arg_min(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let negative = importer.with_number(&nn::MUL, &input, -1.0)?;
    importer.arg(node, &negative)
}
