//! Damaged and absurd models.

use dpuc_import::{OnnxOptions, Scales, import_onnx};
use dpuc_onnx::{Function, Model, Node, write};
use proptest::prelude::*;

use super::build::{floats, import, int, integers, ints, model, node, refused};

/// Files with the operators of all samples: their nodes, without most of their weights.
fn samples() -> Vec<Vec<u8>> {
    let names =
        ["third_party/ppocrv4_det_640", "third_party/cifar_resnet20_qdq", "third_party/mtcnn_onet", "fashion_cnn"];
    let found = names.iter().filter_map(|name| dpuc_samples::shared(&format!("models/onnx/{name}.onnx")));
    found.map(|path| std::fs::read(path).unwrap()).collect()
}

fn try_import(model: &Model) {
    for scales in [Scales::Exact, Scales::Requantise, Scales::Float] {
        let _ = import_onnx(model, &OnnxOptions { scales, ..OnnxOptions::default() });
    }
}

/// Numbers that break arithmetic which is not careful.
fn number() -> impl Strategy<Value = i64> {
    prop_oneof![
        -9i64..9,
        Just(i64::MAX),
        Just(i64::MIN),
        Just(65535),
        Just(65536),
        Just(1 << 31),
        Just(-(1 << 33)),
        any::<i64>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_files_are_refused_or_imported(
        which in any::<prop::sample::Index>(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let samples = samples();
        if samples.is_empty() {
            return Ok(());
        }
        let mut file = which.get(&samples).clone();
        for (at, value) in flips {
            let at = at.index(file.len());
            file[at] ^= value;
        }
        if let Some(cut) = cut {
            let length = cut.index(file.len());
            file.truncate(length);
        }
        if let Ok(model) = dpuc_onnx::read(file.into()) {
            try_import(&model);
        }
    }

    /// Attributes and integer constants of real models with other numbers.
    #[test]
    fn absurd_numbers_are_refused_or_imported(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), number()), 1..5),
    ) {
        let samples = samples();
        if samples.is_empty() {
            return Ok(());
        }
        let mut model = dpuc_onnx::read(which.get(&samples).clone().into()).unwrap();
        let graph = model.graph.as_mut().unwrap();
        for (at, place, number) in changes {
            let at = at.index(graph.nodes.len());
            for attribute in &mut graph.nodes[at].attributes {
                if let Some(value) = &mut attribute.int {
                    *value = number;
                }
                if !attribute.ints.is_empty() {
                    let place = place.index(attribute.ints.len());
                    attribute.ints[place] = number;
                }
                if let Some(tensor) = attribute.tensor.as_mut().filter(|tensor| tensor.dims.len() == 1) {
                    tensor.dims = vec![number];
                }
            }
        }
        try_import(&model);
    }

    /// Each operator with inputs that exist and numbers that make no sense.
    #[test]
    fn absurd_nodes_are_refused_or_imported(
        operator in any::<prop::sample::Index>(),
        inputs in prop::collection::vec(prop::sample::select(vec!["x", "w", "i", "s", ""]), 0..5),
        sizes in prop::collection::vec(number(), 0..5),
        shape in prop::collection::vec(number(), 0..4),
        axis in number(),
        opset in 7i64..23,
    ) {
        let operators: Vec<&str> = dpuc_import::supported_operators().map(|info| info.name).collect();
        let attributes = vec![
            int("axis", axis),
            int("group", axis),
            int("blocksize", axis),
            int("num_groups", axis),
            int("size", axis),
            ints("kernel_shape", &sizes),
            ints("strides", &sizes),
            ints("pads", &sizes),
            ints("dilations", &sizes),
            ints("output_padding", &sizes),
            ints("output_shape", &sizes),
            ints("axes", &sizes),
            ints("perm", &sizes),
            int("ceil_mode", 1),
            int("to", 6),
        ];
        let mut odd = node(operators[operator.index(operators.len())], "", "y z", attributes);
        odd.inputs = inputs.into_iter().map(str::to_owned).collect();
        let constants = vec![
            floats("w", &[2, 2, 3, 3], &[0.5; 36]),
            integers("i", &[i64::try_from(shape.len()).unwrap()], &shape),
            floats("s", &[], &[0.5]),
        ];
        let mut model = model(&[1, 2, 5, 5], constants, vec![odd], "y");
        model.opset_import[0].version = opset;
        try_import(&model);
    }
}

/// A file of a few bytes cannot ask for gigabytes.
#[test]
fn constants_without_end_are_refused() {
    let size = integers("s", &[3], &[1 << 20, 1 << 20, 1 << 20]);
    let nodes = vec![node("ConstantOfShape", "s", "a", vec![]), node("Add", "x a", "y", vec![])];
    assert!(refused(&model(&[1], vec![size], nodes, "y")).contains("more than 2147483648 elements"));
    let repeats = integers("r", &[2], &[1 << 20, 1 << 20]);
    let nodes = vec![node("Tile", "w r", "a", vec![]), node("Add", "x a", "y", vec![])];
    assert!(refused(&model(&[1], vec![repeats, floats("w", &[1, 2], &[1.0, 2.0])], nodes, "y")).contains("elements"));
    // Each doubles the one before.
    let nodes = (0..40).map(|index| {
        let (from, to) = (format!("v{index}"), format!("v{}", index + 1));
        node("Concat", &format!("{from} {from}"), &to, vec![int("axis", 0)])
    });
    let doubled = model(&[1], vec![floats("v0", &[2], &[1.0, 2.0])], nodes.collect(), "v40");
    assert!(refused(&doubled).contains("too large"));
}

/// A function that calls itself twice.
#[test]
fn functions_without_end_are_refused() {
    let call = |inputs: &str, outputs: &str| Node { domain: "own".to_owned(), ..node("F", inputs, outputs, vec![]) };
    let mut endless = model(&[1], vec![], vec![call("x", "y")], "y");
    endless.functions = vec![Function {
        name: "F".to_owned(),
        domain: "own".to_owned(),
        inputs: vec!["a".to_owned()],
        outputs: vec!["c".to_owned()],
        nodes: vec![call("a", "b"), call("b", "c")],
        ..Function::default()
    }];
    assert!(import(&endless).is_err());
    // The model itself is small.
    assert!(write(&endless).len() < 200);
}
