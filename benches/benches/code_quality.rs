//! Our code against the vendor's, for every sample; with `--test` for the smallest ones.

fn main() {
    let test = std::env::args().any(|argument| argument == "--test");
    let filter = if test { "mnist" } else { "" };
    dpuc_benches::code_quality::report(filter, |text| print!("{text}"));
}
