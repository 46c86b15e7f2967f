//! Operations that become others on the DPU.
//!
//! * Padding becomes concatenations: of constants, or of mirrored rows and columns. What computes the padded tensor then writes it in
//!   place.
//! * Bilinear enlargement becomes padding and a transposed depthwise convolution.

use std::sync::Arc;

use dpuc_dialects::dialects::int8;
use dpuc_dialects::{Attribute, BlockId, Ir, Location, LocationKind, OpBuilder, OpId, ValueId};

use super::legalise::insert_constant;
use crate::error::BackendError;
use crate::names::operation_name;
use crate::operator::{Reason, Tent};

/// Expands all operations of the block of `subgraph`.
pub(super) fn expand(ir: &mut Ir, block: BlockId, subgraph: &str) -> Result<(), BackendError> {
    for op in ir.ops(block).collect::<Vec<_>>() {
        let bilinear = ir.is(op, &int8::UPSAMPLE) && ir.str(op, "mode") == Some("bilinear");
        let expanded = if ir.is(op, &int8::PAD) {
            expand_pad(ir, op)
        } else if bilinear {
            expand_bilinear(ir, op)
        } else {
            continue;
        };
        let value = expanded.map_err(|reason| BackendError::not_for_dpu(ir, op, subgraph, reason))?;
        let old = ir.result(op);
        if let (None, Some(name)) = (ir.value_name(value), ir.value_name(old)) {
            let name = name.to_owned();
            ir.set_value_name(value, &name);
        }
        ir.replace_all_uses(old, value);
        ir.erase(op);
    }
    Ok(())
}

/// The parts an operation is expanded to.
struct Parts<'a> {
    ir: &'a mut Ir,
    op: OpId,
    name: String,
    fix_point: i32,
    count: usize,
}

impl<'a> Parts<'a> {
    fn of(ir: &'a mut Ir, op: OpId, fix_point: i32) -> Self {
        let name = operation_name(ir, op).to_owned();
        Self { ir, op, name, fix_point, count: 0 }
    }

    /// A location named after the operation.
    fn location(&mut self) -> Location {
        self.count += 1;
        let name = format!("{}_part_{}", self.name, self.count);
        let whole = self.ir.op(self.op).location;
        self.ir.location(LocationKind::Name(Arc::from(name.as_str()), Some(whole)))
    }

    fn shape(&self, value: ValueId) -> Result<Vec<usize>, Reason> {
        self.ir.shape_of(value).ok_or(Reason::Malformed { what: "shape" })
    }

    fn insert(&mut self, builder: OpBuilder<'_>, location: Location, shape: &[usize]) -> ValueId {
        let ty = self.ir.fix_tensor(shape, self.fix_point);
        let op = builder.at(location).result(ty, "").insert_before(self.ir, self.op);
        self.ir.result(op)
    }

    /// Element `index` of dimension `axis`.
    fn slice(&mut self, value: ValueId, axis: usize, index: usize) -> Result<ValueId, Reason> {
        let mut shape = self.shape(value)?;
        let (mut begin, mut end) = (vec![0; shape.len()], shape.iter().map(|&size| size as i64).collect::<Vec<_>>());
        (begin[axis], end[axis], shape[axis]) = (index as i64, index as i64 + 1, 1);
        let steps = vec![1; shape.len()];
        let location = self.location();
        let builder = OpBuilder::new(&int8::STRIDED_SLICE)
            .operands([value])
            .attribute("begin", Attribute::ints(begin))
            .attribute("end", Attribute::ints(end))
            .attribute("strides", Attribute::ints(steps));
        Ok(self.insert(builder, location, &shape))
    }

    /// A constant like `value`, but with `count` elements of dimension `axis`.
    fn filled(&mut self, value: ValueId, axis: usize, count: usize, code: i8) -> Result<ValueId, Reason> {
        let mut shape = self.shape(value)?;
        shape[axis] = count;
        let location = self.location();
        let name = format!("{}_fill_{}", self.name, self.count);
        let elements = vec![code; shape.iter().product()];
        insert_constant(self.ir, self.op, &name, location, &shape, self.fix_point, elements)
    }

