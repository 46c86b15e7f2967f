//! Simplification of networks in floating point, before they are quantised: products and sums with constants become part of the layer in
//! front, and formulas become the operations they stand for.
//!
//! Unlike [`canonicalise`](crate::canonicalise()) this changes how results are rounded, by no more than another order of the same operations
//! does. Rounded networks are left as they are: an `nn.fix` between two operations keeps them apart.

mod activation;
mod affine;
mod gelu;
mod layer_norm;

use dpuc_dialects::Ir;
use dpuc_dialects::pass::PassError;
use dpuc_dialects::rewrite::{Patterns, Summary, apply};

/// Applies the patterns to all functions.
///
/// # Errors
/// The patterns do not come to rest, which would be a defect of theirs.
pub fn fold_float(ir: &mut Ir) -> Result<Summary, PassError> {
    let root = ir.root();
    let patterns = [affine::add, activation::add, gelu::add, layer_norm::add];
    let patterns = patterns.into_iter().fold(Patterns::new(), |patterns, add| add(patterns));
    let summary = apply(ir, root, &patterns).map_err(|error| PassError::Other(error.to_string()))?;
    crate::eliminate_dead_code(ir);
    Ok(summary)
}
