//! Operators that only move elements, of both forms (`spec/xmodel.md` section 2).

use dpuc_dialects::{Attribute, Ir, OpId};
use dpuc_xmodel::Attr;

use super::fixed::{Form, int, value_dims};
use super::float::{list, upper};

/// The operator that stands for a movement; `None` for other operations.
pub(super) fn movement_form(ir: &Ir, op: OpId) -> Option<Result<Form, String>> {
    let (dialect, name) = ir.op_name(op).split_once('.')?;
    let fixed = dialect == "int8";
    match name {
        // The format has one operator for both.
        "transpose" => Some(list(ir, op, "order").map(|order| Form::new("transpose").with("order", order))),
        "strided_slice" => Some(strided_slice(ir, op, if fixed { "strided_slice-fix" } else { "strided_slice" })),
        "pad" => Some(pad(ir, op, fixed)),
        "space_to_depth" => Some(space_and_depth(ir, op, fixed, false)),
        "depth_to_space" => Some(space_and_depth(ir, op, fixed, true)),
        _ => None,
    }
}

fn strided_slice(ir: &Ir, op: OpId, kind: &'static str) -> Result<Form, String> {
    let form = Form::new(kind).with("begin", list(ir, op, "begin")?).with("end", list(ir, op, "end")?);
    Ok(form.with("strides", list(ir, op, "strides")?))
}

/// The operator that gives each part of a `nn.split`: the format's operators have one result.
pub(super) fn split_forms(ir: &Ir, op: OpId) -> Result<Vec<Form>, String> {
    let whole = value_dims(ir, ir.operand(op, 0))?;
    let axis = usize::try_from(int(ir, op, "axis")?).unwrap_or(usize::MAX);
    let (mut begin, mut end) = (vec![0; whole.len()], whole);
    let mut forms = Vec::new();
    for &part in ir.results(op) {
        let size = value_dims(ir, part)?.get(axis).copied().ok_or("it has not the axis that it splits")?;
        end[axis] = begin[axis] + size;
        let strides = vec![1; end.len()];
        forms.push(
            Form::new("strided_slice").with("begin", begin.clone()).with("end", end.clone()).with("strides", strides),
        );
        begin[axis] = end[axis];
    }
    Ok(forms)
}

fn pad(ir: &Ir, op: OpId, fixed: bool) -> Result<Form, String> {
    let mode = upper(ir, op, "mode", &["constant", "reflect", "symmetric"])?;
    let form =
        Form::new(if fixed { "pad-fix" } else { "pad" }).with("mode", mode).with("paddings", list(ir, op, "paddings")?);
    // Zero needs no value.
    let values = if fixed {
        let code = i8::try_from(int(ir, op, "value")?).map_err(|_| "its constant is no signed byte")?;
        Some(Attr::from(if code == 0 { Vec::new() } else { vec![code.cast_unsigned()] }))
    } else {
        let value = ir.attribute(op, "value").and_then(Attribute::as_float);
        value.map(|value| Attr::FloatVec(vec![value as f32]))
    };
    Ok(match values {
        Some(values) => form.with("constant_values", values),
        None => form,
    })
}

fn space_and_depth(ir: &Ir, op: OpId, fixed: bool, to_space: bool) -> Result<Form, String> {
    let block = int(ir, op, "block")?;
    let (kind, factor, direction) = match (ir.str(op, "order"), fixed) {
        (Some("dcr"), true) => ("tile-fix", "stride", "reverse"),
        (Some("dcr"), false) => ("gstiling", "stride", "reverse"),
        (Some("crd"), true) => ("pixel-shuffle-fix", "scale", "reverse"),
        (Some("crd"), false) => ("pixel-shuffle", "scale", "upscale"),
        (Some("reorg"), true) => ("reorg-fix", "scale", "reverse"),
        (Some("reorg"), false) => ("reorg", "scale", "reverse"),
        (other, _) => return Err(format!("its order {other:?} is not known")),
    };
    Ok(Form::new(kind).with(factor, block).with(direction, to_space))
}
