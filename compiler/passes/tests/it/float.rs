//! What becomes of the files in `tests/float`.

use std::fs;
use std::path::Path;

use dpuc_dialects::dialects::func;
use dpuc_dialects::text::{PrintOptions, print};
use dpuc_dialects::verify::verify;
use dpuc_evaluate::{Tensor, evaluate};
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

/// What formulas become computes what the formulas compute, but for rounding.
#[test]
fn recognised_formulas_keep_their_values() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/float");
    for file in ["activations", "transformer"] {
        let before = read(&fs::read_to_string(folder.join(format!("{file}.mlir"))).unwrap());
        let mut after = before.clone();
        fold_float(&mut after).unwrap();
        for function in before.ops(before.body()).filter_map(|op| before.symbol_name(op)) {
            let entry = func::entry(&before, before.find_symbol(function).unwrap());
            let tensor = |(number, &argument): (usize, &_)| {
                let shape = before.shape_of(argument).unwrap();
                let elements = (0..shape.iter().product()).map(|at: usize| (at * 13 + number * 5) as f32 / 9.0 - 4.0);
                Tensor::from_f32(&shape, elements.collect()).unwrap()
            };
            let inputs: Vec<Tensor> = before.arguments(entry).iter().enumerate().map(tensor).collect();
            let [expected, found] =
                [&before, &after].map(|ir| evaluate(ir, function, &inputs, &mut |_, _| {}).unwrap());
            for (result, (expected, found)) in expected.iter().zip(&found).enumerate() {
                for (expected, found) in expected.as_f32().unwrap().iter().zip(found.as_f32().unwrap()) {
                    let close = (expected - found).abs() <= 2e-6 * expected.abs().max(1.0);
                    assert!(close, "{file}: @{function}, result {result}: {expected} became {found}");
                }
            }
        }
    }
}
