//! Every operator on every tier against the reference, bit for bit.

mod divided;
mod pool;
mod reduce;
mod resize;
mod values;
