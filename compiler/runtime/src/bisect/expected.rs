//! What every tensor of a network should hold.

use std::collections::BTreeMap;

use dpuc_dialects::Ir;
use dpuc_evaluate::{EvalError, Tensor, evaluate};
use ndarray::ArrayD;

use crate::network::arguments;

/// A copy in C order, so that elements are a slice.
fn row_major(values: &ArrayD<i8>) -> ArrayD<i8> {
    values.as_standard_layout().into_owned()
}

/// The int8 tensors of a network by name, as the reference computes them.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    tensors: BTreeMap<String, ArrayD<i8>>,
    outputs: Vec<Tensor>,
}

impl Expected {
    /// Evaluates `@main` of a network of `int8` operations and keeps every int8 tensor: arguments under the names given for them, results
    /// under the last name of their location, which is the tensor's in the file. Inputs as [`run_reference`](crate::run_reference) takes
    /// them.
    pub fn evaluate<S: Into<String>>(
        ir: &Ir,
        names: impl IntoIterator<Item = S>,
        inputs: Vec<Tensor>,
    ) -> Result<Self, EvalError> {
        let inputs = arguments(ir, inputs);
        let mut tensors = BTreeMap::new();
        for (name, input) in names.into_iter().zip(&inputs) {
            if let Some(values) = input.as_i8() {
                tensors.insert(name.into(), row_major(values));
            }
        }
        let outputs = evaluate(ir, "main", &inputs, &mut |op, tensor| {
            let name = ir.location_names(ir.op(op).location).last().copied();
            if let (Some(name), Some(values)) = (name, tensor.as_i8()) {
                tensors.insert(name.to_owned(), row_major(values));
            }
        })?;
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
