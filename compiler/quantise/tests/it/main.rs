//! The quantiser on small networks.

mod benefit;
mod networks;
mod placement;
mod report;
