//! The operations of a function to loop nests and calls.

mod attributes;
mod fixed;
mod float;
mod heavy;
mod movement;
mod pool;
mod reduce;
mod resize;

use std::sync::Arc;

use cranelift_codegen::entity::{EntitySet, SecondaryMap};
use dpuc_dialects::Ir;
use dpuc_evaluate::{Operators, Tensor};
use dpuc_kernels::int8::Encoding;
use dpuc_kernels::simd::Kernels;

use crate::error::Error;
use crate::kernel::{Operand, Reference};
use crate::loops::{Access, BufferInfo, Nest, Node, Place, View, row_major};
use crate::network::{Network, Operation, TensorId, TensorInfo, place, refusal};
use crate::program::{Call, Port, Program, Region, Step};

/// Lowers a flat function.
pub(crate) fn lower(ir: &Arc<Ir>, network: &Network, operators: &Operators) -> Result<Program, Error> {
    let views = SecondaryMap::with_capacity(network.tensors.len());
    let offset = heavy::offset_tensors(ir, network);
    let mut lowering =
        Lowering { ir, network, operators, kernels: Kernels::detect(), program: Program::default(), views, offset };
    lowering.bind_ports();
    for operation in &network.operations {
        lowering.operation(operation)?;
    }
    lowering.write_outputs();
    Ok(lowering.program)
}

/// The state of a lowering.
struct Lowering<'a> {
    ir: &'a Arc<Ir>,
    network: &'a Network,
    operators: &'a Operators,
    kernels: Kernels,
    program: Program,
    /// Where each tensor is.
    views: SecondaryMap<TensorId, Option<View>>,
    /// What is kept in the offset form inside the arena.
    offset: EntitySet<TensorId>,
}

/// A lowering of an operation into loops: `None` leaves it to a call.
type Lowered = Option<()>;

