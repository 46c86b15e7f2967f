//! What runs on the CPU, and the network's inputs.

use std::collections::BTreeMap;
use std::ops::Range;

use dpuc_dialects::define::Traits;
use dpuc_dialects::dialects::{func, int8};
use dpuc_dialects::{BlockId, Ir, OpId, ValueId};
use dpuc_xmodel::{Attributed, Subgraph};
use rustc_hash::FxHashMap;

use super::workload::Workload;
use super::{Exporter, set_workload, subgraph_name};
use crate::error::BackendError;
use crate::partition::{Dag, is_constant};

/// The operations of `@main` that are neither constants nor already exported as inputs.
pub(super) struct HostNetwork {
    pub(super) ops: Vec<OpId>,
    pub(super) dag: Dag,
    /// Whether an operation is one of the host; others are calls.
    pub(super) joinable: Vec<bool>,
}

impl HostNetwork {
    pub(super) fn new(ir: &Ir, block: BlockId, exported: &FxHashMap<ValueId, usize>) -> Self {
        let terminator = ir.last_op(block);
        let absorbed = |op: OpId| ir.results(op).iter().any(|result| exported.contains_key(result));
        let ops: Vec<OpId> =
            ir.ops(block).filter(|&op| Some(op) != terminator && !is_constant(ir, op) && !absorbed(op)).collect();
        let index_of: FxHashMap<OpId, usize> = ops.iter().enumerate().map(|(index, &op)| (op, index)).collect();
        let producer = |&value: &ValueId| index_of.get(&ir.defining_op(value)?).copied();
        let predecessors = ops.iter().map(|&op| ir.operands(op).iter().filter_map(producer).collect()).collect();
        let joinable = ops.iter().map(|&op| !ir.is(op, &func::CALL)).collect();
        Self { ops, dag: Dag { predecessors }, joinable }
    }
}

const CPU: &str = "CPU";
const USER: &str = "USER";

impl Exporter<'_> {
    /// Adds the network's inputs, each in a subgraph of its own.
    pub(super) fn arguments(&mut self, block: BlockId) -> Result<Vec<Subgraph>, BackendError> {
        let mut children = Vec::new();
        for (number, &argument) in self.ir.arguments(block).iter().enumerate() {
            let index = self.operators.argument(block, number, &quantised_input(self.ir, argument))?;
            children.push(self.leaf(index..index + 1, USER));
        }
        Ok(children)
    }

    /// Adds connected operations of the host as one subgraph.
    pub(super) fn host_subgraph(&mut self, members: &[OpId]) -> Result<Subgraph, BackendError> {
        let first = self.operators.ops.len();
        for &op in members {
            self.operators.operation(op)?;
        }
        Ok(self.host_leaf(first..self.operators.ops.len()))
    }

    /// The names of the outputs, in order; operators that are needed for them have subgraphs of their own.
    pub(super) fn outputs(
        &mut self,
        block: BlockId,
        children: &mut Vec<Subgraph>,
    ) -> Result<Vec<String>, BackendError> {
        let first = self.operators.ops.len();
        let outputs = self.operators.outputs(block)?;
        for index in first..self.operators.ops.len() {
            children.push(self.host_leaf(index..index + 1));
        }
        Ok(outputs)
    }

    fn host_leaf(&mut self, range: Range<usize>) -> Subgraph {
        let runner = ["run", "sim", "ref"].map(|key| (key.to_owned(), "libvart-cpu-runner.so".to_owned()));
        self.leaf(range, CPU).with_attr("runner", BTreeMap::from(runner))
    }

    /// The subgraph of some operators, which run on `device`.
    fn leaf(&mut self, range: Range<usize>, device: &str) -> Subgraph {
        for op in &mut self.operators.ops[range.clone()] {
            op.set_attr("device", device);
        }
        let names = || self.operators.names_of(range.clone());
        let mut leaf = Subgraph::leaf(subgraph_name(names()), names()).with_attr("device", device);
        set_workload(&mut leaf, Workload::default());
        leaf
    }
}

/// The `int8.quantise` operations that read a float input, if nothing else does, they all give the same, and the network does not return it:
/// an input cannot be an output.
fn quantised_input(ir: &Ir, argument: ValueId) -> Vec<OpId> {
    let users = ir.users(argument);
    let is_returned = |op| ir.users(ir.result(op)).into_iter().any(|user| ir.has_traits(user, Traits::TERMINATOR));
    let same = |&op: &OpId| {
        ir.is(op, &int8::QUANTISE)
            && ir.value_type(ir.result(op)) == ir.value_type(ir.result(users[0]))
            && !is_returned(op)
    };
    if users.iter().all(same) { users } else { Vec::new() }
}
