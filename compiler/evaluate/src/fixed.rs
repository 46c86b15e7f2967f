//! The `int8` dialect, by the reference kernels.

use dpuc_dialects::dialects::int8;
use dpuc_kernels::reference::KernelError;
use dpuc_kernels::reference::activation::{Activation, activate, hard_sigmoid, prelu};
use dpuc_kernels::reference::conv::{Conv2dParams, Fix, conv2d, depthwise_conv2d, grouped_conv2d};
use dpuc_kernels::reference::eltwise::{
    Operand, channel_add, channel_scale, elementwise_add, elementwise_max, elementwise_min, elementwise_mul,
    elementwise_sub,
};
use dpuc_kernels::reference::pool::{Pool2dParams, avg_pool, max_pool};
use dpuc_kernels::reference::rearrange::{concat, reshape};
use dpuc_kernels::reference::reduce::{Reduction, argmax, reduce_max, reduce_mean, reduce_sum};
use dpuc_kernels::reference::resize::{downsample, resize_bilinear, resize_nearest};
use dpuc_kernels::reference::round::{Rescale, RoundMode, dequantise_all, quantise_all};
use dpuc_kernels::reference::sampling::Coordinates;
use dpuc_kernels::reference::transposed_conv::{transposed_conv2d, transposed_depthwise_conv2d};

use ndarray::{ArrayD, ArrayViewD};

use crate::error::Problem;
use crate::movement;
use crate::operation::{Operation, Outcome};
use crate::tensor::Tensor;

/// Evaluates an operation of the `int8` dialect.
pub(crate) fn evaluate(op: Operation<'_>) -> Outcome {
    match op.ir.op_name(op.op) {
        "int8.constant" => op.constant(),
        "int8.quantise" => Ok(quantise_all(&op.floats(0)?.view(), op.result_fix()?, RoundMode::HalfUp).into()),
        "int8.dequantise" => Ok(dequantise_all(&op.codes(0)?, op.fix(0)?).into()),
        "int8.requantise" => Ok(activate(&op.codes(0)?, activation(op)?, op.rescale()?).into()),
        "int8.conv2d" | "int8.depthwise_conv2d" | "int8.transposed_conv2d" | "int8.transposed_depthwise_conv2d" => {
            convolution(op)
        }
        "int8.max_pool" => Ok(max_pool(&op.code_map(0)?, &pool(op)?)?.into()),
        "int8.avg_pool" => Ok(avg_pool(&op.code_map(0)?, &pool(op)?)?.into()),
        "int8.add" => Ok(elementwise_add(&fixed_operands(op)?, is_rectified(op)?, op.result_fix()?)?.into()),
        "int8.sub" => Ok(elementwise_sub(&fixed_operands(op)?, is_rectified(op)?, op.result_fix()?)?.into()),
        "int8.max" => Ok(elementwise_max(&fixed_operands(op)?, false, op.result_fix()?)?.into()),
        "int8.min" => Ok(elementwise_min(&fixed_operands(op)?, false, op.result_fix()?)?.into()),
        "int8.channel_mul" => Ok(channel_scale(&op.codes(0)?, &op.code_vector(1)?, op.fix(1)?, op.rescale()?)?.into()),
        "int8.channel_add" => Ok(channel_add(&op.codes(0)?, &op.code_vector(1)?, op.fix(1)?, op.rescale()?)?.into()),
        "int8.mul" => {
            let operands: [Operand<'_>; 2] = fixed_operands(op)?
                .try_into()
                .map_err(|_| Problem::Operand { index: 1, expected: "the last of two" })?;
            Ok(elementwise_mul(&operands, is_rectified(op)?, op.result_fix()?)?.into())
        }
        "int8.concat" => Ok(concat(&fixed_operands(op)?, op.integer("axis")?, op.result_fix()?)?.into()),
        "int8.reshape" => Ok(reshape(&op.codes(0)?, &op.result_shape()?)?.into()),
        "int8.transpose" => Ok(movement::permuted(op, &op.codes(0)?)?.into()),
        "int8.strided_slice" => Ok(movement::sliced(op, &op.codes(0)?)?.into()),
        "int8.pad" => Ok(movement::padded(op, &op.codes(0)?, op.integer("value")?)?.into()),
        "int8.space_to_depth" => Ok(movement::deepened(op, &op.code_map(0)?)?.into()),
        "int8.depth_to_space" => Ok(movement::spread(op, &op.code_map(0)?)?.into()),
        "int8.upsample" => upsample(op),
        "int8.downsample" => {
            let scale = op.sizes::<2>("scale")?.map(|factor| factor as f32);
            Ok(op.rescale()?.apply(&downsample(&op.code_map(0)?, scale)?.view()).into())
        }
        "int8.hard_sigmoid" => Ok(hard_sigmoid(&op.codes(0)?, op.rescale()?)?.into()),
        "int8.leaky_relu" => {
            let slope = Activation::PRelu { multiplier: op.integer("multiplier")?, shift: op.integer("shift")? };
            Ok(activate(&op.codes(0)?, slope, op.rescale()?).into())
        }
        "int8.prelu" => Ok(prelu(&op.codes(0)?, &op.code_vector(1)?, op.fix(1)?, op.rescale()?)?.into()),
        "int8.reduce_mean" => reduction(op, reduce_mean),
        "int8.reduce_max" => reduction(op, reduce_max),
        "int8.reduce_sum" => reduction(op, reduce_sum),
        "int8.argmax" => {
            let indices = argmax(&op.codes(0)?, op.integer("axis")?)?;
            if indices.iter().any(|&index| i8::try_from(index).is_err()) {
                return Err(Problem::Attribute("axis"));
            }
            Ok(reshape(&indices.mapv(|index| index as i8).view(), &op.result_shape()?)?.into())
        }
        _ => Err(Problem::NoEvaluator),
    }
}

type Reduce = fn(&ArrayViewD<'_, i8>, Reduction<'_>, Rescale) -> Result<ArrayD<i8>, KernelError>;

fn reduction(op: Operation<'_>, reduce: Reduce) -> Outcome {
    let (axes, keep_dims) = (op.size_list("axes")?, op.flag("keep_dims")?);
    Ok(reduce(&op.codes(0)?, Reduction { axes: &axes, keep_dims }, op.rescale()?)?.into())
}

impl Operation<'_> {
    /// Fix points of the first operand and the result.
    fn rescale(self) -> Outcome<Rescale> {
        Ok(Rescale { input: self.fix(0)?, output: self.result_fix()? })
    }
}

