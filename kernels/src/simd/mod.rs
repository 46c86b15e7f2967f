//! SIMD kernels with run-time dispatch; each equals plain scalar code to the bit.
//!
//! [`Kernels`] is the handle: it names the [`Tier`] whose instructions are used and exists only for tiers this machine has.

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "AVX2 loads and the calls of functions that need AVX2")]
mod avx2;
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "AVX-512 loads and the calls of functions that need AVX-512")]
mod avx512;
mod dense;
mod planar;
mod portable;
#[cfg(test)]
mod tests;
mod tier;

pub use dense::{LANES, MAX_PRODUCTS, PackedWeights};
pub use planar::PLANAR_BLOCK;
pub use tier::{Kernels, Tier};
