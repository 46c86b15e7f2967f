//! The canonical forms of the files in `tests/canonicalise`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use dpuc_dialects::text::{PrintOptions, print};
use dpuc_dialects::verify::verify;
use dpuc_passes::canonicalise;

use crate::lower::read;

#[test]
fn files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/canonicalise");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for path in files {
        let mut ir = read(&fs::read_to_string(&path).unwrap());
        let summary = canonicalise(&mut ir).unwrap();
        let findings = verify(&ir);
        assert!(findings.is_empty(), "{}: {}", path.display(), findings.list()[0]);
        let text = print(&ir, PrintOptions { generic: false, locations: false });
        let mut counts = BTreeMap::new();
        for (name, count) in summary.applications() {
            *counts.entry(name).or_insert(0) += count;
        }
        let applied: Vec<String> = counts.iter().map(|(name, count)| format!("// {name}: {count}")).collect();
        let name = path.file_stem().unwrap().to_str().unwrap();
        insta::with_settings!({snapshot_suffix => name, omit_expression => true}, {
            insta::assert_snapshot!("canonicalise", text.clone() + &applied.join("\n"));
        });
        assert!(!canonicalise(&mut ir).unwrap().changed(), "{}: once is enough", path.display());
    }
}

/// Results that are arguments, or each other, could not be written to a file.
#[test]
fn results_stay_computed_and_different() {
    let source = r"module { func.func @main(%x: tensor<1x4xf32>) -> (tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>) {
        %same = nn.reshape %x : tensor<1x4xf32>
        %y = nn.relu %same : tensor<1x4xf32>
        %again = nn.reshape %y : tensor<1x4xf32>
        %input = nn.reshape %x : tensor<1x4xf32>
        func.return %y, %again, %input : tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32> } }";
    let mut ir = read(source);
    let summary = canonicalise(&mut ir).unwrap();
    assert_eq!(summary.applications(), [("identity", 1)], "only the reshape that is not returned goes");
}

/// The operator keeps its name, the tensor too; only what computes in another order is called differently.
#[test]
fn names_survive() {
    let source = r#"module { func.func @main(%x: tensor<1x2x3x4xf32>) -> tensor<1x4x2x3xf32> {
        %t = nn.transpose %x {order = [0, 3, 1, 2]} : (tensor<1x2x3x4xf32>) -> tensor<1x4x2x3xf32> loc("turn")
        %r = nn.relu %t : tensor<1x4x2x3xf32> loc(fused["relu", "relu:tensor"])
        func.return %r : tensor<1x4x2x3xf32> } }"#;
    let mut ir = read(source);
    canonicalise(&mut ir).unwrap();
    let main = ir.find_symbol("main").unwrap();
    let ops = ir.walk(main).into_iter().filter(|&op| ir.op_name(op).starts_with("nn."));
    let names: Vec<Vec<String>> =
        ops.map(|op| ir.location_names(ir.op(op).location).into_iter().map(str::to_owned).collect()).collect();
    assert_eq!(names, [vec!["relu(transposed)"], vec!["turn", "relu", "relu:tensor"]]);
}
