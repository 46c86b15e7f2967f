//! The IR core and the dialects.

pub mod define;
pub mod dialects;
mod ir;
pub mod text;
pub mod verify;
pub mod weights;

pub use ir::*;
