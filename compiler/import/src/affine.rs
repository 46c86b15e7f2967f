//! `scale` and `batchnorm`: a factor and an offset for each channel, the last dimension.
//!
//! They become part of the convolution in front if nobody else reads that and nothing is rounded in between, and a depthwise convolution
//! of 1x1 elsewhere.

use dpuc_dialects::dialects::nn;
use dpuc_dialects::weights::Weight;
use dpuc_dialects::{Attribute, OpId, ValueId};

use crate::error::{ImportError, Refusal};
use crate::float::{Outcome, unsupported};
use crate::importer::Importer;
use crate::node::Node;

/// Elements of the factors and offsets that an import makes, at most: many small operators may share large constants.
const MAX_ELEMENTS: usize = 1 << 24;

/// `factor * x + offset` for each channel, in double precision.
struct Affine {
    factors: Vec<f64>,
    offsets: Option<Vec<f64>>,
}

impl<'a> Importer<'a> {
    /// A factor for each channel and perhaps an offset, which may be rounded.
    pub(crate) fn scale(&mut self, node: Node<'a>) -> Outcome {
        let (input, scale) = (self.input(node)?, self.required(node, "scale")?);
        let bias = self.optional(node, "bias")?;
        let channels = self.affine_channels(node, input, node.get_or("axis", -1)?)?;
        let is_vector = |value| self.ir.shape_of(value).as_deref() == Some(&[channels]);
        if !is_vector(scale) || bias.is_some_and(|bias| !is_vector(bias)) {
            return unsupported("only a factor and an offset for each channel can be said");
        }
        let offsets = bias.map(|bias| self.numbers(bias));
        if let (Some(factors), None | Some(Some(_))) = (self.numbers(scale), &offsets)
            && self.folds(node, &Affine { factors, offsets: offsets.flatten() })?
        {
            return Ok(());
        }
        let map = self.map_of(node, input)?;
        let weights = self.append_float_part(&nn::RESHAPE, node, [scale], &[1, 1, 1, channels]);
        self.line_of_map(&nn::DEPTHWISE_CONV2D, node, [map, weights].into_iter().chain(bias), [])
    }

    /// `gamma * (x - mean) / sqrt(variance + epsilon) + beta`.
    pub(crate) fn batch_normalisation(&mut self, node: Node<'a>) -> Outcome {
        let input = self.input(node)?;
        let epsilon: f32 = node.get("epsilon")?;
        let channels = self.affine_channels(node, input, node.get("axis")?)?;
        let mut parameters = Vec::new();
        for argument in ["gamma", "beta", "moving_mean", "moving_var"] {
            let value = self.required(node, argument)?;
            let numbers = self.numbers(value).filter(|numbers| numbers.len() == channels);
            let problem =
                || Refusal::Unsupported(format!("its {argument} is no constant with a number for each channel"));
            parameters.push(numbers.ok_or_else(problem)?);
        }
        let [gamma, beta, mean, variance] = &parameters[..] else { return unsupported("it has not four parameters") };
        let factors: Vec<f64> = gamma
            .iter()
            .zip(variance)
            .map(|(gamma, variance)| gamma / (variance + f64::from(epsilon)).sqrt())
            .collect();
        let offsets = beta.iter().zip(mean).zip(&factors).map(|((beta, mean), factor)| beta - mean * factor).collect();
        let affine = Affine { factors, offsets: Some(offsets) };
        if self.folds(node, &affine)? {
            return Ok(());
        }
        self.affine_elements = self.affine_elements.saturating_add(2 * channels);
        if self.affine_elements > MAX_ELEMENTS {
            return unsupported(format!("the factors and offsets of all normalisations are more than {MAX_ELEMENTS}"));
        }
        let map = self.map_of(node, input)?;
        let weights = self.new_constant(node, "_factors", &[1, 1, 1, channels], &affine.factors)?;
        let bias = self.new_constant(node, "_offsets", &[channels], affine.offsets.as_deref().unwrap_or_default())?;
        self.line_of_map(&nn::DEPTHWISE_CONV2D, node, [map, weights, bias], [])
    }

    /// The size of the last dimension, if that is the axis.
    fn affine_channels(&self, node: Node<'a>, input: ValueId, axis: i32) -> Result<usize, Refusal> {
        let shape = self.ir.shape_of(input).unwrap_or_default();
        let axis = node.normalised_axis("axis", axis, shape.len())?;
        match shape.last() {
            Some(&channels) if axis + 1 == shape.len() as i64 => Ok(channels),
            _ => Err(Refusal::Unsupported(format!("its axis {axis} is not the last one"))),
        }
    }

    /// The elements of a constant that is not rounded.
    fn numbers(&self, value: ValueId) -> Option<Vec<f64>> {
        let op = self.ir.defining_op(value).filter(|&op| self.ir.is(op, &nn::CONSTANT))?;
        let symbol = self.ir.attribute(op, "value").and_then(Attribute::as_symbol)?;
        Some(self.ir.weights.get(symbol)?.to_f32()?.into_iter().map(f64::from).collect())
    }

