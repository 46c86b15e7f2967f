//! One nest as loops of machine instructions.
//!
//! The innermost parallel dimension is walked 16 or 4 points at a time where every access moves by one element or stays; its last step is
//! moved back so that it ends with the dimension, which computes some points twice and needs no tail. A nest whose reduced dimension alone
//! can be walked so keeps partial folds in lanes and has a scalar tail.

use cranelift_codegen::entity::SecondaryMap;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{BlockArg, InstBuilder, Type, Value, types};
use cranelift_frontend::FunctionBuilder;

use super::lanes::{Lanes, Registers, Shape, Source};
use crate::loops::{Binary, Buffers, Kind, Nest, Node, Operation, Place, Reduction};
use crate::network::Element;

/// Emits one nest; the addresses are those of its loads' first elements, then that of its store's.
pub(super) fn emit(builder: &mut FunctionBuilder<'_>, nest: &Nest, buffers: &Buffers, addresses: &[Value]) {
    let reduction = nest.body.nodes().find_map(|(_, operation, _)| match operation {
        Operation::Reduce(reduction, term) => Some((reduction, term)),
        _ => None,
    });
    let plan = Plan::of(nest, buffers);
    let mut emitter = Emitter { builder, nest, buffers, plan, reduction };
    emitter.parallel(0, addresses);
}

/// How a nest is walked.
#[derive(Clone, Copy, Debug)]
struct Plan {
    /// Points of the innermost parallel dimension at a time.
    points: Shape,
    /// Points of the innermost reduced dimension at a time; 1 if `points` has more than one.
    folds: Shape,
}

impl Plan {
    fn of(nest: &Nest, buffers: &Buffers) -> Self {
        let scalar = Shape { lanes: 1, width: width(nest, [types::I32]) };
        let vector = width(nest, [types::I16, types::I32]);
        let has_integers = nest.body.nodes().any(|(_, _, kind)| kind != Kind::Real)
            || buffers[nest.store.buffer].element == Element::I8;
        let walks = |dim: usize, loads_only: bool| {
            let moves_on = |stride: i64| stride == 0 || stride == 1;
            nest.loads.iter().all(|load| moves_on(load.strides[dim])) && (loads_only || nest.store.strides[dim] == 1)
        };
        let lanes = |extent: usize| match extent {
            _ if vector == types::I64 => 1,
            16.. => 16,
            4.. if !has_integers => 4,
            _ => 1,
        };
        let shape = |lanes: usize| if lanes == 1 { scalar } else { Shape { lanes, width: vector } };
        let (parallel, dims) = (nest.parallel, nest.extents.len());
        if parallel > 0 && walks(parallel - 1, false) {
            let lanes = lanes(nest.extents[parallel - 1]);
            if lanes > 1 {
                return Self { points: shape(lanes), folds: shape(lanes) };
            }
        }
        let folds = if dims > parallel && walks(dims - 1, true) { lanes(nest.extents[dims - 1]) } else { 1 };
        Self { points: scalar, folds: shape(folds) }
    }
}

/// The first of some machine integers in which nothing overflows, or 64 bits.
fn width<const N: usize>(nest: &Nest, choice: [Type; N]) -> Type {
    let fits = |ty: Type| {
        let limit = 1i64 << (ty.bits() - 1);
        nest.body.nodes().all(|(_, operation, kind)| {
            let Kind::Integer { low, high } = kind else { return true };
            // Rounding adds one to an operand that is halved at least once.
            let slack = i64::from(matches!(operation, Operation::RoundShift(..)));
            let operands = operation.operands().filter_map(|operand| match nest.body.kind(operand) {
                Kind::Integer { high, .. } => Some(high),
                Kind::Real => None,
            });
            low >= -limit && high < limit && operands.max().is_none_or(|high| high.saturating_add(slack) < limit)
        })
    };
    choice.into_iter().find(|&ty| fits(ty)).unwrap_or(types::I64)
}

/// The numbers of a body that are computed for the current points.
type Known = SecondaryMap<Node, Option<Registers>>;

struct Emitter<'a, 'b> {
    builder: &'a mut FunctionBuilder<'b>,
    nest: &'a Nest,
    buffers: &'a Buffers,
    plan: Plan,
    reduction: Option<(Reduction, Node)>,
}

