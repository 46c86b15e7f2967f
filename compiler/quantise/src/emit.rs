//! Writing the quantised graph: `nn.fix` operations and constants on their grids.

use dpuc_dialects::dialects::nn;
use dpuc_dialects::{Attribute, BlockId, Ir, LocationKind, OpBuilder, OpId, ValueId};

use crate::network::{set_constant, value_name};

/// A constant operand with its numbers already on the grid of its position.
pub(crate) struct Rounded<'a> {
    pub(crate) op: OpId,
    pub(crate) index: usize,
    pub(crate) symbol: &'a str,
    pub(crate) shape: &'a [usize],
    pub(crate) position: i32,
    pub(crate) elements: Vec<f32>,
}

/// Rounds values of `block` for all their readers.
pub(crate) fn fix_values(ir: &mut Ir, block: BlockId, values: impl IntoIterator<Item = (ValueId, i32)>) {
    for (value, position) in values {
        let next = match ir.defining_op(value) {
            Some(op) => ir.next_op(op),
            None => ir.ops(block).next(),
        };
        let fix = new_fix(ir, value, position);
        match next {
            Some(next) => ir.insert_before(next, fix),
            None => ir.append(block, fix),
        }
        let fixed = ir.result(fix);
        ir.replace_all_uses(value, fixed);
        ir.add_operand(fix, value);
    }
}

/// Replaces constant operands by rounded ones.
pub(crate) fn fix_constants<'a>(ir: &mut Ir, constants: impl IntoIterator<Item = Rounded<'a>>) {
    for Rounded { op, index, symbol, shape, position, elements } in constants {
        set_constant(ir, symbol, shape, &elements);
        let value = ir.operand(op, index);
        let fix = new_fix(ir, value, position);
        ir.add_operand(fix, value);
        ir.insert_before(op, fix);
        let fixed = ir.result(fix);
        ir.set_operand(op, index, fixed);
    }
}

/// A `nn.fix` with the type of `value`, without its operand and unplaced. Every one rounds as the DPU does, constants too: those are on the
/// grid (`spec/quantisation.md` section 11).
fn new_fix(ir: &mut Ir, value: ValueId, position: i32) -> OpId {
    let name = format!("{}_fix", value_name(ir, value));
    let child = ir.defining_op(value).map(|op| ir.op(op).location);
    let location = ir.location(LocationKind::Name(name.as_str().into(), child));
    let ty = ir.value_type(value);
    let builder = OpBuilder::new(&nn::FIX).attribute("fix_point", Attribute::int(position.into()));
    builder.at(location).result(ty, &name).create(ir)
}
