//! Reading the graph: what is a fixed-point value, and which operator a `nn.fix` rounds.

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::{int8, nn};
use dpuc_dialects::weights::ElementType;
use dpuc_dialects::{Attribute, DenseElements, Ir, OpId, ValueId};

/// The slope of the leaky ReLU that is wired into the hardware.
pub(super) const LEAKY_SLOPE: f64 = 26.0 / 256.0;

/// A `nn.fix` to signed bytes that rounds as the DPU does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fix {
    pub(super) op: OpId,
    pub(super) point: i32,
}

impl Fix {
    /// The operation as such a `nn.fix`.
    pub(super) fn of(ir: &Ir, op: OpId) -> Option<Self> {
        (makes_bytes(ir, op) && ir.str(op, "round_mode") == Some("dpu"))
            .then(|| Some(Self { op, point: i32::try_from(ir.int(op, "fix_point")?).ok()? }))?
    }

    /// What it rounds.
    pub(super) fn input(self, ir: &Ir) -> ValueId {
        ir.operand(self.op, 0)
    }

    /// The operation whose result it rounds.
    pub(super) fn producer(self, ir: &Ir) -> Option<OpId> {
        ir.defining_op(self.input(ir))
    }

    /// The operation whose result it rounds, if it is of this kind.
    pub(super) fn producer_of(self, ir: &Ir, kind: &'static OpDefinition) -> Option<OpId> {
        self.producer(ir).filter(|&op| ir.is(op, kind))
    }
}

/// Whether a `nn.fix` makes signed bytes, however it rounds.
pub(super) fn makes_bytes(ir: &Ir, op: OpId) -> bool {
    ir.is(op, &nn::FIX)
        && ir.int(op, "bit_width") == Some(8)
        && ir.bool(op, "signed") == Some(true)
        && ir.shape_of(ir.result(op)).is_some()
}

/// A list of integers of an operation, or its default, for another operation.
pub(super) fn list(ir: &Ir, op: OpId, name: &'static str) -> Option<(&'static str, Attribute)> {
    Some((name, Attribute::ints(ir.ints(op, name)?)))
}

/// The codes of a value that is a dequantised tensor.
pub(super) fn code(ir: &Ir, value: ValueId) -> Option<ValueId> {
    let op = ir.defining_op(value)?;
    ir.is(op, &int8::DEQUANTISE).then(|| ir.operand(op, 0))
}

/// The codes of a value that is a dequantised constant.
pub(super) fn constant_code(ir: &Ir, value: ValueId) -> Option<ValueId> {
    let code = code(ir, value)?;
    ir.is(ir.defining_op(code)?, &int8::CONSTANT).then_some(code)
}

/// The elements of a constant of codes, in C order.
pub(super) fn constant_elements(ir: &Ir, code: ValueId) -> Option<Vec<i8>> {
    let op = ir.defining_op(code)?;
    if !ir.is(op, &int8::CONSTANT) {
        return None;
    }
    let symbol = ir.attribute(op, "value").and_then(Attribute::as_symbol)?;
    ir.weights.get(symbol)?.to_i8()
}

/// The value of a float constant of one element.
pub(super) fn scalar(ir: &Ir, value: ValueId) -> Option<f64> {
    let op = ir.defining_op(value)?;
    if !ir.is(op, &nn::CONSTANT) {
        return None;
    }
    match ir.attribute(op, "value")? {
        Attribute::Symbol(path) => {
            let weight = ir.weights.get(path.first()?)?;
            let is_scalar = weight.element == ElementType::F32 && weight.bytes().len() == weight.element.bytes();
            is_scalar.then(|| weight.to_f32()?.first().copied().map(f64::from))?
        }
        Attribute::Dense(dense) if ir.shape_of(value)?.iter().product::<usize>() == 1 => match &dense.elements {
            DenseElements::Floats(values) => values.first().copied(),
            DenseElements::Integers(values) => values.first().map(|&value| value as f64),
            DenseElements::Text(_) => None,
        },
        _ => None,
    }
}

/// A value without the factor that corrects a mathematical operator to what the hardware computes.
pub(super) struct Corrected {
    /// The operator.
    pub(super) op: OpId,
    /// The multiplication, if there is one, and its factor.
    pub(super) correction: Option<(OpId, f64)>,
}

/// The operator of kind `kind` behind a value, through a multiplication by a scalar constant.
pub(super) fn corrected(ir: &Ir, value: ValueId, kind: &'static OpDefinition) -> Option<Corrected> {
    let op = ir.defining_op(value)?;
    if ir.is(op, kind) {
        return Some(Corrected { op, correction: None });
    }
    if !ir.is(op, &nn::MUL) {
        return None;
    }
    let &[lhs, rhs] = ir.operands(op) else { return None };
    let (value, factor) = match (scalar(ir, lhs), scalar(ir, rhs)) {
        (None, Some(factor)) => (lhs, factor),
        (Some(factor), None) => (rhs, factor),
        _ => return None,
    };
    let inner = ir.defining_op(value).filter(|&inner| ir.is(inner, kind))?;
    Some(Corrected { op: inner, correction: Some((op, factor)) })
}

/// Whether two factors are the same number, one of them through single precision.
pub(super) fn is_same_factor(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= expected.abs() * 1e-6
}

/// An operator and the activation between it and the `nn.fix` that rounds it.
pub(super) struct Activated {
    pub(super) op: OpId,
    /// As the attribute `activation` of `int8` operations says it.
    pub(super) activation: &'static str,
    /// The activation's operation.
    pub(super) activation_op: Option<OpId>,
}

impl Activated {
    /// What `fix` rounds. An activation that the integer operation cannot have is the operator itself.
    pub(super) fn of(ir: &Ir, fix: Fix) -> Option<Self> {
        let op = fix.producer(ir)?;
        let Some(activation) = activation(ir, op, fix.point) else {
            return Some(Self { op, activation: "none", activation_op: None });
        };
        let inner = ir.defining_op(ir.operand(op, 0))?;
        Some(Self { op: inner, activation, activation_op: Some(op) })
    }

    /// The operations that become one, in order, without the `nn.fix`.
    pub(super) fn parts(&self) -> Vec<OpId> {
        Some(self.op).into_iter().chain(self.activation_op).collect()
    }

    /// The attribute of integer operations.
    pub(super) fn attribute(&self) -> [(&'static str, Attribute); 1] {
        [("activation", Attribute::string(self.activation))]
    }
}

/// The activation that an operation is, if an integer operation with this output fix point can have it exactly.
fn activation(ir: &Ir, op: OpId, point: i32) -> Option<&'static str> {
    if ir.is(op, &nn::RELU) {
        return Some("relu");
    }
    // Below fix point 4 the hardware clamps above 6.0 (numerics.md 4).
    if ir.is(op, &nn::RELU6) && point >= 4 {
        return Some("relu6");
    }
    let slope = || ir.attribute(op, "alpha").and_then(Attribute::as_float);
    (ir.is(op, &nn::LEAKY_RELU) && slope() == Some(LEAKY_SLOPE)).then_some("leaky_relu")
}