fn activation(op: Operation<'_>) -> Outcome<Activation> {
    match op.text("activation")? {
        "none" => Ok(Activation::None),
        "relu" => Ok(Activation::Relu),
        "relu6" => Ok(Activation::Relu6),
        "leaky_relu" => Ok(Activation::LeakyRelu),
        _ => Err(Problem::Attribute("activation")),
    }
}

/// Whether an elementwise operation has a ReLU.
fn is_rectified(op: Operation<'_>) -> Outcome<bool> {
    match activation(op)? {
        Activation::None => Ok(false),
        Activation::Relu => Ok(true),
        _ => Err(Problem::Attribute("activation")),
    }
}

fn convolution(op: Operation<'_>) -> Outcome {
    let transposed = matches!(op.ir.op_name(op.op), "int8.transposed_conv2d" | "int8.transposed_depthwise_conv2d");
    let bias = op.optional_code_vector(2)?;
    let params = Conv2dParams {
        strides: op.sizes("strides")?,
        dilations: if transposed { [1, 1] } else { op.sizes("dilations")? },
        pads: op.sizes("pads")?,
        fix: Fix {
            input: op.fix(0)?,
            weights: op.fix(1)?,
            bias: if bias.is_some() { op.fix(2)? } else { 0 },
            output: op.result_fix()?,
        },
        activation: activation(op)?,
    };
    if op.ir.int(op.op, "groups").is_some_and(|groups| groups != 1) {
        let groups = op.integer("groups")?;
        return Ok(grouped_conv2d(&op.code_map(0)?, &op.code_map(1)?, bias, groups, &params)?.into());
    }
    let kernel = match op.ir.op_name(op.op) {
        "int8.conv2d" => conv2d,
        "int8.depthwise_conv2d" => depthwise_conv2d,
        "int8.transposed_conv2d" => transposed_conv2d,
        _ => transposed_depthwise_conv2d,
    };
    Ok(kernel(&op.code_map(0)?, &op.code_map(1)?, bias, &params)?.into())
}

fn pool(op: Operation<'_>) -> Outcome<Pool2dParams> {
    Ok(Pool2dParams {
        kernel: op.sizes("kernel")?,
        strides: op.sizes("strides")?,
        pads: op.sizes("pads")?,
        fix: op.rescale()?,
    })
}

fn fixed_operands(op: Operation<'_>) -> Outcome<Vec<Operand<'_>>> {
    (0..int8::inputs(op.ir, op.op).len())
        .map(|index| Ok(Operand { values: op.codes(index)?, fix: op.fix(index)? }))
        .collect()
}

/// Where the pixels of a resized map lie on the input.
fn coordinates(op: Operation<'_>) -> Outcome<Coordinates> {
    Ok(match (op.flag("align_corners")?, op.flag("half_pixel")?) {
        (true, _) => Coordinates::AlignCorners,
        (false, true) => Coordinates::HalfPixel,
        (false, false) => Coordinates::Asymmetric,
    })
}

fn upsample(op: Operation<'_>) -> Outcome {
    let (input, size, coordinates, rescale) = (op.code_map(0)?, op.result_size()?, coordinates(op)?, op.rescale()?);
    match op.text("mode")? {
        "nearest" => Ok(Tensor::from(rescale.apply(&resize_nearest(&input, size, coordinates)?.view()))),
        "bilinear" => Ok(resize_bilinear(&input, size, coordinates, rescale)?.into()),
        _ => Err(Problem::Attribute("mode")),
    }
}
