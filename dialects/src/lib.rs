//! The IR core and the dialects.

pub mod define;
pub mod dialects;
mod ir;
pub mod layout;
pub mod pass;
pub mod reference;
pub mod rewrite;
pub mod text;
pub mod verify;
pub mod weights;

pub use ir::*;
