//! Which instruction set the kernels use.

/// An instruction-set tier, plainest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// One product at a time: the definition the others are tested against.
    Scalar,
}

impl Tier {
    /// All tiers, plainest first.
    pub const ALL: [Self; 1] = [Self::Scalar];

    /// Whether this machine can run the tier.
    pub fn is_available(self) -> bool {
        match self {
            Self::Scalar => true,
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
}
