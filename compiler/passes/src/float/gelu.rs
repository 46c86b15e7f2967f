//! The Gaussian error linear unit, as frameworks write it: `x * (1 + erf(x / sqrt(2))) / 2`, or with
//! `tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))` instead of the error function, the three factors in any order.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::nn;
use dpuc_dialects::rewrite::{Pattern, Patterns, Rewriter};
use dpuc_dialects::{Attribute, Ir, OpBuilder, OpId, ValueId};

use super::activation::{both_orders, factor, is_about, number};
use crate::rebuild::producer;

/// Adds the patterns of this file.
pub(super) fn add(patterns: Patterns) -> Patterns {
    patterns.with(Gelu { root: &nn::MUL }).with(Gelu { root: &nn::DIV })
}

/// `sqrt(2 / pi)`
const TANH_SCALE: f64 = FRAC_2_SQRT_PI * FRAC_1_SQRT_2;
/// What the cube counts in the approximation.
const CUBE: f64 = 0.044_715;

struct Gelu {
    root: &'static OpDefinition,
}

impl Pattern for Gelu {
    const NAME: &'static str = "gelu-formula";
    /// The input, and which formula it is.
    type Match = (ValueId, &'static str);

    fn root(&self) -> &'static OpDefinition {
        self.root
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<(ValueId, &'static str)> {
        let (a, b) = half_product(ir, op)?;
        let (input, approximate) =
            [(a, b), (b, a)].into_iter().find_map(|(input, gate)| Some((input, gate_of(ir, input, gate)?)))?;
        (ir.value_type(input) == ir.value_type(ir.result(op))).then_some((input, approximate))
    }

    fn rewrite(&self, (input, approximate): (ValueId, &'static str), op: OpId, rewriter: &mut Rewriter<'_>) {
        let ty = rewriter.ir().value_type(rewriter.ir().result(op));
        let builder =
            OpBuilder::new(&nn::GELU).operands([input]).attribute("approximate", Attribute::string(approximate));
        let made = rewriter.insert(builder.result(ty, ""));
        let made = rewriter.ir().result(made);
        rewriter.replace(op, &[made]);
    }
}

/// The other two factors of a product of three of which one is a half.
fn half_product(ir: &Ir, op: OpId) -> Option<(ValueId, ValueId)> {
    let halved = |value: ValueId| {
        let op = producer(ir, value, &[&nn::MUL, &nn::DIV])?;
        factor(ir, op).filter(|&(_, factor)| is_about(factor, 0.5)).map(|(value, _)| value)
    };
    if let Some(product) = halved(ir.result(op)) {
        let product = producer(ir, product, &[&nn::MUL])?;
        return Some((ir.operand(product, 0), ir.operand(product, 1)));
    }
    if !ir.is(op, &nn::MUL) {
        return None;
    }
    both_orders(ir, op).into_iter().find_map(|(half, other)| Some((halved(half)?, other)))
}

/// Whether `gate` is `1 + erf(x / sqrt(2))` or its approximation, of this `x`.
fn gate_of(ir: &Ir, x: ValueId, gate: ValueId) -> Option<&'static str> {
    let sum = producer(ir, gate, &[&nn::ADD])?;
    let curve = added_to(ir, sum, 1.0)?;
    if let Some(erf) = producer(ir, curve, &[&nn::ERF]) {
        let scaled = producer(ir, ir.operand(erf, 0), &[&nn::MUL, &nn::DIV])?;
        let (input, factor) = factor(ir, scaled)?;
        return (input == x && is_about(factor, FRAC_1_SQRT_2)).then_some("none");
    }
    let tanh = producer(ir, curve, &[&nn::TANH])?;
    is_tanh_argument(ir, x, ir.operand(tanh, 0)).then_some("tanh")
}

/// What a number is added to.
fn added_to(ir: &Ir, sum: OpId, addend: f64) -> Option<ValueId> {
    let is_addend = |value: ValueId| number(ir, value).is_some_and(|found| is_about(found, addend));
    both_orders(ir, sum).into_iter().find(|&(_, value)| is_addend(value)).map(|(other, _)| other)
}

/// Whether a value is `sqrt(2 / pi) * (x + 0.044715 * x^3)` or `sqrt(2 / pi) * x * (1 + 0.044715 * x * x)`.
fn is_tanh_argument(ir: &Ir, x: ValueId, value: ValueId) -> bool {
    let Some(product) = producer(ir, value, &[&nn::MUL]) else { return false };
    let scaled = |value: ValueId| {
        let op = producer(ir, value, &[&nn::MUL])?;
        factor(ir, op).filter(|&(_, factor)| is_about(factor, TANH_SCALE)).map(|(value, _)| value)
    };
    let is_sum = |value: ValueId| {
        let Some(sum) = producer(ir, value, &[&nn::ADD]) else { return false };
        both_orders(ir, sum).into_iter().any(|(first, cube)| first == x && is_scaled_power(ir, x, cube, 3))
    };
    let is_stretched = |value: ValueId| {
        producer(ir, value, &[&nn::ADD])
            .and_then(|sum| added_to(ir, sum, 1.0))
            .is_some_and(|square| is_scaled_power(ir, x, square, 2))
    };
    if scaled(value).is_some_and(is_sum) {
        return true;
    }
    // The scale may be at x, or around the whole product.
    both_orders(ir, product).into_iter().any(|(first, second)| scaled(first) == Some(x) && is_stretched(second))
        || scaled(value).and_then(|value| producer(ir, value, &[&nn::MUL])).is_some_and(|inner| {
            both_orders(ir, inner).into_iter().any(|(first, second)| first == x && is_stretched(second))
        })
}

/// Whether a value is `0.044715 * x^exponent`, the factors in any order.
fn is_scaled_power(ir: &Ir, x: ValueId, value: ValueId, exponent: usize) -> bool {
    let mut open = vec![value];
    let (mut powers, mut scale) = (0, 1.0);
    // Every factor may stand for itself, with as many products between them.
    for _ in 0..2 * exponent + 3 {
        let Some(value) = open.pop() else { break };
        if value == x {
            powers += 1;
        } else if let Some(number) = number(ir, value) {
            scale *= number;
        } else if let Some(product) = producer(ir, value, &[&nn::MUL]) {
            open.extend([ir.operand(product, 0), ir.operand(product, 1)]);
        } else if let Some(power) = producer(ir, value, &[&nn::POW])
            && ir.operand(power, 0) == x
            && number(ir, ir.operand(power, 1)) == Some(exponent as f64)
        {
            powers += exponent;
        } else {
            return false;
        }
    }
    open.is_empty() && powers == exponent && is_about(scale, CUBE)
}
