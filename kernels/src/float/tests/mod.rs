//! Every operator on every tier against its definition in double precision.

mod batch_matmul;
mod layer_norm;
mod reduce;
mod resize;
mod shared;
mod softmax;
mod windows;
