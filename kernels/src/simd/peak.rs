//! How fast the machine's dot-product instructions can be: what benches compare the kernels with.

use super::tier::{Kernels, Tier};

impl Kernels {
    /// Executes `rounds` rounds of the dot-product instruction of the tier with all operands in registers and enough independent sums to
    /// hide its latency. Returns the number of products, and a value that depends on all of them; nothing for the tiers that
    /// have no such instruction.
    pub fn dot_burst(self, rounds: u32) -> Option<(u64, i32)> {
        match self.tier() {
            Tier::Scalar | Tier::Portable => None,
            #[cfg(target_arch = "x86_64")]
            Tier::Avx2 => Some(super::avx2::dot_burst(self, rounds)),
            #[cfg(target_arch = "x86_64")]
            Tier::AvxVnni => Some(super::avx_vnni::dot_burst(self, rounds)),
            #[cfg(target_arch = "x86_64")]
            Tier::Avx512Vnni => Some(super::avx512::dot_burst(self, rounds)),
            #[cfg(not(target_arch = "x86_64"))]
            Tier::Avx2 | Tier::AvxVnni | Tier::Avx512Vnni => {
                let _ = rounds;
                None
            }
        }
    }
}
