//! SIMD kernels with run-time dispatch; each equals plain scalar code to the bit.
//!
//! [`Kernels`] is the handle: it names the [`Tier`] whose instructions are used and exists only for tiers this machine has.

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "AVX2 loads and the calls of functions that need AVX2")]
mod avx2;
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "AVX-512 loads and the calls of functions that need AVX-512")]
mod avx512;
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "AVX-VNNI loads and the calls of functions that need AVX-VNNI")]
mod avx_vnni;
pub(crate) mod channelwise;
mod dense;
mod peak;
mod planar;
mod portable;
pub(crate) mod requantise;
#[cfg(test)]
mod tests;
mod tier;
pub(crate) mod tile;

pub use dense::{MAX_PRODUCTS, PackedWeights};
pub use planar::PLANAR_BLOCK;
pub use tier::{Kernels, Tier};
pub use tile::LANES;
