//! Whether the DPU can run an operation by itself, and if not, why.

use dpuc_codegen::{check, hardware_bias};
use dpuc_dialects::dialects::int8;
use dpuc_dialects::{Ir, OpId, ValueId};
use dpuc_isa::Target;

use crate::constants::int8_elements;
use crate::operator::{Reason, layers};
use crate::placement::{Placement, region};

/// Most images of a batch: each has instructions of its own.
const IMAGES_MAX: usize = 64;

/// Every reason why the DPU cannot run an operation, wherever its operands come from; empty if it can.
pub(super) fn obstacles(ir: &Ir, op: OpId, target: &Target) -> Vec<Reason> {
    let reasons = values_reasons(ir, op);
    if !reasons.is_empty() {
        return reasons;
    }
    let place = |value: ValueId| {
        let region = match ir.defining_op(value) {
            Some(owner) if owner == op => region::OUTPUTS,
            Some(owner) if ir.is(owner, &int8::CONSTANT) => region::CONSTANTS,
            _ => region::INPUTS,
        };
        Some(Placement::dense(region, 0, &ir.shape_of(value)?))
    };
    let layers = match layers(ir, op, &place) {
        Ok(layers) => layers,
        Err(reason) => return vec![reason],
    };
    let mut reasons = parameter_reasons(ir, op);
    // A reshape gives the bytes another shape where they are: what it would cost to copy them does not matter.
    if !ir.is(op, &int8::RESHAPE) {
        let violations = layers.iter().filter_map(|layer| check(layer, target).err()).flatten().map(Reason::Limit);
        for reason in violations {
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
    }
    reasons
}

/// Element types and the first dimension of operands and results.
fn values_reasons(ir: &Ir, op: OpId) -> Vec<Reason> {
    if ir.is(op, &int8::QUANTISE) || ir.is(op, &int8::DEQUANTISE) {
        return vec![Reason::Boundary];
    }
    let values = || ir.operands(op).iter().chain(ir.results(op)).copied();
    if !ir.op_name(op).starts_with("int8.") {
        let float = values().any(|value| ir.fix_of(value).is_none());
        return vec![if float { Reason::Float } else { Reason::NoDpuForm { operation: ir.op_name(op).to_owned() } }];
    }
    if ir.is(op, &int8::RESHAPE) {
        return reshape_reasons(ir, op);
    }
    let Some(shape) = ir.results(op).first().and_then(|&result| ir.shape_of(result)) else {
        return vec![Reason::Malformed { what: "shape" }];
    };
    match shape.first() {
        None => vec![Reason::Layout { shape }],
        Some(&batch) => batch_reasons(batch),
    }
}

fn batch_reasons(batch: usize) -> Vec<Reason> {
    if batch > IMAGES_MAX { vec![Reason::Batch { batch, most: IMAGES_MAX }] } else { Vec::new() }
}

fn reshape_reasons(ir: &Ir, op: OpId) -> Vec<Reason> {
    let first = |value| ir.shape_of(value).map(|shape| shape.first().copied());
    match (first(ir.operand(op, 0)), first(ir.result(op))) {
        (Some(Some(before)), Some(Some(after))) if before == after => batch_reasons(before),
        (Some(before), Some(after)) => {
            vec![Reason::FirstDimension { before: before.unwrap_or(1), after: after.unwrap_or(1) }]
        }
        _ => vec![Reason::Malformed { what: "shape" }],
    }
}

/// Whether weights and bias are constants, and the bias one the hardware can align.
fn parameter_reasons(ir: &Ir, op: OpId) -> Vec<Reason> {
    if !is_convolution(ir, op) {
        return Vec::new();
    }
    let operands = ir.operands(op);
    let constant = |value| ir.defining_op(value).filter(|&owner| ir.is(owner, &int8::CONSTANT));
    let mut reasons = Vec::new();
    if constant(operands[1]).is_none() {
        reasons.push(Reason::NotConstant { operand: "weights" });
    }
    let Some(&bias) = operands.get(2) else { return reasons };
    let Some(owner) = constant(bias) else {
        reasons.push(Reason::NotConstant { operand: "bias values" });
        return reasons;
    };
    let fix_points = [operands[0], operands[1], bias].map(|value| ir.fix_of(value));
    if let ([Some(input), Some(weights), Some(bias)], Ok(bytes)) = (fix_points, int8_elements(ir, owner)) {
        let bytes: Vec<i8> = bytes.iter().map(|&byte| byte.cast_signed()).collect();
        if let Err(violation) = hardware_bias(&bytes, input, weights, bias) {
            reasons.push(Reason::Limit(violation));
        }
    }
    reasons
}

/// Whether an operation has weights and perhaps a bias.
pub(crate) fn is_convolution(ir: &Ir, op: OpId) -> bool {
    [&int8::CONV2D, &int8::DEPTHWISE_CONV2D, &int8::TRANSPOSED_CONV2D, &int8::TRANSPOSED_DEPTHWISE_CONV2D]
        .into_iter()
        .any(|definition| ir.is(op, definition))
}
