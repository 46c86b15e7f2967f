//! How much accuracy quantisation costs, on the data of the shared folder and on labelled images.

mod data;
mod images;
mod measure;
mod pictures;
mod tasks;

pub use measure::{Loss, Variant, measure};
pub use tasks::{Task, tasks};
