//! `int8` operations as `-fix` operators (`spec/xmodel.md` section 3.5).

use std::ops::Range;

use dpuc_dialects::dialects::int8;
use dpuc_dialects::{Ir, OpId, ValueId};
use dpuc_xmodel::{Attr, AttrMap};

use super::attributes::{dims, int32_list, pad_order, width_first, width_first_floats};
use super::movement::movement_form;
use crate::operator::Window;
use crate::partition::is_convolution;

/// Type, attributes and arguments of an operator.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) kind: &'static str,
    pub(super) attrs: AttrMap,
    /// Arguments in order, with the operands that feed them.
    pub(super) args: Vec<(&'static str, Range<usize>)>,
}

impl Form {
    pub(super) fn new(kind: &'static str) -> Self {
        Self { kind, attrs: AttrMap::new(), args: vec![("input", 0..1)] }
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<Attr>) -> Self {
        self.attrs.insert(name.to_owned(), value.into());
        self
    }

    pub(super) fn args(mut self, args: impl IntoIterator<Item = (&'static str, Range<usize>)>) -> Self {
        self.args = args.into_iter().collect();
        self
    }
}

/// Unused fields of convolutions have this value.
const UNUSED: i32 = -128;

/// The operator that stands for an `int8` operation; the reason if there is none.
pub(super) fn fixed_form(ir: &Ir, op: OpId) -> Result<Form, String> {
    let operands = int8::inputs(ir, op).len();
    if is_convolution(ir, op) {
        return convolution(ir, op);
    }
    if let Some(form) = movement_form(ir, op) {
        return form;
    }
    match ir.op_name(op) {
        "int8.max_pool" => pool(ir, op, "MAX"),
        "int8.avg_pool" => pool(ir, op, "AVG"),
        "int8.add" => Ok(elementwise(ir, op, "ADD")?.args([("input", 0..operands)])),
        "int8.sub" => Ok(elementwise(ir, op, "SUB")?.args([("input", 0..operands)])),
        "int8.max" => Ok(plain_elementwise("MAX").args([("input", 0..operands)])),
        "int8.min" => Ok(plain_elementwise("MIN").args([("input", 0..operands)])),
        "int8.prelu" => Ok(plain_elementwise("PRELU").args([("input", 0..operands)])),
        "int8.channel_mul" => Ok(Form::new("depthwise-fix").with("type", "MUL").args([("input", 0..operands)])),
        "int8.channel_add" => Ok(Form::new("depthwise-fix").with("type", "ADD").args([("input", 0..operands)])),
        "int8.reduce_mean" => reduction(ir, op, "reduction_mean-fix"),
        "int8.reduce_max" => reduction(ir, op, "reduction_max-fix"),
        "int8.reduce_sum" => reduction(ir, op, "reduction_sum-fix"),
        "int8.argmax" => Ok(Form::new("argmax-fix").with("axis", int(ir, op, "axis")?)),
        "int8.mul" => Ok(elementwise(ir, op, "MUL")?.args([("input", 0..operands)])),
        // A sum of one operand; only the CPU has the separate ReLU6.
        "int8.requantise" if ir.str(op, "activation") == Some("relu6") => Ok(plain_elementwise("RELU6")),
        "int8.requantise" => elementwise(ir, op, "ADD"),
        "int8.leaky_relu" => Ok(plain_elementwise("LEAKY-RELU")
            .with("prelu_in", int(ir, op, "multiplier")?)
            .with("prelu_shift", int(ir, op, "shift")?)),
        "int8.concat" => Ok(Form::new("concat-fix").with("axis", int(ir, op, "axis")?).args([("input", 0..operands)])),
        "int8.reshape" => Ok(Form::new("reshape-fix").with("shape", result_dims(ir, op)?)),
        "int8.upsample" => {
            let mode = if ir.str(op, "mode") == Some("bilinear") { "BILINEAR" } else { "NEAREST" };
            resample(ir, op, "upsample-fix", mode)
        }
        "int8.downsample" => resample(ir, op, "downsample-fix", "NEAREST"),
        "int8.hard_sigmoid" => {
            let fix = |value| ir.fix_of(value).ok_or("its values have no fix point");
            let (input, output) = (fix(ir.operand(op, 0))?, fix(ir.result(op))?);
            let shift = 14i32.saturating_add(input).saturating_sub(output);
            Ok(Form::new("hard-sigmoid-fix").with("hsigmoid_in", input).with("shift_hsigmoid", shift))
        }
        name => Err(format!("`{name}` has no fixed-point operator")),
    }
}

fn convolution(ir: &Ir, op: OpId) -> Result<Form, String> {
    let kind = match ir.op_name(op) {
        "int8.depthwise_conv2d" => "depthwise-conv2d-fix",
        "int8.transposed_conv2d" => "transposed-conv2d-fix",
        "int8.transposed_depthwise_conv2d" => "transposed-depthwise-conv2d-fix",
        _ => "conv2d-fix",
    };
    let window = window(ir, op)?;
    let (in_dim, out_dim) = (channels(ir, op, 0)?, result_dims(ir, op)?.last().copied().unwrap_or_default());
    let group = if kind.contains("depthwise") { in_dim } else { int(ir, op, "groups").unwrap_or(1) };
    let has_bias = ir.operands(op).len() > 2;
    let nonlinear = match ir.str(op, "activation") {
        Some("relu") => "RELU",
        Some("relu6") => "RELU6",
        Some("leaky_relu") => "LEAKYRELU",
        _ => "NONE",
    };
    let form = Form::new(kind)
        .with("kernel", width_first(window.kernel))
        .with("stride", width_first(window.strides))
        .with("dilation", width_first(window.dilations))
        .with("pad", pad_order(window.pads))
        .with("pad_mode", "FLOOR")
        .with("nonlinear", nonlinear)
        .with("group", group)
        .with("in_dim", in_dim)
        .with("out_dim", out_dim)
        .with("bias_term", has_bias)
        .with("hsigmoid_in", UNUSED)
        .with("shift_hsigmoid", UNUSED)
        .with("shift_hswish", UNUSED);
    let form = if nonlinear == "LEAKYRELU" { form.with("LEAKYRELU_alpha", 26.0f32 / 256.0) } else { form };
    let args = [("input", 0..1), ("weights", 1..2), ("bias", 2..3)];
    Ok(form.args(args.into_iter().take(if has_bias { 3 } else { 2 })))
}

fn pool(ir: &Ir, op: OpId, kind: &str) -> Result<Form, String> {
    let window = window(ir, op)?;
    Ok(Form::new("pool-fix")
        .with("type", kind)
        .with("kernel", width_first(window.kernel))
        .with("stride", width_first(window.strides))
        .with("pad", pad_order(window.pads)))
}

fn elementwise(ir: &Ir, op: OpId, kind: &str) -> Result<Form, String> {
    let nonlinear = match ir.str(op, "activation") {
        Some("relu") => "RELU",
        Some("none") => "NONE",
        other => return Err(format!("the activation {other:?} of `{}` is not known", ir.op_name(op))),
    };
    Ok(Form::new("eltwise-fix").with("type", kind).with("nonlinear", nonlinear))
}

/// An elementwise operator without activation.
fn plain_elementwise(kind: &str) -> Form {
    Form::new("eltwise-fix").with("type", kind).with("nonlinear", "NONE")
}

fn reduction(ir: &Ir, op: OpId, kind: &'static str) -> Result<Form, String> {
    let axes = ir.ints(op, "axes").and_then(|axes| int32_list(&axes)).ok_or("its axes cannot be read")?;
    let keep_dims = ir.bool(op, "keep_dims").ok_or("its keep_dims cannot be read")?;
    Ok(Form::new(kind).with("axis", axes).with("keep_dims", keep_dims))
}

fn resample(ir: &Ir, op: OpId, kind: &'static str, mode: &str) -> Result<Form, String> {
    let scale = ir.int_array::<2>(op, "scale").ok_or("its scale cannot be read")?;
    let flag = |name| ir.bool(op, name).unwrap_or(false);
    Ok(Form::new(kind)
        .with("mode", mode)
        .with("align_corners", flag("align_corners"))
        .with("half_pixel_centers", flag("half_pixel"))
        .with("scale", width_first_floats(scale.map(|factor| factor as f32)))
        .args([("input", 0..1), ("size", 1..1)]))
}

/// The window with the padding the compiled form has: none that no position reaches.
pub(super) fn window(ir: &Ir, op: OpId) -> Result<Window, String> {
    let window = Window::of(ir, op).map_err(|reason| reason.to_string())?;
    let shapes = (ir.shape_of(ir.operand(op, 0)), ir.shape_of(ir.result(op)));
    match shapes {
        _ if ir.op_name(op).contains("transposed") => Ok(window),
        (Some(input), Some(output)) if input.len() == 4 && output.len() == 4 => {
            Ok(window.without_unused_pads([input[1], input[2]], [output[1], output[2]]))
        }
        _ => Err("its maps have not four dimensions".to_owned()),
    }
}

pub(super) fn int(ir: &Ir, op: OpId, name: &str) -> Result<i32, String> {
    let value = ir.int(op, name).and_then(|value| i32::try_from(value).ok());
    value.ok_or_else(|| format!("its {name} is no 32-bit integer"))
}

/// The result's dimensions.
pub(super) fn result_dims(ir: &Ir, op: OpId) -> Result<Vec<i32>, String> {
    value_dims(ir, ir.result(op))
}

/// The dimensions of a result.
pub(super) fn value_dims(ir: &Ir, result: ValueId) -> Result<Vec<i32>, String> {
    let shape = ir.shape_of(result);
    shape.and_then(|shape| dims(&shape)).ok_or_else(|| "its result has no dimensions of 31 bits".to_owned())
}

fn channels(ir: &Ir, op: OpId, operand: usize) -> Result<i32, String> {
    let shape = ir.shape_of(ir.operand(op, operand)).and_then(|shape| dims(&shape));
    shape.and_then(|dims| dims.last().copied()).ok_or_else(|| "its input has no channels".to_owned())
}
