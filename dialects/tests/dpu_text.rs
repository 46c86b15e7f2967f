//! Programs at both levels of the `dpu` dialect read and print.

use dpuc_dialects::text::{ParseOptions, PrintOptions, parse, print};
use dpuc_dialects::verify::verify;

#[test]
fn subgraphs_and_programs_round_trip() {
    let source = include_str!("text/dpu.mlir");
    let parsed = parse(source, &ParseOptions::default());
    assert!(parsed.is_ok(), "{:#?}", parsed.diagnostics);
    assert!(verify(&parsed.ir).is_empty(), "{:#?}", verify(&parsed.ir).list());
    assert_eq!(print(&parsed.ir, PrintOptions::default()), source);
}