    /// Pads one dimension.
    fn pad(&mut self, value: ValueId, axis: usize, [before, after]: [usize; 2], fill: Fill) -> Result<ValueId, Reason> {
        let shape = self.shape(value)?;
        let mut pieces = Vec::new();
        match fill {
            Fill::Constant(code) => {
                if before > 0 {
                    pieces.push(self.filled(value, axis, before, code)?);
                }
                pieces.push(value);
                if after > 0 {
                    pieces.push(self.filled(value, axis, after, code)?);
                }
            }
            Fill::Mirror { skipped } => {
                let outside = || Reason::Malformed { what: "padding" };
                for distance in (0..before).rev() {
                    pieces.push(self.slice(value, axis, distance + skipped)?);
                }
                pieces.push(value);
                for distance in 0..after {
                    let index = shape[axis].checked_sub(1 + skipped + distance).ok_or_else(outside)?;
                    pieces.push(self.slice(value, axis, index)?);
                }
            }
        }
        let mut padded = shape;
        padded[axis] += before + after;
        let location = self.location();
        let builder = OpBuilder::new(&int8::CONCAT).operands(pieces).attribute("axis", Attribute::int(axis as i64));
        Ok(self.insert(builder, location, &padded))
    }
}

/// What padding consists of.
#[derive(Clone, Copy)]
enum Fill {
    Constant(i8),
    /// The mirrored tensor without the first `skipped` elements from the edge.
    Mirror {
        skipped: usize,
    },
}

/// The fix point of an operation's operand.
fn fix_point(ir: &Ir, op: OpId) -> Result<i32, Reason> {
    ir.fix_of(ir.operand(op, 0)).ok_or(Reason::Float)
}

fn expand_pad(ir: &mut Ir, op: OpId) -> Result<ValueId, Reason> {
    let malformed = |what| move || Reason::Malformed { what };
    let fill = match ir.str(op, "mode") {
        Some("symmetric") => Fill::Mirror { skipped: 0 },
        Some("reflect") => Fill::Mirror { skipped: 1 },
        _ => {
            let code = ir.int(op, "value").and_then(|value| i8::try_from(value).ok());
            Fill::Constant(code.ok_or_else(malformed("value"))?)
        }
    };
    let paddings: Option<Vec<usize>> = ir
        .ints(op, "paddings")
        .and_then(|list| list.into_iter().map(|padding| usize::try_from(padding).ok()).collect());
    let paddings = paddings.ok_or_else(malformed("paddings"))?;
    let (mut value, fix_point) = (ir.operand(op, 0), fix_point(ir, op)?);
    let mut parts = Parts::of(ir, op, fix_point);
    let mut last = None;
    for (axis, pair) in paddings.chunks_exact(2).enumerate().rev().filter(|(_, pair)| *pair != [0, 0]) {
        value = parts.pad(value, axis, [pair[0], pair[1]], fill)?;
        last = parts.ir.defining_op(value);
    }
    let location = parts.ir.op(op).location;
    match last {
        // The result keeps the name.
        Some(last) => parts.ir.set_location(last, location),
        None => {
            let shape = parts.shape(value)?;
            value = parts.insert(OpBuilder::new(&int8::REQUANTISE).operands([value]), location, &shape);
        }
    }
    Ok(value)
}

fn expand_bilinear(ir: &mut Ir, op: OpId) -> Result<ValueId, Reason> {
    let tent = Tent::of(ir, op)?;
    let (input, fix_point) = (ir.operand(op, 0), fix_point(ir, op)?);
    let mut parts = Parts::of(ir, op, fix_point);
    let [top, left, bottom, right] = tent.edges.map(|edge| edge as usize);
    let mut value = input;
    for (axis, edges) in [(2, [left, right]), (1, [top, bottom])] {
        if edges != [0, 0] {
            value = parts.pad(value, axis, edges, Fill::Mirror { skipped: 0 })?;
        }
    }
    let channels = parts.shape(value)?.last().copied().unwrap_or_default();
    let [rows, columns] = tent.kernel();
    let location = parts.location();
    let name = format!("{}_weights", parts.name);
    let weights = tent.weights(channels);
    let shape = [1, rows, columns, channels];
    let weights = insert_constant(parts.ir, op, &name, location, &shape, tent.fix_point, weights)?;
    let ir = parts.ir;
    let (ty, location) = (ir.value_type(ir.result(op)), ir.op(op).location);
    let convolution = OpBuilder::new(&int8::TRANSPOSED_DEPTHWISE_CONV2D)
        .at(location)
        .operands([value, weights])
        .attribute("strides", Attribute::ints(tent.scale.map(i64::from)))
        .attribute("pads", Attribute::ints(tent.crops.map(i64::from)))
        .result(ty, "")
        .insert_before(ir, op);
    Ok(ir.result(convolution))
}
