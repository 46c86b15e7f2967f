//! Reading, verifying and printing text.

use std::path::Path;

use dpuc_dialects::text::{ParseOptions, PrintOptions, parse, print};
use dpuc_dialects::verify::{Finding, verify};

const GENERIC: PrintOptions = PrintOptions { generic: true, locations: false };
const PRETTY: PrintOptions = PrintOptions { generic: false, locations: false };

fn files(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "mlir"))
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(&path).unwrap()))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no files in {}", folder.display());
    files
}

fn options(file: &str) -> ParseOptions {
    ParseOptions { file: format!("{file}.mlir"), allow_unregistered: false }
}

#[test]
fn accepted_text_round_trips() {
    for (name, source) in files("text") {
        let parsed = parse(&source, &options(&name));
        assert!(parsed.is_ok(), "{name}: {:#?}", parsed.diagnostics);
        assert!(verify(&parsed.ir).is_empty(), "{name}: {:#?}", verify(&parsed.ir).list());
        let pretty = print(&parsed.ir, PRETTY);
        let generic = print(&parsed.ir, GENERIC);
        for text in [&pretty, &generic] {
            let again = parse(text, &options(&name));
            assert!(again.is_ok(), "{name}: {text}\n{:#?}", again.diagnostics);
            assert_eq!(print(&again.ir, PRETTY), pretty, "{name}");
            assert_eq!(print(&again.ir, GENERIC), generic, "{name}");
        }
        insta::with_settings!({snapshot_suffix => name, omit_expression => true}, {
            insta::assert_snapshot!("pretty", pretty);
            insta::assert_snapshot!("generic", generic);
        });
    }
}

#[test]
fn wrong_text_is_explained() {
    for (name, source) in files("wrong") {
        let parsed = parse(&source, &options(&name));
        let mut diagnostics = parsed.diagnostics.clone();
        if parsed.is_ok() {
            diagnostics.extend(verify(&parsed.ir).list().iter().map(Finding::to_diagnostic));
        } else {
            // What the reader understood is checked as well; only what follows from an error it reported is left out.
            let known: Vec<_> = diagnostics.iter().map(|diagnostic| diagnostic.span).collect();
            let findings = verify(&parsed.ir);
            diagnostics.extend(findings.list().iter().map(Finding::to_diagnostic).filter(|diagnostic| {
                diagnostic.code != "dominance"
                    && !known.iter().any(|span| span.start >= diagnostic.span.start && span.end <= diagnostic.span.end)
            }));
        }
        diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
        assert!(diagnostics.len() >= 2, "{name} shows several errors");
        let rendered = dpuc_grammar::render(&diagnostics, &source, &format!("{name}.mlir"), false);
        insta::with_settings!({snapshot_suffix => name, omit_expression => true}, {
            insta::assert_snapshot!("wrong", rendered);
        });
    }
}

#[test]
fn locations_round_trip() {
    let source = r#"
module {
  func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> {
    %y = nn.relu %x : tensor<2xf32> loc(fused["conv/1", "relu 1"("net.py":3:4)])
    func.return %y : tensor<2xf32> loc(unknown)
  }
}
"#;
    let parsed = parse(source, &options("f"));
    assert!(parsed.is_ok(), "{:#?}", parsed.diagnostics);
    let with_locations = PrintOptions { generic: false, locations: true };
    let text = print(&parsed.ir, with_locations);
    assert!(text.contains(r#"loc(fused["conv/1", "relu 1"("net.py":3:4)])"#), "{text}");
    let again = parse(&text, &options("f"));
    assert!(again.is_ok(), "{:#?}", again.diagnostics);
    assert_eq!(print(&again.ir, with_locations), text);
}

#[test]
fn a_wrong_expectation_fails() {
    // Snapshot tests that cannot fail are worse than none. A blessing run accepts everything, so it proves nothing here.
    if std::env::var("INSTA_UPDATE").is_ok_and(|mode| mode == "always") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("expectation.snap"), "---\nsource: text.rs\n---\nmodule @other {\n}\n").unwrap();
    let outcome = std::panic::catch_unwind(|| {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(folder.path());
        settings.set_prepend_module_to_snapshot(false);
        settings.bind(|| insta::assert_snapshot!("expectation", print(&dpuc_dialects::Ir::new(), PRETTY)));
    });
    assert!(outcome.is_err());
}
