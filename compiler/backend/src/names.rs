//! Names of operations and tensors, from locations.
//!
//! The first node name of an operation's location is the name of the operation in reports and in the `.xmodel`, the last one, that of
//! the `fix` behind it, the name of its result (`spec/xmodel.md` section 3.7).

use std::collections::HashSet;
use std::sync::Arc;

use dpuc_dialects::dialects::int8;
use dpuc_dialects::{BlockId, Ir, LocationKind, OpId};
use rustc_hash::FxHashMap;

/// The name of an operation; if its location has none, that of its result or the operation's kind.
pub(crate) fn operation_name(ir: &Ir, op: OpId) -> &str {
    let of_result = || ir.results(op).first().and_then(|&result| ir.value_name(result));
    ir.location_name(ir.op(op).location).or_else(of_result).unwrap_or_else(|| ir.op_name(op))
}

/// The name of the tensor an operation gives: the last node name of its location.
pub(crate) fn tensor_name(ir: &Ir, op: OpId) -> &str {
    ir.location_names(ir.op(op).location).last().copied().unwrap_or_else(|| operation_name(ir, op))
}

/// Gives every operation of the block that has no node name one: the name of its result, or its kind and a number. An unnamed
/// conversion to float is named after the tensor it converts.
pub(crate) fn name_operations(ir: &mut Ir, block: BlockId) {
    let ops: Vec<OpId> = ir.ops(block).collect();
    let mut taken: HashSet<String> =
        ops.iter().filter_map(|&op| ir.location_name(ir.op(op).location).map(str::to_owned)).collect();
    let mut counts: FxHashMap<String, usize> = FxHashMap::default();
    for op in ops {
        let location = ir.op(op).location;
        if ir.location_name(location).is_some() || ir.results(op).is_empty() {
            continue;
        }
        let own = ir.value_name(ir.result(op)).map(str::to_owned).or_else(|| converted_name(ir, op));
        let name = own.filter(|name| !taken.contains(name)).unwrap_or_else(|| {
            let kind = ir.op_name(op).split_once('.').map_or(ir.op_name(op), |(_, short)| short).to_owned();
            let count = counts.entry(kind.clone()).or_default();
            loop {
                let name = format!("{kind}_{count}");
                *count += 1;
                if !taken.contains(&name) {
                    return name;
                }
            }
        });
        taken.insert(name.clone());
        let inner = (location != ir.unknown_location()).then_some(location);
        let named = ir.location(LocationKind::Name(Arc::from(name), inner));
        ir.set_location(op, named);
    }
}

/// The name of a conversion to float: the tensor's name and an underscore (`spec/xmodel.md` section 3.7).
fn converted_name(ir: &Ir, op: OpId) -> Option<String> {
    let source = ir.defining_op(ir.operands(op).first().copied()?)?;
    ir.is(op, &int8::DEQUANTISE).then(|| format!("{}_", tensor_name(ir, source)))
}

/// Hands out names that differ from each other.
#[derive(Debug, Default)]
pub(crate) struct UniqueNames {
    taken: HashSet<String>,
    next: FxHashMap<String, usize>,
}

impl UniqueNames {
    /// `wish`, or `wish` with the first free number behind it.
    pub(crate) fn claim(&mut self, wish: &str) -> String {
        if self.taken.insert(wish.to_owned()) {
            return wish.to_owned();
        }
        let next = self.next.entry(wish.to_owned()).or_insert(1);
        loop {
            let name = format!("{wish}_{next}");
            *next += 1;
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dpuc_dialects::OpBuilder;
    use dpuc_dialects::dialects::func;

    #[test]
    fn names_come_from_locations_then_values_then_kinds() {
        let mut ir = Ir::new();
        let map = ir.fix_tensor(&[1, 2, 2, 4], 3);
        let body = ir.body();
        let main = func::build(&mut ir, body, "main", &[("x", map)], &[map]);
        let entry = func::entry(&ir, main);
        let x = ir.arguments(entry)[0];
        let parts = ["conv", "relu", "relu_fix"].map(|name| ir.named_location(name));
        let fused = ir.fused_location(parts);
        let relu = |name: &'static str| OpBuilder::new(&int8::REQUANTISE).operands([x]).result(map, name);
        let ops = [
            relu("a").at(fused).append(&mut ir, entry),
            relu("b").append(&mut ir, entry),
            relu("").append(&mut ir, entry),
            relu("conv").append(&mut ir, entry),
        ];
        name_operations(&mut ir, entry);
        assert_eq!(ops.map(|op| operation_name(&ir, op)), ["conv", "b", "requantise_0", "requantise_1"]);
        assert_eq!(ops.map(|op| tensor_name(&ir, op))[..2], ["relu_fix", "b"]);
    }

    #[test]
    fn claimed_names_differ() {
        let mut names = UniqueNames::default();
        assert_eq!(["a", "a_1", "a", "a", "b"].map(|wish| names.claim(wish)), ["a", "a_1", "a_2", "a_3", "b"]);
    }
}
