//! The operations of the misc engine's Alu. Source: `spec/dpuczdx8g-isa.md` section 3.5.

/// What an Alu computes: the field `exec_mode`. The discriminant is the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AluMode {
    /// Depthwise convolution with bias.
    Depthwise = 0,
    /// PReLU with a slope for each channel.
    PRelu = 1,
    /// Average pool by a fixed factor.
    AveragePool = 2,
    /// Maximum pool; padding counts as -128.
    MaxPool = 3,
    /// Leaky ReLU with one slope.
    LeakyRelu = 4,
    /// Maximum pool without padding and channel masking.
    MaxReduce = 5,
    /// Depthwise convolution without bias.
    DepthwiseNoBias = 6,
    /// Hard sigmoid.
    HardSigmoid = 7,
    /// Depthwise convolution without bias, one 16-bit weight for each group of channels.
    WideWeights = 8,
}

impl AluMode {
    /// All modes, in code order.
    pub const ALL: [Self; 9] = [
        Self::Depthwise,
        Self::PRelu,
        Self::AveragePool,
        Self::MaxPool,
        Self::LeakyRelu,
        Self::MaxReduce,
        Self::DepthwiseNoBias,
        Self::HardSigmoid,
        Self::WideWeights,
    ];

    /// The mode with this code.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.get(number as usize).copied()
    }

    /// Whether it multiplies taps with weights and sums them.
    pub const fn is_depthwise(self) -> bool {
        matches!(self, Self::Depthwise | Self::DepthwiseNoBias | Self::WideWeights)
    }

    /// Whether it looks at one pixel only.
    pub const fn is_pointwise(self) -> bool {
        matches!(self, Self::PRelu | Self::LeakyRelu | Self::HardSigmoid)
    }
}
