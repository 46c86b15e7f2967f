//! Every file in `tests/wrong` must give exactly the diagnostics of its snapshot.

use std::fs;
use std::path::Path;

use dpuc_grammar::{parse, render};

#[test]
fn wrong_files_are_explained() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong");
    let mut paths: Vec<_> =
        fs::read_dir(&directory).expect("the corpus is there").flatten().map(|entry| entry.path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        let source = fs::read_to_string(&path).expect("a corpus file is UTF-8");
        let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a corpus file has a plain name");
        let parsed = parse(&source);
        assert!(parsed.has_errors(), "{name} is accepted");
        insta::assert_snapshot!(name, render(&parsed.diagnostics, &source, &format!("{name}.mlir"), false));
    }
}
