//! Quantised files: lowered to `int8` and evaluated, compared with the operator-level reference.

use std::collections::HashMap;
use std::path::Path;

use dpuc_dialects::verify::verify;
use dpuc_dialects::{Ir, ValueId};
use dpuc_evaluate::{Tensor, evaluate};
use dpuc_import::{Form, OnnxOptions, import_onnx};
use dpuc_passes::{canonicalise, fold_float, lower_to_int8};

use crate::compiled::check_subgraphs;
use crate::golden;
use crate::samples::{imported, shared, tensor_name};

/// The recorded input (codes, flat) as the float input of `@main`: the codes of its first `nn.fix`, whose fix point is `point`.
fn input(path: &Path, shape: &[usize], point: i32) -> Tensor {
    let recorded = golden::read(&path.with_file_name("golden_quantised.npz"));
    let (_, codes) = recorded.iter().find(|(name, _)| name.starts_with("in:")).unwrap();
    let codes = codes.as_i8().unwrap().iter();
    Tensor::from_f32(shape, codes.map(|&code| f32::from(code) * f32::exp2(-point as f32)).collect()).unwrap()
}

fn expected_output(path: &Path) -> Tensor {
    let recorded = golden::read(&path.with_file_name("golden_quantised.npz"));
    recorded.into_iter().find(|(name, _)| name.starts_with("out:")).unwrap().1
}

/// A sample as imported and as lowered.
fn networks(path: &Path, warnings: usize) -> (Ir, Ir) {
    let imported = imported(path);
    assert_eq!(imported.form, Form::Quantised);
    assert!(imported.warnings.len() <= warnings, "{:?}", imported.warnings);
    let mut lowered = imported.ir.clone();
    lower_to_int8(&mut lowered).unwrap();
    let findings = verify(&lowered);
    assert!(findings.is_empty(), "{}", findings.list()[0]);
    (imported.ir, lowered)
}

fn check(file: &str, shape: &[usize], point: i32) {
    let Some(path) = shared(&format!("models/xmodel/{file}.xmodel")) else { return };
    let (float, lowered) = networks(&path, 0);
    let (input, expected) = (input(&path, shape, point), expected_output(&path));
    let mut integers = 0;
    let found = evaluate(&lowered, "main", std::slice::from_ref(&input), &mut |op, _| {
        integers += usize::from(lowered.op_name(op).starts_with("int8."));
        assert!(!lowered.op_name(op).starts_with("nn."), "{} stays in floating point", lowered.op_name(op));
    });
    assert!(integers > 0);
    golden::assert_equal("the output of the lowered network", &found.unwrap()[0], &expected);
    let found = evaluate(&float, "main", &[input], &mut |_, _| {}).unwrap();
    golden::assert_equal("the output of the float network", &found[0], &expected);
}

/// Compares every recorded activation with the codes of the same name.
fn check_layers(file: &str, shape: &[usize], point: i32) {
    let Some(path) = shared(&format!("models/xmodel/{file}.xmodel")) else { return };
    let (_, lowered) = networks(&path, 0);
    let recorded = golden::read(&path.with_file_name("golden_layers.npz"));
    let mut missing: HashMap<&str, &Tensor> = recorded.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    evaluate(&lowered, "main", &[input(&path, shape, point)], &mut |op, tensor| {
        if let Some((name, expected)) = tensor_name(&lowered, op).and_then(|name| missing.remove_entry(name)) {
            golden::assert_equal(name, tensor, expected);
        }
    })
    .unwrap();
    assert_eq!(missing.keys().collect::<Vec<_>>(), Vec::<&&str>::new());
}

#[test]
fn mnist_cnn() {
    check("mnist_cnn/quantised", &[1, 28, 28, 1], 6);
    check_layers("mnist_cnn/quantised", &[1, 28, 28, 1], 6);
}

#[test]
fn cifar_resnet20() {
    check("cifar_resnet20/quantised", &[1, 32, 32, 3], 5);
    check_layers("cifar_resnet20/quantised", &[1, 32, 32, 3], 5);
}

#[test]
fn zero_dce() {
    check("zero_dce/quantised", &[1, 512, 512, 3], 6);
}

/// The QDQ twin of a sample, with its scales as binary places, gives the recorded output when it is lowered.
fn check_qdq(model: &str, file: &str, shape: &[usize], point: i32) {
    let Some(twin) = shared(&format!("models/onnx/third_party/{file}.onnx")) else { return };
    let Some(path) = shared(&format!("models/xmodel/{model}/quantised.xmodel")) else { return };
    let onnx = dpuc_onnx::read(std::fs::read(twin).unwrap().into()).unwrap();
    let imported = import_onnx(&onnx, &OnnxOptions::default()).unwrap();
    assert!(imported.warnings.is_empty(), "{:?}", imported.warnings);
    let mut lowered = imported.ir;
    fold_float(&mut lowered).unwrap();
    canonicalise(&mut lowered).unwrap();
    lower_to_int8(&mut lowered).unwrap();
    let found = evaluate(&lowered, "main", &[input(&path, shape, point)], &mut |op, _| {
        assert!(!lowered.op_name(op).starts_with("nn."), "{} stays in floating point", lowered.op_name(op));
    });
    golden::assert_equal("the output of the lowered network", &found.unwrap()[0], &expected_output(&path));
}

#[test]
fn cifar_resnet20_as_qdq() {
    check_qdq("cifar_resnet20", "cifar_resnet20_qdq", &[1, 32, 32, 3], 5);
}

#[test]
fn zero_dce_as_qdq() {
    check_qdq("zero_dce", "zero_dce_qdq", &[1, 512, 512, 3], 6);
}

/// The value of a lowered network that AMD's compiler calls `name`; a rounding that lowering adds has a number in its name.
fn value_called(ir: &Ir, name: &str) -> ValueId {
    let inserted = format!("{}_inserted_fix_", name.trim_end_matches("_fix"));
    let is_it = |found: &str| found == name || found.starts_with(&inserted);
    let ops = ir.walk(ir.root()).into_iter();
    let mut found = ops.filter(|&op| tensor_name(ir, op).is_some_and(is_it)).map(|op| ir.result(op));
    found.next().unwrap_or_else(|| panic!("no value is called {name}"))
}

/// AMD's compiler made files of these networks: their DPU subgraphs compute the same as the lowered networks between the same tensors.
fn check_against_compiled(model: &str) {
    let Some(path) = shared(&format!("models/xmodel/{model}/quantised.xmodel")) else { return };
    let (_, lowered) = networks(&path, 1);
    check_subgraphs(&lowered, &path, value_called);
}

#[test]
fn mnist_cnn_as_compiled() {
    check_against_compiled("mnist_cnn");
}

#[test]
fn pointpillars_as_compiled() {
    check_against_compiled("pointpillars");
}
