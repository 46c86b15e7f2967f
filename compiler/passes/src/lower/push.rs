//! Placing `nn.fix` where integer operations want it: in front of operators that only move elements (`spec/xmodel.md` section 5.4), and
//! behind them if what they moved goes on to an operator that computes.

use std::cell::Cell;
use std::rc::Rc;

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::nn;
use dpuc_dialects::rewrite::{Pattern, Patterns, Rewriter};
use dpuc_dialects::{Attribute, Ir, LocationKind, OpBuilder, OpId, ValueId};

use super::code::Fix;
use super::lowered::tensor_name;
use crate::canonicalise::SplitAsSlices;

/// `fix(move(x, …))` becomes `fix(move(fix(x), …))` for each `x` that is not fixed already. Exact: rounding acts on each element, keeps the
/// order of numbers, and keeps zero.
struct PushFix {
    names: Names,
}

/// A movement and which of its operands want a `nn.fix`.
struct Pushed {
    fix: Fix,
    movement: OpId,
    unfixed: Vec<usize>,
}

/// Longest chain of reshapes in which a `nn.fix` is searched.
const MAX_CHAIN: usize = 16;

impl Pattern for PushFix {
    const NAME: &'static str = "push-fix";
    type Match = Pushed;

    fn root(&self) -> &'static OpDefinition {
        &nn::FIX
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<Pushed> {
        let fix = Fix::of(ir, op)?;
        let movement = fix.producer(ir).filter(|&op| commutes(ir, op))?;
        let operands = ir.operands(movement).iter().enumerate();
        let is_first = |index: usize, operand: &ValueId| !ir.operands(movement)[..index].contains(operand);
        let unfixed = operands.filter(|&(index, operand)| is_first(index, operand) && !is_fixed(ir, *operand));
        let unfixed: Vec<usize> = unfixed.map(|(index, _)| index).collect();
        (!unfixed.is_empty()).then_some(Pushed { fix, movement, unfixed })
    }

