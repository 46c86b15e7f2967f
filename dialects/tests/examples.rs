//! The committed examples are valid and printed as they are written.

use std::path::Path;

use dpuc_dialects::text::{ParseOptions, PrintOptions, parse, print};
use dpuc_dialects::verify::verify;

#[test]
fn fashion_cnn_is_valid() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/fashion_cnn/fashion_cnn.mlir");
    let source = std::fs::read_to_string(&path).unwrap();
    let parsed = parse(&source, &ParseOptions { file: path.display().to_string(), ..ParseOptions::default() });
    assert!(parsed.is_ok(), "{:#?}", parsed.diagnostics);
    let mut ir = parsed.ir;
    ir.weights.open(&path.with_extension("safetensors")).unwrap();
    assert!(verify(&ir).is_empty(), "{:#?}", verify(&ir).list());
    for generic in [false, true] {
        let options = PrintOptions { generic, ..PrintOptions::default() };
        let text = print(&ir, options);
        let again = parse(&text, &ParseOptions::default());
        assert!(again.is_ok(), "{text}\n{:#?}", again.diagnostics);
        assert_eq!(print(&again.ir, options), text);
    }
}
