//! `int8` operations as layers of the code generator.

mod combine;
mod geometry;
mod hint;
mod interpolation;
mod movement;
mod reason;
mod taps;
mod window;

pub use reason::Reason;

pub(crate) use geometry::{Places, adds_at_once, augments, concat_copies, layers, placed_layers, relu6_exponent};
pub(crate) use interpolation::Tent;
pub(crate) use movement::{sliced, transposed};
pub(crate) use taps::{Taps, offset_exponent};
pub(crate) use window::Window;