    fn rewrite(&self, found: Pushed, op: OpId, rewriter: &mut Rewriter<'_>) {
        let Pushed { fix, movement, unfixed } = found;
        let mut operands = rewriter.ir().operands(movement).to_vec();
        for index in unfixed {
            let value = operands[index];
            let fixed = self.names.insert_fix(rewriter, value, fix.point);
            // One for all uses of the value.
            operands.iter_mut().filter(|operand| **operand == value).for_each(|operand| *operand = fixed);
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

/// Names of new `nn.fix` operations.
#[derive(Clone, Default)]
struct Names {
    /// Number of operations made so far.
    inserted: Rc<Cell<usize>>,
}

impl Names {
    /// Rounds a value in front of the matched operation.
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

/// An operator that computes with moved fixed-point values gets them rounded once more to the same fix point, which changes nothing.
struct FixMoved {
    root: &'static OpDefinition,
    names: Names,
}

impl Pattern for FixMoved {
    const NAME: &'static str = "fix-moved";
    /// Operands by number, and their fix points.
    type Match = Vec<(usize, i32)>;

    fn root(&self) -> &'static OpDefinition {
        self.root
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<Vec<(usize, i32)>> {
        let operands = ir.operands(op).iter().enumerate();
        let moved: Vec<_> =
            operands.filter_map(|(index, &operand)| Some((index, moved_fix_point(ir, operand)?))).collect();
        (!moved.is_empty()).then_some(moved)
    }

    fn rewrite(&self, found: Vec<(usize, i32)>, op: OpId, rewriter: &mut Rewriter<'_>) {
        for (index, point) in found {
            let value = rewriter.ir().operand(op, index);
            let fixed = self.names.insert_fix(rewriter, value, point);
            rewriter.modify(op, |ir| ir.set_operand(op, index, fixed));
        }
    }
}

/// The fix point of a value that is the result of a `nn.fix` moved by more than a reshape.
fn moved_fix_point(ir: &Ir, value: ValueId) -> Option<i32> {
    let mut value = value;
    let mut is_moved = false;
    for _ in 0..MAX_CHAIN {
        let op = ir.defining_op(value)?;
        if let Some(fix) = Fix::of(ir, op) {
            return is_moved.then_some(fix.point);
        }
        let &[operand] = ir.operands(op) else { return None };
        if !moves(ir, op) && !ir.is(op, &nn::RELU) {
            return None;
        }
        is_moved |= !ir.is(op, &nn::RESHAPE);
        value = operand;
    }
    None
}

/// `act(reshape(x))` becomes `reshape(act(x))` if `x` is the result of an operator that takes the activation into itself, such as the map of
/// a convolution over a line.
struct ActivationFirst {
    root: &'static OpDefinition,
}

impl Pattern for ActivationFirst {
    const NAME: &'static str = "activation-first";
    /// The reshape.
    type Match = OpId;

    fn root(&self) -> &'static OpDefinition {
        self.root
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<OpId> {
        let reshaped = ir.operand(op, 0);
        let reshape = ir.defining_op(reshaped).filter(|&inner| ir.is(inner, &nn::RESHAPE))?;
        let map = ir.operand(reshape, 0);
        let takes = ir.defining_op(map).is_some_and(|inner| takes_activation(ir, inner));
        (takes && ir.use_count(reshaped) == 1 && ir.use_count(map) == 1).then_some(reshape)
    }

    fn rewrite(&self, reshape: OpId, op: OpId, rewriter: &mut Rewriter<'_>) {
        let ir = rewriter.ir();
        let map = ir.operand(reshape, 0);
        let (inner, ty) = (ir.value_type(map), ir.value_type(ir.result(op)));
        let (location, name) = (ir.op(op).location, ir.value_name(ir.result(op)).unwrap_or_default().to_owned());
        let slope = ir.attribute(op, "alpha").cloned();
        let mut builder = OpBuilder::new(self.root).at(location).operands([map]).result(inner, "");
        if let Some(slope) = slope {
            builder = builder.attribute("alpha", slope);
        }
        let activated = rewriter.insert(builder);
        let activated = rewriter.ir().result(activated);
        let location = rewriter.fuse(&[reshape, op]);
        let builder = OpBuilder::new(&nn::RESHAPE).at(location).operands([activated]).result(ty, &name);
        let reshaped = rewriter.insert(builder);
        let reshaped = rewriter.ir().result(reshaped);
        rewriter.replace(op, &[reshaped]);
    }
}

/// Activations that operators take into themselves.
const ACTIVATIONS: [&OpDefinition; 3] = [&nn::RELU, &nn::RELU6, &nn::LEAKY_RELU];

/// Operators that compute.
const CONSUMERS: [&OpDefinition; 21] = [
    &nn::CONV2D,
    &nn::DEPTHWISE_CONV2D,
    &nn::TRANSPOSED_CONV2D,
    &nn::TRANSPOSED_DEPTHWISE_CONV2D,
    &nn::MATMUL,
    &nn::AVG_POOL,
    &nn::REDUCE_MEAN,
    &nn::REDUCE_MAX,
    &nn::REDUCE_SUM,
    &nn::ARGMAX,
    &nn::ADD,
    &nn::SUB,
    &nn::MUL,
    &nn::MAX,
    &nn::MIN,
    &nn::RESIZE,
    &nn::HARD_SIGMOID,
    &nn::HARD_SWISH,
    &nn::LEAKY_RELU,
    &nn::PRELU,
    &nn::RELU6,
];

/// All patterns of this phase.
pub(super) fn patterns() -> Patterns {
    let names = Names::default();
    let patterns = Patterns::new().with(SplitAsSlices).with(PushFix { names: names.clone() });
    let patterns = ACTIVATIONS.into_iter().fold(patterns, |patterns, root| patterns.with(ActivationFirst { root }));
    CONSUMERS.into_iter().fold(patterns, |patterns, root| patterns.with(FixMoved { root, names: names.clone() }))
}

/// Whether an operation gives the same if its operands are rounded instead of its result.
fn commutes(ir: &Ir, op: OpId) -> bool {
    // Behind an operator that takes a ReLU into itself, the rounding stays behind the ReLU.
    let is_free_relu =
        || ir.is(op, &nn::RELU) && ir.defining_op(ir.operand(op, 0)).is_some_and(|inner| !takes_activation(ir, inner));
    moves(ir, op) || ir.is(op, &nn::PAD) || is_free_relu()
}

/// Whether every element of the result is one of the operands' elements, or zero.
fn moves(ir: &Ir, op: OpId) -> bool {
    match ir.op_name(op) {
        "nn.concat" | "nn.max_pool" | "nn.reshape" | "nn.transpose" | "nn.strided_slice" | "nn.space_to_depth"
        | "nn.depth_to_space" => true,
        "nn.pad" => ir.attribute(op, "value").and_then(Attribute::as_float).is_none_or(|value| value == 0.0),
        "nn.resize" => ir.str(op, "mode") == Some("nearest"),
        _ => false,
    }
}

fn takes_activation(ir: &Ir, op: OpId) -> bool {
    let kinds: [&'static OpDefinition; 8] = [
        &nn::CONV2D,
        &nn::DEPTHWISE_CONV2D,
        &nn::TRANSPOSED_CONV2D,
        &nn::TRANSPOSED_DEPTHWISE_CONV2D,
        &nn::MATMUL,
        &nn::ADD,
        &nn::SUB,
        &nn::MUL,
    ];
    kinds.into_iter().any(|kind| ir.is(op, kind))
}

/// Whether a value will be codes as it is: the result of a `nn.fix`, reshaped or not.
fn is_fixed(ir: &Ir, value: ValueId) -> bool {
    let mut value = value;
    for _ in 0..MAX_CHAIN {
        let Some(op) = ir.defining_op(value) else { return false };
        if Fix::of(ir, op).is_some() {
            return true;
        }
        if !ir.is(op, &nn::RESHAPE) {
            return false;
        }
        value = ir.operand(op, 0);
    }
    false
}
