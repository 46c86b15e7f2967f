//! Reading planned subgraphs: the operation in a superlayer and the places of its values.

use dpuc_dialects::dialects::dpu;
use dpuc_dialects::{Attribute, Ir, OpId, ValueId};
use rustc_hash::FxHashMap;

use crate::error::BackendError;
use crate::placement::Placement;

/// A `dpu.superlayer` with one operation.
#[derive(Debug)]
pub(crate) struct Superlayer {
    /// The operation inside.
    pub(crate) operation: OpId,
    places: FxHashMap<ValueId, Placement>,
}

impl Superlayer {
    /// Reads a superlayer of subgraph `@subgraph`.
    pub(crate) fn of(ir: &Ir, op: OpId, subgraph: &str) -> Result<Self, BackendError> {
        let unplanned = |problem: &str| BackendError::Unplanned {
            subgraph: subgraph.to_owned(),
            problem: format!("{} {problem}", ir.op_name(op)),
        };
        let blocks = ir.op_regions(op).first().map_or(&[][..], |&region| ir.region_blocks(region));
        let &[body] = blocks else { return Err(unplanned("has no body of one block")) };
        let ops: Vec<OpId> = ir.ops(body).collect();
        let (&[operation, end], true) = (&ops[..], ir.results(op).len() == 1) else {
            return Err(unplanned("has not exactly one operation"));
        };
        if ir.results(operation) != ir.operands(end) || ir.arguments(body).len() != ir.operands(op).len() {
            return Err(unplanned("does not pass its operands and its result through"));
        }
        let mut places = FxHashMap::default();
        for (&argument, &operand) in ir.arguments(body).iter().zip(ir.operands(op)) {
            let place = placement_of(ir, operand).ok_or_else(|| unplanned("reads a value without a place"))?;
            places.insert(argument, place);
        }
        let own = placement_of(ir, ir.result(op)).ok_or_else(|| unplanned("has no place for its result"))?;
        places.insert(ir.result(operation), own);
        Ok(Self { operation, places })
    }

    /// Where a value of the body is.
    pub(crate) fn place(&self, value: ValueId) -> Option<Placement> {
        self.places.get(&value).cloned()
    }
}

/// Where a value of a planned subgraph is.
pub(crate) fn placement_of(ir: &Ir, value: ValueId) -> Option<Placement> {
    let op = ir.defining_op(value)?;
    if ir.is(op, &dpu::SUPERLAYER) {
        let index = ir.results(op).iter().position(|&result| result == value)?;
        let entries = ir.attribute(op, "placements").and_then(Attribute::as_array)?;
        return Placement::from_attribute(ir, entries.get(index)?);
    }
    let (region, address) = (ir.int(op, "region")?, ir.int(op, "address")?);
    if ir.is(op, &dpu::UPLOAD) {
        return Placement::from_numbers(region, address, &ir.ints(op, "strides")?);
    }
    if ir.is(op, &dpu::PARAMETER) {
        let dense = Placement::dense(0, 0, &ir.shape_of(value)?);
        let strides: Vec<i64> = dense.strides.iter().map(|&stride| stride as i64).collect();
        return Placement::from_numbers(region, address, &strides);
    }
    None
}
