//! `nn` operations as float operators (`spec/xmodel.md` sections 1.8 and 2.1).

use dpuc_dialects::{Attribute, Ir, OpId};
use dpuc_xmodel::{Attr, AttrMap, DataType, Graph};

use super::attributes::{int32_list, pad_order, width_first, width_first_floats};
use super::fixed::{Form, result_dims, window};
use super::movement::movement_form;

/// The operator that stands for an `nn` operation other than a constant or `nn.custom`; the reason if there is none.
///
/// What the format has no operator for becomes one of this project's own: of the operation's name, with its attributes and all operands as
/// `input`. The importer takes it back. AMD's tools know of it what they know of any operator that a user adds, the attributes `shape` and
/// `data_type` (`spec/xmodel.md` section 1.6); they do not run the CPU's part of a compiled file in any case.
pub(super) fn float_form(ir: &Ir, op: OpId) -> Result<Form, String> {
    framework_form(ir, op).or_else(|reason| own_form(ir, op).ok_or(reason))
}

/// The operators of a graph that are this project's own, which AMD's tools do not know: their names and types, in graph order.
pub fn foreign_operators(graph: &Graph) -> impl Iterator<Item = (&str, &str)> {
    let own = graph.ops.iter().filter(|op| op.kind.starts_with(OWN));
    own.map(|op| (op.name.as_str(), op.kind.as_str()))
}

/// What the types of this project's own operators begin with.
const OWN: &str = "nn.";

fn own_form(ir: &Ir, op: OpId) -> Option<Form> {
    let definition = ir.definition(op).filter(|definition| definition.name.starts_with(OWN))?;
    let &[_] = ir.results(op) else { return None };
    let exact = |value: &Attribute| match value {
        Attribute::Float(value, _) => Some(Attr::Double(*value)),
        value => value.as_floats().map(Attr::DoubleVec).or_else(|| custom_value(ir, value)),
    };
    let attributes = ir.attributes(op).iter();
    let attrs =
        attributes.map(|(name, value)| Some((ir.text(*name).to_owned(), exact(value)?))).collect::<Option<_>>()?;
    let form = Form { attrs, ..Form::new(definition.name).args([("input", 0..ir.operands(op).len())]) };
    Some(form.with("shape", result_dims(ir, op).ok()?).with("data_type", DataType::FLOAT32.to_string()))
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
            return Ok(form.args([("input", 0..2), ("bias", 2..operands)]));
        }
        "nn.batch_matmul" => {
            let form = Form::new("matmul").with("transpose_a", false).with("transpose_b", false);
            return Ok(form.args([("input", 0..2), ("bias", 2..2)]));
        }
        "nn.max_pool" => return pool(ir, op, "maxpool2d"),
        "nn.avg_pool" => return average_pool(ir, op),
        "nn.leaky_relu" => {
            let alpha = ir.float(op, "alpha").ok_or("its slope is no number")?;
            return Ok(Form::new("leaky-relu").with("alpha", alpha as f32));
        }
        "nn.elu" => {
            let alpha = ir.float(op, "alpha").ok_or("its limit is no number")?;
            return Ok(Form::new("elu").with("alpha", alpha as f32));
        }
        "nn.gelu" if ir.str(op, "approximate") == Some("none") => "gelu",
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
        "nn.silu" => "swish",
        "nn.mish" => "mish",
        "nn.exp" => "exp",
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
        .args([("input", 0..1), ("weights", 1..2), ("bias", 2..ir.operands(op).len())]))
}

/// A mean that leaves out padding has no operator that tells it from one that does not: AMD's compiler and the importer take the flags of
/// `avgpool2d` for a description of the framework.
fn average_pool(ir: &Ir, op: OpId) -> Result<Form, String> {
    let form = pool(ir, op, "avgpool2d")?;
    if flag(ir, op, "exclude_padding") && ir.ints(op, "pads").is_none_or(|pads| pads.iter().any(|&pad| pad != 0)) {
        return Err("it leaves out its padding".to_owned());
    }
    Ok(form.with("count_include_pad", true).with("count_include_invalid", true))
}

fn pool(ir: &Ir, op: OpId, kind: &'static str) -> Result<Form, String> {
    let window = window(ir, op)?;
    let size = ir.shape_of(ir.operand(op, 0)).unwrap_or_default();
    let is_global = window.kernel.map(|size| size as usize)[..] == size[1..3] && window.pads == [0; 4];
    Ok(Form::new(kind)
        .with("kernel", width_first(window.kernel))
        .with("stride", width_first(window.strides))
        .with("pad", pad_order(window.pads))
        .with("pad_mode", "FLOOR")
        .with("global", is_global))
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
