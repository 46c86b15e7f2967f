//! The operations of a subgraph as the network that the code generator plans and emits.

use dpuc_codegen::{Layer, Network, Node, Origin, Part, Value};
use dpuc_dialects::dialects::int8;
use dpuc_dialects::{Ir, OpId, ValueId};
use dpuc_isa::Target;
use rustc_hash::FxHashMap;

use crate::operator::{Places, Reason, concat_copies, placed_layers};
use crate::partition::{is_convolution, moves_only};

/// A network, and what its nodes and values are in the IR.
#[derive(Debug, Default)]
pub(crate) struct Work {
    pub(crate) network: Network,
    /// The operation of each node.
    pub(crate) operations: Vec<OpId>,
    /// The node of each operation that needs instructions.
    pub(crate) nodes: FxHashMap<OpId, usize>,
    /// The network's value of each value of the IR.
    pub(crate) values: FxHashMap<ValueId, usize>,
}

/// Builds the network of some operations in order. `resolve` gives the value that an operand stands for.
///
/// # Errors
/// The operation that layers cannot express, and why.
pub(crate) fn network(
    ir: &Ir,
    ops: &[OpId],
    resolve: &dyn Fn(ValueId) -> ValueId,
    places: &Places<'_>,
    outputs: &[ValueId],
    target: &Target,
) -> Result<Work, (OpId, Reason)> {
    let mut builder = Builder { ir, resolve, places, work: Work::default() };
    for &op in ops {
        builder.add(op, target).map_err(|reason| (op, reason))?;
    }
    for &output in outputs {
        let value = builder.value(output);
        builder.work.network.values[value].is_output = true;
    }
    Ok(builder.work)
}

struct Builder<'a> {
    ir: &'a Ir,
    resolve: &'a dyn Fn(ValueId) -> ValueId,
    places: &'a Places<'a>,
    work: Work,
}

impl Builder<'_> {
    /// The network's value of an operand; one that nothing computes is in memory.
    fn value(&mut self, value: ValueId) -> usize {
        let value = (self.resolve)(value);
        if let Some(&index) = self.work.values.get(&value) {
            return index;
        }
        let index = self.new_value(map_shape(&self.ir.shape_of(value).unwrap_or_default()), Origin::Memory);
        self.work.values.insert(value, index);
        index
    }

    fn new_value(&mut self, shape: [u32; 3], origin: Origin) -> usize {
        self.work.network.values.push(Value { shape, origin, is_output: false });
        self.work.network.values.len() - 1
    }

    fn add(&mut self, op: OpId, target: &Target) -> Result<(), Reason> {
        let ir = self.ir;
        let layers = placed_layers(ir, op, self.places, target)?;
        let result = ir.result(op);
        let shape = map_shape(&ir.shape_of(result).unwrap_or_default());
        let index = if ir.is(op, &int8::CONCAT) {
            self.concat(op, layers, shape)?
        } else if layers.is_empty() {
            self.view(op, shape)
        } else {
            let operands = int8::inputs(ir, op);
            let maps = if is_convolution(ir, op) { &operands[..1] } else { operands };
            let mut inputs: Vec<usize> = maps.iter().map(|&operand| self.value(operand)).collect();
            // A movement reads bytes in DDR in an order of its own, which no map on chip has.
            if moves_only(ir, op) {
                let in_ddr =
                    |input| self.new_value(shape, Origin::View(vec![Part { value: input, first_channel: None }]));
                inputs = inputs.into_iter().map(in_ddr).collect();
            }
            let output = self.new_value(shape, Origin::Node);
            self.node(op, layers, inputs, output);
            output
        };
        self.work.values.insert((self.resolve)(result), index);
        Ok(())
    }

    fn node(&mut self, op: OpId, layers: Vec<Layer>, inputs: Vec<usize>, output: usize) {
        self.work.nodes.insert(op, self.work.operations.len());
        self.work.operations.push(op);
        self.work.network.nodes.push(Node { layers, inputs, output });
    }

    /// Another view of the bytes of the operands.
    fn view(&mut self, op: OpId, shape: [u32; 3]) -> usize {
        let operands: Vec<usize> = self.ir.operands(op).iter().map(|&operand| self.value(operand)).collect();
        // A reshape that keeps rows, columns and channels is the same map.
        if let [only] = operands[..]
            && self.ir.is(op, &int8::RESHAPE)
            && self.work.network.values[only].shape == shape
        {
            return only;
        }
        let parts = operands.into_iter().map(|value| Part { value, first_channel: None }).collect();
        self.new_value(shape, Origin::View(parts))
    }

    /// A view of the operands that are in place, and of a node that copies the others.
    fn concat(&mut self, op: OpId, layers: Vec<Layer>, shape: [u32; 3]) -> Result<usize, Reason> {
        let ir = self.ir;
        let rank = ir.shape_of(ir.result(op)).map_or(0, |shape| shape.len());
        let along_channels = ir.int(op, "axis").is_some_and(|axis| axis + 1 == rank as i64);
        let copied: Vec<usize> = concat_copies(ir, op, self.places)?.into_iter().map(|(operand, _)| operand).collect();
        let mut parts = Vec::new();
        let mut first = 0;
        let mut copies = None;
        for (operand, &value) in ir.operands(op).iter().enumerate() {
            let index = self.value(value);
            let part_shape = self.work.network.values[index].shape;
            let is_copied = copied.contains(&operand);
            let value = match copies {
                _ if !is_copied => index,
                Some(copies) => copies,
                None => *copies.insert(self.new_value(part_shape, Origin::Node)),
            };
            // One copy is a map like its source; several together are no map.
            let whole = along_channels && (!is_copied || copied.len() == 1);
            parts.push(Part { value, first_channel: whole.then_some(first) });
            first += part_shape[2];
        }
        if let Some(output) = copies {
            let inputs = copied.iter().map(|&operand| self.value(ir.operand(op, operand))).collect();
            self.node(op, layers, inputs, output);
        }
        Ok(self.new_value(shape, Origin::View(parts)))
    }
}

/// Rows, columns and channels of a tensor, as [`Placement::feature_map`](crate::Placement::feature_map) counts them.
fn map_shape(shape: &[usize]) -> [u32; 3] {
    let narrow = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let (&channels, outer) = shape.split_last().unwrap_or((&1, &[]));
    let (&width, rows) = outer.split_last().unwrap_or((&1, &[]));
    let height = rows.iter().fold(1u32, |product, &rows| product.saturating_mul(narrow(rows)));
    [height, narrow(width), narrow(channels)]
}
