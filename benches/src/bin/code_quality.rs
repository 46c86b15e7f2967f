//! `cargo run --release -p dpuc-benches --bin code_quality [NAME]`: our code against the vendor's, for the samples whose path contains NAME.

fn main() {
    let filter = std::env::args().nth(1).unwrap_or_default();
    dpuc_benches::code_quality::report(&filter, |text| print!("{text}"));
}
