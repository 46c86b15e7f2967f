//! `int8` operations as loops. The arithmetic is that of `dpuc_kernels::reference`, formula by formula.

use dpuc_dialects::dialects::int8;
use dpuc_kernels::reference::round::dequantise;

use super::{Lowered, Lowering};
use crate::loops::{Binary, Nest, Node, Rounding};
use crate::network::Operation;

/// Fractional bits that sums keep below the coarsest fix point (numerics.md 5.5, rule D1).
const SUM_GUARD_BITS: u32 = 2;
/// Fractional bits that differences and extremes keep.
const GUARD_BITS: u32 = 7;
/// Fix points whose powers of two are normal floats with room for 8 bits.
const REAL_FIX_POINTS: std::ops::RangeInclusive<i64> = -100..=100;
/// 1/6 as `2731 / 2^14`.
const SIXTH: i64 = 2731;
const SIXTH_SHIFT: i64 = 14;
/// The code of 6.0 at fix point 4, where `relu6` ends.
const RELU6_LIMIT: i64 = 96;

impl Lowering<'_> {
    /// Lowers `int8.<name>` to loops.
    pub(super) fn fixed(&mut self, name: &str, operation: &Operation) -> Lowered {
        match name {
            "quantise" => self.quantise(operation),
            "dequantise" => self.dequantise(operation),
            "requantise" => self.requantise(operation),
            "add" => self.combine(operation, SUM_GUARD_BITS, Binary::Add),
            "sub" => self.combine(operation, GUARD_BITS, Binary::Sub),
            "max" => self.combine(operation, GUARD_BITS, Binary::Max),
            "min" => self.combine(operation, GUARD_BITS, Binary::Min),
            "mul" => self.product(operation),
            "channel_mul" => self.channels(operation, |nest, x, v, [fx, fv, fo]| {
                let product = nest.body.binary(Binary::Mul, x, v);
                Some(nest.body.requantise(product, fx + fv - fo))
            }),
            "channel_add" => self.channels(operation, |nest, x, v, [fx, fv, fo]| {
                let finer = fx.max(fv);
                let [x, v] = [(x, fx), (v, fv)].map(|(number, fix)| (number, u32::try_from(finer - fix).ok()));
                // Beyond 40 bits the reference refuses.
                let lift = |bits: Option<u32>| bits.filter(|&bits| bits <= 40);
                let (x, v) = (nest.body.shift_left(x.0, lift(x.1)?), nest.body.shift_left(v.0, lift(v.1)?));
                let sum = nest.body.binary(Binary::Add, x, v);
                Some(nest.body.requantise(sum, finer - fo))
            }),
            "prelu" => self.channels(operation, |nest, x, v, [fx, fv, fo]| {
                let product = nest.body.binary(Binary::Mul, x, v);
                let below = nest.body.requantise(product, fx + fv - fo);
                let above = nest.body.requantise(x, fx - fo);
                Some(nest.body.if_negative(x, below, above))
            }),
            "leaky_relu" => self.leaky_relu(operation),
            "hard_sigmoid" => self.hard_sigmoid(operation),
            "reduce_mean" | "reduce_max" | "reduce_sum" => self.reduce(name, operation),
            "max_pool" => self.pool(operation, true),
            "avg_pool" => self.pool(operation, false),
            "upsample" | "downsample" => self.resample(name, operation),
            _ => self.movement(name, operation),
        }
    }

    /// Fix points of the first operand and of the result.
    fn rescale(&self, operation: &Operation) -> Option<[i64; 2]> {
        Some([self.fix(operation.operands[0])?, self.fix(operation.results[0])?])
    }

    fn quantise(&mut self, operation: &Operation) -> Lowered {
        let fix = self.fix(operation.results[0]).filter(|fix| REAL_FIX_POINTS.contains(fix))?;
        let mut nest = self.pointwise(operation);
        let x = self.element(&mut nest, operation.operands[0])?;
        let unit = nest.body.real(f32::exp2(fix as f32));
        let scaled = nest.body.binary(Binary::Mul, x, unit);
        let rounded = nest.body.round(Rounding::Up, scaled);
        nest.result = nest.body.code_of(rounded);
        self.push(nest);
        Some(())
    }

    fn dequantise(&mut self, operation: &Operation) -> Lowered {
        let fix = self.fix(operation.operands[0]).filter(|fix| REAL_FIX_POINTS.contains(fix))?;
        let mut nest = self.pointwise(operation);
        let x = self.element(&mut nest, operation.operands[0])?;
        let real = nest.body.real_of(x);
        let unit = nest.body.real(dequantise(1, fix as i32));
        nest.result = nest.body.binary(Binary::Mul, real, unit);
        self.push(nest);
        Some(())
    }

    fn requantise(&mut self, operation: &Operation) -> Lowered {
        let [input, output] = self.rescale(operation)?;
        let activation = self.ir.str(operation.op, "activation").unwrap_or("none").to_owned();
        let mut nest = self.pointwise(operation);
        let x = self.element(&mut nest, operation.operands[0])?;
        let active = match &activation[..] {
            "none" => x,
            "relu" | "relu6" => nest.body.rectify(x),
            _ => return None,
        };
        let mut code = nest.body.requantise(active, input - output);
        if activation == "relu6" && output <= 4 {
            code = nest.body.clamp(code, -128, RELU6_LIMIT);
        }
        nest.result = code;
        self.push(nest);
        Some(())
    }

    /// Whether an elementwise operation has a ReLU; `None` for another activation.
    fn is_rectified(&self, operation: &Operation) -> Option<bool> {
        match self.ir.str(operation.op, "activation") {
            None | Some("none") => Some(false),
            Some("relu") => Some(true),
            Some(_) => None,
        }
    }

    /// Folds tensors of one shape at their coarsest fix point, some bits kept below it.
    fn combine(&mut self, operation: &Operation, guard_bits: u32, step: Binary) -> Lowered {
        let relu = self.is_rectified(operation)?;
        let output = self.fix(operation.results[0])?;
        let inputs = &operation.operands[..int8::inputs(self.ir, operation.op).len()];
        let fixes: Vec<i64> = inputs.iter().map(|&input| self.fix(input)).collect::<Option<_>>()?;
        let coarsest = fixes.iter().copied().min()?;
        let mut nest = self.pointwise(operation);
        let mut folded: Option<Node> = None;
        for (&input, &fix) in inputs.iter().zip(&fixes) {
            let x = self.element(&mut nest, input)?;
            let lifted = nest.body.shift_left(x, guard_bits);
            let aligned = nest.body.shift_right(lifted, (fix - coarsest).min(63) as u32);
            folded = Some(match folded {
                Some(folded) => nest.body.binary(step, folded, aligned),
                None => aligned,
            });
        }
        let folded = folded?;
        let active = if relu { nest.body.rectify(folded) } else { folded };
        nest.result = nest.body.requantise(active, coarsest - output + i64::from(guard_bits));
        self.push(nest);
        Some(())
    }

    fn product(&mut self, operation: &Operation) -> Lowered {
        let relu = self.is_rectified(operation)?;
        let &[a, b] = &operation.operands[..] else { return None };
        let shift = self.fix(a)? + self.fix(b)? - self.fix(operation.results[0])?;
        let mut nest = self.pointwise(operation);
        let (a, b) = (self.element(&mut nest, a)?, self.element(&mut nest, b)?);
        let product = nest.body.binary(Binary::Mul, a, b);
        let active = if relu { nest.body.rectify(product) } else { product };
        nest.result = nest.body.requantise(active, shift);
        self.push(nest);
        Some(())
    }

    /// A function of an element and the number of its channel; fix points of both and of the result.
    fn channels(
        &mut self,
        operation: &Operation,
        function: impl Fn(&mut Nest, Node, Node, [i64; 3]) -> Option<Node>,
    ) -> Lowered {
        let &[input, vector, ..] = &operation.operands[..] else { return None };
        let fixes = [self.fix(input)?, self.fix(vector)?, self.fix(operation.results[0])?];
        let channels = *self.shape(input).last()?;
        if self.info(vector).elements() != channels {
            return None;
        }
        let mut nest = self.pointwise(operation);
        let x = self.element(&mut nest, input)?;
        let v = match self.literal(&mut nest, vector) {
            Some(literal) => literal,
            None => {
                let view = self.read(vector);
                let mut strides = vec![0; nest.extents.len()];
                *strides.last_mut()? = 1;
                nest.load(super::strided(view, 0, strides), self.info(vector).element)
            }
        };
        nest.result = function(&mut nest, x, v, fixes)?;
        self.push(nest);
        Some(())
    }

    fn leaky_relu(&mut self, operation: &Operation) -> Lowered {
        let [input, output] = self.rescale(operation)?;
        let (multiplier, shift) = (self.ir.int(operation.op, "multiplier")?, self.ir.int(operation.op, "shift")?);
        let mut nest = self.pointwise(operation);
        let x = self.element(&mut nest, operation.operands[0])?;
        let slope = nest.body.integer(i64::from(i8::try_from(multiplier).ok()?));
        let product = nest.body.binary(Binary::Mul, x, slope);
        let below = nest.body.requantise(product, input - output + shift);
        let above = nest.body.requantise(x, input - output);
        nest.result = nest.body.if_negative(x, below, above);
        self.push(nest);
        Some(())
    }

    /// `rsat(max(0, 2731 * q + 3 * 2731 * 2^fi), 14 + fi - fo)`; beyond fix point 15 the reference's upper clamp could matter.
    fn hard_sigmoid(&mut self, operation: &Operation) -> Lowered {
        let [input, output] = self.rescale(operation)?;
        if !(0..=15).contains(&input) {
            return None;
        }
        let mut nest = self.pointwise(operation);
        let x = self.element(&mut nest, operation.operands[0])?;
        let (sixth, offset) = (nest.body.integer(SIXTH), nest.body.integer((3 * SIXTH) << input));
        let scaled = nest.body.binary(Binary::Mul, x, sixth);
        let moved = nest.body.binary(Binary::Add, scaled, offset);
        let positive = nest.body.rectify(moved);
        nest.result = nest.body.requantise(positive, SIXTH_SHIFT + input - output);
        self.push(nest);
        Some(())
    }
}
