//! The quantised form: float operators and `fix`, not partitioned (`spec/xmodel.md` section 2.1).

use dpuc_codegen::average_factor;
use dpuc_dialects::dialects::nn;
use dpuc_dialects::{BlockId, Ir, OpId};
use dpuc_xmodel::{Attributed, Graph, validate};
use rustc_hash::FxHashSet;

use super::operators::Operators;
use super::set_own_attributes;
use crate::error::{BackendError, check};
use crate::partition::{is_constant, main_block};

/// Makes the `.xmodel` graph of a network of `nn` operations, as AMD's quantisers write it: operators on floats, `fix` where something is
/// rounded, names and tensors of the framework. The graph has the module's name unless another one is given.
///
/// The importer reads it back as the same operations, except that a split becomes slices and that means and hard sigmoids get the factor that
/// makes them what the hardware computes in any case. An operation that the format has no operator for becomes one of the operation's own
/// name, such as `nn.gather`: [`foreign_operators`](crate::foreign_operators) says which, because AMD's tools stop at them or leave them to
/// an operator that the user adds.
///
/// # Errors
/// The module is not valid, has no function `@main` of one block, or an operation is neither of the `nn` dialect nor expressible.
pub fn export_quantised(ir: &Ir, name: Option<&str>) -> Result<Graph, BackendError> {
    check(ir, "to export")?;
    let block = main_block(ir)?;
    let mut operators = Operators::new(ir);
    for number in 0..ir.arguments(block).len() {
        operators.argument(block, number, &[])?;
    }
    for op in live_operations(ir, block) {
        if !ir.op_name(op).starts_with("nn.") {
            let reason = "only operations of the dialect `nn` are part of a quantised network; compile it instead";
            return Err(operators.refuse(op, reason));
        }
        match hardware_factor(ir, op) {
            Some(factor) => operators.scaled(op, factor)?,
            None => operators.operation(op)?,
        }
    }
    let outputs = operators.outputs(block)?;
    let name = name.or_else(|| ir.symbol_name(ir.root())).unwrap_or("network");
    let mut graph = Graph::uncompiled(name, operators.ops).with_attr("return_ops", outputs);
    set_own_attributes(ir, &mut graph);
    validate(&graph)?;
    Ok(graph)
}

/// The hardware's hard sigmoid relative to `relu6(x + 3) / 6`: it has `2731 / 2^14` for a sixth (`spec/numerics.md` section 5.9).
const HARD_SIGMOID_FACTOR: f64 = 6.0 * 2731.0 / 16384.0;

/// What AMD's quantisers multiply a mean or a hard sigmoid with before it is rounded, so that it is what the hardware computes, which
/// multiplies and shifts instead of dividing (`spec/xmodel.md` section 2.1). `None`: the result is none of these, or is not rounded at once,
/// as where the factor is there already.
fn hardware_factor(ir: &Ir, op: OpId) -> Option<f32> {
    let mean = |[height, width]: [u32; 2]| {
        let (factor, shift) = average_factor([height, width]);
        f64::from(height) * f64::from(width) * f64::from(factor) / f64::exp2(f64::from(shift))
    };
    let factor = if ir.is(op, &nn::AVG_POOL) && ir.bool(op, "exclude_padding") == Some(false) {
        mean(ir.int_array::<2>(op, "kernel")?.map(|size| size as u32))
    } else if ir.is(op, &nn::REDUCE_MEAN) && ir.ints(op, "axes")? == [1, 2] {
        let &[_, height, width, _] = &ir.shape_of(ir.operand(op, 0))?[..] else { return None };
        mean([u32::try_from(height).ok()?, u32::try_from(width).ok()?])
    } else if ir.is(op, &nn::HARD_SIGMOID) {
        HARD_SIGMOID_FACTOR
    } else {
        return None;
    };
    let users = ir.users(ir.result(op));
    let is_rounded = users.iter().all(|&user| ir.is(user, &nn::FIX));
    is_rounded.then_some(factor as f32)
}

/// The operations that the results depend on, in order, without constants and the return.
fn live_operations(ir: &Ir, block: BlockId) -> Vec<OpId> {
    let mut live: FxHashSet<OpId> = FxHashSet::default();
    let mut pending: Vec<OpId> = ir.last_op(block).into_iter().collect();
    while let Some(op) = pending.pop() {
        for producer in ir.operands(op).iter().filter_map(|&value| ir.defining_op(value)) {
            if live.insert(producer) {
                pending.push(producer);
            }
        }
    }
    ir.ops(block).filter(|&op| live.contains(&op) && !is_constant(ir, op)).collect()
}