impl Lowering<'_> {
    fn operation(&mut self, operation: &Operation) -> Result<(), Error> {
        let name = self.ir.op_name(operation.op);
        let is_lowered = match name.split_once('.') {
            Some(("int8", name)) => self.fixed(name, operation),
            Some(("nn", "custom")) => None,
            Some(("nn", name)) => self.float(name, operation),
            _ => return Err(refusal(self.ir, operation.op, "it is neither an `int8` nor an `nn` operation")),
        };
        if is_lowered.is_none() {
            self.call(operation)?;
        }
        Ok(())
    }

    fn info(&self, tensor: TensorId) -> &TensorInfo {
        &self.network.tensors[tensor]
    }

    fn shape(&self, tensor: TensorId) -> &[usize] {
        &self.network.tensors[tensor].shape
    }

    fn fix(&self, tensor: TensorId) -> Option<i64> {
        self.network.tensors[tensor].fix.map(i64::from)
    }

    fn buffer(&mut self, info: &TensorInfo, encoding: Encoding, place: Place) -> View {
        let info = BufferInfo { element: info.element, elements: info.elements(), encoding, place };
        View { buffer: self.program.buffers.push(info), offset: 0 }
    }

    /// Arguments get buffers, and so do results that an operation gives once and nothing else is.
    fn bind_ports(&mut self) {
        let network = self.network;
        let port = |&tensor: &TensorId| {
            let TensorInfo { name, shape, element, .. } = &network.tensors[tensor];
            Port { name: name.clone(), shape: shape.clone(), element: *element }
        };
        self.program.inputs = network.inputs.iter().map(port).collect();
        self.program.outputs = network.outputs.iter().map(port).collect();
        for (number, &input) in network.inputs.iter().enumerate() {
            self.views[input] = Some(self.buffer(&network.tensors[input], Encoding::Signed, Place::Input(number)));
        }
        for (number, &output) in network.outputs.iter().enumerate() {
            if self.views[output].is_none() && network.tensors[output].constant.is_none() {
                self.views[output] =
                    Some(self.buffer(&network.tensors[output], Encoding::Signed, Place::Output(number)));
            }
        }
    }

    /// Results that are arguments, constants, repeated, or other names of tensors are copied.
    fn write_outputs(&mut self) {
        let network = self.network;
        for (number, &output) in network.outputs.iter().enumerate() {
            let source = self.read(output);
            if self.program.buffers[source.buffer].place == Place::Output(number) {
                continue;
            }
            let info = &network.tensors[output];
            let target = self.buffer(info, Encoding::Signed, Place::Output(number));
            let mut nest =
                Nest::new(info.name.clone(), info.shape.clone(), info.shape.len(), whole(target, &info.shape));
            nest.result = nest.load(whole(source, &info.shape), info.element);
            self.push(nest);
        }
    }

    /// Where a tensor that is known by now is.
    fn read(&mut self, tensor: TensorId) -> View {
        if let Some(view) = self.views[tensor] {
            return view;
        }
        let network = self.network;
        let info = &network.tensors[tensor];
        let place = match &info.constant {
            Some(constant) => {
                self.program.constants.push(Arc::clone(constant));
                Place::Constant(self.program.constants.len() - 1)
            }
            None => Place::Arena,
        };
        let is_offset = place == Place::Arena && self.offset.contains(tensor);
        let encoding = if is_offset { Encoding::Offset } else { Encoding::Signed };
        let view = self.buffer(info, encoding, place);
        self.views[tensor] = Some(view);
        view
    }

    /// Where the result of an operation goes.
    fn write(&mut self, tensor: TensorId) -> View {
        self.read(tensor)
    }

    fn push(&mut self, nest: Nest) {
        self.program.steps.push(Step::Nest(Box::new(nest)));
    }

    /// A nest over the points of the first result, which it stores.
    fn pointwise(&mut self, operation: &Operation) -> Nest {
        let result = operation.results[0];
        let shape = self.shape(result).to_vec();
        let store = whole(self.write(result), &shape);
        Nest::new(place(self.ir, operation.op), shape.clone(), shape.len(), store)
    }

    /// The element of a tensor at the point of a nest over `shape`, to which the tensor is broadcast; a tensor of one known element is a
    /// literal. `None` if it cannot be broadcast.
    fn load(&mut self, nest: &mut Nest, tensor: TensorId, shape: &[usize]) -> Option<Node> {
        if let Some(literal) = self.literal(nest, tensor) {
            return Some(literal);
        }
        let own = self.shape(tensor).to_vec();
        let missing = shape.len().checked_sub(own.len())?;
        let mut access = whole(self.read(tensor), &own);
        for (dim, (&size, &wanted)) in own.iter().zip(&shape[missing..]).enumerate() {
            match size {
                _ if size == wanted => {}
                1 => access.strides[dim] = 0,
                _ => return None,
            }
        }
        access.strides.splice(0..0, vec![0; missing]);
        access.strides.resize(nest.extents.len(), 0);
        Some(nest.load(access, self.info(tensor).element))
    }

    /// The value of a constant that has one element, or the same everywhere.
    fn literal(&self, nest: &mut Nest, tensor: TensorId) -> Option<Node> {
        match &**self.info(tensor).constant.as_ref()? {
            Tensor::I8(values) => {
                let first = *values.first()?;
                values.iter().all(|&value| value == first).then(|| nest.body.integer(first.into()))
            }
            Tensor::F32(values) => {
                let first = *values.first()?;
                let is_same = values.iter().all(|value| value.to_bits() == first.to_bits());
                is_same.then(|| nest.body.real(first))
            }
        }
    }

    /// The element of a whole tensor at the point of a nest over its shape.
    fn element(&mut self, nest: &mut Nest, tensor: TensorId) -> Option<Node> {
        let shape = nest.extents.clone();
        self.load(nest, tensor, &shape)
    }

    /// Gives a tensor the place of another: the same elements under another shape.
    fn alias(&mut self, tensor: TensorId, source: View) -> Lowered {
        // A result of the function has a place of its own.
        if self.views[tensor].is_some() {
            return None;
        }
        self.views[tensor] = Some(source);
        Some(())
    }

    /// Leaves an operation to a kernel.
    fn call(&mut self, operation: &Operation) -> Result<(), Error> {
        let network = self.network;
        let kernel = match self.packed(operation)? {
            Some(kernel) => kernel,
            None => {
                self.check_operator(operation)?;
                let operand = |&tensor: &TensorId| {
                    let TensorInfo { shape, element, constant, .. } = &network.tensors[tensor];
                    match constant {
                        Some(constant) => Operand::Constant(Arc::clone(constant)),
                        None => {
                            Operand::Input { shape: shape.clone(), element: *element, encoding: self.encoding(tensor) }
                        }
                    }
                };
                let operands = operation.operands.iter().map(operand).collect();
                let outputs = operation.results.iter().map(|&tensor| self.encoding(tensor)).collect();
                Box::new(Reference {
                    ir: Arc::clone(self.ir),
                    op: operation.op,
                    operators: self.operators.clone(),
                    operands,
                    outputs,
                })
            }
        };
        let variable = operation.operands.iter().filter(|&&tensor| network.tensors[tensor].constant.is_none());
        let inputs = variable.map(|&tensor| self.region(tensor)).collect();
        let outputs = operation.results.iter().map(|&tensor| self.region(tensor)).collect();
        let (label, op) = (place(self.ir, operation.op), self.ir.op_name(operation.op).to_owned());
        self.program.steps.push(Step::Call(Call { label, op, inputs, outputs, kernel }));
        Ok(())
    }

    fn region(&mut self, tensor: TensorId) -> Region {
        Region { view: self.read(tensor), elements: self.info(tensor).elements() }
    }

    /// Refuses what nothing can compute.
    fn check_operator(&self, operation: &Operation) -> Result<(), Error> {
        let (ir, op) = (self.ir, operation.op);
        let known = ir.definition(op).is_some();
        if !known {
            return Err(refusal(ir, op, "the operation is not known"));
        }
        if ir.op_name(op) == "nn.custom" {
            let name = ir.str(op, "type").unwrap_or_default();
            if !self.operators.contains(name) {
                let reason =
                    format!("its operator `{name}` is not known here; register a function for it (Options::operators)");
                return Err(refusal(ir, op, reason));
            }
        }
        Ok(())
    }
}

/// The access to a tensor by the points of its own shape.
fn whole(view: View, shape: &[usize]) -> Access {
    Access { buffer: view.buffer, offset: view.offset as i64, strides: row_major(shape) }
}

/// The element `offset` of a view by given strides.
fn strided(view: View, offset: i64, strides: Vec<i64>) -> Access {
    Access { buffer: view.buffer, offset: view.offset as i64 + offset, strides }
}
