//! The body of a subgraph with its memory plan written into it.

use dpuc_dialects::dialects::{dpu, int8};
use dpuc_dialects::{Attribute, BlockId, Ir, OpBuilder, OpId, ValueId};
use rustc_hash::FxHashMap;

use super::layout::Layout;
use crate::error::BackendError;
use crate::placement::Placement;

/// Superlayers by whether they need instructions.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) emitting: usize,
    pub(super) in_place: usize,
}

/// Replaces the operations of a block by placed ones. `groups` are the operations of each superlayer that need instructions.
pub(super) fn rewrite(
    ir: &mut Ir,
    block: BlockId,
    groups: &[Vec<OpId>],
    layout: &Layout,
    subgraph: &str,
) -> Result<Counts, BackendError> {
    let ops: Vec<OpId> = ir.ops(block).collect();
    let Some(&end) = ops.last().filter(|&&end| ir.is(end, &dpu::RETURN)) else { return Ok(Counts::default()) };
    let mut places = layout.places.clone();
    upload_arguments(ir, block, ops[0], &mut places, subgraph)?;
    let constants: Vec<OpId> = ops.iter().copied().filter(|&op| ir.is(op, &int8::CONSTANT)).collect();
    for op in constants {
        place_constant(ir, op, &mut places, subgraph)?;
    }
    let ops: Vec<OpId> = ir.ops(block).filter(|&op| op != end && is_computing(ir, op)).collect();
    let mut counts = Counts::default();
    for members in arrange(ir, &ops, groups) {
        wrap(ir, &members.ops, end, &mut places, members.emits, subgraph)?;
        *(if members.emits { &mut counts.emitting } else { &mut counts.in_place }) += 1;
    }
    download_results(ir, end);
    Ok(counts)
}

fn is_computing(ir: &Ir, op: OpId) -> bool {
    ![&dpu::UPLOAD, &dpu::PARAMETER].into_iter().any(|kind| ir.is(op, kind))
}

/// The operations of a superlayer.
struct Members {
    ops: Vec<OpId>,
    emits: bool,
}

/// Assigns the operations without instructions: to the superlayer that computes their last operand if an operation there reads them, else to
/// superlayers of their own behind it.
fn arrange(ir: &Ir, ops: &[OpId], groups: &[Vec<OpId>]) -> Vec<Members> {
    let mut home: FxHashMap<OpId, usize> = FxHashMap::default();
    for (index, group) in groups.iter().enumerate() {
        home.extend(group.iter().map(|&op| (op, index)));
    }
    // The superlayer behind which each view is complete, counted from 1; 0 is the start.
    let mut complete: FxHashMap<OpId, usize> = FxHashMap::default();
    for &op in ops {
        let own = home.get(&op).map(|&index| index + 1);
        let operands = ir.operands(op).iter().filter_map(|&value| ir.defining_op(value));
        let latest = operands.filter_map(|owner| complete.get(&owner).copied()).max().unwrap_or(0);
        complete.insert(op, own.unwrap_or(latest));
    }
    for &op in ops.iter().rev() {
        if home.contains_key(&op) {
            continue;
        }
        let after = complete[&op];
        let read_there =
            ir.users(ir.result(op)).iter().any(|user| home.get(user).is_some_and(|&index| index + 1 == after));
        if after > 0 && read_there {
            home.insert(op, after - 1);
        }
    }
    let mut all: Vec<Members> = Vec::new();
    for index in 0..=groups.len() {
        if index > 0 {
            let inside = ops.iter().copied().filter(|op| home.get(op) == Some(&(index - 1))).collect();
            all.push(Members { ops: inside, emits: true });
        }
        let behind = ops.iter().copied().filter(|op| !home.contains_key(op) && complete[op] == index);
        all.extend(behind.map(|op| Members { ops: vec![op], emits: false }));
    }
    all
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

/// Puts operations into a superlayer in front of `end`.
fn wrap(
    ir: &mut Ir,
    ops: &[OpId],
    end: OpId,
    places: &mut FxHashMap<ValueId, Placement>,
    emits: bool,
    subgraph: &str,
) -> Result<(), BackendError> {
    let mut inputs: Vec<ValueId> = Vec::new();
    let mut entries = Vec::new();
    let mut results: Vec<ValueId> = Vec::new();
    for &op in ops {
        for &value in ir.operands(op) {
            let inside = ir.defining_op(value).is_some_and(|owner| ops.contains(&owner));
            if !inside && !inputs.contains(&value) {
                inputs.push(value);
            }
        }
        let result = ir.result(op);
        entries.push(place_of(ir, places, result, subgraph)?.clone().to_attribute(ir));
        let users = ir.users(result);
        if users.is_empty() || users.iter().any(|user| !ops.contains(user)) {
            results.push(result);
        }
    }
    let locations = ops.iter().map(|&op| ir.op(op).location).collect::<Vec<_>>();
    let location = ir.fused_location(locations);
    let mut superlayer = OpBuilder::new(&dpu::SUPERLAYER)
        .at(location)
        .operands(inputs.iter().copied())
        .attribute("placements", Attribute::Array(entries.into()));
    if !emits {
        superlayer = superlayer.attribute("emits_code", Attribute::Bool(false));
    }
    let names: Vec<String> = results.iter().map(|&value| ir.value_name(value).unwrap_or_default().to_owned()).collect();
    for (&value, name) in results.iter().zip(&names) {
        superlayer = superlayer.result(ir.value_type(value), name);
    }
    let superlayer = superlayer.insert_before(ir, end);
    for (index, &value) in results.iter().enumerate() {
        let outside = ir.results(superlayer)[index];
        let place = place_of(ir, places, value, subgraph)?.clone();
        places.insert(outside, place);
    }
    let region = ir.op_regions(superlayer)[0];
    let body = ir.add_block(region);
    let arguments: Vec<ValueId> = inputs
        .iter()
        .map(|&input| {
            let ty = ir.value_type(input);
            ir.add_argument(body, ty)
        })
        .collect();
    // Operations outside read the results, those inside the values themselves.
    for (index, &value) in results.iter().enumerate() {
        let outside = ir.results(superlayer)[index];
        for user in ir.users(value) {
            if !ops.contains(&user) {
                replace_operand(ir, user, value, outside);
            }
        }
    }
    for &op in ops {
        ir.detach(op);
        ir.append(body, op);
        for (&input, &argument) in inputs.iter().zip(&arguments) {
            replace_operand(ir, op, input, argument);
        }
    }
    OpBuilder::new(&dpu::YIELD).at(location).operands(results).append(ir, body);
    Ok(())
}

fn replace_operand(ir: &mut Ir, op: OpId, from: ValueId, to: ValueId) {
    for index in 0..ir.operands(op).len() {
        if ir.operand(op, index) == from {
            ir.set_operand(op, index, to);
        }
    }
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
