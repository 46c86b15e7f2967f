//! Passes on text.

mod dead_code;
mod lower;
