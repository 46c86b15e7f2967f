//! Activations.

use dpuc_dialects::Attribute;
use dpuc_dialects::dialects::nn;

use super::emit::float;
use super::error::Reason;
use super::importer::{Importer, Operand, Outcome};
use super::literal::Literal;
use super::node::{Node, axis};
use dpuc_dialects::layout::Layout;

pub(super) fn relu(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    importer.unary_node(&nn::RELU, node)
}

pub(super) fn sigmoid(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    importer.unary_node(&nn::SIGMOID, node)
}

pub(super) fn tanh(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    importer.unary_node(&nn::TANH, node)
}

pub(super) fn softplus(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    importer.unary_node(&nn::SOFTPLUS, node)
}

pub(super) fn mish(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    importer.unary_node(&nn::MISH, node)
}

pub(super) fn hard_swish(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    importer.unary_node(&nn::HARD_SWISH, node)
}

/// `x * sigmoid(alpha * x)`
pub(super) fn swish(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let alpha = node.float("alpha", 1.0)?;
    if alpha.to_bits() == 1.0f32.to_bits() {
        return importer.unary_node(&nn::SILU, node);
    }
    let scaled = importer.with_number(&nn::MUL, &input, alpha)?;
    let gate = importer.unary(&nn::SIGMOID, &scaled, Vec::new())?;
    let result = importer.binary(&nn::MUL, &input, &gate)?;
    importer.define(node, 0, result);
    Ok(())
}

pub(super) fn leaky_relu(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let result = importer.unary(&nn::LEAKY_RELU, &input, vec![("alpha", float(node.float("alpha", 0.01)?))])?;
    importer.define(node, 0, result);
    Ok(())
}

pub(super) fn elu(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let result = importer.unary(&nn::ELU, &input, vec![("alpha", float(node.float("alpha", 1.0)?))])?;
    importer.define(node, 0, result);
    Ok(())
}

/// `gamma * elu(x)`
pub(super) fn selu(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let alpha = node.float("alpha", 1.673_263_2)?;
    let elu = importer.unary(&nn::ELU, &input, vec![("alpha", float(alpha))])?;
    let result = importer.with_number(&nn::MUL, &elu, node.float("gamma", 1.050_701)?)?;
    importer.define(node, 0, result);
    Ok(())
}

/// `alpha * elu(x / alpha)`
pub(super) fn celu(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let alpha = node.float("alpha", 1.0)?;
    let scaled = importer.with_number(&nn::DIV, &input, alpha)?;
    let elu = importer.unary(&nn::ELU, &scaled, vec![("alpha", float(1.0))])?;
    let result = importer.with_number(&nn::MUL, &elu, alpha)?;
    importer.define(node, 0, result);
    Ok(())
}

pub(super) fn gelu(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let approximate = match node.text("approximate", "none")? {
        "tanh" => "tanh",
        "none" => "none",
        other => return Err(format!("its attribute approximate is {other:?}").into()),
    };
    let result = importer.unary(&nn::GELU, &input, vec![("approximate", Attribute::string(approximate))])?;
    importer.define(node, 0, result);
    Ok(())
}

/// `x / (1 + |x|)`
pub(super) fn softsign(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let size = importer.unary(&nn::ABS, &input, Vec::new())?;
    let size = importer.with_number(&nn::ADD, &size, 1.0)?;
    let result = importer.binary(&nn::DIV, &input, &size)?;
    importer.define(node, 0, result);
    Ok(())
}

/// `x > alpha ? x : 0`
pub(super) fn thresholded_relu(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let alpha = Literal::scalar(node.float("alpha", 1.0)?).into();
    let predicate = vec![("predicate", Attribute::string("gt"))];
    let is_above = importer.elementwise(&nn::COMPARE, &[&input, &alpha], predicate)?;
    let result = importer.choose(&is_above, &input, &Literal::scalar(0.0).into())?;
    importer.define(node, 0, result);
    Ok(())
}

/// Slope of the hard sigmoid that hard swish contains; `PyTorch` and `PaddlePaddle` write it.
const SIXTH: f32 = 1.0 / 6.0;

/// `max(0, min(1, alpha * x + beta))`
pub(super) fn hard_sigmoid(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let (alpha, beta) = (node.float("alpha", 0.2)?, node.float("beta", 0.5)?);
    // Exporters write the slope with six decimals or more; results differ by 6e-6 at most before they are clipped.
    if (alpha - SIXTH).abs() <= 1e-6 && beta.to_bits() == 0.5f32.to_bits() {
        return importer.unary_node(&nn::HARD_SIGMOID, node);
    }
    let scaled = importer.with_number(&nn::MUL, &input, alpha)?;
    let moved = importer.with_number(&nn::ADD, &scaled, beta)?;
    let result = importer.clipped(&moved, Some(0.0), Some(1.0))?;
    importer.define(node, 0, result);
    Ok(())
}

impl Importer<'_> {
    /// `min(max(x, min), max)`, by the operation that says just that.
    fn clipped(&mut self, input: &Operand, min: Option<f32>, max: Option<f32>) -> Result<Operand, Reason> {
        let is = |bound: Option<f32>, number: f32| bound.is_some_and(|bound| bound.to_bits() == number.to_bits());
        let min = min.filter(|&min| min > f32::MIN);
        let max = max.filter(|&max| max < f32::MAX);
        if is(min, 0.0) && max.is_none() {
            return self.unary(&nn::RELU, input, Vec::new());
        }
        if is(min, 0.0) && is(max, 6.0) {
            return self.unary(&nn::RELU6, input, Vec::new());
        }
        let bounds = [("min", min), ("max", max)];
        let attributes = bounds.into_iter().filter_map(|(name, bound)| Some((name, float(bound?)))).collect();
        self.unary(&nn::CLIP, input, attributes)
    }
}

