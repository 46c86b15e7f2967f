//! `nn` operations as float operators (`spec/xmodel.md` sections 1.8 and 2.1).

use dpuc_dialects::{Attribute, Ir, OpId};
use dpuc_xmodel::{Attr, AttrMap};

use super::attributes::{int32_list, pad_order, width_first, width_first_floats};
use super::fixed::{Form, result_dims, window};
use super::movement::movement_form;

/// The operator that stands for an `nn` operation other than a constant or `nn.custom`; the reason if there is none.
///
/// What the format has no operator for becomes one of this project's own: of the operation's name, with its attributes and all operands as
/// `input`. The importer takes it back; AMD's tools do not run the CPU's part of a file in any case.
pub(super) fn float_form(ir: &Ir, op: OpId) -> Result<Form, String> {
    framework_form(ir, op).or_else(|reason| own_form(ir, op).ok_or(reason))
}

fn own_form(ir: &Ir, op: OpId) -> Option<Form> {
    let definition = ir.definition(op).filter(|definition| definition.name.starts_with("nn."))?;
    let &[_] = ir.results(op) else { return None };
    let exact = |value: &Attribute| match value {
        Attribute::Float(value, _) => Some(Attr::Double(*value)),
        value => value.as_floats().map(Attr::DoubleVec).or_else(|| custom_value(ir, value)),
    };
    let attributes = ir.attributes(op).iter();
    let attrs =
        attributes.map(|(name, value)| Some((ir.text(*name).to_owned(), exact(value)?))).collect::<Option<_>>()?;
    Some(Form { attrs, ..Form::new(definition.name).args([("input", 0..ir.operands(op).len())]) })
}

fn framework_form(ir: &Ir, op: OpId) -> Result<Form, String> {
    if let Some(form) = movement_form(ir, op) {
        return form;
    }
    let operands = ir.operands(op).len();
    let kind = match ir.op_name(op) {
        "nn.fix" => return fix(ir, op),
        "nn.conv2d" => return convolution(ir, op, "conv2d"),
        "nn.depthwise_conv2d" => return convolution(ir, op, "depthwise-conv2d"),
        "nn.transposed_conv2d" => return convolution(ir, op, "transposed-conv2d"),
        "nn.transposed_depthwise_conv2d" => return convolution(ir, op, "transposed-depthwise-conv2d"),
        "nn.matmul" => {
            let form = Form::new("matmul").with("transpose_a", false).with("transpose_b", flag(ir, op, "transpose_b"));
            let args = [("input", 0..2), ("bias", 2..3)];
            return Ok(form.args(args.into_iter().take(operands - 1)));
        }
        "nn.max_pool" => return Ok(pool(ir, op, "maxpool2d")?.with("global", false)),
        "nn.avg_pool" => {
            let form = pool(ir, op, "avgpool2d")?.with("global", false);
            let counts_padding = !flag(ir, op, "exclude_padding");
            return Ok(form.with("count_include_pad", counts_padding).with("count_include_invalid", counts_padding));
        }
        "nn.leaky_relu" => {
            let alpha = ir.attribute(op, "alpha").and_then(Attribute::as_float).ok_or("its slope is no number")?;
            return Ok(Form::new("leaky-relu").with("alpha", alpha as f32));
        }
        "nn.prelu" => return Ok(Form::new("prelu").args([("input", 0..1), ("weight", 1..2)])),
        "nn.softmax" => return Ok(Form::new("softmax").with("axis", axis(ir, op)?)),
        "nn.argmax" => return Ok(Form::new("argmax").with("axis", axis(ir, op)?)),
        "nn.concat" => return Ok(Form::new("concat").with("axis", axis(ir, op)?).args([("input", 0..operands)])),
        "nn.reshape" => return Ok(Form::new("reshape").with("shape", result_dims(ir, op)?)),
        "nn.resize" => return resize(ir, op),
        "nn.reduce_mean" => return reduction(ir, op, "reduction_mean"),
        "nn.reduce_max" => return reduction(ir, op, "reduction_max"),
        "nn.reduce_sum" => return reduction(ir, op, "reduction_sum"),
        "nn.relu" => "relu",
        "nn.relu6" => "relu6",
        "nn.hard_sigmoid" => "hard-sigmoid",
        "nn.hard_swish" => "hard-swish",
        "nn.sigmoid" => "sigmoid",
        "nn.tanh" => "tanh",
        "nn.add" => "add",
        "nn.sub" => "sub",
        "nn.mul" => "mul",
        "nn.div" => "div",
        "nn.max" => "max",
        "nn.min" => "min",
        name => return Err(format!("`{name}` has no operator in the format")),
    };
    Ok(Form::new(kind).args([("input", 0..operands)]))
}

