//! The `dpuc` command line.
fn main() {}
