//! Passes on text.

mod canonicalise;
mod dead_code;
mod float;
mod lower;
