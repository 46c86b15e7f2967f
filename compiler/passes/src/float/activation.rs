//! Formulas that frameworks write for activations.

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::nn;
use dpuc_dialects::rewrite::{Pattern, Patterns, Rewriter};
use dpuc_dialects::{Attribute, Dense, DenseElements, Ir, OpBuilder, OpId, ValueId};

use crate::rebuild::{elements, producer};

/// Adds the patterns of this file.
pub(super) fn add(patterns: Patterns) -> Patterns {
    patterns
        .with(ReluSix)
        .with(HardSigmoid { root: &nn::DIV })
        .with(HardSigmoid { root: &nn::MUL })
        .with(HardSwishOfSum { root: &nn::DIV })
        .with(HardSwishOfSum { root: &nn::MUL })
        .with(Gated)
}

/// The number that a constant holds in all its elements.
pub(super) fn number(ir: &Ir, value: ValueId) -> Option<f64> {
    let constant = producer(ir, value, &[&nn::CONSTANT])?;
    if let Some(Attribute::Dense(Dense { elements: DenseElements::Floats(values), .. })) =
        ir.attribute(constant, "value")
        && values.len() == 1
    {
        return Some(values[0]);
    }
    let values = elements(ir, constant)?.to_f32()?;
    let first = *values.first()?;
    values.iter().all(|value| value.to_bits() == first.to_bits()).then_some(first.into())
}

/// The operands of a sum or product in both orders.
pub(super) fn both_orders(ir: &Ir, op: OpId) -> [(ValueId, ValueId); 2] {
    let (lhs, rhs) = (ir.operand(op, 0), ir.operand(op, 1));
    [(lhs, rhs), (rhs, lhs)]
}

/// Whether two numbers are the same but for the rounding of one of them to single precision.
pub(super) fn is_about(number: f64, expected: f64) -> bool {
    (number - expected).abs() <= expected.abs() * 1e-6
}

/// `x` of `relu6(x + 3)`.
fn shifted_relu6(ir: &Ir, value: ValueId) -> Option<ValueId> {
    let clip = producer(ir, value, &[&nn::RELU6])?;
    let sum = producer(ir, ir.operand(clip, 0), &[&nn::ADD])?;
    let is_three = |addend: ValueId| number(ir, addend).is_some_and(|number| is_about(number, 3.0));
    both_orders(ir, sum).into_iter().find(|&(_, addend)| is_three(addend)).map(|(input, _)| input)
}

/// The factor that a product or quotient with one number is, and what it is applied to.
pub(super) fn factor(ir: &Ir, op: OpId) -> Option<(ValueId, f64)> {
    if ir.is(op, &nn::DIV) {
        return Some((ir.operand(op, 0), number(ir, ir.operand(op, 1))?.recip()));
    }
    both_orders(ir, op).into_iter().find_map(|(value, factor)| Some((value, number(ir, factor)?)))
}

/// Inserts an operation on one operand in place of `op`, whose parts it replaces.
fn replace(rewriter: &mut Rewriter<'_>, op: OpId, kind: &'static OpDefinition, input: ValueId) {
    let ty = rewriter.ir().value_type(rewriter.ir().result(op));
    let made = rewriter.insert(OpBuilder::new(kind).operands([input]).result(ty, ""));
    let made = rewriter.ir().result(made);
    rewriter.replace(op, &[made]);
}

/// `relu6(relu(x)) = relu6(x)`
struct ReluSix;

impl Pattern for ReluSix {
    const NAME: &'static str = "relu-relu6";
    type Match = ValueId;

    fn root(&self) -> &'static OpDefinition {
        &nn::RELU6
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<ValueId> {
        producer(ir, ir.operand(op, 0), &[&nn::RELU]).map(|relu| ir.operand(relu, 0))
    }

    fn rewrite(&self, input: ValueId, op: OpId, rewriter: &mut Rewriter<'_>) {
        rewriter.set_operand(op, 0, input);
    }
}

/// `relu6(x + 3) / 6`; with 2731/2^14 instead of 1/6, as quantised networks for the DPU have it, the hard sigmoid times their ratio.
struct HardSigmoid {
    root: &'static OpDefinition,
}

