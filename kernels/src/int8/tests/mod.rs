//! Every operator on every tier against the reference, bit for bit.

mod pool;
mod resize;
mod values;
