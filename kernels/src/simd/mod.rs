//! SIMD kernels with run-time dispatch; each equals plain scalar code to the bit.
//!
//! [`Kernels`] is the handle: it names the [`Tier`] whose instructions are used and exists only for tiers this machine has.

mod dense;
mod planar;
mod tier;

pub use dense::{LANES, MAX_PRODUCTS, PackedWeights};
pub use planar::PLANAR_BLOCK;
pub use tier::{Kernels, Tier};
