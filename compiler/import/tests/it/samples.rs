//! Real files.

use std::fs;
use std::path::{Path, PathBuf};

use dpuc_dialects::text::{ParseOptions, PrintOptions, parse, print};
use dpuc_dialects::verify::verify;
use dpuc_dialects::{dialects::func, dialects::nn};
use dpuc_import::{Form, Imported, import_xmodel};
pub(crate) use dpuc_samples::shared;

/// Every `.xmodel` among the samples with its path below the folder of models, ordered by path.
pub(crate) fn samples() -> Vec<(String, PathBuf)> {
    let Some(models) = shared("models/xmodel") else { return Vec::new() };
    let folders = fs::read_dir(&models).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    let mut files: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "xmodel"))
        .map(|path| (path.strip_prefix(&models).unwrap().with_extension("").display().to_string(), path))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "the sample folder has no .xmodel");
    files
}

fn imported(path: &Path) -> Imported {
    let graph = dpuc_xmodel::read(&fs::read(path).unwrap()).unwrap();
    import_xmodel(&graph).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_sample_is_imported_and_valid() {
    for (name, path) in samples() {
        let imported = imported(&path);
        let findings = verify(&imported.ir);
        assert!(findings.is_empty(), "{name}: {}", findings.list()[0]);
        let form = if name.ends_with("quantised") { Form::Quantised } else { Form::Compiled };
        assert_eq!(imported.form, form, "{name}");
    }
}

/// The text of an imported network is read as the same network.
#[test]
fn every_sample_survives_text() {
    let options = PrintOptions { generic: false, locations: true };
    for (name, path) in samples() {
        let imported = imported(&path);
        let text = print(&imported.ir, options);
        let parsed = parse(&text, &ParseOptions::default());
        assert!(parsed.is_ok(), "{name}: {:?}", parsed.diagnostics.first());
        assert_eq!(print(&parsed.ir, options), text, "{name}");
    }
}

/// Inputs, outputs, constants, operators kept as they are, and warnings.
#[test]
fn outlines() {
    let mut outline = String::new();
    for (name, path) in samples() {
        let Imported { ir, warnings, .. } = imported(&path);
        let main = ir.find_symbol("main").unwrap();
        let (inputs, results) = func::signature(&ir, main).unwrap();
        let shown = |types: &[_]| types.iter().map(|&ty| ir.show_type(ty)).collect::<Vec<_>>().join(", ");
        let custom = ir.walk(main).into_iter().filter(|&op| ir.is(op, &nn::CUSTOM)).count();
        outline += &format!("{name}: ({}) -> ({})\n", shown(inputs), shown(results));
        outline += &format!("    {} constants, {custom} custom\n", ir.weights.len());
        for warning in warnings {
            outline += &format!("    {warning}\n");
        }
    }
    if !outline.is_empty() {
        insta::assert_snapshot!(outline);
    }
}
