//! Small networks as text, in `tests/networks`: what they compute in floating point is what they compute after lowering, to the bit.
//!
//! A comment `// left: nn.a, nn.b` lists the kinds of operations that lowering leaves in floating point; without it there are none.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use dpuc_dialects::dialects::func;
use dpuc_dialects::text::{ParseOptions, parse};
use dpuc_dialects::verify::verify;
use dpuc_dialects::{Ir, TypeKind};
use dpuc_evaluate::{Tensor, evaluate};
use dpuc_passes::{canonicalise, eliminate_dead_code, lower_to_int8};

use dpuc_isa::Random;

pub(crate) fn read(path: &Path) -> Ir {
    let source = fs::read_to_string(path).unwrap();
    let parsed = parse(&source, &ParseOptions::default());
    assert!(parsed.is_ok(), "{}: {:#?}", path.display(), parsed.diagnostics);
    verified(parsed.ir, path)
}

fn verified(ir: Ir, path: &Path) -> Ir {
    let findings = verify(&ir);
    assert!(findings.is_empty(), "{}: {}", path.display(), findings.list()[0]);
    ir
}

fn files() -> Vec<PathBuf> {
    files_in("tests/networks")
}

fn files_in(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// The kinds of float operations in a program, constants aside.
fn float_operations(ir: &Ir) -> BTreeSet<String> {
    let names = ir.walk(ir.root()).into_iter().map(|op| ir.op_name(op).to_owned());
    names.filter(|name| name.starts_with("nn.") && name != "nn.constant").collect()
}

fn expected_operations(path: &Path) -> BTreeSet<String> {
    let source = fs::read_to_string(path).unwrap();
    let left = source.lines().find_map(|line| line.strip_prefix("// left: ")).unwrap_or_default();
    left.split(", ").filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Inputs of `@main`: numbers that are often halfway between two codes, some of them far out of range.
pub(crate) fn inputs(ir: &Ir, random: &mut Random) -> Vec<Tensor> {
    let entry = func::entry(ir, ir.find_symbol("main").unwrap());
    let input = |&argument| {
        let shape = ir.shape_of(argument).unwrap();
        let count = shape.iter().product();
        let tensor = ir.tensor_of(argument).unwrap();
        if matches!(ir.type_kind(tensor.element), TypeKind::Float(_)) {
            let mut number = || match random.below(16) {
                0 => 1000.0,
                1 => -1000.0,
                _ => (random.below(1 << 11) as f32 - 1024.0) / 256.0,
            };
            Tensor::from_f32(&shape, (0..count).map(|_| number()).collect()).unwrap()
        } else {
            Tensor::from_i8(&shape, (0..count).map(|_| random.code()).collect()).unwrap()
        }
    };
    ir.arguments(entry).iter().map(input).collect()
}

#[test]
fn lowering_keeps_every_bit() {
    for path in files() {
        let float = read(&path);
        let mut lowered = float.clone();
        let lowering = lower_to_int8(&mut lowered).unwrap();
        let lowered = verified(lowered, &path);
        assert_eq!(float_operations(&lowered), expected_operations(&path), "{}", path.display());
        let noted: BTreeSet<String> = lowering.notes.iter().map(|note| note.op.clone()).collect();
        assert_eq!(noted, expected_operations(&path), "{}: every operation left has a note", path.display());
        let mut random = Random::new(7);
        for _ in 0..20 {
            let inputs = inputs(&float, &mut random);
            let expected = evaluate(&float, "main", &inputs, &mut |_, _| {}).unwrap();
            let found = evaluate(&lowered, "main", &inputs, &mut |_, _| {}).unwrap();
            for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
                assert!(found == expected, "{}: result #{index} is {found:?} instead of {expected:?}", path.display());
            }
        }
    }
}

/// Before and after lowering.
#[test]
fn canonical_forms_keep_every_bit() {
    for path in files().into_iter().chain(files_in("../passes/tests/canonicalise")) {
        let original = read(&path);
        let mut canonical = original.clone();
        canonicalise(&mut canonical).unwrap();
        let canonical = verified(canonical, &path);
        let mut lowered = canonical.clone();
        lower_to_int8(&mut lowered).unwrap();
        canonicalise(&mut lowered).unwrap();
        let lowered = verified(lowered, &path);
        let mut random = Random::new(8);
        for _ in 0..5 {
            let inputs = inputs(&original, &mut random);
            let expected = evaluate(&original, "main", &inputs, &mut |_, _| {}).unwrap();
            for changed in [&canonical, &lowered] {
                let found = evaluate(changed, "main", &inputs, &mut |_, _| {}).unwrap();
                assert!(found == expected, "{}", path.display());
            }
        }
    }
}

#[test]
fn lowering_twice_and_dead_code_elimination_change_nothing_more() {
    let text =
        |ir: &Ir| dpuc_dialects::text::print(ir, dpuc_dialects::text::PrintOptions { generic: false, locations: true });
    for path in files() {
        let mut ir = read(&path);
        lower_to_int8(&mut ir).unwrap();
        let once = text(&ir);
        assert_eq!(eliminate_dead_code(&mut ir), dpuc_passes::DeadCode::default(), "{}", path.display());
        lower_to_int8(&mut ir).unwrap();
        assert_eq!(text(&ir), once, "{}", path.display());
    }
}
