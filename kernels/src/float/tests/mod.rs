//! Every operator on every tier against its definition in double precision.

mod shared;
mod softmax;
mod windows;
