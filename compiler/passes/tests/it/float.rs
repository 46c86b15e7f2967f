//! What becomes of the files in `tests/float`.

use std::fs;
use std::path::Path;

use dpuc_dialects::text::{PrintOptions, print};
use dpuc_dialects::verify::verify;
use dpuc_passes::fold_float;

use crate::lower::read;

#[test]
fn files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/float");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for path in files {
        let mut ir = read(&fs::read_to_string(&path).unwrap());
        fold_float(&mut ir).unwrap();
        let findings = verify(&ir);
        assert!(findings.is_empty(), "{}: {}", path.display(), findings.list()[0]);
        let mut text = print(&ir, PrintOptions { generic: false, locations: false });
        for (name, weight) in ir.weights.iter() {
            text += &format!("// @{name} {:?}: {:?}\n", weight.shape, weight.to_f32().unwrap());
        }
        let name = path.file_stem().unwrap().to_str().unwrap();
        insta::with_settings!({snapshot_suffix => name, omit_expression => true}, {
            insta::assert_snapshot!("float", text);
        });
        assert!(!fold_float(&mut ir).unwrap().changed(), "{}: once is enough", path.display());
    }
}
