//! Which instruction set the kernels use.

/// An instruction-set tier, plainest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// One product at a time: the definition the others are tested against.
    Scalar,
    /// What the compilation target guarantees (SSE2, NEON), through the crate `wide`.
    Portable,
    /// AVX2 and FMA: pairs of 16-bit products.
    Avx2,
    /// AVX-VNNI: quads of 8-bit products in 256 bits.
    AvxVnni,
    /// AVX-512 with VNNI: quads of 8-bit products in 512 bits.
    Avx512Vnni,
}

impl Tier {
    /// All tiers, plainest first.
    pub const ALL: [Self; 5] = [Self::Scalar, Self::Portable, Self::Avx2, Self::AvxVnni, Self::Avx512Vnni];

    /// Whether this machine can run the tier.
    pub fn is_available(self) -> bool {
        match self {
            Self::Scalar | Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Self::AvxVnni => Self::Avx2.is_available() && is_x86_feature_detected!("avxvnni"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512vnni")
            }
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::AvxVnni | Self::Avx512Vnni => false,
        }
    }
}

/// Kernels of one tier. A value exists only if the machine can run its tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernels {
    tier: Tier,
}

impl Kernels {
    /// The fastest tier of this machine.
    pub fn detect() -> Self {
        let tier = Tier::ALL.into_iter().rev().find(|tier| tier.is_available());
        Self { tier: tier.unwrap_or(Tier::Scalar) }
    }

    /// The given tier, or nothing if this machine cannot run it.
    pub fn new(tier: Tier) -> Option<Self> {
        tier.is_available().then_some(Self { tier })
    }

    /// The tier in use.
    pub const fn tier(self) -> Tier {
        self.tier
    }

    /// Runs plain code compiled for the tier's instruction set.
    ///
    /// The compiler vectorises what it inlines into `body`: mark loops in other functions `#[inline(always)]`.
    pub fn vectorised<T>(self, body: impl FnOnce() -> T) -> T {
        match self.tier {
            Tier::Scalar | Tier::Portable => body(),
            #[cfg(target_arch = "x86_64")]
            Tier::Avx2 => super::avx2::vectorised(self, body),
            #[cfg(target_arch = "x86_64")]
            Tier::AvxVnni => super::avx_vnni::vectorised(self, body),
            #[cfg(target_arch = "x86_64")]
            Tier::Avx512Vnni => super::avx512::vectorised(self, body),
            #[cfg(not(target_arch = "x86_64"))]
            Tier::Avx2 | Tier::AvxVnni | Tier::Avx512Vnni => body(),
        }
    }
}
