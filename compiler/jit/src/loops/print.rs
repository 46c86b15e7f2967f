//! The loop IR as text.

use std::fmt::Write as _;

use super::body::{Binary, Kind, Node, Operation, Predicate, Reduction, Rounding, Unary};
use super::nest::{Access, Buffers, Nest, Place};

/// A nest as text: its dimensions, then what is computed for each point.
pub(crate) fn show(nest: &Nest, buffers: &Buffers) -> String {
    let mut text = format!("nest \"{}\"\n  for", nest.label);
    for (dim, extent) in nest.extents.iter().enumerate() {
        let fold = if dim == nest.parallel { " fold" } else { "" };
        let _ = write!(text, "{fold} i{dim} < {extent}");
    }
    text.push('\n');
    for (node, operation, kind) in nest.body.nodes() {
        let _ = write!(text, "    {node} = {}", operation_text(nest, buffers, operation));
        match kind {
            Kind::Integer { low, high } if !matches!(operation, Operation::Integer(_)) => {
                let _ = writeln!(text, "  // {low} … {high}");
            }
            _ => text.push('\n'),
        }
    }
    let _ = writeln!(text, "    {} = {}", access_text(&nest.store, buffers), nest.result);
    text
}

fn access_text(access: &Access, buffers: &Buffers) -> String {
    let info = &buffers[access.buffer];
    let space = match info.place {
        Place::Input(number) => format!("input{number}"),
        Place::Output(number) => format!("output{number}"),
        Place::Constant(number) => format!("constant{number}"),
        Place::Arena => access.buffer.to_string(),
    };
    let mut terms: Vec<String> = Vec::new();
    for (dim, &stride) in access.strides.iter().enumerate() {
        match stride {
            0 => {}
            1 => terms.push(format!("i{dim}")),
            _ => terms.push(format!("{stride}*i{dim}")),
        }
    }
    if access.offset != 0 || terms.is_empty() {
        terms.push(access.offset.to_string());
    }
    format!("{space}.{}[{}]", info.element.name(), terms.join(" + "))
}

fn operation_text(nest: &Nest, buffers: &Buffers, operation: Operation) -> String {
    let list = |nodes: &[Node]| nodes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match operation {
        Operation::Load(number) => access_text(&nest.loads[number], buffers),
        Operation::Integer(value) => value.to_string(),
        Operation::Real(bits) => format!("{:?}", f32::from_bits(bits)),
        Operation::Binary(binary, a, b) => {
            let name = match binary {
                Binary::Add => "add",
                Binary::Sub => "sub",
                Binary::Mul => "mul",
                Binary::Div => "div",
                Binary::Max => "max",
                Binary::Min => "min",
            };
            format!("{name} {}", list(&[a, b]))
        }
        Operation::Unary(unary, x) => {
            let name = match unary {
                Unary::Abs => "abs",
                Unary::Sqrt => "sqrt",
                Unary::Floor => "floor",
                Unary::Ceil => "ceil",
            };
            format!("{name} {x}")
        }
        Operation::Compare(predicate, a, b) => {
            let name = match predicate {
                Predicate::Eq => "eq",
                Predicate::Ne => "ne",
                Predicate::Lt => "lt",
                Predicate::Le => "le",
                Predicate::Gt => "gt",
                Predicate::Ge => "ge",
            };
            format!("compare_{name} {}", list(&[a, b]))
        }
        Operation::Select(x, a, b) => format!("select {}", list(&[x, a, b])),
        Operation::ShiftLeft(x, n) => format!("shift_left {x}, {n}"),
        Operation::ShiftRight(x, n) => format!("shift_right {x}, {n}"),
        Operation::RoundShift(x, n) => format!("round_shift {x}, {n}"),
        Operation::IfNegative(x, a, b) => format!("if_negative {}", list(&[x, a, b])),
        Operation::Clamp(x, low, high) => format!("clamp {x}, {:?}, {:?}", f32::from_bits(low), f32::from_bits(high)),
        Operation::Round(Rounding::Up, x) => format!("round_half_up {x}"),
        Operation::Round(Rounding::Away, x) => format!("round_half_away {x}"),
        Operation::Round(Rounding::Even, x) => format!("round_half_even {x}"),
        Operation::ToReal(x) => format!("to_real {x}"),
        Operation::ToCode(x) => format!("to_code {x}"),
        Operation::Reduce(Reduction::Sum, x) => format!("fold_sum {x}"),
        Operation::Reduce(Reduction::Mean(count), x) => format!("fold_mean {x}, {count}"),
        Operation::Reduce(Reduction::Max, x) => format!("fold_max {x}"),
        Operation::Reduce(Reduction::Min, x) => format!("fold_min {x}"),
    }
}
