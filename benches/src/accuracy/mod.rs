//! How much accuracy quantisation costs, on the data of the shared folder.

mod data;
mod measure;
mod pictures;
mod tasks;

pub use measure::{Loss, Variant, measure};
pub use tasks::{Task, tasks};
