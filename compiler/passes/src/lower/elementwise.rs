//! Sums, differences, products, maxima and minima.

use dpuc_dialects::dialects::{int8, nn};
use dpuc_dialects::{Ir, OpId, ValueId};

use super::code::{Activated, Fix, code, constant_code, constant_elements};
use super::lowered::{FixPattern, Lowered, NewConstant, Operand};

/// Elementwise operators of fixed-point tensors, with or without ReLU where the integer form has one. A constant is broadcast to the shape
/// of the result; sums, maxima and minima of several tensors become one.
pub(super) struct Elementwise;

/// Largest constant that is made by broadcasting: 2^26 bytes.
const MAX_BROADCAST: usize = 1 << 26;

/// Most operands of one operation.
const MAX_OPERANDS: usize = 64;

impl FixPattern for Elementwise {
    const NAME: &'static str = "elementwise";

    fn lower(&self, ir: &Ir, fix: Fix) -> Option<Lowered> {
        let found = Activated::of(ir, fix).filter(|found| matches!(found.activation, "none" | "relu"))?;
        let (kind, is_associative) = match ir.op_name(found.op) {
            "nn.add" => (&int8::ADD, true),
            "nn.sub" => (&int8::SUB, false),
            "nn.mul" => (&int8::MUL, false),
            "nn.max" => (&int8::MAX, true),
            "nn.min" => (&int8::MIN, true),
            _ => return None,
        };
        if found.activation != "none" && kind.attribute("activation").is_none() {
            return None;
        }
        let shape = ir.shape_of(ir.result(found.op))?;
        let mut tree = Tree { parts: Vec::new(), operands: Vec::new() };
        tree.collect(ir, found.op, is_associative);
        let operands = tree.operands.iter().map(|&operand| broadcast(ir, operand, &shape));
        let operands = operands.collect::<Option<Vec<_>>>()?;
        let parts = tree.parts.into_iter().chain(found.parts()).collect();
        let attributes = found.attribute().into_iter().filter(|(name, _)| kind.attribute(name).is_some());
        let lowered = Lowered::new(kind, fix, parts, []).with_all(attributes);
        Some(Lowered { operands, ..lowered })
    }
}

/// Operators of one kind that feed each other without being rounded.
struct Tree {
    /// The operators in front of the last one.
    parts: Vec<OpId>,
    operands: Vec<ValueId>,
}

impl Tree {
    /// Adds the operands of `root`, and instead of the results of the same operator that only this tree reads, their operands.
    fn collect(&mut self, ir: &Ir, root: OpId, is_associative: bool) {
        let mut open: Vec<ValueId> = ir.operands(root).iter().rev().copied().collect();
        while let Some(value) = open.pop() {
            let is_own = |user: &OpId| *user == root || self.parts.contains(user);
            let inner = ir.defining_op(value).filter(|&op| ir.op_name(op) == ir.op_name(root));
            let inner = inner.filter(|_| ir.users(value).iter().all(is_own));
            match inner {
                Some(op) if is_associative && self.operands.len() + open.len() < MAX_OPERANDS => {
                    if !self.parts.contains(&op) {
                        self.parts.push(op);
                    }
                    open.extend(ir.operands(op).iter().rev());
                }
                _ => self.operands.push(value),
            }
        }
        self.parts.reverse();
    }
}

/// The codes of an operand of an elementwise operation with a result of shape `shape`.
fn broadcast(ir: &Ir, value: ValueId, shape: &[usize]) -> Option<Operand> {
    let own = ir.shape_of(value)?;
    if own == shape {
        return code(ir, value).map(Operand::Code);
    }
    let of = constant_code(ir, value)?;
    let count = shape.iter().try_fold(1usize, |count, &dim| count.checked_mul(dim))?;
    if count > MAX_BROADCAST {
        return None;
    }
    let elements = broadcast_elements(&constant_elements(ir, of)?, &own, shape)?;
    NewConstant::derived(ir, of, "_broadcast", shape.to_vec(), elements).map(Operand::Constant)
}

/// The elements of a tensor of shape `own` repeated to `shape`, as NumPy does.
fn broadcast_elements(elements: &[i8], own: &[usize], shape: &[usize]) -> Option<Vec<i8>> {
    let missing = shape.len().checked_sub(own.len())?;
    // Each axis from the innermost: repeat an axis of size one, else step through the elements.
    let mut strides = vec![0usize; shape.len()];
    let mut stride = 1;
    for axis in (missing..shape.len()).rev() {
        let size = own[axis - missing];
        if size != 1 {
            if size != shape[axis] {
                return None;
            }
            strides[axis] = stride;
        }
        stride *= size;
    }
    let mut sources = vec![0usize];
    for (&size, &stride) in shape.iter().zip(&strides) {
        sources = sources.into_iter().flat_map(|source| (0..size).map(move |i| source + i * stride)).collect();
    }
    sources.into_iter().map(|source| elements.get(source).copied()).collect()
}

/// `nn.mul` by a constant of one element or one per channel: a depthwise convolution of 1x1 (`spec/xmodel.md` section 5.1).
pub(super) struct ChannelScale;

impl FixPattern for ChannelScale {
    const NAME: &'static str = "channel-scale";

    fn lower(&self, ir: &Ir, fix: Fix) -> Option<Lowered> {
        let found = Activated::of(ir, fix).filter(|found| ir.is(found.op, &nn::MUL))?;
        let &[lhs, rhs] = ir.operands(found.op) else { return None };
        let (input, scale) = match (constant_code(ir, lhs), constant_code(ir, rhs)) {
            (None, Some(scale)) => (lhs, scale),
            (Some(scale), None) => (rhs, scale),
            _ => return None,
        };
        let &[_, _, _, channels] = &ir.shape_of(ir.result(found.op))?[..] else { return None };
        let own = ir.shape_of(scale)?;
        let (last, rest) = own.split_last().unwrap_or((&1, &[]));
        let is_vector = rest.iter().all(|&dim| dim == 1) && (*last == 1 || *last == channels);
        if !is_vector || channels > MAX_BROADCAST || ir.shape_of(input) != ir.shape_of(ir.result(found.op)) {
            return None;
        }
        let shape = vec![1, 1, 1, channels];
        let elements = broadcast_elements(&constant_elements(ir, scale)?, &[*last], &[channels])?;
        let weights = Operand::Constant(NewConstant::derived(ir, scale, "_per_channel", shape, elements)?);
        let lowered = Lowered::new(&int8::DEPTHWISE_CONV2D, fix, found.parts(), []).with_all(found.attribute());
        Some(Lowered { operands: vec![Operand::Code(code(ir, input)?), weights], ..lowered })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broadcasting_repeats_axes_of_size_one() {
        assert_eq!(broadcast_elements(&[1, 2], &[2, 1], &[2, 2, 2]).unwrap(), [1, 1, 2, 2, 1, 1, 2, 2]);
        assert_eq!(broadcast_elements(&[1, 2, 3], &[3], &[2, 3]).unwrap(), [1, 2, 3, 1, 2, 3]);
        assert_eq!(broadcast_elements(&[7], &[], &[2]).unwrap(), [7, 7]);
        assert_eq!(broadcast_elements(&[1, 2], &[2], &[3]), None);
        assert_eq!(broadcast_elements(&[1, 2], &[1, 2], &[2]), None);
    }
}
