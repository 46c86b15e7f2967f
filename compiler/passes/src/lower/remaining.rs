//! Operators that stay in floating point, and why.

use dpuc_dialects::dialects::int8;
use dpuc_dialects::{Ir, OpId};

use super::code::{LEAKY_SLOPE, code};
use crate::note::Note;

/// A note for each operation of the `nn` dialect that is left.
pub(super) fn notes(ir: &Ir) -> Vec<Note> {
    let is_left = |&op: &OpId| ir.op_name(op).starts_with("nn.") && ir.op_name(op) != "nn.constant";
    ir.walk(ir.root()).into_iter().filter(is_left).map(|op| Note::new(ir, op, reason(ir, op))).collect()
}

fn reason(ir: &Ir, op: OpId) -> String {
    let name = ir.op_name(op);
    let stays = |why: String| format!("stays in floating point: {why}");
    if name == "nn.custom" {
        return stays("the operator is not known here".to_owned());
    }
    if name == "nn.fix" {
        return stays("only signed numbers of 8 bits, rounded half up, have an integer form".to_owned());
    }
    if !has_integer_form(name) {
        return stays("it has no integer form".to_owned());
    }
    if let Some(index) = ir.operands(op).iter().position(|&operand| code(ir, operand).is_none()) {
        return stays(format!("its operand #{index} is not rounded by a `nn.fix`"));
    }
    // Indices are codes as they are.
    if name != "nn.argmax" && !ir.users(ir.result(op)).into_iter().any(|user| ir.is(user, &int8::QUANTISE)) {
        return stays("its result is not rounded by a `nn.fix`".to_owned());
    }
    stays(limit(name))
}

/// Whether `lower_to_int8` has a pattern for the operation.
fn has_integer_form(name: &str) -> bool {
    const FLOAT: [&str; 28] = [
        "sigmoid",
        "tanh",
        "softmax",
        "div",
        "elu",
        "clip",
        "silu",
        "gelu",
        "mish",
        "softplus",
        "exp",
        "log",
        "sqrt",
        "abs",
        "erf",
        "sin",
        "cos",
        "floor",
        "ceil",
        "round",
        "pow",
        "compare",
        "select",
        "broadcast",
        "gather",
        "batch_matmul",
        "layer_norm",
        "reduce_min",
    ];
    !name.strip_prefix("nn.").is_some_and(|name| FLOAT.contains(&name))
}

/// What an operation with fixed operands and result must respect to be lowered.
fn limit(name: &str) -> String {
    match name {
        "nn.relu6" => "below fix point 4 the hardware clamps above 6".to_owned(),
        "nn.leaky_relu" => format!(
            "its slope is no fraction of at most 127 over a power of two, such as {LEAKY_SLOPE}; slopes near that can be approximated on request"
        ),
        "nn.hard_swish" => {
            "the hardware needs an input fix point of at least 0 and no factor but 6*2731/2^14".to_owned()
        }
        "nn.prelu" => "its slopes are no constants".to_owned(),
        "nn.sub" | "nn.max" | "nn.min" => "its operands have different shapes and the smaller one is no constant".to_owned(),
        "nn.hard_sigmoid" => {
            "the hardware needs an input fix point of at least 0, an output fix point of at least 7 and the factor 6*2731/2^14".to_owned()
        }
        "nn.argmax" => format!("its axis has more than {} elements, whose indices are no signed bytes", int8::ARGMAX_MAX),
        "nn.avg_pool" | "nn.reduce_mean" => "it is not a mean over height and width with the hardware's factor, or leaves out its padding".to_owned(),
        "nn.resize" => {
            "only nearest and bilinear interpolation by whole factors, in down-sampling without aligned corners, have an integer form".to_owned()
        }
        "nn.pad" => "its constant is no code of its operand".to_owned(),
        "nn.add" | "nn.mul" => {
            "its operands have different shapes and the smaller one is neither a constant nor a vector of channels".to_owned()
        }
        _ => "its weights or bias are no constants".to_owned(),
    }
}
