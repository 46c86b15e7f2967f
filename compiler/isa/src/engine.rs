//! The four engines of a core and sets of them.

/// One of the four engines. The discriminant is the engine's bit in the dependency masks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Engine {
    /// DDR to banks.
    Load = 0,
    /// Banks to DDR.
    Save = 1,
    /// Convolution array.
    Conv = 2,
    /// ALU and elementwise units.
    Misc = 3,
}

impl Engine {
    /// All engines, in bit order.
    pub const ALL: [Self; 4] = [Self::Load, Self::Save, Self::Conv, Self::Misc];

    /// Lower-case name as in text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Save => "save",
            Self::Conv => "conv",
            Self::Misc => "misc",
        }
    }

    /// The engine with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|engine| engine.name() == name)
    }

    /// Position in tables indexed by engine.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// A set of engines; the low four bits of a dependency mask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct EngineSet(u8);

impl EngineSet {
    /// No engine.
    pub const EMPTY: Self = Self(0);

    /// The set whose mask is the low four bits of `bits`.
    pub const fn from_bits(bits: u32) -> Self {
        Self((bits & 0xf) as u8)
    }

    /// The four-bit mask.
    pub const fn bits(self) -> u32 {
        self.0 as u32
    }

    /// The set with only `engine`.
    pub const fn only(engine: Engine) -> Self {
        Self(1 << engine as u8)
    }

    /// Whether `engine` is in the set.
    pub const fn contains(self, engine: Engine) -> bool {
        self.0 & (1 << engine as u8) != 0
    }

    /// This set and `engine`.
    #[must_use]
    pub const fn with(self, engine: Engine) -> Self {
        Self(self.0 | (1 << engine as u8))
    }

    /// This set without `engine`.
    #[must_use]
    pub const fn without(self, engine: Engine) -> Self {
        Self(self.0 & !(1 << engine as u8))
    }

    /// Its engines in bit order.
    pub fn iter(self) -> impl Iterator<Item = Engine> {
        Engine::ALL.into_iter().filter(move |&engine| self.contains(engine))
    }
}
