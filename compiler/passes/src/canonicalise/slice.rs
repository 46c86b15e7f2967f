//! Splits as slices, and slices of slices and of concatenations.

use dpuc_dialects::define::OpDefinition;
use dpuc_dialects::dialects::{int8, nn};
use dpuc_dialects::rewrite::{Pattern, Patterns, Rewriter};
use dpuc_dialects::{Ir, LocationKind, OpBuilder, OpId, ValueId};

use crate::rebuild::{list, producer, sizes};

/// Adds the patterns of this file.
pub(super) fn add(patterns: Patterns) -> Patterns {
    let dialects = [(&nn::STRIDED_SLICE, &nn::CONCAT), (&int8::STRIDED_SLICE, &int8::CONCAT)];
    dialects.into_iter().fold(patterns.with(SplitAsSlices), |patterns, (slice, concat)| {
        patterns.with(SliceTwice { slice }).with(SliceOfConcat { slice, concat })
    })
}

/// Each part of a split is a slice.
pub(crate) struct SplitAsSlices;

impl Pattern for SplitAsSlices {
    const NAME: &'static str = "split-as-slices";
    /// The axis.
    type Match = usize;

    fn root(&self) -> &'static OpDefinition {
        &nn::SPLIT
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<usize> {
        let axis = usize::try_from(ir.int(op, "axis")?).ok()?;
        let shaped = |&value: &ValueId| ir.shape_of(value).is_some_and(|shape| axis < shape.len());
        ir.operands(op).iter().chain(ir.results(op)).all(shaped).then_some(axis)
    }

    fn rewrite(&self, axis: usize, op: OpId, rewriter: &mut Rewriter<'_>) {
        let (source, results) = (rewriter.ir().operand(op, 0), rewriter.ir().results(op).to_vec());
        let mut first = 0;
        let mut parts = Vec::with_capacity(results.len());
        for (number, result) in results.into_iter().enumerate() {
            let ir = rewriter.tables();
            let (ty, mut end) = (ir.value_type(result), ir.shape_of(result).unwrap_or_default());
            let (mut begin, strides) = (vec![0; end.len()], vec![1; end.len()]);
            begin[axis] = first;
            first += end[axis];
            end[axis] = first;
            let whole = ir.op(op).location;
            let location = match ir.location_name(whole).map(|name| format!("{name}_{number}")) {
                Some(name) => ir.location(LocationKind::Name(name.into(), Some(whole))),
                None => whole,
            };
            let slice = OpBuilder::new(&nn::STRIDED_SLICE)
                .at(location)
                .operands([source])
                .attribute("begin", list(begin))
                .attribute("end", list(end))
                .attribute("strides", list(strides))
                .result(ty, "");
            let slice = rewriter.insert(slice);
            parts.push(rewriter.ir().result(slice));
        }
        rewriter.replace(op, &parts);
    }
}

/// First indices, ends and steps of a slice.
struct Bounds {
    begin: Vec<usize>,
    end: Vec<usize>,
    strides: Vec<usize>,
}

impl Bounds {
    fn of(ir: &Ir, op: OpId) -> Option<Self> {
        let bounds =
            Self { begin: sizes(ir, op, "begin")?, end: sizes(ir, op, "end")?, strides: sizes(ir, op, "strides")? };
        let rank = ir.shape_of(ir.operand(op, 0))?.len();
        ([bounds.begin.len(), bounds.end.len(), bounds.strides.len()] == [rank; 3]).then_some(bounds)
    }

    /// Makes `op` this slice of `source`.
    fn set(self, op: OpId, source: ValueId, rewriter: &mut Rewriter<'_>) {
        rewriter.set_operand(op, 0, source);
        rewriter.modify(op, |ir| {
            ir.set_attribute(op, "begin", list(self.begin));
            ir.set_attribute(op, "end", list(self.end));
            ir.set_attribute(op, "strides", list(self.strides));
        });
    }
}

/// A slice of a slice is a slice.
struct SliceTwice {
    slice: &'static OpDefinition,
}

impl Pattern for SliceTwice {
    const NAME: &'static str = "slice-twice";
    type Match = (ValueId, Bounds);

    fn root(&self) -> &'static OpDefinition {
        self.slice
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<(ValueId, Bounds)> {
        let inner = producer(ir, ir.operand(op, 0), &[self.slice])?;
        let (first, second) = (Bounds::of(ir, inner)?, Bounds::of(ir, op)?);
        let mut bounds = Bounds { begin: Vec::new(), end: Vec::new(), strides: Vec::new() };
        for axis in 0..first.begin.len() {
            let step = first.strides[axis];
            let place = |index: usize| index.checked_mul(step)?.checked_add(first.begin[axis]);
            bounds.begin.push(place(second.begin[axis])?);
            bounds.end.push(place(second.end[axis].checked_sub(1)?)?.checked_add(1)?);
            bounds.strides.push(step.checked_mul(second.strides[axis])?);
        }
        Some((ir.operand(inner, 0), bounds))
    }

    fn rewrite(&self, (source, bounds): (ValueId, Bounds), op: OpId, rewriter: &mut Rewriter<'_>) {
        bounds.set(op, source, rewriter);
    }
}

/// A slice of one part of a concatenation is a slice of the part.
struct SliceOfConcat {
    slice: &'static OpDefinition,
    concat: &'static OpDefinition,
}

impl Pattern for SliceOfConcat {
    const NAME: &'static str = "slice-of-concat";
    type Match = (ValueId, Bounds);

    fn root(&self) -> &'static OpDefinition {
        self.slice
    }

    fn matches(&self, ir: &Ir, op: OpId) -> Option<(ValueId, Bounds)> {
        let whole = ir.operand(op, 0);
        let concat = producer(ir, whole, &[self.concat])?;
        let axis = usize::try_from(ir.int(concat, "axis")?).ok()?;
        let mut bounds = Bounds::of(ir, op)?;
        let mut first = 0;
        for &part in ir.operands(concat) {
            let count = *ir.shape_of(part)?.get(axis)?;
            if bounds.begin[axis] >= first && bounds.end[axis] <= first + count {
                bounds.begin[axis] -= first;
                bounds.end[axis] -= first;
                // A part with another fix point is rounded on its way.
                return (ir.fix_of(part) == ir.fix_of(whole)).then_some((part, bounds));
            }
            first += count;
        }
        None
    }

    fn rewrite(&self, (source, bounds): (ValueId, Bounds), op: OpId, rewriter: &mut Rewriter<'_>) {
        bounds.set(op, source, rewriter);
    }
}
