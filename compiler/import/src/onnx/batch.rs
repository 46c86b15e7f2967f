//! Batch normalisation, in inference.

use dpuc_dialects::dialects::nn;

use super::error::Reason;
use super::importer::{Importer, Operand, Outcome};
use super::literal::Literal;
use super::node::Node;

/// `(x - mean) / sqrt(variance + epsilon) * scale + offset`, as a product and a sum with constants for each channel.
pub(super) fn batch_normalization(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    if (1..node.proto.outputs.len()).any(|index| node.has_output(index)) || node.flag("training_mode", false)? {
        return Err("it is in training mode; export the model for inference".into());
    }
    let input = importer.operand(node, 0)?;
    let channels = *input.shape().get(1).ok_or("its input has no channels")?;
    let epsilon = node.float("epsilon", 1e-5)?;
    let mut parameters = Vec::new();
    for index in 1..5 {
        let parameter = importer.operand(node, index)?;
        if parameter.shape() != [channels] {
            let reason =
                format!("its input {index} has shape {:?}, but there are {channels} channels", parameter.shape());
            return Err(reason.into());
        }
        parameters.push(parameter);
    }
    let known: Option<Vec<Vec<f32>>> =
        parameters.iter().map(|parameter| Some(parameter.known()?.all_floats())).collect();
    let (factors, offsets) = match known.as_deref() {
        Some([scale, offset, mean, variance]) => {
            let factor = |(&scale, &variance): (&f32, &f32)| {
                f64::from(scale) / (f64::from(variance) + f64::from(epsilon)).sqrt()
            };
            let factors: Vec<f64> = scale.iter().zip(variance).map(factor).collect();
            let moved = |((&offset, &mean), factor): ((&f32, &f32), &f64)| f64::from(offset) - f64::from(mean) * factor;
            let offsets = offset.iter().zip(mean).zip(&factors).map(moved).map(|value| value as f32).collect();
            let factors = factors.into_iter().map(|value| value as f32).collect();
            let [factors, offsets] = [("scale", factors), ("offset", offsets)].map(|(part, values)| {
                let name = Some(format!("{}.{part}", node.name()).into());
                Literal { name, ..Literal::per_channel(values, input.rank()) }.into()
            });
            (factors, offsets)
        }
        _ => importer.computed_affine(&parameters, epsilon, input.rank())?,
    };
    let scaled = importer.binary(&nn::MUL, &input, &factors)?;
    let result = importer.binary(&nn::ADD, &scaled, &offsets)?;
    importer.define(node, 0, result);
    Ok(())
}

impl Importer<'_> {
    /// Factor and offset of a normalisation whose parameters are computed by the network.
    fn computed_affine(
        &mut self,
        parameters: &[Operand],
        epsilon: f32,
        rank: usize,
    ) -> Result<(Operand, Operand), Reason> {
        let [scale, offset, mean, variance] = parameters else { return Err("it needs five inputs".into()) };
        let variance = self.with_number(&nn::ADD, variance, epsilon)?;
        let deviation = self.unary(&nn::SQRT, &variance, Vec::new())?;
        let factors = self.binary(&nn::DIV, scale, &deviation)?;
        let moved = self.binary(&nn::MUL, mean, &factors)?;
        let offsets = self.binary(&nn::SUB, offset, &moved)?;
        Ok((self.channel_vector(&factors, rank)?, self.channel_vector(&offsets, rank)?))
    }

    /// A vector in a shape that broadcasts to tensors of `rank` dimensions whose second one are the channels.
    pub(super) fn channel_vector(&mut self, vector: &Operand, rank: usize) -> Result<Operand, Reason> {
        let mut shape = vector.shape().to_vec();
        shape.extend(vec![1; rank.saturating_sub(2)]);
        self.reshaped(vector, &shape)
    }
}
