//! The smallest part of a network that still shows a fault.

use std::collections::HashSet;

use dpuc_dialects::dialects::func;
use dpuc_dialects::{Attribute, BlockId, Ir, OpBuilder, OpId, ValueId};

/// Takes operations and outputs from `@main` as long as `fails` says that what is left still fails. What an operation gave becomes an
/// argument. `fails` must hold for `ir`.
pub fn shrink(ir: Ir, fails: &mut dyn FnMut(&Ir) -> bool) -> Ir {
    let exposed = with_dead_outputs(&ir);
    let mut smallest = if fails(&exposed) { exposed } else { ir };
    loop {
        let smaller = candidates(&smallest).find(&mut *fails);
        match smaller {
            Some(smaller) => smallest = smaller,
            None => return smallest,
        }
    }
}

/// The network with what nobody reads as outputs, without which the guilty operation may be lost at the first step.
fn with_dead_outputs(ir: &Ir) -> Ir {
    let entry = entry(ir);
    let mut outputs: Vec<ValueId> = ir.last_op(entry).map(|end| ir.operands(end).to_vec()).unwrap_or_default();
    outputs.extend(ir.ops(entry).flat_map(|op| ir.results(op)).filter(|&&value| ir.use_count(value) == 0));
    part(ir, &outputs, None)
}

/// Every network one step smaller, those that lose most first.
fn candidates(ir: &Ir) -> impl Iterator<Item = Ir> + '_ {
    let entry = entry(ir);
    let outputs: Vec<ValueId> = ir.last_op(entry).map(|end| ir.operands(end).to_vec()).unwrap_or_default();
    let one_output = (outputs.len() > 1).then(|| outputs.clone()).into_iter().flatten().map(|output| vec![output]);
    let fewer_outputs = (0..if outputs.len() > 2 { outputs.len() } else { 0 }).map({
        let outputs = outputs.clone();
        move |at| [&outputs[..at], &outputs[at + 1..]].concat()
    });
    // Without the last operation: what it read, int8 or float, becomes the output.
    let before_last = outputs.first().copied().filter(|_| outputs.len() == 1).and_then(|output| ir.defining_op(output));
    let computed = |value: &ValueId| ir.defining_op(*value).is_some_and(|op| computes(ir, op));
    let mut read: Vec<ValueId> =
        before_last.map(|op| ir.operands(op).iter().copied().filter(computed).collect()).unwrap_or_default();
    let mut seen = HashSet::new();
    read.retain(|&value| seen.insert(value));
    let earlier_outputs = Some(read).filter(|values| !values.is_empty()).into_iter();
    let whole = outputs.clone();
    let ends = one_output.chain(earlier_outputs).chain(fewer_outputs).map(|outputs| part(ir, &outputs, None));
    // An output must be computed; a network that only passes an argument on is another fault.
    let is_output = |op: OpId| ir.results(op).iter().any(|result| whole.contains(result));
    let cut: Vec<OpId> = ir.ops(entry).filter(|&op| computes(ir, op) && !is_output(op)).collect();
    let cuts = cut.into_iter().map(move |op| part(ir, &whole, Some(op)));
    let size = size(ir);
    ends.chain(cuts).filter(move |smaller| self::size(smaller) < size)
}

/// Whether the operation gives something, from something.
fn computes(ir: &Ir, op: OpId) -> bool {
    !ir.operands(op).is_empty() && !ir.results(op).is_empty()
}

fn entry(ir: &Ir) -> BlockId {
    func::entry(ir, main(ir))
}

/// `@main`, which every generated network has.
fn main(ir: &Ir) -> OpId {
    ir.find_symbol("main").expect("the network has @main")
}

/// Operations and outputs.
fn size(ir: &Ir) -> usize {
    let entry = entry(ir);
    ir.ops(entry).count() + ir.last_op(entry).map_or(0, |end| ir.operands(end).len())
}

