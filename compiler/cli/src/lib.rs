//! `dpuc` as a library: from a float network to one that runs on AMD's DPU.
//!
//! A [`Session`] works from its first call on: in float on the CPU while it calibrates, then on the DPU (here its bit-exact model).
//!
//! ```
//! use dpuc::{Options, Phase, Session, Target, Tensor, parse_text};
//!
//! let network = parse_text(
//!     r#"
//! module @example {
//!   func.func @main(%x: tensor<1x4x4x1xf32>) -> tensor<1x4x4x1xf32> {
//!     %w = nn.constant dense<[[[[0.25]], [[0.5]]]]> : tensor<1x2x1x1xf32>
//!     %conv = nn.conv2d %x, %w {pads = [0, 0, 1, 0]}
//!       : (tensor<1x4x4x1xf32>, tensor<1x2x1x1xf32>) -> tensor<1x4x4x1xf32>
//!     %y = nn.relu %conv : tensor<1x4x4x1xf32>
//!     func.return %y : tensor<1x4x4x1xf32>
//!   }
//! }
//! "#,
//! )?;
//! let options = Options { calibration_calls: 2, ..Options::new(Target::resolve("kv260")?) };
//! let mut session = Session::build(&network, options)?;
//! let image = Tensor::from_f32(&[1, 4, 4, 1], (0u8..16).map(|pixel| f32::from(pixel) / 16.0).collect()).unwrap();
//! for _ in 0..2 {
//!     session.call(vec![image.clone()])?;
//! }
//! let results = session.call(vec![image])?;
//! assert_eq!(session.phase(), Phase::Accelerated);
//! assert_eq!(results[0].shape(), [1, 4, 4, 1]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use dpuc_dialects::text::{ParseOptions, parse};
use dpuc_dialects::verify::verify;

pub use dpuc_dialects::Ir;
pub use dpuc_flow::{Artefact, Built, Computation, Error, Manifest, Options, Phase, Session, Summary, Tensor, build};
pub use dpuc_isa::Target;
pub use dpuc_runtime::{Host, Port, Preprocessing};

/// A verified network from IR text whose constants are written inline.
///
/// # Errors
/// All that is wrong with it, with places in the text.
pub fn parse_text(source: &str) -> Result<Ir, String> {
    let parsed = parse(source, &ParseOptions::default());
    let mut problems = parsed.diagnostics;
    if problems.is_empty() {
        problems = verify(&parsed.ir).list().iter().map(dpuc_dialects::verify::Finding::to_diagnostic).collect();
    }
    if problems.is_empty() {
        return Ok(parsed.ir);
    }
    Err(dpuc_grammar::render(&problems, source, "text", false))
}
