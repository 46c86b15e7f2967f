//! Our code against the vendor's, for every sample; with `--test` for the smallest ones.

use dpuc_benches::code_quality::{board, report};

fn main() {
    let test = std::env::args().any(|argument| argument == "--test");
    let filter = if test { "mnist" } else { "" };
    report(filter, &board(None), |text| print!("{text}"));
}
