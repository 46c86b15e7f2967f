//! Concatenation and reshape.

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::{int8, nn};
use dpuc_dialects::rewrite::{Pattern, Rewriter};
use dpuc_dialects::{Ir, OpBuilder, OpId, ValueId};

use super::code::{Fix, code, constant_code, constant_elements};
use super::lowered::{FixPattern, Lowered, NewConstant};

/// `nn.concat`: each input is requantised to the output's fix point.
pub(super) struct Concat;

impl FixPattern for Concat {
    const NAME: &'static str = "concat";

    fn lower(&self, ir: &Ir, fix: Fix) -> Option<Lowered> {
        let op = fix.producer_of(ir, &nn::CONCAT)?;
        Some(Lowered::new(&int8::CONCAT, fix, vec![op], codes(ir, op)?).with("axis", ir.attribute(op, "axis")?.clone()))
    }
}

/// The codes of all operands.
fn codes(ir: &Ir, op: OpId) -> Option<Vec<ValueId>> {
    ir.operands(op).iter().map(|&operand| code(ir, operand)).collect()
}

/// `nn.reshape` and a `nn.fix` that changes nothing.
pub(super) struct Reshape;

impl FixPattern for Reshape {
    const NAME: &'static str = "reshape";

    fn lower(&self, ir: &Ir, fix: Fix) -> Option<Lowered> {
        let op = fix.producer_of(ir, &nn::RESHAPE)?;
        let input = code(ir, ir.operand(op, 0))?;
        let is_exact = ir.fix_of(input) == Some(fix.point);
        is_exact.then(|| Lowered::new(&int8::RESHAPE, fix, vec![op], [input]))
    }
}

/// `nn.reshape` that is not rounded again: its elements are codes all the same.
pub(super) struct UnfixedReshape;

impl Pattern for UnfixedReshape {
    const NAME: &'static str = "unfixed-reshape";
    type Match = Lowered;

    fn root(&self) -> &'static OpDefinition {
        &nn::RESHAPE
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<Lowered> {
        let input = code(ir, ir.operand(op, 0))?;
        let point = ir.fix_of(input)?;
        let waits = is_always_fixed(ir, op, |fix| fix.point == point);
        (!waits).then(|| Lowered { parts: vec![], ..Lowered::new(&int8::RESHAPE, Fix { op, point }, vec![], [input]) })
    }

    fn rewrite(&self, found: Lowered, _: OpId, rewriter: &mut Rewriter<'_>) {
        found.apply(rewriter);
    }
}

/// A constant of codes under another shape is another constant.
pub(super) struct ReshapedConstant;

impl Pattern for ReshapedConstant {
    const NAME: &'static str = "reshaped-constant";
    type Match = NewConstant;

    fn root(&self) -> &'static OpDefinition {
        &nn::RESHAPE
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<NewConstant> {
        let constant = constant_code(ir, ir.operand(op, 0))?;
        let elements = constant_elements(ir, constant)?;
        NewConstant::derived(ir, constant, "(reshaped)", ir.shape_of(ir.result(op))?, elements)
    }

    fn rewrite(&self, found: NewConstant, op: OpId, rewriter: &mut Rewriter<'_>) {
        let ty = rewriter.ir().value_type(rewriter.ir().result(op));
        let code = found.insert(rewriter);
        let dequantised = rewriter.insert(OpBuilder::new(&int8::DEQUANTISE).operands([code]).result(ty, ""));
        let dequantised = rewriter.ir().result(dequantised);
        rewriter.replace(op, &[dequantised]);
    }
}

/// `nn.concat` of codes of one fix point that is not rounded again.
pub(super) struct UnfixedConcat;

impl Pattern for UnfixedConcat {
    const NAME: &'static str = "unfixed-concat";
    type Match = Lowered;

    fn root(&self) -> &'static OpDefinition {
        &nn::CONCAT
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<Lowered> {
        let inputs = codes(ir, op)?;
        let point = ir.fix_of(*inputs.first()?)?;
        let has_one_point = inputs.iter().all(|&input| ir.fix_of(input) == Some(point));
        if !has_one_point || is_always_fixed(ir, op, |_| true) {
            return None;
        }
        let lowered = Lowered::new(&int8::CONCAT, Fix { op, point }, vec![], inputs);
        Some(lowered.with("axis", ir.attribute(op, "axis")?.clone()))
    }

    fn rewrite(&self, found: Lowered, _: OpId, rewriter: &mut Rewriter<'_>) {
        found.apply(rewriter);
    }
}

/// Whether every user is a `nn.fix` that `accepts` agrees to: then the lowering of those includes this operation.
fn is_always_fixed(ir: &Ir, op: OpId, accepts: impl Fn(Fix) -> bool) -> bool {
    let users = ir.users(ir.result(op));
    !users.is_empty() && users.into_iter().all(|user| Fix::of(ir, user).is_some_and(&accepts))
}
