//! Quantised operators to DPU instructions.
//!
//! A [`Layer`] describes one operator as plain geometry: feature maps and constants in DDR, windows, fix points. [`check`] says
//! whether a target can run it, and if not which limits it violates. [`emit`] appends its instructions to a [`Stream`], and
//! [`Stream::finish`] places the dependency tokens and ends the program.
//!
//! ```
//! use dpuc_codegen::{FeatureMap, Layer, Pool, PoolKind, Stream, check, emit};
//! use dpuc_isa::Target;
//!
//! let target = Target::from_name("DPUCZDX8G_ISA1_B4096")?;
//! let pool = |kernel| {
//!     let (input, output) = (FeatureMap::packed(2, 0, [34, 34, 64], 5), FeatureMap::packed(3, 0, [1, 1, 64], 5));
//!     Layer::Pool(Pool { kind: PoolKind::Average, input, output, kernel, strides: [1, 1], pads: [0; 4] })
//! };
//! let mut stream = Stream::new(&target);
//! emit(&pool([34, 34]), &mut stream)?;
//! let program = stream.finish()?;
//! // 34 row Loads, AluInit, Alu, Save, End.
//! assert_eq!(program.instructions.len(), 38);
//!
//! let violations = check(&pool([300, 34]), &target).unwrap_err();
//! assert_eq!(violations[0].to_string(), "kernel height 300; the misc engine takes 1..=256");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! How layers become instructions (`spec/recipes-conv.md`, `spec/recipes-eltwise-data.md`):
//! 1. `axis` splits dilated and transposed operators into plain correlations; `stage` is what the planner sees of them;
//! 2. `schedule` cuts a whole [`Network`] into superlayers and decides which feature maps stay on chip between them; `fusion` makes the
//!    drafts, `facts` knows the network;
//! 3. `draft` is a superlayer: stages and the buffers between them; `rows` orders its rows, `cut` chooses stripes of columns and chunks
//!    of channels so that everything fits in the free lines that `space` knows;
//! 4. `execute` walks the plan and calls the engine's `Compute` for each `block`; one file per operator family fills the fields;
//! 5. `tokens` orders the four engines by what the instructions touch.

mod alu;
mod argmax;
mod augment;
mod axis;
mod block;
mod check;
mod combine;
mod conv;
mod cost;
mod cut;
mod depthwise;
mod draft;
mod emit;
mod execute;
mod facts;
mod fusion;
mod hazards;
mod kernel;
mod layer;
pub mod limits;
mod network;
mod numeric;
mod onchip;
mod parameters;
mod pointwise;
mod pool;
mod resample;
mod rows;
mod schedule;
mod source;
mod space;
mod stage;
mod stream;
mod task;
mod tokens;

pub use argmax::argmax_headroom;
pub use augment::{Headroom, augmentation_headroom};
pub use emit::{EmitError, check, emit};
pub use layer::{
    Activation, Constant, Convolution, ElementwiseKind, Extreme, FeatureMap, Layer, Pool, PoolKind, WeightedSum,
};
pub use limits::Violation;
pub use network::{Network, Node, Origin, Part, Value};
pub use numeric::{HardwareBias, average_factor, hardware_bias, relu6_weight};
pub use schedule::{Explanation, Schedule, ScheduleError, group};
pub use stream::{Program, Stream};
pub use tokens::place_tokens;
