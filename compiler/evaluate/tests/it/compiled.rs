//! Compiled files: every DPU subgraph from its recorded inputs to its recorded outputs, as the instruction-level simulator ran it.

use std::path::Path;

use dpuc_dialects::{Ir, ValueId};
use dpuc_evaluate::Evaluator;
use dpuc_import::Form;

use crate::golden;
use crate::samples::{imported, shared, value_of};

fn check(file: &str) {
    let Some(path) = shared(&format!("models/xmodel/{file}.xmodel")) else { return };
    let imported = imported(&path);
    assert_eq!(imported.form, Form::Compiled);
    check_subgraphs(&imported.ir, &path, value_of);
}

/// Evaluates `ir` between the tensors recorded for the compiled file beside `path`; `find` gives the value of a tensor.
pub(crate) fn check_subgraphs(ir: &Ir, path: &Path, find: impl Fn(&Ir, &str) -> ValueId) {
    let recorded = golden::read(&path.with_file_name("golden_compiled.npz"));
    let mut evaluator = Evaluator::new(ir);
    let mut outputs = Vec::new();
    for (name, tensor) in &recorded {
        match name.split_once(':') {
            Some(("in", name)) => evaluator = evaluator.with_value(find(ir, name), tensor.clone()),
            Some(("out", name)) => outputs.push((name, tensor)),
            _ => panic!("{name} is neither input nor output"),
        }
    }
    assert!(!outputs.is_empty());
    let targets: Vec<ValueId> = outputs.iter().map(|(name, _)| find(ir, name)).collect();
    let found = evaluator.values("main", &targets, &mut |_, _| {}).unwrap();
    for ((name, expected), found) in outputs.iter().zip(&found) {
        golden::assert_equal(name, found, expected);
    }
}

#[test]
fn mnist_cnn() {
    check("mnist_cnn/compiled_b4096");
}

#[test]
fn dpu_mnist() {
    check("dpu_mnist/compiled_b4096");
}

#[test]
fn squeezenet() {
    check("squeezenet/compiled_b4096");
}

#[test]
fn tf2_custom_op() {
    check("tf2_custom_op/compiled_b4096");
}

#[test]
fn zero_dce() {
    check("zero_dce/compiled_b4096");
}

#[test]
fn unet2d_liver() {
    check("unet2d_liver/compiled_b4096");
}

#[test]
fn pointpillars() {
    check("pointpillars/compiled_b4096");
}

/// One network compiled for eight targets: all files hold the same network.
#[test]
fn yolox_nano() {
    for target in ["b512", "b4096"] {
        check(&format!("yolox_nano/compiled_{target}"));
    }
}
