//! Up- and down-sampling (numerics.md 5.7).

use dpuc_kernels::reference::resize::{Coordinates, resize_nearest};
use ndarray::{Array4, ArrayView4};

use super::window::buffer;
use crate::error::Problem;
use crate::fixed::coordinates;
use crate::operation::{Operation, Outcome};
use crate::tensor::Tensor;

/// `nn.resize`
pub(super) fn resize(op: Operation<'_>) -> Outcome {
    let (input, size, coordinates) = (op.float_map(0)?, op.result_size()?, coordinates(op)?);
    match op.text("mode")? {
        "nearest" => Ok(resize_nearest(&input, size, coordinates)?.into()),
        "bilinear" => bilinear(&input, size, coordinates),
        _ => Err(Problem::Attribute("mode")),
    }
}

/// A point `weight` of the way from element `low` to element `high`.
struct Between {
    low: usize,
    high: usize,
    weight: f32,
}

impl Between {
    fn interpolate(&self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.weight
    }
}

/// The sources of each output element along one axis, all in single precision as in the operator reference.
fn sources(input: usize, output: usize, coordinates: Coordinates) -> Vec<Between> {
    let scale = match coordinates {
        Coordinates::AlignCorners if output > 1 => (input - 1) as f32 / (output - 1) as f32,
        _ => input as f32 / output as f32,
    };
    let between = |o: usize| {
        let position = match coordinates {
            Coordinates::HalfPixel => (o as f32 + 0.5) * scale - 0.5,
            Coordinates::Asymmetric | Coordinates::AlignCorners => o as f32 * scale,
        };
        // Casts saturate at 0 for the half element in front of the first one.
        let bounded = |position: f32| (position as usize).min(input - 1);
        Between { low: bounded(position.floor()), high: bounded(position.ceil()), weight: position - position.floor() }
    };
    (0..output).map(between).collect()
}

/// Interpolates along the width, then along the height.
fn bilinear(input: &ArrayView4<'_, f32>, size: [usize; 2], coordinates: Coordinates) -> Outcome {
    let (batch, height, width, channels) = input.dim();
    if height == 0 || width == 0 {
        return Err(Problem::Operand { index: 0, expected: "a map with pixels" });
    }
    let (rows, columns) = (sources(height, size[0], coordinates), sources(width, size[1], coordinates));
    let shape = [batch, size[0], size[1], channels];
    let mut output = buffer("resize", &shape)?;
    for image in input.outer_iter() {
        for row in &rows {
            for column in &columns {
                output.extend((0..channels).map(|c| {
                    let along_width =
                        |y: usize| column.interpolate(image[[y, column.low, c]], image[[y, column.high, c]]);
                    row.interpolate(along_width(row.low), along_width(row.high))
                }));
            }
        }
    }
    Array4::from_shape_vec(shape, output).map(Tensor::from).map_err(|error| Problem::Shapes(error.to_string()))
}