/// The hardware's sixth.
const HARDWARE_SIXTH: f64 = 2731.0 / 16384.0;

impl Pattern for HardSigmoid {
    const NAME: &'static str = "hard-sigmoid-formula";
    /// The input, and the factor behind the hard sigmoid if it has one.
    type Match = (ValueId, Option<f64>);

    fn root(&self) -> &'static OpDefinition {
        self.root
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<(ValueId, Option<f64>)> {
        let (clipped, factor) = factor(ir, op)?;
        let input = shifted_relu6(ir, clipped)?;
        let has_type = ir.value_type(input) == ir.value_type(ir.result(op));
        let correction = if is_about(factor, 1.0 / 6.0) {
            None
        } else if is_about(factor, HARDWARE_SIXTH) {
            Some(6.0 * HARDWARE_SIXTH)
        } else {
            return None;
        };
        has_type.then_some((input, correction))
    }

    fn rewrite(&self, (input, correction): (ValueId, Option<f64>), op: OpId, rewriter: &mut Rewriter<'_>) {
        let Some(correction) = correction else { return replace(rewriter, op, &nn::HARD_SIGMOID, input) };
        let ty = rewriter.ir().value_type(rewriter.ir().result(op));
        let gate = rewriter.insert(OpBuilder::new(&nn::HARD_SIGMOID).operands([input]).result(ty, ""));
        let single = rewriter.tables().float_tensor(&[1]);
        let dense = Dense { ty: single, elements: DenseElements::Floats([f64::from(correction as f32)].into()) };
        let constant = OpBuilder::new(&nn::CONSTANT).attribute("value", Attribute::Dense(dense)).result(single, "");
        let constant = rewriter.insert(constant);
        let operands = [gate, constant].map(|part| rewriter.ir().result(part));
        let product = rewriter.insert(OpBuilder::new(&nn::MUL).operands(operands).result(ty, ""));
        let product = rewriter.ir().result(product);
        rewriter.replace(op, &[product]);
    }
}

/// `x * relu6(x + 3) / 6`
struct HardSwishOfSum {
    root: &'static OpDefinition,
}

impl Pattern for HardSwishOfSum {
    const NAME: &'static str = "hard-swish-formula";
    type Match = ValueId;

    fn root(&self) -> &'static OpDefinition {
        self.root
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<ValueId> {
        let (product, factor) = factor(ir, op)?;
        let product = producer(ir, product, &[&nn::MUL]).filter(|_| is_about(factor, 1.0 / 6.0))?;
        let orders = both_orders(ir, product).into_iter();
        orders.filter(|&(input, gate)| shifted_relu6(ir, gate) == Some(input)).map(|(input, _)| input).next()
    }

    fn rewrite(&self, input: ValueId, op: OpId, rewriter: &mut Rewriter<'_>) {
        replace(rewriter, op, &nn::HARD_SWISH, input);
    }
}

/// `x * gate(x)`, where the gate is a sigmoid, a hard sigmoid or the hyperbolic tangent of a softplus.
struct Gated;

impl Pattern for Gated {
    const NAME: &'static str = "gated-activation";
    type Match = (ValueId, &'static OpDefinition);

    fn root(&self) -> &'static OpDefinition {
        &nn::MUL
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<(ValueId, &'static OpDefinition)> {
        both_orders(ir, op).into_iter().find_map(|(input, gate)| {
            let gate = producer(ir, gate, &[&nn::SIGMOID, &nn::HARD_SIGMOID, &nn::TANH])?;
            let (source, kind): (_, &'static OpDefinition) = match ir.op_name(gate) {
                "nn.sigmoid" => (gate, &nn::SILU),
                "nn.hard_sigmoid" => (gate, &nn::HARD_SWISH),
                _ => (producer(ir, ir.operand(gate, 0), &[&nn::SOFTPLUS])?, &nn::MISH),
            };
            (ir.operand(source, 0) == input).then_some((input, kind))
        })
    }

    fn rewrite(&self, (input, kind): (ValueId, &'static OpDefinition), op: OpId, rewriter: &mut Rewriter<'_>) {
        replace(rewriter, op, kind, input);
    }
}
