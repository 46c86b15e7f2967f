//! Normalisations whose statistics are those of the input.

use dpuc_dialects::Attribute;
use dpuc_dialects::dialects::nn;

use super::emit::{float, list};
use super::error::Reason;
use super::importer::{Importer, Operand, Outcome, Tensor};
use super::node::{Node, axis};
use dpuc_dialects::layout::Layout;

impl Importer<'_> {
    /// `(x - mean) / sqrt(variance + epsilon)` with statistics along axes.
    fn standardised(&mut self, input: &Operand, axes: &[usize], epsilon: f32) -> Result<Operand, Reason> {
        let mean = self.reduced(&nn::REDUCE_MEAN, input, axes)?;
        let centred = self.binary(&nn::SUB, input, &mean)?;
        let squares = self.binary(&nn::MUL, &centred, &centred)?;
        let variance = self.reduced(&nn::REDUCE_MEAN, &squares, axes)?;
        let variance = self.with_number(&nn::ADD, &variance, epsilon)?;
        let deviation = self.unary(&nn::SQRT, &variance, Vec::new())?;
        self.binary(&nn::DIV, &centred, &deviation)
    }

    /// `x * scale + offset` with a number for each channel.
    fn scaled(&mut self, value: &Operand, scale: &Operand, offset: &Operand) -> Result<Operand, Reason> {
        let [scale, offset] = [self.channel_vector(scale, value.rank())?, self.channel_vector(offset, value.rank())?];
        let product = self.binary(&nn::MUL, value, &scale)?;
        self.binary(&nn::ADD, &product, &offset)
    }
}

pub(super) fn instance_normalization(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let [input, scale, offset] = [importer.operand(node, 0)?, importer.operand(node, 1)?, importer.operand(node, 2)?];
    let axes: Vec<usize> = (2..input.rank()).collect();
    let value = importer.standardised(&input, &axes, node.float("epsilon", 1e-5)?)?;
    let result = importer.scaled(&value, &scale, &offset)?;
    importer.define(node, 0, result);
    Ok(())
}

/// The channels of each group are normalised together. Up to operator set 20 there is a factor and an offset for each group.
pub(super) fn group_normalization(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let [input, scale, offset] = [importer.operand(node, 0)?, importer.operand(node, 1)?, importer.operand(node, 2)?];
    let &[batch, channels, ..] = input.shape() else { return Err("its input has no channels".into()) };
    let groups = usize::try_from(node.int("num_groups", 0)?).unwrap_or(0);
    if groups == 0 || !channels.is_multiple_of(groups) {
        return Err(format!("its {channels} channels cannot be in {groups} groups").into());
    }
    let elements = input.shape()[1..].iter().product::<usize>() / groups;
    let shape = input.shape().to_vec();
    let grouped = importer.reshaped(&input, &[batch, groups, elements])?;
    let mut value = importer.standardised(&grouped, &[2], node.float("epsilon", 1e-5)?)?;
    let is_for_groups = scale.shape() == [groups] && node.opset < 21;
    if is_for_groups {
        value = importer.scaled(&value, &scale, &offset)?;
    }
    value = importer.reshaped(&value, &shape)?;
    let result = if is_for_groups { value } else { importer.scaled(&value, &scale, &offset)? };
    importer.define(node, 0, result);
    Ok(())
}

pub(super) fn layer_normalization(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    if node.has_output(1) || node.has_output(2) {
        return Err("only its first output is supported".into());
    }
    let input = importer.operand(node, 0)?;
    let first = axis(node.int("axis", -1)?, input.rank())?;
    let normalised = input.shape()[first..].to_vec();
    let scale = importer.operand(node, 1)?;
    let mut operands = vec![importer.same(&input)?];
    for parameter in [Some(scale), importer.optional(node, 2)].into_iter().flatten() {
        let value = importer.same(&parameter)?;
        operands.push(if parameter.shape() == normalised {
            value
        } else {
            importer.emit(&nn::BROADCAST, &[value], Vec::new(), &normalised)?
        });
    }
    let attributes = vec![("axis", Attribute::int(first as i64)), ("epsilon", float(node.float("epsilon", 1e-5)?))];
    let shape = input.shape().to_vec();
    let value = importer.emit(&nn::LAYER_NORM, &operands, attributes, &shape)?;
    let element = input.element();
    importer.define(node, 0, Tensor { value, shape, layout: Layout::Same, element });
    Ok(())
}

/// `x / (bias + alpha / size * sum of squares of `size` channels around)^beta`: the mean of an average pool over a map of channels, whose
/// padding counts as zeros.
pub(super) fn local_response_normalization(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    let size = usize::try_from(node.int("size", 0)?).ok().filter(|size| (1..=65535).contains(size));
    let size = size.ok_or("its attribute size is missing or is no window")?;
    let (alpha, beta) = (node.float("alpha", 1e-4)?, node.float("beta", 0.75)?);
    let &[batch, channels, ..] = input.shape() else { return Err("its input has no channels".into()) };
    let pixels: usize = input.shape()[2..].iter().product();
    let squares = importer.binary(&nn::MUL, &input, &input)?;
    let value = importer.in_layout(&squares, Layout::ChannelsLast)?;
    let map = [batch, pixels, channels, 1];
    let value = importer.reshape(value, &map)?;
    let before = (size - 1) / 2;
    let attributes = vec![("kernel", list(&[1, size])), ("pads", list(&[0, before, 0, size - 1 - before]))];
    let value = importer.emit(&nn::AVG_POOL, &[value], attributes, &map)?;
    let shape = input.shape().to_vec();
    let value = importer.reshape(value, &Layout::ChannelsLast.arrange(&shape))?;
    let mean = Tensor { value, shape, layout: Layout::ChannelsLast, element: input.element() }.into();
    let scaled = importer.with_number(&nn::MUL, &mean, alpha)?;
    let moved = importer.with_number(&nn::ADD, &scaled, node.float("bias", 1.0)?)?;
    let power = importer.with_number(&nn::POW, &moved, beta)?;
    let result = importer.binary(&nn::DIV, &input, &power)?;
    importer.define(node, 0, result);
    Ok(())
}
