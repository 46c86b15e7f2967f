//! Small models and what they become.

use dpuc_import::{OnnxOptions, import_onnx};
use dpuc_onnx::{ElementType, Function, OperatorSet, Tensor};

use super::build::{floats, graph, imported, int, integers, ints, model, node, value};

/// Channels are last from the argument to the result, and what a reshape reads is in the framework's order.
#[test]
fn maps_are_nhwc_and_matrices_are_not() {
    let nodes = vec![
        node("Conv", "x w b", "a", vec![ints("pads", &[1, 1, 1, 1])]),
        node("Add", "a c", "d", vec![]),
        node("Concat", "d x", "e", vec![int("axis", 1)]),
        node("GlobalAveragePool", "e", "f", vec![]),
        node("Flatten", "f", "g", vec![]),
        node("Gemm", "g m", "y", vec![int("transB", 1)]),
        node("Reshape", "e s", "z", vec![]),
    ];
    let constants = vec![
        floats("w", &[2, 2, 3, 3], &[0.5; 36]),
        floats("b", &[2], &[1.0, 2.0]),
        floats("c", &[2, 1, 1], &[3.0, 4.0]),
        floats("m", &[3, 4], &[0.25; 12]),
        integers("s", &[2], &[0, -1]),
    ];
    insta::assert_snapshot!(imported(&model(&[1, 2, 4, 4], constants, nodes, "y z e")));
}

/// A model of TensorFlow's order transposes its input itself; nothing of that is left.
#[test]
fn transpositions_of_the_framework_vanish() {
    let nodes = vec![
        node("Transpose", "x", "a", vec![ints("perm", &[0, 3, 1, 2])]),
        node("MaxPool", "a", "b", vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])]),
        node("Transpose", "b", "y", vec![ints("perm", &[0, 2, 3, 1])]),
    ];
    insta::assert_snapshot!(imported(&model(&[1, 4, 4, 3], vec![], nodes, "y")));
}

/// The chain of `Shape` that `view(x.size(0), -1)` is.
#[test]
fn chains_of_shapes_are_folded() {
    let nodes = vec![
        node("Shape", "x", "a", vec![]),
        node("Gather", "a zero", "b", vec![]),
        node("Unsqueeze", "b axes", "c", vec![]),
        node("Concat", "c minus", "d", vec![int("axis", 0)]),
        node("Reshape", "x d", "y", vec![]),
    ];
    let constants = vec![integers("zero", &[], &[0]), integers("axes", &[1], &[0]), integers("minus", &[1], &[-1])];
    insta::assert_snapshot!(imported(&model(&[-1, 2, 3], constants, nodes, "y")));
}

#[test]
fn conditions_and_functions_are_resolved() {
    let branch = |op: &str| {
        let outputs = vec![value("r", &[1, 2])];
        dpuc_onnx::Graph { nodes: vec![node(op, "x", "r", vec![])], outputs, ..Default::default() }
    };
    let truth = Tensor { data_type: ElementType::BOOL.0, int32_data: vec![1], ..integers("t", &[], &[]) };
    let nodes = vec![
        node("If", "t", "a", vec![graph("then_branch", branch("Relu")), graph("else_branch", branch("Sigmoid"))]),
        dpuc_onnx::Node { domain: "own".to_owned(), ..node("Double", "a", "y", vec![]) },
    ];
    let mut model = model(&[1, 2], vec![truth], nodes, "y");
    model.functions = vec![Function {
        name: "Double".to_owned(),
        domain: "own".to_owned(),
        inputs: vec!["v".to_owned()],
        outputs: vec!["w".to_owned()],
        nodes: vec![node("Add", "v v", "w", vec![])],
        opset_import: vec![OperatorSet { domain: String::new(), version: 17 }],
        ..Function::default()
    }];
    insta::assert_snapshot!(imported(&model));
}

/// Weights, bias and activations as bytes with binary places; a bias of 32 bits is rounded to eight, which is said.
#[test]
fn quantised_models_keep_powers_of_two() {
    let scalar = |name: &str, value: f32| floats(name, &[], &[value]);
    let bytes = |name: &str, dims: &[i64], ty: ElementType, values: &[i32]| Tensor {
        name: name.to_owned(),
        dims: dims.to_vec(),
        data_type: ty.0,
        int32_data: values.to_vec(),
        ..Tensor::default()
    };
    let constants = vec![
        scalar("sx", 0.5),
        floats("sw", &[2], &[0.25, 0.125]),
        floats("sb", &[2], &[0.125, 0.0625]),
        bytes("zx", &[], ElementType::UINT8, &[128]),
        bytes("w", &[2, 1, 1, 1], ElementType::INT8, &[100, 3]),
        bytes("zw", &[2], ElementType::INT8, &[0, 0]),
        bytes("b", &[2], ElementType::INT32, &[1001, -2]),
        bytes("zb", &[2], ElementType::INT32, &[0, 0]),
    ];
    let nodes = vec![
        node("QuantizeLinear", "x sx zx", "a", vec![]),
        node("DequantizeLinear", "a sx zx", "c", vec![]),
        node("DequantizeLinear", "w sw zw", "d", vec![int("axis", 0)]),
        node("DequantizeLinear", "b sb zb", "e", vec![int("axis", 0)]),
        node("Conv", "c d e", "y", vec![]),
    ];
    let imported = import_onnx(&model(&[1, 1, 2, 2], constants, nodes, "y"), &OnnxOptions::default()).unwrap();
    let warnings: Vec<String> = imported.warnings.iter().map(ToString::to_string).collect();
    let text = dpuc_dialects::text::print(&imported.ir, dpuc_dialects::text::PrintOptions::default());
    insta::assert_snapshot!(format!("{}\n{text}", warnings.join("\n")));
}
