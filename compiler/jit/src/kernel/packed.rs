//! The packed operators of `dpuc_kernels` as kernels of one input and one output.

use bytemuck::{cast_slice, cast_slice_mut};
use dpuc_kernels::float::{Conv2d, DepthwiseConv2d, Function, Matmul, Pool2d, Softmax};
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

float_operators!(Conv2d, DepthwiseConv2d, Matmul, Pool2d, Softmax);

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
