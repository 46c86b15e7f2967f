//! Moving `nn.fix` in front of operators that only move elements (`spec/xmodel.md` section 5.4).

use std::cell::Cell;

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::nn;
use dpuc_dialects::rewrite::{Pattern, Rewriter};
use dpuc_dialects::{Attribute, Ir, LocationKind, OpBuilder, OpId, ValueId};

use super::code::Fix;
use super::lowered::tensor_name;

/// `fix(move(x, …))` becomes `fix(move(fix(x), …))` for each `x` that is not fixed already. Exact: rounding acts on each element, keeps the
/// order of numbers, and keeps zero.
#[derive(Default)]
pub(super) struct PushFix {
    /// Number of `nn.fix` operations made so far, for their names.
    inserted: Cell<usize>,
}

/// A movement and which of its operands want a `nn.fix`.
pub(super) struct Match {
    fix: Fix,
    movement: OpId,
    unfixed: Vec<usize>,
}

/// Longest chain of movements in which a `nn.fix` is searched.
const MAX_CHAIN: usize = 16;

impl Pattern for PushFix {
    const NAME: &'static str = "push-fix";
    type Match = Match;

    fn root(&self) -> &'static OpDefinition {
        &nn::FIX
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<Match> {
        let fix = Fix::of(ir, op)?;
        let movement = fix.producer(ir).filter(|&op| commutes(ir, op))?;
        let operands = ir.operands(movement).iter().enumerate();
        let unfixed: Vec<usize> =
            operands.filter(|&(_, &operand)| !is_fixed(ir, operand)).map(|(index, _)| index).collect();
        (!unfixed.is_empty()).then_some(Match { fix, movement, unfixed })
    }

    fn rewrite(&self, found: Match, op: OpId, rewriter: &mut Rewriter<'_>) {
        let Match { fix, movement, unfixed } = found;
        let mut operands = rewriter.ir().operands(movement).to_vec();
        for index in unfixed {
            operands[index] = self.insert_fix(rewriter, operands[index], fix.point);
        }
        let ir = rewriter.ir();
        let (location, ty) = (ir.op(movement).location, ir.value_type(ir.result(movement)));
        let name = ir.value_name(ir.result(movement)).unwrap_or_default().to_owned();
        let attributes: Vec<(String, Attribute)> =
            ir.attributes(movement).iter().map(|(name, value)| (ir.text(*name).to_owned(), value.clone())).collect();
        let Some(kind) = ir.definition(movement) else { return };
        let mut builder = OpBuilder::new(kind).at(location).operands(operands).result(ty, &name);
        for (name, value) in &attributes {
            builder = builder.attribute(name, value.clone());
        }
        let movement = rewriter.insert(builder);
        let value = rewriter.ir().result(movement);
        rewriter.modify(op, |ir| ir.set_operand(op, 0, value));
    }
}

impl PushFix {
    fn insert_fix(&self, rewriter: &mut Rewriter<'_>, value: ValueId, point: i32) -> ValueId {
        let number = self.inserted.replace(self.inserted.get() + 1);
        let ir = rewriter.tables();
        let ty = ir.value_type(value);
        let suffix = format!("_inserted_fix_{number}");
        let name = ir.value_name(value).map(|name| format!("{name}{suffix}"));
        let mut builder = OpBuilder::new(&nn::FIX)
            .operands([value])
            .attribute("fix_point", Attribute::int(point.into()))
            .result(ty, name.as_deref().unwrap_or_default());
        if let Some(producer) = ir.defining_op(value) {
            let location = ir.op(producer).location;
            let named = tensor_name(ir, location).map(|name| format!("{name}{suffix}"));
            let named = named.map(|name| ir.location(LocationKind::Name(name.into(), Some(location))));
            builder = builder.at(named.unwrap_or(location));
        }
        let fix = rewriter.insert(builder);
        rewriter.ir().result(fix)
    }
}

/// Whether an operation gives the same if its operands are rounded instead of its result.
fn commutes(ir: &Ir, op: OpId) -> bool {
    match ir.op_name(op) {
        "nn.concat" | "nn.max_pool" | "nn.reshape" | "nn.transpose" | "nn.strided_slice" => true,
        "nn.resize" => ir.str(op, "mode") == Some("nearest"),
        "nn.pad" => ir.str(op, "mode").is_some(),
        // Behind an operator that takes a ReLU into itself, the rounding stays behind the ReLU.
        "nn.relu" => ir.defining_op(ir.operand(op, 0)).is_some_and(|inner| !takes_activation(ir, inner)),
        _ => false,
    }
}

fn takes_activation(ir: &Ir, op: OpId) -> bool {
    let kinds: [&'static OpDefinition; 7] = [
        &nn::CONV2D,
        &nn::DEPTHWISE_CONV2D,
        &nn::TRANSPOSED_CONV2D,
        &nn::TRANSPOSED_DEPTHWISE_CONV2D,
        &nn::MATMUL,
        &nn::ADD,
        &nn::MUL,
    ];
    kinds.into_iter().any(|kind| ir.is(op, kind))
}

/// Whether a value is the result of a `nn.fix`, moved or not.
fn is_fixed(ir: &Ir, value: ValueId) -> bool {
    let mut value = value;
    for _ in 0..MAX_CHAIN {
        let Some(op) = ir.defining_op(value) else { return false };
        if Fix::of(ir, op).is_some() {
            return true;
        }
        match ir.operands(op) {
            &[operand] if commutes(ir, op) => value = operand,
            _ => return false,
        }
    }
    false
}
