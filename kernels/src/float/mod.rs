//! Kernels on f32: the CPU's part of a network that stays in floating point.
//!
//! A packed operator is built once for the shapes of one place in a network and one [`Kernels`](crate::simd::Kernels) handle, and
//! then run any number of times from any thread. It works on contiguous tensors in C order (maps are NHWC), needs no scratch
//! memory and does not allocate. Large work is shared between the threads of the current `rayon` pool; the bits of the result depend on the tier alone, not on the number of threads. How far they may be from the exact result is stated at each operator.

mod batch_matmul;
mod burst;
#[expect(unsafe_code, reason = "one bounds check for the pixels of a block")]
#[expect(clippy::needless_range_loop, reason = "register blocks are indexed by row and vector")]
mod channelwise;
mod conv;
mod depthwise;
mod function;
mod gemm;
mod geometry;
mod lanes;
mod layer_norm;
mod matmul;
mod pool;
mod reduce;
mod resize;
mod softmax;
mod special;

pub use batch_matmul::BatchMatmul;
pub use conv::{Conv2d, Conv2dParams};
pub use depthwise::DepthwiseConv2d;
pub use function::Function;
pub use layer_norm::LayerNorm;
pub use matmul::Matmul;
pub use pool::{Pool2d, Pool2dParams, Pooling};
pub use reduce::{Reduce, Reduction};
pub use resize::Resize;
pub use softmax::Softmax;

#[cfg(test)]
mod tests;
