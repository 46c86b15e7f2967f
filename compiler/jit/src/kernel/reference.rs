//! The evaluator's definition of an operator as a kernel: right for every operator, and slow.

use std::sync::Arc;

use bytemuck::{cast_slice, cast_slice_mut};
use dpuc_dialects::{Ir, OpId};
use dpuc_evaluate::{Operators, Tensor, evaluate_operation};
use dpuc_kernels::int8::Encoding;

use super::Kernel;
use crate::network::Element;

/// One operation by the evaluator.
#[derive(Debug)]
pub(crate) struct Reference {
    pub(crate) ir: Arc<Ir>,
    pub(crate) op: OpId,
    pub(crate) operators: Operators,
    pub(crate) operands: Vec<Operand>,
    /// How the bytes of each output stand for codes.
    pub(crate) outputs: Vec<Encoding>,
}

/// An operand of an operation.
#[derive(Debug)]
pub(crate) enum Operand {
    Constant(Arc<Tensor>),
    /// The next input.
    Input {
        shape: Vec<usize>,
        element: Element,
        encoding: Encoding,
    },
}

impl Kernel for Reference {
    fn run(&self, inputs: &[&[u8]], outputs: &mut [&mut [u8]], _: &mut [u8]) -> Result<(), String> {
        let mut inputs = inputs.iter();
        let mut next = |operand: &Operand| match operand {
            Operand::Constant(tensor) => Some(Arc::clone(tensor)),
            Operand::Input { shape, element, encoding } => {
                tensor(shape, *element, *encoding, inputs.next()?).map(Arc::new)
            }
        };
        let operands: Option<Vec<Arc<Tensor>>> = self.operands.iter().map(&mut next).collect();
        let operands = operands.ok_or("an operand is missing or has the wrong size")?;
        let operands: Vec<&Tensor> = operands.iter().map(|operand| &**operand).collect();
        let results = evaluate_operation(&self.ir, self.op, &operands, &self.operators).map_err(|e| e.to_string())?;
        for ((output, result), encoding) in outputs.iter_mut().zip(&results).zip(&self.outputs) {
            match result {
                Tensor::F32(values) => {
                    let output: &mut [f32] = cast_slice_mut(output);
                    output.iter_mut().zip(values.iter()).for_each(|(output, &value)| *output = value);
                }
                Tensor::I8(values) => {
                    output.iter_mut().zip(values).for_each(|(output, &value)| *output = encoding.encode(value));
                }
            }
        }
        Ok(())
    }
}

fn tensor(shape: &[usize], element: Element, encoding: Encoding, bytes: &[u8]) -> Option<Tensor> {
    match element {
        Element::I8 => Tensor::from_i8(shape, bytes.iter().map(|&byte| encoding.decode(byte)).collect()),
        Element::F32 => Tensor::from_f32(shape, cast_slice(bytes).to_vec()),
    }
}
