//! Quantised operators to DPU instructions.
//!
//! A [`Layer`] describes one operator as plain geometry: feature maps and constants in DDR, windows, fix points. [`check`] says
//! whether a target can run it, and if not which limits it violates. [`emit`] appends its instructions to a [`Stream`], and
//! [`Stream::finish`] places the dependency tokens and ends the program.
//!
//! How a layer becomes instructions (`spec/recipes-conv.md`, `spec/recipes-eltwise-data.md`):
//! 1. `axis` splits dilated and transposed operators into plain correlations, each a `task`;
//! 2. `plan` cuts each task into stripes of columns and chunks of channels that fit on chip;
//! 3. `recipe` streams the rows of each stripe through a ring of bank lines and calls the engine's `Compute` for each block of
//!    rows; one file per operator family fills the instruction fields;
//! 4. `tokens` orders the four engines by what the instructions touch.

mod alu;
mod augment;
mod axis;
mod blocks;
mod check;
mod conv;
mod depthwise;
mod emit;
mod hazards;
mod kernel;
mod layer;
pub mod limits;
mod numeric;
mod parameters;
mod plan;
mod pointwise;
mod pool;
mod recipe;
mod resample;
mod source;
mod stream;
mod task;
mod tokens;

pub use augment::{Headroom, augmentation_headroom};
pub use emit::{EmitError, check, emit};
pub use layer::{Activation, Constant, Convolution, ElementwiseKind, FeatureMap, Layer, Pool, PoolKind};
pub use limits::Violation;
pub use numeric::{HardwareBias, average_factor, hardware_bias, relu6_weight};
pub use stream::{Program, Stream};
pub use tokens::place_tokens;