    /// Adds a constant that stands for a part of `node`.
    fn new_constant(
        &mut self,
        node: Node<'a>,
        suffix: &str,
        shape: &[usize],
        values: &[f64],
    ) -> Result<ValueId, ImportError> {
        let symbol = self.ir.weights.free_name(&format!("{}{suffix}", node.0.name));
        let values: Vec<f32> = values.iter().map(|&value| value as f32).collect();
        let weight = Weight::from_f32(shape, &values).map_err(|error| ImportError::weights(&node.0.name, &error))?;
        self.ir.weights.insert(symbol.as_str(), weight);
        let ty = self.ir.float_tensor(shape);
        Ok(self.append_part(&nn::CONSTANT, node, [], [("value", Attribute::symbol(symbol))], ty))
    }

    /// Makes the convolution in front compute what `node` does, if it can.
    fn folds(&mut self, node: Node<'a>, affine: &Affine) -> Result<bool, Refusal> {
        let Some(found) = self.foldable(node) else { return Ok(false) };
        let Foldable { producer, convolution, weights, bias } = found;
        let operands = self.ir.operands(convolution).to_vec();
        let shape = self.ir.shape_of(operands[1]).unwrap_or_default();
        let channels = affine.factors.len();
        // OHWI weights begin with the channels of the result, depthwise ones end with them.
        let is_depthwise = self.ir.op_name(convolution).contains("depthwise");
        let own = if is_depthwise { shape.last() } else { shape.first() };
        if own != Some(&channels) || bias.as_ref().is_some_and(|bias| bias.len() != channels) {
            return Ok(false);
        }
        let filter = if is_depthwise { 1 } else { weights.len() / channels };
        let scaled: Vec<f64> = weights
            .iter()
            .enumerate()
            .map(|(index, weight)| weight * affine.factors[index / filter % channels])
            .collect();
        let offset = |channel: usize| affine.offsets.as_ref().map_or(0.0, |offsets| offsets[channel]);
        let before = |channel: usize| bias.as_ref().map_or(0.0, |bias| bias[channel]);
        let new_bias: Option<Vec<f64>> = (bias.is_some() || affine.offsets.is_some())
            .then(|| (0..channels).map(|c| before(c) * affine.factors[c] + offset(c)).collect());
        let mut inputs = vec![operands[0], self.new_constant(node, "_weights", &shape, &scaled)?];
        if let Some(bias) = new_bias {
            inputs.push(self.new_constant(node, "_bias", &[channels], &bias)?);
        }
        let Some(definition) = self.ir.definition(convolution) else { return Ok(false) };
        let attributes: Vec<(String, Attribute)> = self
            .ir
            .attributes(convolution)
            .iter()
            .map(|(name, value)| (self.ir.text(*name).to_owned(), value.clone()))
            .collect();
        let attributes = attributes.iter().map(|(name, value)| (name.as_str(), value.clone()));
        let value = self.append(definition, node.0, inputs, attributes)?;
        if let Some(folded) = self.ir.defining_op(value) {
            let locations = [convolution, folded].map(|op| self.ir.op(op).location);
            let location = self.ir.fused_location(locations);
            self.ir.set_location(folded, location);
        }
        self.remove(producer, convolution);
        self.define(node, value);
        Ok(true)
    }

    /// The convolution in front of a node, if only the node reads it, and its weights and bias are constants that only it reads.
    fn foldable(&self, node: Node<'a>) -> Option<Foldable<'a>> {
        let [producer] = node.0.arg("input") else { return None };
        let is_only_reader = |name: &str| self.index.consumers(name).count() == 1;
        let convolution = self.ir.defining_op(self.known(producer)?)?;
        let kinds = [&nn::CONV2D, &nn::DEPTHWISE_CONV2D, &nn::TRANSPOSED_CONV2D, &nn::TRANSPOSED_DEPTHWISE_CONV2D];
        if !kinds.into_iter().any(|kind| self.ir.is(convolution, kind)) || self.is_returned(producer) {
            return None;
        }
        let op = self.index.op(producer)?;
        let own = ["weights", "bias"].into_iter().flat_map(|argument| op.arg(argument));
        if !is_only_reader(producer) || !own.into_iter().all(|name| is_only_reader(name)) {
            return None;
        }
        let operands = self.ir.operands(convolution);
        let weights = self.numbers(*operands.get(1)?)?;
        let bias = match operands.get(2) {
            Some(&bias) => Some(self.numbers(bias)?),
            None => None,
        };
        Some(Foldable { producer, convolution, weights, bias })
    }
}

/// A convolution that another operation becomes part of.
struct Foldable<'a> {
    /// Its name.
    producer: &'a str,
    convolution: OpId,
    weights: Vec<f64>,
    bias: Option<Vec<f64>>,
}