impl Emitter<'_, '_> {
    /// The loops over the parallel dimensions from `dim` on.
    fn parallel(&mut self, dim: usize, addresses: &[Value]) {
        let nest = self.nest;
        if dim == nest.parallel {
            self.point(addresses);
            return;
        }
        let (extent, lanes) = (nest.extents[dim], self.plan.points.lanes);
        if dim + 1 < nest.parallel || lanes == 1 {
            self.repeat(extent, 1, &[], |emitter, index, _| {
                let inner = emitter.moved(addresses, dim, index);
                emitter.parallel(dim + 1, &inner);
                Vec::new()
            });
            return;
        }
        self.repeat(extent / lanes, lanes, &[], |emitter, index, _| {
            let inner = emitter.moved(addresses, dim, index);
            emitter.point(&inner);
            Vec::new()
        });
        if !extent.is_multiple_of(lanes) {
            let index = self.builder.ins().iconst(types::I64, (extent - lanes) as i64);
            let inner = self.moved(addresses, dim, index);
            self.point(&inner);
        }
    }

    /// A loop of `count` passes with the index `0, step, 2 * step, …` and values carried from pass to pass.
    fn repeat(
        &mut self,
        count: usize,
        step: usize,
        carried: &[Value],
        body: impl FnOnce(&mut Self, Value, &[Value]) -> Vec<Value>,
    ) -> Vec<Value> {
        let first = self.builder.ins().iconst(types::I64, 0);
        if count == 0 {
            return carried.to_vec();
        }
        if count == 1 {
            return body(self, first, carried);
        }
        let (head, exit) = (self.builder.create_block(), self.builder.create_block());
        let index = self.builder.append_block_param(head, types::I64);
        for &value in carried {
            let ty = self.builder.func.dfg.value_type(value);
            self.builder.append_block_param(head, ty);
            self.builder.append_block_param(exit, ty);
        }
        let arguments: Vec<BlockArg> = [first].iter().chain(carried).map(|&value| value.into()).collect();
        self.builder.ins().jump(head, &arguments);
        self.builder.switch_to_block(head);
        let inside: Vec<Value> = self.builder.block_params(head)[1..].to_vec();
        let next = body(self, index, &inside);
        let following = self.builder.ins().iadd_imm_s(index, step as i64);
        let ended = self.builder.ins().icmp_imm_s(IntCC::SignedLessThan, following, (count * step) as i64);
        let again: Vec<BlockArg> = [following].iter().chain(&next).map(|&value| value.into()).collect();
        let done: Vec<BlockArg> = next.iter().map(|&value| value.into()).collect();
        self.builder.ins().brif(ended, head, &again, exit, &done);
        self.builder.seal_block(head);
        self.builder.seal_block(exit);
        self.builder.switch_to_block(exit);
        self.builder.block_params(exit).to_vec()
    }

    /// The addresses at an index of a dimension.
    fn moved(&mut self, addresses: &[Value], dim: usize, index: Value) -> Vec<Value> {
        let nest = self.nest;
        let accesses = nest.loads.iter().chain([&nest.store]);
        let step = |(access, &address): (&crate::loops::Access, &Value)| {
            let bytes = access.strides[dim] * self.buffers[access.buffer].element.bytes() as i64;
            if bytes == 0 {
                return address;
            }
            let distance = self.builder.ins().imul_imm_s(index, bytes);
            self.builder.ins().iadd(address, distance)
        };
        accesses.zip(addresses).map(step).collect()
    }

    /// Computes and stores the points at some addresses.
    fn point(&mut self, addresses: &[Value]) {
        if self.copy(addresses) {
            return;
        }
        let mut known = Known::new();
        if let Some((reduction, term)) = self.reduction {
            let folded = self.fold(reduction, term, addresses);
            let reduce = self.nest.body.nodes().find(|(_, operation, _)| matches!(operation, Operation::Reduce(..)));
            if let Some((node, ..)) = reduce {
                known[node] = Some(folded);
            }
        }
        let dim = self.nest.parallel.checked_sub(1);
        let shape = self.plan.points;
        let root = if shape.lanes > 1 { self.unsaturated(self.nest.result) } else { self.nest.result };
        let result = self.number(root, shape, dim, addresses, &mut known);
        let address = addresses[addresses.len() - 1];
        let info = &self.buffers[self.nest.store.buffer];
        let mut lanes = Lanes { builder: &mut *self.builder, shape };
        match info.element {
            Element::I8 => lanes.store_codes(&result, address, info.encoding),
            Element::F32 => lanes.store_reals(&result, address),
        }
    }

