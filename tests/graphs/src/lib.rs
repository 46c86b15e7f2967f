//! Networks for tests: of given operations, grown at random, or absurd; and the search for the smallest one that shows a fault.
//!
//! A seed says everything about a random network. A new operation is one line of the table in `operations.rs`.
//!
//! ```
//! let ir = dpuc_graphs::random_network(7);
//! assert!(dpuc_dialects::verify::verify(&ir).is_empty());
//! ```

mod absurd;
mod arithmetic;
mod floats;
mod functions;
mod growth;
mod movement;
mod net;
mod operations;
mod patterns;
mod rearrange;
mod shrink;

pub use absurd::absurd_network;
pub use floats::{Precision, random_float_network};
pub use growth::random_network;
pub use net::{Conv, Net, random_codes};
pub use shrink::shrink;
