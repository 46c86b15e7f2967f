//! Rewrites the operations of a subgraph to what the hardware takes as it is.
//!
//! * A separate `ReLU6` becomes a depthwise convolution of one tap with weights `2^k`.
//! * A convolution without bias gets one of zeros.
//! * Weighted sums, minima and sums with a vector get the constants their recipes read, as operands that `parameters` counts.
//! * A bias is shifted to a fix point that the bias shift field can express. The result stays the same: the `int8` operation
//!   rounds a bias that is finer than half an accumulator unit down, as the shift does (`spec/recipes-conv.md` section 4).

use std::sync::Arc;

use dpuc_codegen::{hardware_bias, limits};
use dpuc_dialects::dialects::int8;
use dpuc_dialects::weights::{ElementType, Weight};
use dpuc_dialects::{Attribute, BlockId, Ir, LocationKind, OpBuilder, OpId, ValueId};

use crate::constants::int8_elements;
use crate::error::BackendError;
use crate::names::operation_name;
use crate::operator::{Reason, Taps, adds_at_once, offset_exponent, relu6_exponent};
use crate::partition::is_convolution;

/// Legalises all operations of the block of `subgraph`.
pub(super) fn legalise(ir: &mut Ir, block: BlockId, subgraph: &str) -> Result<(), BackendError> {
    for op in ir.ops(block).collect::<Vec<_>>() {
        let op = if ir.is(op, &int8::REQUANTISE) && ir.str(op, "activation") == Some("relu6") {
            relu6_convolution(ir, op).map_err(|reason| BackendError::not_for_dpu(ir, op, subgraph, reason))?
        } else {
            op
        };
        if is_convolution(ir, op) {
            align_bias(ir, op, subgraph)?;
        }
        add_parameters(ir, op).map_err(|reason| BackendError::not_for_dpu(ir, op, subgraph, reason))?;
    }
    Ok(())
}

/// Adds the constants that the recipe of an operation reads.
fn add_parameters(ir: &mut Ir, op: OpId) -> Result<(), Reason> {
    let shape = ir.results(op).first().and_then(|&result| ir.shape_of(result));
    let channels = shape.and_then(|shape| shape.last().copied()).unwrap_or(1);
    let parameters = match ir.op_name(op) {
        "int8.add" if adds_at_once(ir, op) => return Ok(()),
        "int8.add" | "int8.sub" | "int8.prelu" | "int8.leaky_relu" => {
            let taps = Taps::of(ir, op)?;
            let count = taps.weights.len();
            let spread = |weights: Vec<i8>| if weights.len() == 1 { weights.repeat(channels) } else { weights };
            let weights = taps.weights.into_iter().flat_map(spread).collect();
            vec![
                constant(ir, op, "taps", &[count, channels], 0, weights)?,
                constant(ir, op, "fake_bias", &[channels], 0, vec![0; channels])?,
            ]
        }
        "int8.min" => vec![constant(ir, op, "complement", &[channels], 0, vec![-1; channels])?],
        "int8.channel_add" => {
            let fix = |value| ir.fix_of(value).ok_or(Reason::Float);
            let exponent = offset_exponent(fix(ir.operand(op, 0))?, fix(ir.operand(op, 1))?, fix(ir.result(op))?)?;
            vec![constant(ir, op, "weights", &[1, 1, 1, channels], exponent, vec![1 << exponent; channels])?]
        }
        _ => return Ok(()),
    };
    ir.set_attribute(op, "parameters", Attribute::int(parameters.len() as i64));
    for value in parameters {
        ir.add_operand(op, value);
    }
    Ok(())
}

/// Replaces `int8.requantise {activation = "relu6"}` by a depthwise convolution with one tap.
fn relu6_convolution(ir: &mut Ir, op: OpId) -> Result<OpId, Reason> {
    let (input, result) = (ir.operand(op, 0), ir.result(op));
    let (Some(from), Some(to)) = (ir.fix_of(input), ir.fix_of(result)) else { return Err(Reason::Float) };
    let shape = ir.shape_of(result).unwrap_or_default();
    let &[.., channels] = &shape[..] else { return Err(Reason::Relu6Rank { rank: shape.len() }) };
    let exponent = relu6_exponent(from, to)?;
    let weights = constant(ir, op, "weights", &[1, 1, 1, channels], exponent, vec![1 << exponent; channels])?;
    let (ty, location) = (ir.value_type(result), ir.op(op).location);
    let name = ir.value_name(result).unwrap_or_default().to_owned();
    let convolution = OpBuilder::new(&int8::DEPTHWISE_CONV2D)
        .at(location)
        .operands([input, weights])
        .attribute("activation", Attribute::string("relu6"))
        .result(ty, &name)
        .insert_before(ir, op);
    let replacement = ir.result(convolution);
    ir.replace_all_uses(result, replacement);
    ir.erase(op);
    Ok(convolution)
}

