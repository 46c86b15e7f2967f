//! A function as a flat list of operations on tensors: calls are unfolded, containers of the `dpu` dialect opened, dead operations dropped.

use std::collections::HashMap;
use std::sync::Arc;

use cranelift_codegen::entity::{EntitySet, PrimaryMap, entity_impl};
use dpuc_dialects::define::Traits;
use dpuc_dialects::dialects::{dpu, func, int8, nn};
use dpuc_dialects::{Attribute, BlockId, FloatKind, Ir, OpId, TypeKind, ValueId};
use dpuc_evaluate::{Operators, Tensor, evaluate_operation};

use crate::error::Error;

/// Most operations after unfolding.
const MAX_OPERATIONS: usize = 1 << 20;
/// Deepest nesting of calls, as in the evaluator.
const MAX_DEPTH: usize = 64;
/// Most elements of one tensor, so that no address computation overflows.
const MAX_ELEMENTS: usize = 1 << 40;

/// A tensor of the function.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TensorId(u32);
entity_impl!(TensorId, "t");

/// What the elements of a tensor are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Element {
    /// Codes, signed bytes.
    I8,
    /// Single-precision floats.
    F32,
}

impl Element {
    pub(crate) const fn bytes(self) -> usize {
        match self {
            Self::I8 => 1,
            Self::F32 => 4,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::I8 => "i8",
            Self::F32 => "f32",
        }
    }
}

/// What is known of a tensor.
#[derive(Clone, Debug)]
pub(crate) struct TensorInfo {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) element: Element,
    pub(crate) fix: Option<i32>,
    /// Its value, if that is known.
    pub(crate) constant: Option<Arc<Tensor>>,
}

impl TensorInfo {
    /// Number of elements.
    pub(crate) fn elements(&self) -> usize {
        self.shape.iter().product()
    }
}

/// An operation of the function.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) op: OpId,
    pub(crate) operands: Vec<TensorId>,
    pub(crate) results: Vec<TensorId>,
}

/// A function, flat.
#[derive(Debug, Default)]
pub(crate) struct Network {
    pub(crate) tensors: PrimaryMap<TensorId, TensorInfo>,
    pub(crate) operations: Vec<Operation>,
    pub(crate) inputs: Vec<TensorId>,
    pub(crate) outputs: Vec<TensorId>,
}

impl Network {
    /// Flattens the function `name` of `ir`, which must be verified.
    pub(crate) fn new(ir: &Ir, name: &str) -> Result<Self, Error> {
        let entry = body(ir, name)?;
        let mut network = Self::default();
        let mut values = HashMap::new();
        for (number, &argument) in ir.arguments(entry).iter().enumerate() {
            let tensor = network.tensor(ir, argument, || format!("input{number}"))?;
            network.inputs.push(tensor);
            values.insert(argument, tensor);
        }
        network.outputs =
            Unfolding { ir, network: &mut network, function: name, depth: 0, calls: 0 }.block(entry, &mut values)?;
        network.drop_dead();
        network.fold_constants(ir)?;
        Ok(network)
    }

    fn tensor(&mut self, ir: &Ir, value: ValueId, fallback: impl FnOnce() -> String) -> Result<TensorId, Error> {
        let ty = ir.value_type(value);
        let name = ir.value_name(value).map_or_else(fallback, str::to_owned);
        let refuse = |reason| Error::Type { value: name.clone(), ty: ir.show_type(ty), reason };
        let tensor = ir.tensor(ty).ok_or_else(|| refuse("it is no tensor"))?;
        let element = match ir.type_kind(tensor.element) {
            TypeKind::Float(FloatKind::F32) => Element::F32,
            TypeKind::Integer { width: 8, .. } => Element::I8,
            _ => return Err(refuse("its elements are neither f32 nor i8")),
        };
        let shape = tensor.static_shape().ok_or_else(|| refuse("it has an unknown dimension"))?;
        let count = shape.iter().try_fold(1usize, |count, &dim| count.checked_mul(dim));
        if count.is_none_or(|count| count > MAX_ELEMENTS) {
            return Err(refuse("it has too many elements"));
        }
        Ok(self.tensors.push(TensorInfo { name, shape, element, fix: tensor.fix_point(), constant: None }))
    }

    /// Drops operations that no output depends on.
    fn drop_dead(&mut self) {
        let mut wanted: EntitySet<TensorId> = EntitySet::new();
        wanted.extend(self.outputs.iter().copied());
        let mut kept = Vec::with_capacity(self.operations.len());
        for operation in std::mem::take(&mut self.operations).into_iter().rev() {
            if operation.results.iter().any(|&result| wanted.contains(result)) {
                wanted.extend(operation.operands.iter().copied());
                kept.push(operation);
            }
        }
        kept.reverse();
        self.operations = kept;
    }

