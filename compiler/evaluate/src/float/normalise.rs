//! Normalisation.

use ndarray::ArrayD;

use crate::error::Problem;
use crate::operation::{Operation, Outcome};

/// `nn.layer_norm`: in double precision, rounded once.
pub(super) fn layer_norm(op: Operation<'_>) -> Outcome {
    let (input, axis, epsilon) = (op.floats(0)?, op.integer::<usize>("axis")?, op.float("epsilon")?);
    let count: usize = input.shape().get(axis..).ok_or(Problem::Attribute("axis"))?.iter().product();
    let vector = |index: usize, absent: f64| -> Outcome<Vec<f64>> {
        if op.operands.len() <= index {
            return Ok(vec![absent; count]);
        }
        Ok(op.floats(index)?.iter().map(|&x| f64::from(x)).collect())
    };
    let (scale, offset) = (vector(1, 1.0)?, vector(2, 0.0)?);
    if scale.len() != count || offset.len() != count {
        return Err(Problem::Operand { index: 1, expected: "as large as what is normalised" });
    }
    let elements: Vec<f64> = input.iter().map(|&x| f64::from(x)).collect();
    let mut output = Vec::with_capacity(elements.len());
    for row in elements.chunks_exact(count.max(1)) {
        let mean = row.iter().sum::<f64>() / count as f64;
        let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count as f64;
        let factor = 1.0 / (variance + epsilon).sqrt();
        let scaled = row.iter().zip(scale.iter().zip(&offset)).map(|(x, (s, o))| ((x - mean) * factor * s + o) as f32);
        output.extend(scaled);
    }
    let result = ArrayD::from_shape_vec(input.raw_dim(), output);
    Ok(result.map_err(|error| Problem::Shapes(error.to_string()))?.into())
}
