//! Passes over the `nn` and `int8` dialects.
//!
//! * [`lower_to_int8`] turns a quantised `nn` graph into integer arithmetic.
//! * [`canonicalise`] removes movements that cancel, moves transpositions down and merges padding.
//! * [`fold_float`] simplifies networks in floating point: constants fold into layers, formulas become activations.
//! * [`eliminate_dead_code`] removes what nobody uses.

mod canonicalise;
mod dead_code;
mod float;
mod lower;
mod note;
mod rebuild;
mod registry;

pub use canonicalise::canonicalise;
pub use dead_code::{DeadCode, eliminate_dead_code};
pub use float::fold_float;
pub use lower::{Lowering, LoweringOptions, lower_to_int8, lower_to_int8_with};
pub use note::Note;
pub use registry::PASSES;
