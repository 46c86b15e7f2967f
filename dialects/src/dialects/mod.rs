//! The dialects. An operation is a `static` in the file of its dialect and an entry in that file's list.

pub mod builtin;
pub mod dpu;
pub mod func;
pub mod int8;
mod movement;
pub mod nn;
mod shapes;

use crate::define::{Dialect, OpDefinition};

/// All dialects of this library.
pub static DIALECTS: &[&Dialect] = &[&builtin::DIALECT, &func::DIALECT, &nn::DIALECT, &int8::DIALECT, &dpu::DIALECT];

/// The definition of the operation called `name`.
pub fn find(name: &str) -> Option<&'static OpDefinition> {
    let (prefix, _) = name.split_once('.')?;
    let dialect = DIALECTS.iter().find(|dialect| dialect.name == prefix)?;
    dialect.operations.iter().copied().find(|definition| definition.name == name)
}

/// All operations of all dialects.
pub fn operations() -> impl Iterator<Item = &'static OpDefinition> {
    DIALECTS.iter().flat_map(|dialect| dialect.operations.iter().copied())
}
