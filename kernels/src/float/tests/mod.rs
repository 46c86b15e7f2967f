//! Every operator on every tier against its definition in double precision.

mod reduce;
mod resize;
mod shared;
mod softmax;
mod windows;
