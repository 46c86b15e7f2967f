//! Convolutions and the matrix product. Sums are in double precision, which is exact for the products of a quantised graph.

use ndarray::{Array4, ArrayD, ArrayView1, Axis, Ix1, Ix2};

use super::window::{Tap, buffer, taps};
use crate::error::Problem;
use crate::operation::{Operation, Outcome};
use crate::tensor::Tensor;

/// `nn.conv2d` and `nn.transposed_conv2d`: weights `[out, kernel_h, kernel_w, in]`.
pub(super) fn dense(op: Operation<'_>, transposed: bool) -> Outcome {
    let (input, weights) = (op.float_map(0)?, op.float_map(1)?);
    let (batch, height, width, channels) = input.dim();
    let (outputs, kernel_h, kernel_w, depth) = weights.dim();
    let groups: usize = if transposed { 1 } else { op.integer("groups")? };
    if depth.checked_mul(groups) != Some(channels) || groups == 0 || !outputs.is_multiple_of(groups) {
        return Err(Problem::Shapes(format!("weights for {groups} times {depth} channels on a map of {channels}")));
    }
    let bias = Bias::of(op, outputs)?;
    let [rows, columns] = taps(op, input.shape(), [kernel_h, kernel_w], transposed)?;
    let shape = [batch, rows.len(), columns.len(), outputs];
    let mut output = buffer("conv2d", &shape)?;
    let (input, weights) = (input.as_standard_layout(), weights.as_standard_layout());
    let (pixels, filters) = (slice(&input), slice(&weights));
    let (image, filter) = (height * width * channels, kernel_h * kernel_w * depth);
    // Offsets of the channel vectors that meet, in the image and in a filter.
    let mut meetings: Vec<(usize, usize)> = Vec::new();
    for image in pixels.chunks_exact(image.max(1)) {
        for row in &rows {
            for column in &columns {
                meetings.clear();
                for_each_pair(row, column, |row, column| {
                    let pixel = row.input * width + column.input;
                    meetings.push((pixel * channels, (row.kernel * kernel_w + column.kernel) * depth));
                });
                for o in 0..outputs {
                    let filter = &filters[o * filter..][..filter];
                    let first = o / (outputs / groups) * depth;
                    let dot = |&(pixel, tap): &(usize, usize)| {
                        dot(&image[pixel + first..][..depth], &filter[tap..tap + depth])
                    };
                    output.push(bias.plus(o, meetings.iter().map(dot).sum()));
                }
            }
        }
    }
    tensor(shape, output)
}

/// `nn.depthwise_conv2d` and `nn.transposed_depthwise_conv2d`: weights `[1, kernel_h, kernel_w, channels]`.
pub(super) fn depthwise(op: Operation<'_>, transposed: bool) -> Outcome {
    let (input, weights) = (op.float_map(0)?, op.float_map(1)?);
    let (batch, height, width, channels) = input.dim();
    let (multiplier, kernel_h, kernel_w, depth) = weights.dim();
    if (multiplier, depth) != (1, channels) {
        return Err(Problem::Shapes(format!("weights [{multiplier}, …, {depth}] on a map of {channels} channels")));
    }
    let bias = Bias::of(op, channels)?;
    let [rows, columns] = taps(op, input.shape(), [kernel_h, kernel_w], transposed)?;
    let shape = [batch, rows.len(), columns.len(), channels];
    let mut output = buffer("depthwise_conv2d", &shape)?;
    let (input, weights) = (input.as_standard_layout(), weights.as_standard_layout());
    let (pixels, taps) = (slice(&input), slice(&weights));
    let mut sums = vec![0f64; channels];
    for image in pixels.chunks_exact((height * width * channels).max(1)) {
        for row in &rows {
            for column in &columns {
                sums.fill(0.0);
                for_each_pair(row, column, |row, column| {
                    let pixel = &image[(row.input * width + column.input) * channels..][..channels];
                    let tap = &taps[(row.kernel * kernel_w + column.kernel) * channels..][..channels];
                    for ((sum, &x), &w) in sums.iter_mut().zip(pixel).zip(tap) {
                        *sum += f64::from(x) * f64::from(w);
                    }
                });
                output.extend(sums.iter().enumerate().map(|(channel, &sum)| bias.plus(channel, sum)));
            }
        }
    }
    tensor(shape, output)
}

/// `nn.matmul`: rows of the input times a matrix, `[out, in]` if `transpose_b`, else `[in, out]`.
pub(super) fn matmul(op: Operation<'_>) -> Outcome {
    let input = op.floats(0)?;
    let weights = op.floats(1)?.view().into_dimensionality::<Ix2>();
    let weights = weights.map_err(|_| Problem::Operand { index: 1, expected: "a matrix of floats" })?;
    let weights = if op.flag("transpose_b")? { weights } else { weights.reversed_axes() };
    let (outputs, depth) = weights.dim();
    if input.shape().last() != Some(&depth) {
        let found = input.shape().last().copied().unwrap_or(0);
        return Err(Problem::Shapes(format!("rows of {found} elements times a matrix for {depth}")));
    }
    let bias = Bias::of(op, outputs)?;
    let mut shape = input.shape().to_vec();
    shape[input.ndim() - 1] = outputs;
    let mut output = buffer("matmul", &shape)?;
    let (input, weights) = (input.as_standard_layout(), weights.as_standard_layout());
    for row in input.lanes(Axis(input.ndim() - 1)) {
        for (o, filter) in weights.rows().into_iter().enumerate() {
            let products = row.iter().zip(filter).map(|(&x, &w)| f64::from(x) * f64::from(w));
            output.push(bias.plus(o, products.sum()));
        }
    }
    ArrayD::from_shape_vec(shape, output).map(Tensor::F32).map_err(|error| Problem::Shapes(error.to_string()))
}

/// The bias of each output channel, if there is one.
struct Bias<'a>(Option<ArrayView1<'a, f32>>);

impl<'a> Bias<'a> {
    fn of(op: Operation<'a>, channels: usize) -> Outcome<Self> {
        if op.operands.len() <= 2 {
            return Ok(Self(None));
        }
        match op.floats(2)?.view().into_dimensionality::<Ix1>() {
            Ok(bias) if bias.len() == channels => Ok(Self(Some(bias))),
            _ => Err(Problem::Operand { index: 2, expected: "a vector of one float per output channel" }),
        }
    }

    fn plus(&self, channel: usize, sum: f64) -> f32 {
        self.0.as_ref().map_or(sum, |bias| sum + f64::from(bias[channel])) as f32
    }
}

fn for_each_pair(rows: &[Tap], columns: &[Tap], mut visit: impl FnMut(Tap, Tap)) {
    for &row in rows {
        for &column in columns {
            visit(row, column);
        }
    }
}

/// Sum of products in lanes, so that it vectorises; the order of the sum is fixed.
fn dot(a: &[f32], b: &[f32]) -> f64 {
    const LANES: usize = 8;
    let mut lanes = [0f64; LANES];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            lanes[lane] += f64::from(a[lane]) * f64::from(b[lane]);
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
    lanes.iter().sum::<f64>() + rest
}

/// Elements of an array in standard layout.
fn slice<'a, D: ndarray::Dimension>(array: &'a ndarray::CowArray<'_, f32, D>) -> &'a [f32] {
    array.as_slice().unwrap_or_default()
}

fn tensor(shape: [usize; 4], elements: Vec<f32>) -> Outcome {
    Array4::from_shape_vec(shape, elements).map(Tensor::from).map_err(|error| Problem::Shapes(error.to_string()))
}