/// Makes the third operand of a convolution a bias whose shift is within its field.
fn align_bias(ir: &mut Ir, op: OpId, subgraph: &str) -> Result<(), BackendError> {
    let refuse = |ir: &Ir, reason: Reason| BackendError::not_for_dpu(ir, op, subgraph, reason);
    let fixes = [ir.operand(op, 0), ir.operand(op, 1)].map(|value| ir.fix_of(value));
    let ([Some(input), Some(weights)], Some(shape)) = (fixes, ir.shape_of(ir.result(op))) else {
        return Err(refuse(ir, Reason::Float));
    };
    let channels = shape.last().copied().unwrap_or_default();
    let Some(&bias) = ir.operands(op).get(2) else {
        // Zeros are zeros at every fix point that a type can state.
        let zeros =
            constant(ir, op, "fake_bias", &[channels], input.saturating_add(weights).clamp(-64, 64), vec![0; channels]);
        let zeros = zeros.map_err(|reason| refuse(ir, reason))?;
        ir.add_operand(op, zeros);
        return Ok(());
    };
    let owner = ir.defining_op(bias).filter(|&owner| ir.is(owner, &int8::CONSTANT));
    let (Some(owner), Some(fix_point)) = (owner, ir.fix_of(bias)) else {
        return Err(refuse(ir, Reason::NotConstant { operand: "bias values" }));
    };
    let natural = i64::from(input) + i64::from(weights) - i64::from(fix_point) + 1;
    if (limits::BIAS_SHIFT.min..=limits::BIAS_SHIFT.max).contains(&natural) {
        return Ok(());
    }
    let bytes: Vec<i8> = int8_elements(ir, owner)?.iter().map(|&byte| byte.cast_signed()).collect();
    let aligned = hardware_bias(&bytes, input, weights, fix_point).map_err(|error| refuse(ir, Reason::Limit(error)))?;
    let aligned_point = input.saturating_add(weights).saturating_add(1 - aligned.shift as i32);
    let name = operation_name(ir, owner).to_owned();
    let location = ir.op(owner).location;
    let value = insert_constant(ir, op, &name, location, &[channels], aligned_point, aligned.bytes);
    let value = value.map_err(|reason| refuse(ir, reason))?;
    ir.set_operand(op, 2, value);
    if ir.use_count(bias) == 0 {
        ir.erase(owner);
    }
    Ok(())
}

/// A constant made for `op`, named after it.
fn constant(
    ir: &mut Ir,
    op: OpId,
    purpose: &str,
    shape: &[usize],
    fix_point: i32,
    elements: Vec<i8>,
) -> Result<ValueId, Reason> {
    let name = format!("{}_{purpose}", operation_name(ir, op));
    let location = ir.location(LocationKind::Name(Arc::from(name.as_str()), Some(ir.op(op).location)));
    insert_constant(ir, op, &name, location, shape, fix_point, elements)
}

/// A constant of codes in front of an operation.
pub(super) fn insert_constant(
    ir: &mut Ir,
    before: OpId,
    name: &str,
    location: dpuc_dialects::Location,
    shape: &[usize],
    fix_point: i32,
    elements: Vec<i8>,
) -> Result<ValueId, Reason> {
    let bytes: Vec<u8> = elements.into_iter().map(i8::cast_unsigned).collect();
    let weight = Weight::new(ElementType::I8, shape, bytes).map_err(|_| Reason::Malformed { what: "shape" })?;
    let symbol = ir.weights.free_name(name);
    ir.weights.insert(symbol.as_str(), weight);
    let ty = ir.fix_tensor(shape, fix_point);
    let op = OpBuilder::new(&int8::CONSTANT)
        .at(location)
        .attribute("value", Attribute::symbol(symbol))
        .result(ty, "")
        .insert_before(ir, before);
    Ok(ir.result(op))
}
