//! Which tensors share a buffer.
//!
//! A reshape shares the bytes of its input; so does a slice or a transposition whose readers take its strides (`spec/recipes-eltwise-data.md`
//! section 9). An input of a concatenation is written straight into it where that is exact
//! (`spec/xmodel.md` section 4.4): it has the result's fix point, is computed in the subgraph, is not stored elsewhere (input or output
//! of the subgraph, input of another concatenation) and nobody needs it without gaps (a reshape).

use dpuc_dialects::dialects::{dpu, int8};
use dpuc_dialects::{BlockId, Ir, OpId, ValueId};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::operator::{sliced, transposed};
use crate::placement::{Placement, byte_count, dense_strides};

/// What a buffer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// An input of the subgraph.
    Input,
    /// An output of the subgraph.
    Output,
    /// Values between operations.
    Workspace,
    /// Values that never leave the chip.
    OnChip,
}

/// A contiguous piece of DDR.
#[derive(Clone, Debug)]
pub(super) struct Buffer {
    pub(super) role: Role,
    pub(super) bytes: u64,
    /// The first superlayer that writes it.
    pub(super) first: usize,
    /// The last superlayer that reads or writes it.
    pub(super) last: usize,
}

/// A tensor inside a buffer.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) buffer: usize,
    pub(super) offset: u64,
    pub(super) strides: Vec<u64>,
}

/// The buffers of a subgraph and the tensors in them.
#[derive(Debug, Default)]
pub(super) struct Views {
    pub(super) buffers: Vec<Buffer>,
    pub(super) views: FxHashMap<ValueId, View>,
}

impl Views {
    /// Arranges inputs and results of all operations of the block. Constants have no view.
    pub(super) fn new(ir: &Ir, block: BlockId) -> Self {
        let ops: Vec<OpId> = ir.ops(block).filter(|&op| !ir.is(op, &int8::CONSTANT)).collect();
        let mut views = Self::default();
        for &argument in ir.arguments(block) {
            views.add_buffer(ir, argument, Role::Input);
        }
        views.arrange(ir, &ops);
        if let Some(&end) = ops.last().filter(|&&end| ir.is(end, &dpu::RETURN)) {
            for &value in ir.operands(end) {
                views.make_output(value);
            }
        }
        views
    }

    fn arrange(&mut self, ir: &Ir, ops: &[OpId]) {
        let parts = parts(ir, ops);
        let shares =
            |op: OpId| ir.is(op, &int8::RESHAPE) || strided_view(ir, op) && !parts.contains_key(&ir.result(op));
        // Backwards, so that a concatenation has its view before its parts.
        for &value in ops.iter().rev().filter(|&&op| !shares(op)).flat_map(|&op| ir.results(op)) {
            let whole = parts.get(&value).and_then(|part| Some((part, self.views.get(&part.whole)?)));
            match whole {
                Some((part, whole)) => {
                    let offset =
                        whole.offset.saturating_add(whole.strides[part.axis].saturating_mul(part.first as u64));
                    let view = View { offset, ..whole.clone() };
                    self.views.insert(value, view);
                }
                None => self.add_buffer(ir, value, Role::Workspace),
            }
        }
        for &op in ops.iter().filter(|&&op| shares(op)) {
            match self.views.get(&ir.operand(op, 0)).and_then(|source| view_of(ir, op, source)) {
                Some(view) => {
                    self.views.insert(ir.result(op), view);
                }
                None => self.add_buffer(ir, ir.result(op), Role::Workspace),
            }
        }
    }

    fn add_buffer(&mut self, ir: &Ir, value: ValueId, role: Role) {
        let shape = ir.shape_of(value).unwrap_or_default();
        let view = View { buffer: self.buffers.len(), offset: 0, strides: dense_strides(&shape) };
        self.buffers.push(Buffer { role, bytes: byte_count(&shape), first: usize::MAX, last: 0 });
        self.views.insert(value, view);
    }