    /// Copies codes as bytes if that is all there is to do.
    fn copy(&mut self, addresses: &[Value]) -> bool {
        let (nest, shape) = (self.nest, self.plan.points);
        let Operation::Load(number) = nest.body.operation(nest.result) else { return false };
        let [from, to] = [&nest.loads[number], &nest.store].map(|access| &self.buffers[access.buffer]);
        let stays = shape.lanes > 1 && nest.loads[number].strides[nest.parallel - 1] == 0;
        if to.element != Element::I8 || stays {
            return false;
        }
        let (source, target) = (addresses[number], addresses[addresses.len() - 1]);
        let mut lanes = Lanes { builder: &mut *self.builder, shape };
        lanes.copy_codes(source, target, [from.encoding, to.encoding]);
        true
    }

    /// The number whose saturation `node` is: stores of vectors saturate.
    fn unsaturated(&self, node: Node) -> Node {
        let body = &self.nest.body;
        let is = |node: Node, value: i64| body.operation(node) == Operation::Integer(value);
        let mut inner = node;
        if let Operation::Binary(Binary::Min, x, bound) = body.operation(inner)
            && is(bound, 127)
        {
            inner = x;
        }
        if let Operation::Binary(Binary::Max, x, bound) = body.operation(inner)
            && is(bound, -128)
        {
            inner = x;
        }
        inner
    }

    /// Folds a number over the reduced dimensions.
    fn fold(&mut self, reduction: Reduction, term: Node, addresses: &[Value]) -> Registers {
        let (outer, inner) = (self.plan.points, self.plan.folds);
        let is_real = self.nest.body.kind(term) == Kind::Real;
        let initial = self.initial(reduction, is_real, inner);
        let dims = self.nest.extents.len();
        let last = self.nest.extents[dims - 1];
        let steps = if inner.lanes > 1 && outer.lanes == 1 { last / inner.lanes } else { last };
        let vector = self.folds(self.nest.parallel, steps, inner, 0, reduction, term, addresses, &initial);
        if outer.lanes > 1 || inner.lanes == 1 {
            return self.finish(reduction, is_real, outer, &vector);
        }
        // Lanes of partial folds become one number; the rest of the dimension is folded into it.
        let scalars = Lanes { builder: &mut *self.builder, shape: inner }.extract(&vector);
        let mut parts = scalars.into_iter().map(|scalar| self.widened(scalar, outer, is_real)).collect::<Vec<_>>();
        while parts.len() > 1 {
            let half = parts.len() / 2;
            parts = (0..half)
                .map(|at| self.step(reduction, is_real, outer, &[parts[at]], &[parts[at + half]])[0])
                .collect();
        }
        let rest = last % inner.lanes;
        let total = if rest == 0 {
            parts
        } else {
            self.folds(self.nest.parallel, rest, outer, last - rest, reduction, term, addresses, &parts)
        };
        self.finish(reduction, is_real, outer, &total)
    }

    /// The loops over the reduced dimensions from `dim` on; the last takes `steps` steps from element `first` on.
    #[expect(clippy::too_many_arguments, reason = "the state of a recursion over dimensions")]
    fn folds(
        &mut self,
        dim: usize,
        steps: usize,
        shape: Shape,
        first: usize,
        reduction: Reduction,
        term: Node,
        addresses: &[Value],
        carried: &[Value],
    ) -> Registers {
        let dims = self.nest.extents.len();
        let is_last = dim + 1 == dims;
        let across = self.plan.points.lanes == 1;
        let (count, step) = match is_last {
            true if across => (steps, shape.lanes),
            true => (steps, 1),
            false => (self.nest.extents[dim], 1),
        };
        let addresses = if is_last && first > 0 {
            let index = self.builder.ins().iconst(types::I64, first as i64);
            self.moved(addresses, dim, index)
        } else {
            addresses.to_vec()
        };
        self.repeat(count, step, carried, |emitter, index, carried| {
            let inner = emitter.moved(&addresses, dim, index);
            if !is_last {
                return emitter.folds(dim + 1, steps, shape, first, reduction, term, &inner, carried);
            }
            let walked = if across { Some(dim) } else { emitter.nest.parallel.checked_sub(1) };
            let x = emitter.number(term, shape, walked, &inner, &mut Known::new());
            let is_real = emitter.nest.body.kind(term) == Kind::Real;
            let x = if is_real && !matches!(reduction, Reduction::Max | Reduction::Min) {
                Lanes { builder: &mut *emitter.builder, shape }.promote(&x)
            } else {
                x
            };
            emitter.step(reduction, is_real, shape, carried, &x)
        })
    }

    fn initial(&mut self, reduction: Reduction, is_real: bool, shape: Shape) -> Registers {
        let mut lanes = Lanes { builder: &mut *self.builder, shape };
        match (reduction, is_real) {
            (Reduction::Max, true) => lanes.real(f32::NEG_INFINITY),
            (Reduction::Min, true) => lanes.real(f32::INFINITY),
            (Reduction::Min, false) => lanes.integer(127),
            (Reduction::Max, false) => lanes.integer(-128),
            (_, false) => lanes.integer(0),
            (_, true) => {
                let zeros = lanes.real(0.0);
                lanes.promote(&zeros)
            }
        }
    }

