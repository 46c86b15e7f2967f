//! Pooling.

use ndarray::Array4;

use super::window::{buffer, taps};
use crate::error::Problem;
use crate::operation::{Operation, Outcome};
use crate::tensor::Tensor;

/// `nn.max_pool`: padding never wins.
pub(super) fn max(op: Operation<'_>) -> Outcome {
    pool(op, "max_pool", f64::NEG_INFINITY, f64::max, |best, _| best)
}

/// `nn.avg_pool`: padding counts as zeros, or not at all.
pub(super) fn average(op: Operation<'_>) -> Outcome {
    let [height, width] = op.sizes::<2>("kernel")?;
    let count = height as f64 * width as f64;
    let excludes_padding = op.flag("exclude_padding")?;
    let mean = |sum: f64, taps: usize| sum / if excludes_padding { taps as f64 } else { count };
    pool(op, "avg_pool", 0.0, |sum, x| sum + x, mean)
}

/// `finish` gets what `fold` made of the elements of a window, and their number.
fn pool(
    op: Operation<'_>,
    operator: &'static str,
    initial: f64,
    fold: impl Fn(f64, f64) -> f64,
    finish: impl Fn(f64, usize) -> f64,
) -> Outcome {
    let input = op.float_map(0)?;
    let (batch, _, _, channels) = input.dim();
    let [rows, columns] = taps(op, input.shape(), op.sizes("kernel")?, false)?;
    let shape = [batch, rows.len(), columns.len(), channels];
    let mut output = buffer(operator, &shape)?;
    let mut folded = vec![initial; channels];
    for image in input.outer_iter() {
        for row in &rows {
            for column in &columns {
                folded.fill(initial);
                let taps = row.len() * column.len();
                for row in row {
                    for column in column {
                        for (channel, folded) in folded.iter_mut().enumerate() {
                            *folded = fold(*folded, f64::from(image[[row.input, column.input, channel]]));
                        }
                    }
                }
                output.extend(folded.iter().map(|&value| finish(value, taps) as f32));
            }
        }
    }
    Array4::from_shape_vec(shape, output).map(Tensor::from).map_err(|error| Problem::Shapes(error.to_string()))
}