/// The part of `@main` that `outputs` depend on, with the result of `cut` as an argument.
fn part(ir: &Ir, outputs: &[ValueId], cut: Option<OpId>) -> Ir {
    let mut ir = ir.clone();
    let (old_main, old) = (main(&ir), entry(&ir));
    let mut needed: HashSet<OpId> = HashSet::new();
    let mut read: HashSet<ValueId> = outputs.iter().copied().collect();
    let ops: Vec<OpId> = ir.ops(old).collect();
    for &op in ops.iter().rev() {
        if ir.results(op).iter().any(|result| read.contains(result)) && Some(op) != cut {
            needed.insert(op);
            read.extend(ir.operands(op).iter().copied());
        }
    }

    let body = ir.body();
    let new_main = func::build(&mut ir, body, "part", &[], &[]);
    let new = func::entry(&ir, new_main);
    let arguments = ir.arguments(old).to_vec();
    let cut_results = cut.map(|op| ir.results(op).to_vec()).unwrap_or_default();
    let mut outputs = outputs.to_vec();
    for value in arguments.into_iter().chain(cut_results).filter(|value| read.contains(value)) {
        let argument = {
            let ty = ir.value_type(value);
            ir.add_argument(new, ty)
        };
        let taken = |ir: &Ir, name: &str| ir.arguments(new).iter().any(|&own| ir.value_name(own) == Some(name));
        let own = ir.value_name(value).filter(|name| !taken(&ir, name)).map(str::to_owned);
        let free =
            || (0..=ir.arguments(new).len()).map(|number| format!("cut_{number}")).find(|name| !taken(&ir, name));
        let name = own.or_else(free).unwrap_or_default();
        ir.set_value_name(argument, &name);
        ir.replace_all_uses(value, argument);
        for output in outputs.iter_mut().filter(|output| **output == value) {
            *output = argument;
        }
    }
    for op in ops.iter().copied().filter(|op| needed.contains(op)) {
        ir.detach(op);
        ir.append(new, op);
    }
    for op in ops.iter().rev().copied().filter(|op| !needed.contains(op)) {
        ir.erase(op);
    }
    ir.erase(old_main);
    OpBuilder::new(&func::RETURN).operands(outputs).append(&mut ir, new);
    ir.set_attribute(new_main, "sym_name", Attribute::string("main"));
    func::refresh_signature(&mut ir, new_main);
    ir
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random_network;
    use dpuc_dialects::dialects::int8;
    use dpuc_dialects::verify::verify;

    /// Kinds of the operations that compute something.
    fn kinds(ir: &Ir) -> Vec<&str> {
        ir.ops(entry(ir)).map(|op| ir.op_name(op)).filter(|kind| !kind.ends_with("constant")).collect()
    }

    #[test]
    fn one_guilty_operation_remains() {
        let has_pool = |ir: &Ir| ir.ops(entry(ir)).any(|op| ir.is(op, &int8::MAX_POOL));
        let mut seen = 0;
        for ir in (0..60).map(random_network).filter(has_pool) {
            let smallest = shrink(ir, &mut |ir| {
                assert!(verify(ir).is_empty(), "{:?}", verify(ir));
                has_pool(ir)
            });
            assert_eq!(kinds(&smallest), ["int8.max_pool", "func.return"]);
            seen += 1;
        }
        assert!(seen > 5, "enough networks have a pool");
    }

    #[test]
    fn a_connection_remains() {
        // A convolution whose result a sum reads.
        let guilty = |ir: &Ir| {
            let sums = ir.ops(entry(ir)).filter(|&op| ir.is(op, &int8::ADD));
            let sources = sums.flat_map(|op| ir.operands(op)).filter_map(|&value| ir.defining_op(value));
            sources.into_iter().any(|source| ir.is(source, &int8::CONV2D))
        };
        let ir = (0..200).map(random_network).find(guilty).expect("a sum of a convolution is common");
        let smallest = shrink(ir, &mut |ir| guilty(ir));
        assert_eq!(kinds(&smallest), ["int8.conv2d", "int8.add", "func.return"]);
    }
}