    fn step(&mut self, reduction: Reduction, is_real: bool, shape: Shape, a: &[Value], b: &[Value]) -> Registers {
        let mut lanes = Lanes { builder: &mut *self.builder, shape };
        let binary = match reduction {
            Reduction::Max => Binary::Max,
            Reduction::Min => Binary::Min,
            Reduction::Sum | Reduction::Mean(_) => Binary::Add,
        };
        if is_real { lanes.reals(binary, a, b) } else { lanes.integers(binary, a, b) }
    }

    /// A scalar of a lane in the integers of another shape.
    fn widened(&mut self, scalar: Value, shape: Shape, is_real: bool) -> Value {
        let ty = self.builder.func.dfg.value_type(scalar);
        if is_real || ty == shape.width { scalar } else { self.builder.ins().sextend(shape.width, scalar) }
    }

    fn finish(&mut self, reduction: Reduction, is_real: bool, shape: Shape, x: &[Value]) -> Registers {
        let mut lanes = Lanes { builder: &mut *self.builder, shape };
        match reduction {
            Reduction::Mean(count) => lanes.demote(x, count as f64),
            Reduction::Sum if is_real => lanes.demote(x, 1.0),
            Reduction::Sum | Reduction::Max | Reduction::Min => x.to_vec(),
        }
    }

    /// A number of the body at some addresses, the points lying along the dimension `walked`.
    fn number(
        &mut self,
        node: Node,
        shape: Shape,
        walked: Option<usize>,
        addresses: &[Value],
        known: &mut Known,
    ) -> Registers {
        if let Some(registers) = &known[node] {
            return registers.clone();
        }
        let operation = self.nest.body.operation(node);
        let operands: Vec<Registers> =
            operation.operands().map(|operand| self.number(operand, shape, walked, addresses, known)).collect();
        let is_real = self.nest.body.kind(node) == Kind::Real;
        let nest = self.nest;
        let mut lanes = Lanes { builder: &mut *self.builder, shape };
        let registers = match operation {
            Operation::Load(number) => {
                let access = &nest.loads[number];
                let stays = walked.is_none_or(|dim| access.strides[dim] == 0) && shape.lanes > 1;
                let info = &self.buffers[access.buffer];
                let is_fixed = matches!(info.place, Place::Input(_) | Place::Constant(_));
                let source = Source { address: addresses[number], encoding: info.encoding, is_fixed };
                match (info.element, stays) {
                    (Element::I8, true) => lanes.splat_code(source),
                    (Element::I8, false) => lanes.load_codes(source),
                    (Element::F32, true) => lanes.splat_real(source),
                    (Element::F32, false) => lanes.load_reals(source),
                }
            }
            Operation::Integer(value) => lanes.integer(value),
            Operation::Real(bits) => lanes.real(f32::from_bits(bits)),
            Operation::Binary(binary, ..) if is_real => lanes.reals(binary, &operands[0], &operands[1]),
            Operation::Binary(binary, ..) => lanes.integers(binary, &operands[0], &operands[1]),
            Operation::Unary(unary, _) => lanes.unary(unary, &operands[0]),
            Operation::Compare(predicate, ..) => lanes.compare(predicate, &operands[0], &operands[1]),
            Operation::Select(..) => lanes.choose(&operands[0], &operands[1], &operands[2]),
            Operation::ShiftLeft(_, n) => lanes.shift_left(&operands[0], n),
            Operation::ShiftRight(_, n) => lanes.shift_right(&operands[0], n),
            Operation::RoundShift(_, n) => lanes.round_shift(&operands[0], n),
            Operation::IfNegative(..) if is_real => lanes.if_negative_real(&operands[0], &operands[1], &operands[2]),
            Operation::IfNegative(..) => lanes.if_negative_integer(&operands[0], &operands[1], &operands[2]),
            Operation::Clamp(_, low, high) => lanes.clamp(&operands[0], f32::from_bits(low), f32::from_bits(high)),
            Operation::Round(rounding, _) => lanes.round(rounding, &operands[0]),
            Operation::ToReal(_) => lanes.real_of(&operands[0]),
            Operation::ToCode(_) => lanes.code_of(&operands[0]),
            // Known before anything that reads it.
            Operation::Reduce(..) => operands.into_iter().next().unwrap_or_default(),
        };
        known[node] = Some(registers.clone());
        registers
    }
}
