//! The quantiser on small networks.

mod networks;
mod placement;
mod report;
