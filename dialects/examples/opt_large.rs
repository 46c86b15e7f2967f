//! Times reading, verifying and printing of a large module: `cargo run --release -p dpuc-dialects --example opt_large FILE`.

use std::time::Instant;

use dpuc_dialects::text::{ParseOptions, PrintOptions, parse, print};
use dpuc_dialects::verify::verify;

fn main() {
    let path = std::env::args().nth(1).expect("a file");
    let start = Instant::now();
    let source = std::fs::read_to_string(path).expect("text");
    let tree = dpuc_grammar::parse(&source);
    eprintln!("grammar alone {:?} {}", start.elapsed(), tree.diagnostics.len());
    drop(tree);
    let start = Instant::now();
    let parsed = parse(&source, &ParseOptions { allow_unregistered: true, ..ParseOptions::default() });
    eprintln!("parse {:?} {:?}", start.elapsed(), parsed.diagnostics.first());
    let findings = verify(&parsed.ir);
    eprintln!("verify {:?} {:?}", start.elapsed(), findings.list().first());
    let text = print(&parsed.ir, PrintOptions { generic: true, locations: false });
    eprintln!("print {:?} {} bytes", start.elapsed(), text.len());
}
