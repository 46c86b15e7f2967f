//! The `nn` dialect in single precision.

mod convolution;
mod elementwise;
mod fix;
mod index;
mod matmul;
mod normalise;
mod pool;
mod reduce;
mod resize;
mod window;

use dpuc_dialects::Attribute;
use dpuc_kernels::reference::real::{RealFunction, softmax};
use dpuc_kernels::reference::rearrange::{concatenate, reshape};
use dpuc_kernels::reference::reduce::argmax;
use ndarray::ArrayViewD;

pub use resize::sampling;

use crate::error::Problem;
use crate::movement;
use crate::operation::{Operation, Outcome};

/// Evaluates the operation `nn.<name>`.
pub(crate) fn evaluate(name: &str, op: Operation<'_>) -> Outcome {
    match name {
        "constant" => op.constant(),
        "fix" => fix::fix(op),
        "conv2d" => convolution::dense(op, false),
        "transposed_conv2d" => convolution::dense(op, true),
        "depthwise_conv2d" => convolution::depthwise(op, false),
        "transposed_depthwise_conv2d" => convolution::depthwise(op, true),
        "matmul" => convolution::matmul(op),
        "batch_matmul" => matmul::batch_matmul(op),
        "max_pool" => pool::max(op),
        "avg_pool" => pool::average(op),
        "relu" => elementwise::map(op, |x| x.max(0.0)),
        "relu6" => elementwise::map(op, |x| x.clamp(0.0, 6.0)),
        "leaky_relu" => {
            let alpha = op.float("alpha")? as f32;
            elementwise::map(op, |x| if x < 0.0 { alpha * x } else { x })
        }
        "prelu" => elementwise::broadcast(op, |x, slope| if x < 0.0 { slope * x } else { x }),
        "hard_sigmoid" => elementwise::map(op, hard_sigmoid),
        "hard_swish" => elementwise::map(op, |x| x * hard_sigmoid(x)),
        "sigmoid" => elementwise::map(op, |x| 1.0 / (1.0 + (-x).exp())),
        "tanh" => elementwise::map(op, f32::tanh),
        "softmax" => Ok(softmax(&op.floats(0)?.view(), op.integer("axis")?)?.into()),
        "layer_norm" => normalise::layer_norm(op),
        "elu" => {
            let alpha = op.float("alpha")?;
            elementwise::map(op, |x| if x < 0.0 { (alpha * f64::from(x).exp_m1()) as f32 } else { x })
        }
        "clip" => {
            let bound = |name| op.ir.float(op.op, name).map(|bound| bound as f32);
            let (min, max) = (bound("min"), bound("max"));
            elementwise::map(op, |x| {
                let x = min.map_or(x, |min| x.max(min));
                max.map_or(x, |max| x.min(max))
            })
        }
        "exp" => elementwise::real(op, RealFunction::Exp),
        "log" => elementwise::real(op, RealFunction::Log),
        "erf" => elementwise::real(op, RealFunction::Erf),
        "silu" => elementwise::real(op, RealFunction::Silu),
        "mish" => elementwise::real(op, RealFunction::Mish),
        "softplus" => elementwise::real(op, RealFunction::Softplus),
        "sin" => elementwise::real(op, RealFunction::Sin),
        "cos" => elementwise::real(op, RealFunction::Cos),
        "gelu" => match op.text("approximate")? {
            "none" => elementwise::real(op, RealFunction::Gelu),
            "tanh" => elementwise::real(op, RealFunction::GeluTanh),
            _ => Err(Problem::Attribute("approximate")),
        },
        "sqrt" => elementwise::map(op, f32::sqrt),
        "abs" => elementwise::map(op, f32::abs),
        "floor" => elementwise::map(op, f32::floor),
        "ceil" => elementwise::map(op, f32::ceil),
        "round" => elementwise::map(op, f32::round_ties_even),
        "pow" => elementwise::broadcast(op, |x, y| f64::from(x).powf(f64::from(y)) as f32),
        "compare" => {
            let holds: fn(&f32, &f32) -> bool = match op.text("predicate")? {
                "eq" => f32::eq,
                "ne" => f32::ne,
                "lt" => f32::lt,
                "le" => f32::le,
                "gt" => f32::gt,
                "ge" => f32::ge,
                _ => return Err(Problem::Attribute("predicate")),
            };
            elementwise::broadcast(op, |x, y| f32::from(u8::from(holds(&x, &y))))
        }
        "select" => elementwise::select(op),
        "broadcast" => Ok(elementwise::broadcast_operand(op, 0)?.to_owned().into()),
        "gather" => index::gather(op),
        "add" => elementwise::broadcast(op, |x, y| x + y),
        "sub" => elementwise::broadcast(op, |x, y| x - y),
        "mul" => elementwise::broadcast(op, |x, y| x * y),
        "div" => elementwise::broadcast(op, |x, y| x / y),
        "max" => elementwise::broadcast(op, f32::max),
        "min" => elementwise::broadcast(op, f32::min),
        "concat" => {
            let inputs = (0..op.operands.len()).map(|index| Ok(op.floats(index)?.view()));
            let inputs: Vec<ArrayViewD<'_, f32>> = inputs.collect::<Outcome<_>>()?;
            Ok(concatenate(&inputs, op.integer("axis")?)?.into())
        }
        "reshape" => Ok(reshape(&op.floats(0)?.view(), &op.result_shape()?)?.into()),
        "transpose" => Ok(movement::permuted(op, &op.floats(0)?.view())?.into()),
        "resize" => resize::resize(op),
        "pad" => {
            let value = op.ir.attribute(op.op, "value").and_then(Attribute::as_float).unwrap_or(0.0);
            Ok(movement::padded(op, &op.floats(0)?.view(), value as f32)?.into())
        }
        "strided_slice" => Ok(movement::sliced(op, &op.floats(0)?.view())?.into()),
        "space_to_depth" => Ok(movement::deepened(op, &op.float_map(0)?)?.into()),
        "depth_to_space" => Ok(movement::spread(op, &op.float_map(0)?)?.into()),
        "reduce_mean" => reduce::mean(op),
        "reduce_max" => reduce::max(op),
        "reduce_min" => reduce::min(op),
        "reduce_sum" => reduce::sum(op),
        "argmax" => {
            let indices = argmax(&op.floats(0)?.view(), op.integer("axis")?)?;
            Ok(reshape(&indices.mapv(|index| index as f32).view(), &op.result_shape()?)?.into())
        }
        _ => Err(Problem::NoEvaluator),
    }
}

fn hard_sigmoid(x: f32) -> f32 {
    (x + 3.0).clamp(0.0, 6.0) / 6.0
}