    /// Sets the lifetimes of all buffers: the operations of the n-th item use theirs at time n.
    pub(super) fn use_at<'a>(&mut self, ir: &Ir, times: impl Iterator<Item = &'a [OpId]>) {
        for buffer in &mut self.buffers {
            (buffer.first, buffer.last) = (usize::MAX, 0);
        }
        for (time, ops) in times.enumerate() {
            for &op in ops {
                for &value in ir.operands(op).iter().chain(ir.results(op)) {
                    self.touch(value, time);
                }
            }
        }
    }

    fn touch(&mut self, value: ValueId, index: usize) {
        if let Some(view) = self.views.get(&value) {
            let buffer = &mut self.buffers[view.buffer];
            buffer.first = buffer.first.min(index);
            buffer.last = buffer.last.max(index);
        }
    }

    /// Takes the place in DDR from the buffers that no value needs there.
    pub(super) fn keep_in_ddr(&mut self, is_stored: impl Fn(ValueId) -> bool) {
        let needed: FxHashSet<usize> =
            self.views.iter().filter(|&(&value, _)| is_stored(value)).map(|(_, view)| view.buffer).collect();
        for (index, buffer) in self.buffers.iter_mut().enumerate() {
            if buffer.role == Role::Workspace && !needed.contains(&index) {
                buffer.role = Role::OnChip;
            }
        }
    }

    fn make_output(&mut self, value: ValueId) {
        if let Some(view) = self.views.get(&value) {
            let buffer = &mut self.buffers[view.buffer];
            if buffer.role == Role::Workspace {
                buffer.role = Role::Output;
            }
        }
    }
}

/// Whether an operation's result may be the bytes of its operand with other strides: nobody needs it without gaps or as an output.
fn strided_view(ir: &Ir, op: OpId) -> bool {
    let moves = ir.is(op, &int8::STRIDED_SLICE) || ir.is(op, &int8::TRANSPOSE);
    let computed = || ir.defining_op(ir.operand(op, 0)).is_none_or(|source| !ir.is(source, &int8::CONSTANT));
    moves && computed() && may_have_gaps(ir, ir.result(op))
}

/// The result of a reshape, slice or transposition as a view of its operand; `None` if it is no rows of pixels then.
fn view_of(ir: &Ir, op: OpId, source: &View) -> Option<View> {
    let shape = ir.shape_of(ir.result(op))?;
    if ir.is(op, &int8::RESHAPE) {
        return Some(View { strides: dense_strides(&shape), ..source.clone() });
    }
    let place = Placement { region: 0, address: source.offset, strides: source.strides.clone() };
    let place = if ir.is(op, &int8::STRIDED_SLICE) { sliced(ir, op, &place)? } else { transposed(ir, op, &place)? };
    // Readers take one image after another where there is a gap between them.
    let image: Vec<usize> = [1].into_iter().chain(shape.iter().skip(1).copied()).collect();
    place.feature_map(&image, 0)?;
    Some(View { buffer: source.buffer, offset: place.address, strides: place.strides })
}

/// A tensor as a part of a concatenation.
#[derive(Clone, Copy, Debug)]
struct Part {
    whole: ValueId,
    axis: usize,
    first: usize,
}

/// The concatenation that each in-place input is a part of.
fn parts(ir: &Ir, ops: &[OpId]) -> FxHashMap<ValueId, Part> {
    let mut parts = FxHashMap::default();
    for &concat in ops.iter().filter(|&&op| ir.is(op, &int8::CONCAT)) {
        let whole = ir.result(concat);
        let Some(axis) = ir.int(concat, "axis").and_then(|axis| usize::try_from(axis).ok()) else { continue };
        // Other ranks would not all be rows of pixels.
        if ir.shape_of(whole).is_none_or(|shape| shape.len() != 4) {
            continue;
        }
        let mut first = 0;
        for &value in ir.operands(concat) {
            if ir.fix_of(value) == ir.fix_of(whole) && may_have_gaps(ir, value) {
                parts.entry(value).or_insert(Part { whole, axis, first });
            }
            first += ir.shape_of(value).and_then(|shape| shape.get(axis).copied()).unwrap_or(0);
        }
    }
    parts
}

/// Whether a value is computed in the subgraph and nobody needs its bytes without gaps.
fn may_have_gaps(ir: &Ir, value: ValueId) -> bool {
    let needs_none = |op: OpId| ir.is(op, &int8::RESHAPE) || reduces_channels(ir, op);
    let computed = ir.defining_op(value).is_some_and(|op| !ir.is(op, &int8::CONSTANT) && !needs_none(op));
    computed && ir.users(value).iter().all(|&user| !needs_none(user) && !ir.is(user, &dpu::RETURN))
}

/// Whether an operation reduces the channels, for which all pixels of the map are one column.
fn reduces_channels(ir: &Ir, op: OpId) -> bool {
    let reduces = [&int8::REDUCE_MEAN, &int8::REDUCE_MAX, &int8::REDUCE_SUM].into_iter().any(|kind| ir.is(op, kind));
    reduces && ir.ints(op, "axes").is_some_and(|axes| axes.contains(&3))
}
