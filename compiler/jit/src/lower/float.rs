//! `nn` operations as loops: single precision, each operation rounded once, as in the evaluator.

use super::attributes::float;
use super::{Lowered, Lowering};
use crate::loops::{Binary, Nest, Node, Predicate, Rounding, Unary};
use crate::network::Operation;

impl Lowering<'_> {
    /// Lowers `nn.<name>` to loops.
    pub(super) fn float(&mut self, name: &str, operation: &Operation) -> Lowered {
        match name {
            "add" => self.broadcast(operation, Binary::Add),
            "sub" => self.broadcast(operation, Binary::Sub),
            "mul" => self.broadcast(operation, Binary::Mul),
            "div" => self.broadcast(operation, Binary::Div),
            "max" => self.broadcast(operation, Binary::Max),
            "min" => self.broadcast(operation, Binary::Min),
            "relu" => self.unary(operation, |nest, x| {
                let zero = nest.body.real(0.0);
                nest.body.binary(Binary::Max, x, zero)
            }),
            "relu6" => self.unary(operation, |nest, x| nest.body.clamp_real(x, 0.0, 6.0)),
            "leaky_relu" => {
                let alpha = float(self.ir, operation.op, "alpha")? as f32;
                self.unary(operation, |nest, x| {
                    let slope = nest.body.real(alpha);
                    let below = nest.body.binary(Binary::Mul, slope, x);
                    nest.body.if_negative(x, below, x)
                })
            }
            "prelu" => self.two(operation, |nest, x, slope| {
                let below = nest.body.binary(Binary::Mul, slope, x);
                nest.body.if_negative(x, below, x)
            }),
            "hard_sigmoid" => self.unary(operation, hard_sigmoid),
            "hard_swish" => self.unary(operation, |nest, x| {
                let gate = hard_sigmoid(nest, x);
                nest.body.binary(Binary::Mul, x, gate)
            }),
            "abs" => self.unary(operation, |nest, x| nest.body.unary(Unary::Abs, x)),
            "sqrt" => self.unary(operation, |nest, x| nest.body.unary(Unary::Sqrt, x)),
            "floor" => self.unary(operation, |nest, x| nest.body.unary(Unary::Floor, x)),
            "ceil" => self.unary(operation, |nest, x| nest.body.unary(Unary::Ceil, x)),
            "round" => self.unary(operation, |nest, x| nest.body.round(Rounding::Even, x)),
            "broadcast" => self.unary(operation, |_, x| x),
            "clip" => {
                let bound = |name| float(self.ir, operation.op, name).map(|bound| bound as f32);
                let bounds = [(Binary::Max, bound("min")), (Binary::Min, bound("max"))];
                self.unary(operation, |nest, x| {
                    bounds.into_iter().fold(x, |x, (binary, bound)| match bound {
                        Some(bound) => {
                            let bound = nest.body.real(bound);
                            nest.body.binary(binary, x, bound)
                        }
                        None => x,
                    })
                })
            }
            "compare" => {
                let predicate = match self.ir.str(operation.op, "predicate")? {
                    "eq" => Predicate::Eq,
                    "ne" => Predicate::Ne,
                    "lt" => Predicate::Lt,
                    "le" => Predicate::Le,
                    "gt" => Predicate::Gt,
                    "ge" => Predicate::Ge,
                    _ => return None,
                };
                self.two(operation, |nest, a, b| nest.body.compare(predicate, a, b))
            }
            "select" => self.select(operation),
            "pow" => self.square(operation),
            "fix" => self.fake_quantise(operation),
            "reduce_mean" | "reduce_max" | "reduce_min" | "reduce_sum" => self.reduce(name, operation),
            "resize" => self.resize(operation),
            _ => self.movement(name, operation),
        }
    }

    fn unary(&mut self, operation: &Operation, function: impl Fn(&mut Nest, Node) -> Node) -> Lowered {
        let mut nest = self.pointwise(operation);
        let x = self.element(&mut nest, operation.operands[0])?;
        nest.result = function(&mut nest, x);
        self.push(nest);
        Some(())
    }

    fn two(&mut self, operation: &Operation, function: impl Fn(&mut Nest, Node, Node) -> Node) -> Lowered {
        let &[a, b] = &operation.operands[..] else { return None };
        let mut nest = self.pointwise(operation);
        let (a, b) = (self.element(&mut nest, a)?, self.element(&mut nest, b)?);
        nest.result = function(&mut nest, a, b);
        self.push(nest);
        Some(())
    }

    fn select(&mut self, operation: &Operation) -> Lowered {
        let &[condition, a, b] = &operation.operands[..] else { return None };
        let mut nest = self.pointwise(operation);
        let condition = self.element(&mut nest, condition)?;
        let (a, b) = (self.element(&mut nest, a)?, self.element(&mut nest, b)?);
        nest.result = nest.body.select(condition, a, b);
        self.push(nest);
        Some(())
    }

    /// A power whose exponent is 2 everywhere: the product is the power rounded once.
    fn square(&mut self, operation: &Operation) -> Lowered {
        let exponent = self.info(*operation.operands.get(1)?).constant.as_ref()?.as_f32()?;
        if exponent.is_empty() || exponent.iter().any(|&exponent| exponent.to_bits() != 2f32.to_bits()) {
            return None;
        }
        self.unary(operation, |nest, x| nest.body.binary(Binary::Mul, x, x))
    }

    fn broadcast(&mut self, operation: &Operation, binary: Binary) -> Lowered {
        self.two(operation, |nest, a, b| nest.body.binary(binary, a, b))
    }

    /// `clip(round(x * 2^p)) * 2^-p`. In single precision this is exact for numbers of at most 24 bits: the powers of two only move the
    /// exponent, and rounding decides on an exact difference.
    fn fake_quantise(&mut self, operation: &Operation) -> Lowered {
        let (ir, op) = (self.ir, operation.op);
        let bits = i32::try_from(ir.int(op, "bit_width")?).ok().filter(|bits| (1..=24).contains(bits))?;
        let fix = ir.int(op, "fix_point")?;
        if !(-64..=64).contains(&fix) {
            return None;
        }
        let (low, high) = if ir.bool(op, "signed")? {
            (-f32::exp2((bits - 1) as f32), f32::exp2((bits - 1) as f32) - 1.0)
        } else {
            (0.0, f32::exp2(bits as f32) - 1.0)
        };
        let rounding = match ir.str(op, "round_mode")? {
            "dpu" => Rounding::Up,
            "std" => Rounding::Away,
            "py3" => Rounding::Even,
            _ => return None,
        };
        self.unary(operation, |nest, x| {
            let (unit, inverse) = (nest.body.real(f32::exp2(fix as f32)), nest.body.real(f32::exp2(-fix as f32)));
            let scaled = nest.body.binary(Binary::Mul, x, unit);
            let rounded = nest.body.round(rounding, scaled);
            let clipped = nest.body.clamp_real(rounded, low, high);
            nest.body.binary(Binary::Mul, clipped, inverse)
        })
    }
}

/// `clamp(x + 3, 0, 6) / 6`
fn hard_sigmoid(nest: &mut Nest, x: Node) -> Node {
    let (three, six) = (nest.body.real(3.0), nest.body.real(6.0));
    let moved = nest.body.binary(Binary::Add, x, three);
    let clamped = nest.body.clamp_real(moved, 0.0, 6.0);
    nest.body.binary(Binary::Div, clamped, six)
}
