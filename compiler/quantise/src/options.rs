//! How a network is quantised.

use dpuc_evaluate::Operators;
use serde::{Deserialize, Serialize};

/// Whose rules decide where several are in use (`spec/quantisation.md` section 9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Those of AMD's PyTorch quantiser: an output that is too fine gets coarser.
    #[default]
    Nndct,
    /// Those of AMD's TensorFlow 1 quantiser, the one behind TVM: weights follow the output.
    DecentQ,
}

/// How the position of an activation follows from the calibration data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// The position that has the least squared error for most batches of this many samples, the coarsest of equally frequent ones.
    Modal {
        /// Samples in a batch; the last batch may have fewer.
        batch: usize,
    },
    /// The position with the least squared error over all samples.
    AllData,
}

/// How much time is spent on accuracy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effort {
    /// Weights are rounded to the nearest code.
    #[default]
    Normal,
    /// Weights are rounded so that each layer's result is nearest, given its quantised input.
    High,
}

/// How a network is quantised.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whose rules decide.
    pub profile: Profile,
    /// From data to positions.
    pub statistic: Statistic,
    /// What the squared error of a saturated element counts; 1 is the plain error.
    pub saturation_weight: f64,
    /// Whether results of the network get room for larger numbers than the calibration data hold, where their noise hides the coarser
    /// position. Part of the correction of biases and of [`Effort::High`].
    pub result_headroom: bool,
    /// Whether channels are scaled across layers for the least noise.
    pub equalise: bool,
    /// Whether biases make up for the mean error of each channel.
    pub correct_bias: bool,
    /// Time spent on accuracy.
    pub effort: Effort,
    /// Seed of the choice of patches for [`Effort::High`].
    pub seed: u64,
    /// Most bytes of activations that are kept at a time while layers are corrected.
    pub memory_limit: u64,
    /// User-supplied operators, for `nn.custom`.
    pub operators: Operators,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            profile: Profile::Nndct,
            statistic: Statistic::AllData,
            saturation_weight: 1.0,
            result_headroom: true,
            equalise: true,
            correct_bias: true,
            effort: Effort::Normal,
            seed: 0,
            memory_limit: 3 << 29,
            operators: Operators::new(),
        }
    }
}
