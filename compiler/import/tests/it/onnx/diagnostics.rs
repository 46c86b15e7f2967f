//! What is said about models that cannot be imported.

use dpuc_import::{OnnxOptions, Scales, import_onnx};
use dpuc_onnx::{Node, OperatorSet};

use super::build::{floats, int, integers, ints, model, node, refused, text, value};

#[test]
fn all_unsupported_nodes_are_listed_at_once() {
    let nodes = vec![
        node("Conv", "x w", "a", vec![ints("pads", &[0, 0, 0])]),
        node("NonMaxSuppression", "x x", "b", vec![]),
        Node { domain: "com.example".to_owned(), ..node("Foo", "b", "c", vec![]) },
        // Behind nodes that cannot be imported only the operator is looked at, unless the model says the shape.
        node("Relu", "c", "d", vec![]),
        node("GridSample", "d x", "e", vec![]),
        node("Resize", "x _ _ s", "f", vec![int("antialias", 1)]),
        node("Reshape", "a shape", "g", vec![]),
    ];
    let mut model = model(
        &[1, 2, 4, 4],
        vec![
            floats("w", &[1, 2, 1, 1], &[1.0, 2.0]),
            integers("shape", &[1], &[9]),
            integers("s", &[4], &[1, 2, 8, 8]),
        ],
        nodes,
        "g",
    );
    model.graph.as_mut().unwrap().value_info.push(value("a", &[1, 1, 4, 4]));
    insta::assert_snapshot!(refused(&model));
}

#[test]
fn reasons() {
    let constants = || {
        vec![
            floats("w", &[4, 3, 3, 3], &[0.0; 108]),
            floats("m", &[3, 2], &[0.0; 6]),
            integers("i", &[2], &[1, 7]),
            floats("one", &[], &[1.0]),
        ]
    };
    let cases = [
        node("Conv", "x w", "y", vec![]),
        node("Conv", "x w", "y", vec![int("group", 3)]),
        node("Conv", "x w", "y", vec![text("strides", "1")]),
        node("MaxPool", "x", "y", vec![]),
        node("MaxPool", "x", "y z", vec![ints("kernel_shape", &[2, 2])]),
        node("MaxPool", "x", "y", vec![ints("kernel_shape", &[9, 9])]),
        node("MatMul", "x m", "y", vec![]),
        node("Gather", "x i", "y", vec![int("axis", 1)]),
        node("Reshape", "x i", "y", vec![]),
        node("Reshape", "x x", "y", vec![]),
        node("Transpose", "x", "y", vec![ints("perm", &[0, 0, 1, 2])]),
        node("Add", "x m", "y", vec![]),
        node("Concat", "x m", "y", vec![int("axis", 7)]),
        node("Squeeze", "x i", "y", vec![]),
        node("ArgMax", "x", "y", vec![int("select_last_index", 1)]),
        node("If", "x", "y", vec![]),
        node("Upsample", "x", "y", vec![]),
        node("QuantizeLinear", "x one i", "y", vec![]),
        node("DequantizeLinear", "x x", "y", vec![]),
        node("Relu", "q", "y", vec![]),
        node("Relu", "", "y", vec![]),
    ];
    let lines: Vec<String> = cases
        .into_iter()
        .map(|node| {
            let text = refused(&model(&[1, 2, 4, 4], constants(), vec![node], "y"));
            text.lines().skip(1).map(str::trim).collect::<Vec<_>>().join(" ")
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn scales_that_are_no_powers_of_two_are_listed() {
    let zero = dpuc_onnx::Tensor { data_type: 3, ..integers("zero", &[], &[]) };
    let zero = dpuc_onnx::Tensor { int32_data: vec![0], ..zero };
    let nodes = vec![
        node("QuantizeLinear", "x s zero", "a", vec![]),
        node("DequantizeLinear", "a s zero", "b", vec![]),
        node("QuantizeLinear", "b p zero", "c", vec![]),
        node("DequantizeLinear", "c p zero", "y", vec![]),
    ];
    let model = model(&[1, 2], vec![floats("s", &[], &[0.3]), floats("p", &[], &[0.25]), zero], nodes, "y");
    insta::assert_snapshot!(refused(&model));
    let requantised = OnnxOptions { scales: Scales::Requantise, ..OnnxOptions::default() };
    let imported = import_onnx(&model, &requantised).unwrap();
    let warnings: Vec<String> = imported.warnings.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(warnings.join("\n"), @r#"op "quantizelinear_a": rounded to multiples of 2^-1 instead of its own scale"#);
}

#[test]
fn whole_models() {
    let relu = || vec![node("Relu", "x", "y", vec![])];
    let mut lines = vec![
        refused(&model(&[1, -1], vec![], relu(), "y")),
        refused(&model(&[1, 2], vec![], relu(), "z")),
        refused(&model(&[1, 2], vec![], relu(), "")),
        refused(&model(&[1, 2], vec![floats("w", &[2], &[1.0])], relu(), "y")),
    ];
    let mut old = model(&[1, 2], vec![], relu(), "y");
    old.opset_import = vec![OperatorSet { domain: String::new(), version: 6 }];
    lines.push(refused(&old));
    old.opset_import.clear();
    lines.push(refused(&old));
    let given = |name: &str, shape: &[usize]| {
        let input_shapes = [(name.to_owned(), shape.to_vec())].into();
        let options = OnnxOptions { input_shapes, ..OnnxOptions::default() };
        import_onnx(&model(&[1, -1], vec![], relu(), "y"), &options).unwrap_err().to_string()
    };
    lines.extend([given("v", &[1, 2]), given("x", &[1]), given("x", &[1, 0])]);
    insta::assert_snapshot!(lines.join("\n"));
}
