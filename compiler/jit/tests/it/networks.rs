//! The small networks of the evaluator's and the passes' tests, in floating point and lowered.

use std::fs;
use std::path::{Path, PathBuf};

use dpuc_dialects::Ir;
use dpuc_dialects::text::{ParseOptions, parse};
use dpuc_dialects::verify::verify;
use dpuc_passes::lower_to_int8;

use dpuc_isa::Random;

use crate::compare::{assert_close, assert_equal, float, inputs, tame};

/// Largest relative error of what is summed in another order or by another approximation of a transcendental function.
const TOLERANCE: f32 = 1e-5;

fn files() -> Vec<PathBuf> {
    let folders = ["../evaluate/tests/networks", "../passes/tests/canonicalise"];
    let entries = folders.iter().flat_map(|folder| {
        fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap().map(|entry| entry.unwrap().path())
    });
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|e| e == "mlir")).collect();
    files.sort();
    assert!(files.len() > 20, "{} networks are found", files.len());
    files
}

fn read(path: &Path) -> Ir {
    let parsed = parse(&fs::read_to_string(path).unwrap(), &ParseOptions::default());
    assert!(parsed.is_ok(), "{}: {:#?}", path.display(), parsed.diagnostics);
    assert!(verify(&parsed.ir).is_empty(), "{}", path.display());
    parsed.ir
}

#[test]
fn networks_in_floating_point_are_close() {
    for path in files() {
        let ir = read(&path);
        let mut random = Random::new(5);
        let mut codes = Random::new(6);
        let runs: Vec<_> = (0..5).map(|_| inputs(&ir, "main", || tame(&mut random), || codes.code())).collect();
        assert_close(&ir, &runs, TOLERANCE, &path.display().to_string());
    }
}

#[test]
fn lowered_networks_are_equal() {
    for path in files() {
        let mut ir = read(&path);
        lower_to_int8(&mut ir).unwrap();
        let is_whole = ir.walk(ir.root()).iter().all(|&op| !ir.op_name(op).starts_with("nn."));
        let (mut random, mut codes) = (Random::new(7), Random::new(8));
        let runs: Vec<_> = (0..5).map(|_| inputs(&ir, "main", || float(&mut random), || codes.code())).collect();
        let what = path.display().to_string();
        if is_whole { assert_equal(&ir, &runs, &what) } else { assert_close(&ir, &runs, TOLERANCE, &what) }
    }
}
