//! What lowering makes of the files in `tests/lower`, with locations and notes.

use std::fs;
use std::path::Path;

use dpuc_dialects::Ir;
use dpuc_dialects::text::{ParseOptions, PrintOptions, parse, print};
use dpuc_dialects::verify::verify;
use dpuc_passes::{LoweringOptions, lower_to_int8, lower_to_int8_with};

pub(crate) fn read(source: &str) -> Ir {
    let parsed = parse(source, &ParseOptions::default());
    assert!(parsed.is_ok(), "{:#?}", parsed.diagnostics);
    let findings = verify(&parsed.ir);
    assert!(findings.is_empty(), "{}", findings.list()[0]);
    parsed.ir
}

#[test]
fn files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lower");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for path in files {
        let mut ir = read(&fs::read_to_string(&path).unwrap());
        let lowering = lower_to_int8(&mut ir).unwrap();
        let findings = verify(&ir);
        assert!(findings.is_empty(), "{}: {}", path.display(), findings.list()[0]);
        let notes: Vec<String> = lowering.notes.iter().map(|note| format!("// {note}")).collect();
        let text = print(&ir, PrintOptions { generic: false, locations: true });
        let name = path.file_stem().unwrap().to_str().unwrap();
        insta::with_settings!({snapshot_suffix => name, omit_expression => true}, {
            insta::assert_snapshot!("lower", text + &notes.join("\n"));
        });
    }
}

#[test]
fn a_missing_constant_is_named() {
    let source = "module { func.func @main() -> tensor<2xf32> {
        %w = nn.constant @absent : tensor<2xf32>
        %w_fix = nn.fix %w {fix_point = 3} : tensor<2xf32>
        func.return %w_fix : tensor<2xf32> } }";
    let error = lower_to_int8(&mut read(source)).unwrap_err().to_string();
    assert!(
        error.ends_with("`nn.constant` refers to the constant `@absent`, which is not in the side file"),
        "{error}"
    );
}

#[test]
fn counts_are_those_of_the_rewrites() {
    let source = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lower/names.mlir")).unwrap();
    let mut ir = read(&source);
    let lowering = lower_to_int8(&mut ir).unwrap();
    assert_eq!(lowering.pushed.applications(), [("push-fix", 1)]);
    let convolutions = lowering.lowered.applications().iter().find(|(name, _)| *name == "convolution");
    assert_eq!(convolutions, Some(&("convolution", 2)));
    // Nothing is left to do.
    let again = lower_to_int8(&mut ir).unwrap();
    assert!(!again.pushed.changed() && !again.lowered.changed() && again.notes.is_empty());
}

#[test]
fn a_slope_near_the_hardware_s_is_approximated_on_request_only() {
    let source = |slope: f64| {
        format!(
            "module {{ func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {{
            %x_fix = nn.fix %x {{fix_point = 4}} : tensor<2xf32>
            %y = nn.leaky_relu %x_fix {{alpha = {slope:?}}} : tensor<2xf32>
            %y_fix = nn.fix %y {{fix_point = 4}} : tensor<2xf32>
            func.return %y_fix : tensor<2xf32> }} }}"
        )
    };
    let lowered = |slope: f64, allow_leaky_approximation| {
        let mut ir = read(&source(slope));
        let notes = lower_to_int8_with(&mut ir, LoweringOptions { allow_leaky_approximation }).unwrap().notes;
        let is_lowered = ir.walk(ir.root()).into_iter().any(|op| ir.op_name(op) == "int8.leaky_relu");
        (is_lowered, notes.into_iter().map(|note| note.message).collect::<Vec<_>>())
    };
    let reason = "stays in floating point: its slope is no fraction of at most 127 over a power of two, such as 0.1015625; \
        slopes near that can be approximated on request";
    assert_eq!(lowered(0.1, false), (false, vec![reason.to_owned()]));
    assert_eq!(lowered(0.1, true), (true, vec!["has slope 26/256 instead of 0.1, as allowed".to_owned()]));
    assert_eq!(lowered(0.01, true), (false, vec![reason.to_owned()]));
    assert_eq!(lowered(0.101_562_5, true), (true, vec![]));
}
