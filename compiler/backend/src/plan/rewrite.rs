//! The body of a subgraph with its memory plan written into it.

use dpuc_dialects::dialects::{dpu, int8};
use dpuc_dialects::{Attribute, BlockId, Ir, OpBuilder, OpId, ValueId};
use rustc_hash::FxHashMap;

use super::layout::Layout;
use crate::error::BackendError;
use crate::operator::layers;
use crate::placement::Placement;

/// Superlayers by whether they need instructions.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) emitting: usize,
    pub(super) in_place: usize,
}

/// Replaces the operations of a block by placed ones.
pub(super) fn rewrite(ir: &mut Ir, block: BlockId, layout: &Layout, subgraph: &str) -> Result<Counts, BackendError> {
    let ops: Vec<OpId> = ir.ops(block).collect();
    let mut places = layout.places.clone();
    let mut counts = Counts::default();
    if let Some(&first) = ops.first() {
        upload_arguments(ir, block, first, &mut places, subgraph)?;
    }
    for op in ops {
        if ir.is(op, &dpu::RETURN) {
            download_results(ir, op);
        } else if ir.is(op, &int8::CONSTANT) {
            place_constant(ir, op, &mut places, subgraph)?;
        } else {
            let emits = wrap(ir, op, &mut places, subgraph)?;
            *(if emits { &mut counts.emitting } else { &mut counts.in_place }) += 1;
        }
    }
    Ok(counts)
}

fn place_of<'a>(
    ir: &Ir,
    places: &'a FxHashMap<ValueId, Placement>,
    value: ValueId,
    subgraph: &str,
) -> Result<&'a Placement, BackendError> {
    places.get(&value).ok_or_else(|| BackendError::Unplanned {
        subgraph: subgraph.to_owned(),
        problem: format!(
            "a value of type {} is neither computed in it nor an input",
            ir.show_type(ir.value_type(value))
        ),
    })
}

/// The attributes `region`, `address` and, unless the kind has none, `strides`.
fn placed(builder: OpBuilder<'static>, place: &Placement, strides: bool) -> OpBuilder<'static> {
    let builder = builder
        .attribute("region", Attribute::int(i64::from(place.region)))
        .attribute("address", Attribute::int(place.address as i64));
    if !strides {
        return builder;
    }
    builder.attribute("strides", Attribute::ints(place.strides.iter().map(|&stride| stride as i64)))
}

fn upload_arguments(
    ir: &mut Ir,
    block: BlockId,
    before: OpId,
    places: &mut FxHashMap<ValueId, Placement>,
    subgraph: &str,
) -> Result<(), BackendError> {
    for argument in ir.arguments(block).to_vec() {
        let place = place_of(ir, places, argument, subgraph)?.clone();
        let ty = ir.value_type(argument);
        let name = ir.value_name(argument).unwrap_or("input").to_owned();
        let location = ir.named_location(name.as_str());
        let upload =
            placed(OpBuilder::new(&dpu::UPLOAD).at(location), &place, true).result(ty, "").insert_before(ir, before);
        let value = ir.result(upload);
        ir.replace_all_uses(argument, value);
        ir.add_operand(upload, argument);
        places.insert(value, place);
    }
    Ok(())
}

fn place_constant(
    ir: &mut Ir,
    op: OpId,
    places: &mut FxHashMap<ValueId, Placement>,
    subgraph: &str,
) -> Result<(), BackendError> {
    let old = ir.result(op);
    if ir.use_count(old) == 0 {
        ir.erase(op);
        return Ok(());
    }
    let place = place_of(ir, places, old, subgraph)?.clone();
    let name = ir.value_name(old).unwrap_or_default().to_owned();
    let mut builder = OpBuilder::new(&dpu::PARAMETER).at(ir.op(op).location);
    if let Some(value) = ir.attribute(op, "value").cloned() {
        builder = builder.attribute("value", value);
    }
    let ty = ir.value_type(old);
    let parameter = placed(builder, &place, false).result(ty, "").insert_before(ir, op);
    let value = ir.result(parameter);
    if !name.is_empty() {
        ir.set_value_name(value, &name);
    }
    ir.replace_all_uses(old, value);
    ir.erase(op);
    places.insert(value, place);
    Ok(())
}

/// Puts an operation into a superlayer of its own; returns whether it needs instructions.
fn wrap(
    ir: &mut Ir,
    op: OpId,
    places: &mut FxHashMap<ValueId, Placement>,
    subgraph: &str,
) -> Result<bool, BackendError> {
    let work = layers(ir, op, &|value| places.get(&value).cloned())
        .map_err(|reason| BackendError::not_for_dpu(ir, op, subgraph, reason))?;
    let emits = !work.is_empty();

    let old = ir.result(op);
    let place = place_of(ir, places, old, subgraph)?.clone();
    let entry = place.to_attribute(ir);
    // An operand that is used twice is one input.
    let mut inputs: Vec<ValueId> = Vec::new();
    for &value in ir.operands(op) {
        if !inputs.contains(&value) {
            inputs.push(value);
        }
    }
    let ty = ir.value_type(old);
    let name = ir.value_name(old).unwrap_or_default().to_owned();
    let mut superlayer = OpBuilder::new(&dpu::SUPERLAYER)
        .at(ir.op(op).location)
        .operands(inputs.iter().copied())
        .attribute("placements", Attribute::Array([entry].into()));
    if !emits {
        superlayer = superlayer.attribute("emits_code", Attribute::Bool(false));
    }
    let superlayer = superlayer.result(ty, &name).insert_before(ir, op);
    let value = ir.result(superlayer);
    ir.replace_all_uses(old, value);
    places.insert(value, place);

    let region = ir.op_regions(superlayer)[0];
    let body = ir.add_block(region);
    ir.detach(op);
    ir.append(body, op);
    for input in inputs {
        let ty = ir.value_type(input);
        let argument = ir.add_argument(body, ty);
        for index in 0..ir.operands(op).len() {
            if ir.operand(op, index) == input {
                ir.set_operand(op, index, argument);
            }
        }
    }
    OpBuilder::new(&dpu::YIELD).at(ir.op(op).location).operands([old]).append(ir, body);
    Ok(emits)
}

fn download_results(ir: &mut Ir, end: OpId) {
    let mut downloaded: FxHashMap<ValueId, ValueId> = FxHashMap::default();
    for index in 0..ir.operands(end).len() {
        let value = ir.operand(end, index);
        let output = match downloaded.get(&value) {
            Some(&output) => output,
            None => {
                let ty = ir.value_type(value);
                let location = ir.defining_op(value).map_or(ir.unknown_location(), |op| ir.op(op).location);
                let download =
                    OpBuilder::new(&dpu::DOWNLOAD).at(location).operands([value]).result(ty, "").insert_before(ir, end);
                ir.result(download)
            }
        };
        downloaded.insert(value, output);
        ir.set_operand(end, index, output);
    }
}
