//! Moves groups of operations to subgraphs.

use std::collections::BTreeSet;

use dpuc_dialects::dialects::{dpu, func};
use dpuc_dialects::{Attribute, BlockId, Ir, OpBuilder, OpId, Type, ValueId};
use dpuc_isa::Target;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Network, SubgraphReport, is_constant, order};
use crate::names::operation_name;

/// Moves each group of DPU operations to a `dpu.subgraph` called from `block`, and orders the block so that all operands are defined
/// before their users. `group_of` gives for each operation the smallest member of its group, and whether the DPU runs it.
///
/// Returns the subgraphs with their operations, in execution order.
pub(super) fn outline(
    ir: &mut Ir,
    block: BlockId,
    network: &Network,
    group_of: &[(usize, bool)],
    target: &Target,
) -> Vec<(SubgraphReport, Vec<OpId>)> {
    let groups: Vec<usize> = group_of.iter().map(|&(group, _)| group).collect();
    let mut members: FxHashMap<usize, Vec<OpId>> = FxHashMap::default();
    for (&op, &(group, dpu)) in network.ops.iter().zip(group_of) {
        if dpu {
            members.entry(group).or_default().push(op);
        }
    }
    let terminator = ir.last_op(block);
    let mut outlined = Vec::new();
    let mut sequence = Vec::new();
    for group in order(&network.dag, &groups) {
        let Some(members) = members.remove(&group) else {
            sequence.push(network.ops[group]);
            continue;
        };
        let (call, report) = outline_group(ir, &members, target);
        sequence.push(call);
        outlined.push((report, members));
    }
    for &op in &sequence {
        ir.detach(op);
        match terminator {
            Some(terminator) => ir.insert_before(terminator, op),
            None => ir.append(block, op),
        }
    }
    for op in sequence {
        if is_constant(ir, op) && ir.results(op).iter().all(|&result| ir.use_count(result) == 0) {
            ir.erase(op);
        }
    }
    outlined
}

/// Moves one group to a new subgraph; the returned call is not placed yet.
fn outline_group(ir: &mut Ir, members: &[OpId], target: &Target) -> (OpId, SubgraphReport) {
    let inside: FxHashSet<OpId> = members.iter().copied().collect();
    let boundary = Boundary::of(ir, members, &inside);
    let name = subgraph_name(ir, members, &boundary.constants);

    let named: Vec<(String, Type)> = boundary
        .inputs
        .iter()
        .map(|&value| (ir.value_name(value).unwrap_or_default().to_owned(), ir.value_type(value)))
        .collect();
    let inputs: Vec<(&str, Type)> = named.iter().map(|(name, ty)| (name.as_str(), *ty)).collect();
    let results: Vec<Type> = boundary.outputs.iter().map(|&value| ir.value_type(value)).collect();
    let module = ir.body();
    let subgraph = func::build_like(ir, &dpu::SUBGRAPH, module, &name, &inputs, &results);
    ir.set_attribute(subgraph, "target", Attribute::string(target.name.as_str()));
    let location = ir.named_location(name.as_str());
    ir.set_location(subgraph, location);

    let entry = func::entry(ir, subgraph);
    let mut inner: FxHashMap<ValueId, ValueId> =
        boundary.inputs.iter().copied().zip(ir.arguments(entry).iter().copied()).collect();
    for &constant in &boundary.constants {
        let copy = copy_constant(ir, constant, entry);
        inner.insert(ir.result(constant), copy);
    }
    for &op in members {
        ir.detach(op);
        ir.append(entry, op);
        for index in 0..ir.operands(op).len() {
            if let Some(&value) = inner.get(&ir.operand(op, index)) {
                ir.set_operand(op, index, value);
            }
        }
    }

    let mut call = OpBuilder::new(&func::CALL)
        .at(location)
        .operands(boundary.inputs.iter().copied())
        .attribute("callee", Attribute::symbol(name.as_str()));
    for &output in &boundary.outputs {
        call = call.result(ir.value_type(output), "");
    }
    let call = call.create(ir);
    for (index, &output) in boundary.outputs.iter().enumerate() {
        let given = ir.results(call)[index];
        if let Some(name) = ir.value_name(output).map(str::to_owned) {
            ir.set_value_name(given, &name);
        }
        for user in ir.users(output).into_iter().filter(|user| !inside.contains(user)) {
            for operand in 0..ir.operands(user).len() {
                if ir.operand(user, operand) == output {
                    ir.set_operand(user, operand, given);
                }
            }
        }
    }
    OpBuilder::new(&dpu::RETURN).at(location).operands(boundary.outputs.iter().copied()).append(ir, entry);
    let report = SubgraphReport {
        name,
        operations: members.len(),
        inputs: boundary.inputs.len(),
        outputs: boundary.outputs.len(),
    };
    (call, report)
}

/// What a group reads from and gives to the outside.
struct Boundary {
    /// Values that are computed outside, in the order of first use.
    inputs: Vec<ValueId>,
    /// Constants it reads, in the order of first use.
    constants: Vec<OpId>,
    /// Values that are used outside, in the order of the network.
    outputs: Vec<ValueId>,
}

impl Boundary {
    fn of(ir: &Ir, members: &[OpId], inside: &FxHashSet<OpId>) -> Self {
        let mut boundary = Self { inputs: Vec::new(), constants: Vec::new(), outputs: Vec::new() };
        let mut seen = FxHashSet::default();
        for &op in members {
            for &value in ir.operands(op) {
                let owner = ir.defining_op(value);
                if owner.is_some_and(|owner| inside.contains(&owner)) || !seen.insert(value) {
                    continue;
                }
                match owner.filter(|&owner| is_constant(ir, owner)) {
                    Some(constant) => boundary.constants.push(constant),
                    None => boundary.inputs.push(value),
                }
            }
            let leaves = |&&value: &&ValueId| ir.users(value).iter().any(|user| !inside.contains(user));
            boundary.outputs.extend(ir.results(op).iter().filter(leaves));
        }
        boundary
    }
}

fn copy_constant(ir: &mut Ir, constant: OpId, block: BlockId) -> ValueId {
    let ty = ir.value_type(ir.result(constant));
    let name = ir.value_name(ir.result(constant)).unwrap_or_default().to_owned();
    let mut copy = OpBuilder::new(&dpuc_dialects::dialects::int8::CONSTANT).at(ir.op(constant).location);
    if let Some(value) = ir.attribute(constant, "value").cloned() {
        copy = copy.attribute("value", value);
    }
    let copy = copy.result(ty, &name).append(ir, block);
    ir.result(copy)
}

/// `subgraph_` and the lexicographically smallest name in it (`spec/xmodel.md` section 3.2), with a number if the module has that
/// symbol already.
fn subgraph_name(ir: &Ir, members: &[OpId], constants: &[OpId]) -> String {
    let names: BTreeSet<&str> = members.iter().chain(constants).map(|&op| operation_name(ir, op)).collect();
    let wish = format!("subgraph_{}", names.first().copied().unwrap_or_default());
    if ir.find_symbol(&wish).is_none() {
        return wish;
    }
    let numbered = (1..).map(|number| format!("{wish}_{number}"));
    numbered.into_iter().find(|name| ir.find_symbol(name).is_none()).unwrap_or(wish)
}
