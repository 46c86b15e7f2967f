//! Reading planned subgraphs: the operations in a superlayer and the places of their values.

use dpuc_dialects::dialects::dpu;
use dpuc_dialects::{Attribute, Ir, OpId, ValueId};
use rustc_hash::FxHashMap;

use crate::error::BackendError;
use crate::placement::Placement;

/// A `dpu.superlayer`.
#[derive(Debug)]
pub(crate) struct Superlayer {
    /// The operations inside, in order.
    pub(crate) operations: Vec<OpId>,
    /// The value outside that each argument of the body stands for.
    pub(crate) outer: FxHashMap<ValueId, ValueId>,
    /// The value inside that each result stands for.
    pub(crate) inner: FxHashMap<ValueId, ValueId>,
    /// Where the result of each operation inside is.
    pub(crate) places: FxHashMap<ValueId, Placement>,
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
        let mut operations: Vec<OpId> = ir.ops(body).collect();
        let end = operations.pop().filter(|&end| ir.is(end, &dpu::YIELD));
        let end = end.ok_or_else(|| unplanned("does not end with dpu.yield"))?;
        if ir.operands(end).len() != ir.results(op).len() || ir.arguments(body).len() != ir.operands(op).len() {
            return Err(unplanned("does not pass its operands and its results through"));
        }
        let entries = ir.attribute(op, "placements").and_then(Attribute::as_array).unwrap_or_default();
        if entries.len() != operations.len() {
            return Err(unplanned("has not one entry in placements for each of its operations"));
        }
        let mut places = FxHashMap::default();
        for (&operation, entry) in operations.iter().zip(entries) {
            let place = Placement::from_attribute(ir, entry);
            let (&[result], Some(place)) = (ir.results(operation), place) else {
                return Err(unplanned("has an operation without a place for its result"));
            };
            places.insert(result, place);
        }
        let pairs = |keys: &[ValueId], values: &[ValueId]| keys.iter().copied().zip(values.iter().copied()).collect();
        let outer = pairs(ir.arguments(body), ir.operands(op));
        let inner = pairs(ir.results(op), ir.operands(end));
        Ok(Self { operations, outer, inner, places })
    }
}

/// Where a value of a planned subgraph that no superlayer gives is.
fn boundary_placement(ir: &Ir, op: OpId, value: ValueId) -> Option<Placement> {
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

/// The body of a planned subgraph without the boundaries of superlayers.
#[derive(Debug, Default)]
pub(crate) struct Flat {
    /// The superlayers, in order.
    pub(crate) superlayers: Vec<(OpId, Superlayer)>,
    /// What each value at a boundary stands for.
    stands_for: FxHashMap<ValueId, ValueId>,
    places: FxHashMap<ValueId, Placement>,
    /// The values the subgraph returns.
    pub(crate) outputs: Vec<ValueId>,
}

impl Flat {
    /// Reads the operations of the block of subgraph `@subgraph`.
    pub(crate) fn of(
        ir: &Ir,
        ops: impl Iterator<Item = OpId>,
        subgraph: &str,
        unplaced: impl Fn(OpId) -> BackendError,
    ) -> Result<Self, BackendError> {
        let mut flat = Self::default();
        for op in ops {
            if ir.is(op, &dpu::SUPERLAYER) {
                let superlayer = Superlayer::of(ir, op, subgraph)?;
                let aliases = superlayer.outer.iter().chain(&superlayer.inner);
                flat.stands_for.extend(aliases.map(|(&alias, &value)| (alias, value)));
                flat.places.extend(superlayer.places.iter().map(|(&value, place)| (value, place.clone())));
                flat.superlayers.push((op, superlayer));
            } else if ir.is(op, &dpu::DOWNLOAD) {
                flat.outputs.push(flat.resolve(ir.operand(op, 0)));
            } else if ir.is(op, &dpu::UPLOAD) || ir.is(op, &dpu::PARAMETER) {
                let value = ir.result(op);
                let place = boundary_placement(ir, op, value).ok_or_else(|| unplaced(op))?;
                flat.places.insert(value, place);
            } else if !ir.is(op, &dpu::RETURN) {
                return Err(unplaced(op));
            }
        }
        Ok(flat)
    }

    /// The value that a value at a boundary of a superlayer stands for.
    pub(crate) fn resolve(&self, mut value: ValueId) -> ValueId {
        while let Some(&inner) = self.stands_for.get(&value) {
            value = inner;
        }
        value
    }

    /// Where a value is.
    pub(crate) fn place(&self, value: ValueId) -> Option<Placement> {
        self.places.get(&self.resolve(value)).cloned()
    }
}
