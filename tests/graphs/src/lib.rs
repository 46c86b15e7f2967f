//! Networks for tests: of given operations, with random constants.

mod net;

pub use net::{Conv, Net, random_codes};