/// Bounds are attributes up to version 6 of the operator, which operator sets to 10 have, and inputs later.
pub(super) fn clip(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let bound = |importer: &Importer<'_>, index: usize, name: &str| -> Result<Option<Operand>, Reason> {
        let attribute = node.maybe_float(name)?.map(|value| Literal::scalar(value).into());
        Ok(importer.optional(node, index).or(attribute))
    };
    let [min, max] = [bound(importer, 1, "min")?, bound(importer, 2, "max")?];
    let number = |bound: &Option<Operand>| bound.as_ref().and_then(|bound| bound.known()?.single());
    let is_known = |bound: &Option<Operand>| bound.is_none() || number(bound).is_some();
    let result = if is_known(&min) && is_known(&max) {
        importer.clipped(&input, number(&min), number(&max))?
    } else {
        let lower = match &min {
            Some(min) => importer.binary(&nn::MAX, &input, min)?,
            None => input,
        };
        match &max {
            Some(max) => importer.binary(&nn::MIN, &lower, max)?,
            None => lower,
        }
    };
    importer.define(node, 0, result);
    Ok(())
}

/// Slopes broadcast to the input; one for each channel, or one for all, is an operation of its own.
pub(super) fn prelu(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let (input, slopes) = (importer.operand(node, 0)?, importer.operand(node, 1)?);
    let result = match slopes.known().and_then(|slopes| channel_slopes(slopes, input.shape())) {
        Some(slopes) => {
            let rank = input.rank();
            let layout = if rank > 2 { Layout::ChannelsLast } else { Layout::Same };
            let [value, slopes] = [importer.in_layout(&input, layout)?, importer.constant(&slopes, &[0])?];
            let value = importer.emit(&nn::PRELU, &[value, slopes], Vec::new(), &layout.arrange(input.shape()))?;
            let (shape, element) = (input.shape().to_vec(), input.element());
            super::importer::Tensor { value, shape, layout, element }.into()
        }
        None => {
            let zero = Literal::scalar(0.0).into();
            let is_negative =
                importer.elementwise(&nn::COMPARE, &[&input, &zero], vec![("predicate", Attribute::string("lt"))])?;
            let sloped = importer.binary(&nn::MUL, &input, &slopes)?;
            importer.choose(&is_negative, &sloped, &input)?
        }
    };
    importer.define(node, 0, result);
    Ok(())
}

/// Slopes as one for each channel, the second dimension of the input, if they are that.
fn channel_slopes(slopes: &Literal, input: &[usize]) -> Option<Literal> {
    let channels = *input.get(1)?;
    let full: Vec<usize> =
        vec![1; input.len().checked_sub(slopes.shape.len())?].into_iter().chain(slopes.shape.iter().copied()).collect();
    let is_vector = full.iter().enumerate().all(|(axis, &dim)| dim == 1 || axis == 1);
    match slopes.count() {
        1 => Some(Literal {
            name: slopes.name.clone(),
            ..Literal::floats(&[channels], vec![slopes.single()?; channels])
        }),
        count if is_vector && count == channels => Some(slopes.reshaped(&[channels])),
        _ => None,
    }
}

/// The operand of a softmax and its axis in the framework's order. Before operator set 13 the softmax is over all dimensions from the axis
/// on, as one.
fn softmax_operand(importer: &mut Importer<'_>, node: Node<'_>) -> Result<(Operand, usize), Reason> {
    let input = importer.operand(node, 0)?;
    let rank = input.rank();
    if node.opset >= 13 {
        return Ok((input, axis(node.int("axis", -1)?, rank)?));
    }
    let first = axis(node.int("axis", 1)?, rank)?;
    if input.shape()[first + 1..].iter().all(|&dim| dim == 1) {
        return Ok((input, first));
    }
    let (outer, inner) = input.shape().split_at(first);
    let rows = [outer.iter().product(), inner.iter().product()];
    Ok((importer.reshaped(&input, &rows)?, 1))
}

pub(super) fn softmax(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let shape = importer.operand(node, 0)?.shape().to_vec();
    let (input, axis) = softmax_operand(importer, node)?;
    let tensor = importer.tensor(&input)?;
    let place = tensor.layout.place(tensor.shape.len(), axis);
    let result = importer.unary(&nn::SOFTMAX, &tensor.into(), vec![("axis", Attribute::int(place as i64))])?;
    let result = importer.reshaped(&result, &shape)?;
    importer.define(node, 0, result);
    Ok(())
}

/// `x - max(x) - log(sum(exp(x - max(x))))`
pub(super) fn log_softmax(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let shape = importer.operand(node, 0)?.shape().to_vec();
    let (input, axis) = softmax_operand(importer, node)?;
    let largest = importer.reduced(&nn::REDUCE_MAX, &input, &[axis])?;
    let moved = importer.binary(&nn::SUB, &input, &largest)?;
    let powers = importer.unary(&nn::EXP, &moved, Vec::new())?;
    let sum = importer.reduced(&nn::REDUCE_SUM, &powers, &[axis])?;
    let logarithm = importer.unary(&nn::LOG, &sum, Vec::new())?;
    let result = importer.binary(&nn::SUB, &moved, &logarithm)?;
    let result = importer.reshaped(&result, &shape)?;
    importer.define(node, 0, result);
    Ok(())
}
