//! Reports on whole networks.

mod file;
mod hostile;
mod networks;
mod plan;
mod small;