fn fix(ir: &Ir, op: OpId) -> Result<Form, String> {
    let mode = match ir.str(op, "round_mode") {
        Some("dpu") => "DPU_ROUND",
        Some("std") => "STD_ROUND",
        Some("py3") => "PY3_ROUND",
        other => return Err(format!("its round mode {other:?} is not known")),
    };
    Ok(Form::new("fix")
        .with("fix_point", int(ir, op, "fix_point")?)
        .with("bit_width", int(ir, op, "bit_width")?)
        .with("if_signed", flag(ir, op, "signed"))
        .with("round_mode", mode))
}

fn convolution(ir: &Ir, op: OpId, kind: &'static str) -> Result<Form, String> {
    let window = window(ir, op)?;
    let channels = |value| ir.shape_of(value).and_then(|shape| shape.last().copied()).unwrap_or_default() as i32;
    let (in_dim, out_dim) = (channels(ir.operand(op, 0)), channels(ir.result(op)));
    let has_bias = ir.operands(op).len() > 2;
    let args = [("input", 0..1), ("weights", 1..2), ("bias", 2..3)];
    Ok(Form::new(kind)
        .with("kernel", width_first(window.kernel))
        .with("stride", width_first(window.strides))
        .with("dilation", width_first(window.dilations))
        .with("pad", pad_order(window.pads))
        .with("pad_mode", "FLOOR")
        .with("group", if kind.contains("depthwise") { in_dim } else { int(ir, op, "groups").unwrap_or(1) })
        .with("in_dim", in_dim)
        .with("out_dim", out_dim)
        .with("bias_term", has_bias)
        .args(args.into_iter().take(if has_bias { 3 } else { 2 })))
}

fn pool(ir: &Ir, op: OpId, kind: &'static str) -> Result<Form, String> {
    let window = window(ir, op)?;
    Ok(Form::new(kind)
        .with("kernel", width_first(window.kernel))
        .with("stride", width_first(window.strides))
        .with("pad", pad_order(window.pads))
        .with("pad_mode", "FLOOR"))
}

fn resize(ir: &Ir, op: OpId) -> Result<Form, String> {
    let size = |value| match ir.shape_of(value).as_deref() {
        Some(&[_, height, width, _]) => Ok([height as f32, width as f32]),
        _ => Err("its maps have not four dimensions"),
    };
    let (input, output) = (size(ir.operand(op, 0))?, size(ir.result(op))?);
    let mode = upper(ir, op, "mode", &["nearest", "bilinear"])?;
    let scale = [output[0] / input[0], output[1] / input[1]];
    if ir.floats(op, "scales").is_some_and(|own| own != scale.map(f64::from)) {
        return Err("its scales are not the ratio of its sizes".to_owned());
    }
    let (coordinates, rounding) = (ir.str(op, "coordinates"), ir.str(op, "rounding"));
    let usual = match coordinates {
        Some("asymmetric") => "floor",
        Some("half_pixel" | "align_corners") => "round_prefer_ceil",
        _ => return Err("its coordinates have no name in the format".to_owned()),
    };
    if mode == "NEAREST" && rounding != Some(usual) {
        return Err(format!("its rounding is not {usual}, the one of the format with these coordinates"));
    }
    Ok(Form::new("resize")
        .with("mode", mode)
        .with("align_corners", coordinates == Some("align_corners"))
        .with("half_pixel_centers", coordinates == Some("half_pixel"))
        .with("scale", width_first_floats(scale))
        .args([("input", 0..1), ("size", 1..1)]))
}

