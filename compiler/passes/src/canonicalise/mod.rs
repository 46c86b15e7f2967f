//! One form for networks that say the same: movements of elements that cancel go away, those that are left move towards the outputs,
//! and padding becomes part of the operator behind it.
//!
//! Every pattern is exact, in floating point as well as for codes. Termination: a pattern removes an operation, or moves a transposition
//! one operation further down, or merges padding into its reader,
//! or replaces a slow order of channels by a fast one, or a window that no DPU has by smaller ones.

mod chain;
mod concat;
mod constant;
mod identity;
mod padding;
mod shuffle;
mod slice;
mod transpose;
mod window;

pub(crate) use slice::SplitAsSlices;

use dpuc_dialects::Ir;
use dpuc_dialects::pass::PassError;
use dpuc_dialects::rewrite::{Patterns, Summary, apply};

/// Applies the patterns to all functions.
///
/// # Errors
/// The patterns do not come to rest, which would be a defect of theirs.
pub fn canonicalise(ir: &mut Ir) -> Result<Summary, PassError> {
    let root = ir.root();
    let patterns = [
        identity::add,
        chain::add,
        constant::add,
        slice::add,
        concat::add,
        padding::add,
        shuffle::add,
        transpose::add,
        window::add,
    ];
    let patterns = patterns.into_iter().fold(Patterns::new(), |patterns, add| add(patterns));
    apply(ir, root, &patterns).map_err(|error| PassError::Other(error.to_string()))
}