    fn fold_constants(&mut self, ir: &Ir) -> Result<(), Error> {
        for operation in std::mem::take(&mut self.operations) {
            let is_constant =
                [&int8::CONSTANT, &nn::CONSTANT, &dpu::PARAMETER].iter().any(|kind| ir.is(operation.op, kind));
            if !is_constant {
                self.operations.push(operation);
                continue;
            }
            let values = evaluate_operation(ir, operation.op, &[], &Operators::new()).map_err(Error::Constant)?;
            for (&result, value) in operation.results.iter().zip(values) {
                self.tensors[result].constant = Some(Arc::new(value));
            }
        }
        Ok(())
    }
}

fn body(ir: &Ir, name: &str) -> Result<BlockId, Error> {
    let function = ir.find_symbol(name).filter(|&op| ir.has_traits(op, Traits::FUNCTION));
    function.and_then(|op| func::body(ir, op)).ok_or_else(|| Error::UnknownFunction(name.to_owned()))
}

/// Unfolds the blocks of functions into one list.
struct Unfolding<'a> {
    ir: &'a Ir,
    network: &'a mut Network,
    function: &'a str,
    depth: usize,
    calls: usize,
}

impl Unfolding<'_> {
    /// Appends the operations of a block; gives the tensors that its terminator has.
    fn block(&mut self, block: BlockId, values: &mut HashMap<ValueId, TensorId>) -> Result<Vec<TensorId>, Error> {
        let ir = self.ir;
        let mut ended = Vec::new();
        for op in ir.ops(block) {
            let operands = ir.operands(op).iter().map(|value| {
                let known = values.get(value).copied();
                known.ok_or_else(|| self.refuse(op, "an operand is defined outside of the function"))
            });
            let operands: Vec<TensorId> = operands.collect::<Result<_, _>>()?;
            if ir.is(op, &func::RETURN) || ir.is(op, &dpu::YIELD) || ir.has_traits(op, Traits::TERMINATOR) {
                ended = operands;
                continue;
            }
            let results = if ir.is(op, &func::CALL) {
                self.call(op, &operands)?
            } else if ir.is(op, &dpu::SUPERLAYER) {
                self.superlayer(op, &operands, values)?
            } else if ir.is(op, &dpu::UPLOAD) || ir.is(op, &dpu::DOWNLOAD) {
                operands
            } else {
                self.append(op, operands)?
            };
            values.extend(ir.results(op).iter().copied().zip(results));
        }
        Ok(ended)
    }

    fn append(&mut self, op: OpId, operands: Vec<TensorId>) -> Result<Vec<TensorId>, Error> {
        if self.network.operations.len() >= MAX_OPERATIONS {
            return Err(self.too_many_calls());
        }
        let number = self.network.tensors.len();
        let results =
            self.ir.results(op).iter().map(|&result| self.network.tensor(self.ir, result, || number.to_string()));
        let results: Vec<TensorId> = results.collect::<Result<_, _>>()?;
        self.network.operations.push(Operation { op, operands, results: results.clone() });
        Ok(results)
    }

    fn call(&mut self, op: OpId, operands: &[TensorId]) -> Result<Vec<TensorId>, Error> {
        let ir = self.ir;
        // Functions without operations that call each other twice double without adding any.
        self.calls += 1;
        if self.depth >= MAX_DEPTH || self.calls > MAX_OPERATIONS {
            return Err(self.too_many_calls());
        }
        let callee = ir.attribute(op, "callee").and_then(Attribute::as_symbol).unwrap_or_default();
        let entry = body(ir, callee)?;
        let mut values = ir.arguments(entry).iter().copied().zip(operands.iter().copied()).collect();
        self.depth += 1;
        let results = self.block(entry, &mut values)?;
        self.depth -= 1;
        Ok(results)
    }

    /// A superlayer's body sees the values around it; block arguments, if it has some, stand for the operands.
    fn superlayer(
        &mut self,
        op: OpId,
        operands: &[TensorId],
        values: &mut HashMap<ValueId, TensorId>,
    ) -> Result<Vec<TensorId>, Error> {
        let region = self.ir.op_regions(op).first();
        let block = region.and_then(|&region| self.ir.region_blocks(region).first().copied());
        let block = block.ok_or_else(|| self.refuse(op, "it has no body"))?;
        values.extend(self.ir.arguments(block).iter().copied().zip(operands.iter().copied()));
        self.block(block, values)
    }

    fn refuse(&self, op: OpId, reason: &str) -> Error {
        refusal(self.ir, op, reason)
    }

    fn too_many_calls(&self) -> Error {
        Error::Calls { function: self.function.to_owned(), limit: MAX_OPERATIONS }
    }
}

/// Name of the node in the framework's graph that an operation came from, or of its result.
pub(crate) fn place(ir: &Ir, op: OpId) -> String {
    let result = ir.results(op).first().and_then(|&result| ir.value_name(result));
    ir.location_name(ir.op(op).location).or(result).unwrap_or("unnamed operation").to_owned()
}

/// The error that an operation cannot be lowered.
pub(crate) fn refusal(ir: &Ir, op: OpId, reason: impl Into<String>) -> Error {
    Error::Operation { place: place(ir, op), op: ir.op_name(op).to_owned(), reason: reason.into() }
}
