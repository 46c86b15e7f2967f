//! What every tensor of a network should hold.

use std::collections::BTreeMap;

use dpuc_dialects::dialects::{func, nn};
use dpuc_dialects::{Ir, OpId, ValueId};
use dpuc_evaluate::{EvalError, Evaluator, Tensor};
use dpuc_isa::Random;
use ndarray::ArrayD;

use crate::network::arguments;

/// The int8 tensors of a network by name, as the reference computes them.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    tensors: BTreeMap<String, ArrayD<i8>>,
    outputs: Vec<Tensor>,
}

impl Expected {
    /// Evaluates `@main` of a network of `int8` operations and keeps every int8 tensor: inputs under the names given for them, results under
    /// the last name of their location, which is the tensor's in the file, or else their own.
    ///
    /// Inputs are as [`Network::run`](crate::Network::run) takes them. An operator without meaning gives arbitrary numbers, always the same;
    /// what follows it is compared with the reference on those.
    pub fn evaluate<S: Into<String>>(
        ir: &Ir,
        names: impl IntoIterator<Item = S>,
        inputs: Vec<Tensor>,
    ) -> Result<Self, EvalError> {
        let mut tensors = BTreeMap::new();
        for (name, input) in names.into_iter().zip(&inputs) {
            if let Some(values) = input.as_i8() {
                tensors.insert(name.into(), row_major(values));
            }
        }
        let Some(body) = ir.find_symbol("main").and_then(|main| func::body(ir, main)) else {
            return Err(EvalError::UnknownFunction("main".to_owned()));
        };
        let results = ir.last_op(body).map(|end| ir.operands(end)).unwrap_or_default();
        let custom: Vec<OpId> = ir.ops(body).filter(|&op| ir.is(op, &nn::CUSTOM)).collect();
        // What only an operator without meaning reads is computed too.
        let read = custom.iter().flat_map(|&op| ir.operands(op));
        let targets: Vec<ValueId> = results.iter().chain(read).copied().collect();
        let given = ir.arguments(body).iter().copied().zip(arguments(ir, inputs)).chain(noise(ir, &custom));
        let evaluator =
            given.fold(Evaluator::new(ir), |evaluator, (value, tensor)| evaluator.with_value(value, tensor));
        let mut outputs = evaluator.values("main", &targets, &mut |op, tensor| {
            let own = || ir.results(op).first().and_then(|&result| ir.value_name(result));
            let name = ir.location_names(ir.op(op).location).last().copied().or_else(own);
            if let (Some(name), Some(values)) = (name, tensor.as_i8()) {
                tensors.insert(name.to_owned(), row_major(values));
            }
        })?;
        outputs.truncate(results.len());
        Ok(Self { tensors, outputs })
    }

    /// What the network gives, in the order of the function's results.
    pub fn outputs(&self) -> &[Tensor] {
        &self.outputs
    }

    /// The tensor of this name.
    pub(super) fn tensor(&self, name: &str) -> Option<&ArrayD<i8>> {
        self.tensors.get(name)
    }
}

/// Numbers for the results of operators without meaning.
fn noise(ir: &Ir, custom: &[OpId]) -> Vec<(ValueId, Tensor)> {
    let results = custom.iter().flat_map(|&op| ir.results(op));
    let noise = |(seed, &value): (u64, &ValueId)| {
        let shape = ir.shape_of(value)?;
        let mut random = Random::new(seed);
        let numbers = (0..shape.iter().product()).map(|_| f32::from(random.bits() as i8) / 16.0).collect();
        Some((value, Tensor::from_f32(&shape, numbers)?))
    };
    (0..).zip(results).filter_map(noise).collect()
}

/// A copy in C order, so that elements are a slice.
fn row_major(values: &ArrayD<i8>) -> ArrayD<i8> {
    values.as_standard_layout().into_owned()
}
