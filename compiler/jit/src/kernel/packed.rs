//! The packed operators of `dpuc_kernels` as kernels of one input and one output.

use bytemuck::{cast_slice, cast_slice_mut};
use std::sync::Arc;

use dpuc_evaluate::Tensor;
use dpuc_kernels::Gather;
use dpuc_kernels::float::{self, BatchMatmul, Conv2d, DepthwiseConv2d, Function, LayerNorm, Matmul, Pool2d, Softmax};
use dpuc_kernels::int8::{Convolution, Depthwise, Resize};
use dpuc_kernels::simd::Kernels;

use super::Kernel;

/// The one input and the one output of a call.
fn sides<'a, 'b>(inputs: &[&'a [u8]], outputs: &'b mut [&mut [u8]]) -> Result<(&'a [u8], &'b mut [u8]), String> {
    match (inputs, outputs) {
        ([input], [output]) => Ok((input, output)),
        _ => Err("a packed operator takes one variable input and gives one output".to_owned()),
    }
}

macro_rules! int8_operators {
    ($($operator:ty),*) => {$(
        impl Kernel for $operator {
            fn scratch_bytes(&self) -> usize {
                <$operator>::scratch_bytes(self)
            }

            fn run(&self, inputs: &[&[u8]], outputs: &mut [&mut [u8]], scratch: &mut [u8]) -> Result<(), String> {
                let (input, output) = sides(inputs, outputs)?;
                <$operator>::run(self, input, output, scratch);
                Ok(())
            }
        }
    )*};
}

int8_operators!(Convolution, Depthwise);

impl Kernel for Resize {
    fn run(&self, inputs: &[&[u8]], outputs: &mut [&mut [u8]], _: &mut [u8]) -> Result<(), String> {
        let (input, output) = sides(inputs, outputs)?;
        Resize::run(self, input, output);
        Ok(())
    }
}

macro_rules! float_operators {
    ($($operator:ty),*) => {$(
        impl Kernel for $operator {
            fn run(&self, inputs: &[&[u8]], outputs: &mut [&mut [u8]], _: &mut [u8]) -> Result<(), String> {
                let (input, output) = sides(inputs, outputs)?;
                <$operator>::run(self, cast_slice(input), cast_slice_mut(output));
                Ok(())
            }
        }
    )*};
}

float_operators!(Conv2d, DepthwiseConv2d, LayerNorm, Matmul, Pool2d, Softmax, float::Resize);

/// An operator of two operands of floats, of which one may be known.
#[derive(Debug)]
pub(crate) struct Pair<O> {
    pub(crate) operator: O,
    /// The operands that are constants.
    pub(crate) known: [Option<Arc<Tensor>>; 2],
}

impl<O> Pair<O> {
    /// Both operands: those that are known, and the inputs for the others.
    fn operands<'a>(&'a self, inputs: &[&'a [u8]]) -> Result<[&'a [f32]; 2], String> {
        let mut inputs = inputs.iter();
        let mut next = |known: &'a Option<Arc<Tensor>>| match known {
            Some(known) => known.as_f32().and_then(|values| values.as_slice()),
            None => inputs.next().map(|input| cast_slice(input)),
        };
        match [next(&self.known[0]), next(&self.known[1])] {
            [Some(first), Some(second)] => Ok([first, second]),
            _ => Err("an operand is missing or no tensor of floats in C order".to_owned()),
        }
    }
}

/// The one output of a call.
fn result<'a>(outputs: &'a mut [&mut [u8]]) -> Result<&'a mut [f32], String> {
    match outputs {
        [output] => Ok(cast_slice_mut(output)),
        _ => Err("a packed operator gives one output".to_owned()),
    }
}

impl Kernel for Pair<BatchMatmul> {
    fn scratch_bytes(&self) -> usize {
        self.operator.scratch_elements() * size_of::<f32>()
    }

    fn run(&self, inputs: &[&[u8]], outputs: &mut [&mut [u8]], scratch: &mut [u8]) -> Result<(), String> {
        let [lhs, rhs] = self.operands(inputs)?;
        let scratch = &mut cast_slice_mut(scratch)[..self.operator.scratch_elements()];
        self.operator.run(lhs, rhs, result(outputs)?, scratch);
        Ok(())
    }
}

impl Kernel for Pair<Gather> {
    fn run(&self, inputs: &[&[u8]], outputs: &mut [&mut [u8]], _: &mut [u8]) -> Result<(), String> {
        let [data, indices] = self.operands(inputs)?;
        self.operator.run(data, indices, result(outputs)?).map_err(|error| error.to_string())
    }
}

/// A transcendental function of every element.
#[derive(Debug)]
pub(crate) struct Map {
    pub(crate) kernels: Kernels,
    pub(crate) function: Function,
}

impl Kernel for Map {
    fn run(&self, inputs: &[&[u8]], outputs: &mut [&mut [u8]], _: &mut [u8]) -> Result<(), String> {
        let (input, output) = sides(inputs, outputs)?;
        self.kernels.map(self.function, cast_slice(input), cast_slice_mut(output));
        Ok(())
    }
}
