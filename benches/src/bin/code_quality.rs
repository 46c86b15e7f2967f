//! `cargo run --release -p dpuc-benches --bin code_quality [NAME] [QUEUE]`: our code against the vendor's, for the samples whose path contains
//! NAME; with engines that run at most QUEUE instructions ahead.

use dpuc_benches::code_quality::{board, report};

fn main() {
    let (mut filter, mut queue) = (String::new(), None);
    for argument in std::env::args().skip(1) {
        match argument.parse() {
            Ok(depth) => queue = Some(depth),
            Err(_) => filter = argument,
        }
    }
    report(&filter, &board(queue), |text| print!("{text}"));
}
