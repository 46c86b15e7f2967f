//! Operators that are called rather than compiled into loops.

mod packed;
mod reference;

use std::fmt::Debug;

pub(crate) use packed::{Map, Pair};
pub(crate) use reference::{Operand, Reference};

/// An operator bound to its shapes, parameters and constants.
pub(crate) trait Kernel: Debug + Send + Sync {
    /// Bytes of scratch memory that a run needs.
    fn scratch_bytes(&self) -> usize {
        0
    }

    /// Computes the outputs, whole tensors in C order as bytes, from the inputs that are no constants. Buffers are aligned to the size of
    /// their elements, scratch memory to 64 bytes; what it holds is arbitrary.
    fn run(&self, inputs: &[&[u8]], outputs: &mut [&mut [u8]], scratch: &mut [u8]) -> Result<(), String>;
}
