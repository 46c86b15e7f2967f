//! `cargo run --release -p dpuc-benches --bin calibrate [-- --json]`: modelled against published times, the tables of `benches/CALIBRATION.md`.

use dpuc_benches::calibration::{json, markdown, rows};

fn main() {
    let rows = rows();
    if std::env::args().any(|argument| argument == "--json") {
        println!("{:#}", json(&rows));
    } else {
        print!("{}", markdown(&rows));
    }
}