fn reduction(ir: &Ir, op: OpId, kind: &'static str) -> Result<Form, String> {
    Ok(Form::new(kind).with("axis", list(ir, op, "axes")?).with("keep_dims", flag(ir, op, "keep_dims")))
}

fn axis(ir: &Ir, op: OpId) -> Result<i32, String> {
    int(ir, op, "axis")
}

fn int(ir: &Ir, op: OpId, name: &str) -> Result<i32, String> {
    let value = ir.int(op, name).and_then(|value| i32::try_from(value).ok());
    value.ok_or_else(|| format!("its {name} is no 32-bit integer"))
}

fn flag(ir: &Ir, op: OpId, name: &str) -> bool {
    ir.bool(op, name).unwrap_or(false)
}

pub(super) fn list(ir: &Ir, op: OpId, name: &str) -> Result<Attr, String> {
    let values = ir.ints(op, name).and_then(|values| int32_list(&values));
    values.ok_or_else(|| format!("its {name} are no 32-bit integers"))
}

pub(super) fn upper(ir: &Ir, op: OpId, name: &str, known: &[&str]) -> Result<String, String> {
    let value = ir.str(op, name).filter(|value| known.contains(value));
    value.map(str::to_ascii_uppercase).ok_or_else(|| format!("its {name} is none of {known:?}"))
}

/// The parameters of an `nn.custom` as attributes of the operator. A number without a kind of its own becomes a 32-bit one.
pub(super) fn custom_attributes(ir: &Ir, op: OpId) -> Result<AttrMap, String> {
    let Some(Attribute::Dictionary(entries)) = ir.attribute(op, "parameters") else { return Ok(AttrMap::new()) };
    let convert = |name: &str, value: &Attribute| {
        let attr = custom_value(ir, value);
        attr.map(|attr| (name.to_owned(), attr))
            .ok_or_else(|| format!("its parameter `{name}` has no kind in the format"))
    };
    entries.iter().map(|(name, value)| convert(ir.text(*name), value)).collect()
}

fn custom_value(ir: &Ir, value: &Attribute) -> Option<Attr> {
    Some(match value {
        Attribute::Bool(value) => Attr::Bool(*value),
        Attribute::Integer(value, _) => i32::try_from(*value).map_or(Attr::Int64(*value), Attr::Int32),
        Attribute::Float(value, _) => Attr::Float(*value as f32),
        Attribute::String(text) => Attr::from(&**text),
        Attribute::DenseArray(_, values) => integers(values),
        Attribute::Array(values) => list_value(values)?,
        Attribute::Dictionary(entries) => {
            let text = |value: &Attribute| value.as_str().map(str::to_owned);
            let entries = entries.iter().map(|(name, value)| Some((ir.text(*name).to_owned(), text(value)?)));
            Attr::StringMap(entries.collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

fn integers(values: &[i64]) -> Attr {
    int32_list(values).unwrap_or_else(|| Attr::Int64Vec(values.to_vec()))
}

fn list_value(values: &[Attribute]) -> Option<Attr> {
    let ints = || values.iter().map(Attribute::as_int).collect::<Option<Vec<i64>>>().map(|values| integers(&values));
    let floats = || {
        let floats = values.iter().map(|value| value.as_float().map(|value| value as f32));
        floats.collect::<Option<_>>().map(Attr::FloatVec)
    };
    let flags = || values.iter().map(Attribute::as_bool).collect::<Option<_>>().map(Attr::BoolVec);
    let texts = || {
        let texts = values.iter().map(|value| value.as_str().map(str::to_owned));
        texts.collect::<Option<_>>().map(Attr::StringVec)
    };
    ints().or_else(floats).or_else(flags).or_else(texts)
}
