//! Float operators one by one.

use dpuc_import::Form;
use dpuc_xmodel::{Attributed, DataType, Graph, Op, Representation};
use insta::assert_snapshot;

use crate::graphs::{constant, data, fix, float, import, text, window};

/// A float op that reads `x`.
fn reads_x(name: &str, kind: &str, dims: &[i32]) -> Op {
    float(name, kind, dims).with_arg("input", ["x"])
}

/// As the CPU runner gives indices.
fn integers(mut op: Op) -> Op {
    op.tensor.data_type = DataType { representation: Representation::Int, bit_width: 32 };
    op
}

#[test]
fn windows() {
    let ops = vec![
        data("x", &[1, 7, 9, 2]),
        constant("w", &[3, 3, 2, 2]),
        fix("w", &[3, 3, 2, 2], 6),
        constant("dw", &[1, 3, 2, 2]),
        constant("b", &[3]),
        window(reads_x("floor", "conv2d", &[1, 4, 9, 3]), [2, 3], [1, 2], [1, 1, 1, 1])
            .with_arg("weights", ["w_fix"])
            .with_arg("bias", ["b"])
            .with_attr("pad_mode", "FLOOR")
            .with_attr("dilation", vec![2, 1])
            .with_attr("group", 1),
        window(reads_x("ceil", "maxpool2d", &[1, 4, 4, 2]), [3, 2], [2, 2], [0, 0, 0, 0]).with_attr("pad_mode", "CEIL"),
        window(reads_x("same", "depthwise-conv2d", &[1, 4, 5, 2]), [2, 3], [2, 2], [0, 0, 0, 0])
            .with_arg("weights", ["dw"])
            .with_arg("bias", [""; 0])
            .with_attr("pad_mode", "SAME")
            .with_attr("group", 2),
        window(reads_x("valid", "avgpool2d", &[1, 1, 3, 2]), [3, 7], [3, 1], [0, 0, 0, 0])
            .with_attr("pad_mode", "VALID"),
        window(reads_x("uncounted", "avgpool2d", &[1, 7, 9, 2]), [3, 3], [1, 1], [1, 1, 1, 1])
            .with_attr("pad_mode", "FLOOR")
            .with_attr("count_include_pad", false),
    ];
    let imported = import(ops);
    assert_eq!(imported.form, Form::Quantised);
    assert_snapshot!(text(&imported));
}

#[test]
fn transposed_convolutions() {
    let ops = vec![
        data("x", &[1, 4, 5, 2]),
        constant("w", &[3, 4, 4, 2]),
        constant("dw", &[1, 3, 2, 2]),
        window(reads_x("explicit", "transposed-conv2d", &[1, 8, 9, 3]), [4, 4], [2, 2], [2, 1, 1, 1])
            .with_arg("weights", ["w"])
            .with_attr("pad_mode", "FLOOR"),
        window(reads_x("same", "transposed-depthwise-conv2d", &[1, 8, 5, 2]), [2, 3], [1, 2], [0, 0, 0, 0])
            .with_arg("weights", ["dw"])
            .with_attr("pad_mode", "SAME"),
        window(reads_x("dilated", "transposed-conv2d", &[1, 8, 10, 3]), [4, 4], [2, 2], [1, 1, 1, 1])
            .with_arg("weights", ["w"])
            .with_attr("pad_mode", "FLOOR")
            .with_attr("dilation", vec![2, 2]),
    ];
    assert_snapshot!(text(&import(ops)));
}

#[test]
fn elementwise_and_activations() {
    let mut ops =
        vec![data("x", &[1, 2, 2, 3]), data("y", &[1, 1, 1, 3]), constant("scale", &[3]), constant("bias", &[3])];
    for kind in
        ["relu", "relu6", "hard-sigmoid", "hard-swish", "sigmoid", "tanh", "gelu", "swish", "mish", "exp", "elu"]
    {
        ops.push(reads_x(kind, kind, &[1, 2, 2, 3]));
    }
    for kind in ["add", "sub", "mul", "div"] {
        ops.push(float(kind, kind, &[1, 2, 2, 3]).with_arg("input", ["x", "y"]));
    }
    ops.push(reads_x("leaky", "leaky-relu", &[1, 2, 2, 3]).with_attr("alpha", 0.101_562_5_f32));
    ops.push(reads_x("soft", "softmax", &[1, 2, 2, 3]).with_attr("axis", -1));
    ops.push(float("sum of three", "add", &[1, 2, 2, 3]).with_arg("input", ["x", "y", "x"]));
    ops.push(
        reads_x("batchnorm", "scale", &[1, 2, 2, 3])
            .with_arg("scale", ["scale"])
            .with_arg("bias", ["bias"])
            .with_attr("axis", -1),
    );
    assert_snapshot!(text(&import(ops)));
}

#[test]
fn fixes() {
    let plain = fix("x", &[1, 4], -2);
    let mut unusual = fix("x", &[1, 4], 3);
    unusual.name = "unusual".to_owned();
    unusual.tensor.name = "tensor/of:unusual".to_owned();
    unusual.set_attr("bit_width", 16);
    unusual.set_attr("if_signed", false);
    unusual.set_attr("round_mode", "PY3_ROUND");
    let mut odd = fix("x", &[1, 4], 3);
    odd.name = "odd".to_owned();
    odd.set_attr("round_mode", "RANDOM_ROUND");
    let mut constant_fix = fix("c", &[4], 3);
    constant_fix.attrs.remove("round_mode");
    let ops = vec![data("x", &[1, 4]), constant("c", &[4]), plain, unusual, odd, constant_fix];
    assert_snapshot!(text(&import(ops)));
}

#[test]
fn movements() {
    let shape_part = |name: &str| constant(name, &[1]);
    let ops = vec![
        data("x", &[1, 4, 6, 2]),
        shape_part("n"),
        shape_part("l"),
        float("shape", "stack", &[2, 1]).with_arg("input", ["n", "l"]).with_attr("axis", 0),
        reads_x("reshaped", "reshape", &[1, 48]).with_arg("shape", ["shape"]).with_attr("shape", vec![0]),
        reads_x("flat", "flatten", &[1, 48]).with_attr("start_axis", 1).with_attr("end_axis", -1),
        reads_x("transposed", "transpose", &[1, 2, 4, 6]).with_attr("order", vec![0, -1, 1, 2]),
        float("joined", "concat", &[1, 4, 12, 2]).with_arg("input", ["x", "x"]).with_attr("axis", 2),
        reads_x("part", "strided_slice", &[1, 2, 5, 1])
            .with_attr("begin", vec![0, 0, 1, -1])
            .with_attr("end", vec![1, 4, 100, 2])
            .with_attr("strides", vec![1, 2, 1, 1]),
        reads_x("backwards", "strided_slice", &[1, 4, 6, 2])
            .with_attr("begin", vec![0, 3, 0, 0])
            .with_attr("end", vec![1, -5, 6, 2])
            .with_attr("strides", vec![1, -1, 1, 1]),
        reads_x("mirrored", "pad", &[1, 6, 6, 2])
            .with_attr("paddings", vec![0, 0, 1, 1, 0, 0, 0, 0])
            .with_attr("mode", "SYMMETRIC"),
        reads_x("ones", "pad", &[1, 6, 6, 2])
            .with_attr("paddings", vec![0, 0, 1, 1, 0, 0, 0, 0])
            .with_attr("mode", "CONSTANT")
            .with_attr("constant_values", vec![1.0_f32]),
        reads_x("two values", "pad", &[1, 6, 6, 2])
            .with_attr("paddings", vec![0, 0, 1, 1, 0, 0, 0, 0])
            .with_attr("mode", "CONSTANT")
            .with_attr("constant_values", vec![1.0_f32, 2.0]),
        reads_x("focus", "gstiling", &[1, 2, 3, 8]).with_attr("stride", 2).with_attr("reverse", false),
        float("unfocus", "gstiling", &[1, 4, 6, 2])
            .with_arg("input", ["focus"])
            .with_attr("stride", 2)
            .with_attr("reverse", true),
        reads_x("unshuffled", "pixel-shuffle", &[1, 2, 3, 8]).with_attr("scale", 2).with_attr("upscale", false),
        float("shuffled", "pixel-shuffle", &[1, 4, 6, 2])
            .with_arg("input", ["unshuffled"])
            .with_attr("scale", 2)
            .with_attr("upscale", true),
        reads_x("darknet", "reorg", &[1, 2, 3, 8]).with_attr("scale", 2).with_attr("reverse", false),
        reads_x("doubled", "resize", &[1, 8, 12, 2])
            .with_attr("mode", "NEAREST")
            .with_attr("scale", vec![2.0_f32, 2.0])
            .with_attr("half_pixel_centers", true),
        reads_x("interpolated", "resize", &[1, 8, 12, 2])
            .with_attr("mode", "BILINEAR")
            .with_attr("align_corners", true),
        reads_x("top", "reduction_max", &[1, 1, 1, 2]).with_attr("axis", vec![1, 2]).with_attr("keep_dims", true),
        reads_x("mean", "reduction_mean", &[1, 4, 6]).with_attr("axis", vec![-1]).with_attr("keep_dims", false),
        reads_x("sum", "reduction_sum", &[1, 4, 6, 1]).with_attr("axis", vec![3]).with_attr("keep_dims", true),
        reads_x("class", "argmax", &[1, 4, 6, 1]).with_attr("axis", -1),
        integers(reads_x("row", "argmax", &[1, 1, 6, 2]).with_attr("axis", 1)),
    ];
    assert_snapshot!(text(&import(ops)));
}

#[test]
fn matrix_products() {
    let ops = vec![
        data("x", &[1, 3]),
        constant("w", &[2, 3]),
        constant("v", &[3, 2]),
        constant("b", &[2]),
        float("linear", "matmul", &[1, 2])
            .with_arg("input", ["x", "w"])
            .with_arg("bias", ["b"])
            .with_attr("transpose_a", false)
            .with_attr("transpose_b", true),
        data("y", &[2, 1]),
        float("product", "matmul", &[1, 2])
            .with_arg("input", ["x", "v"])
            .with_attr("transpose_a", false)
            .with_attr("transpose_b", false),
        float("computed", "matmul", &[1, 1])
            .with_arg("input", ["product", "y"])
            .with_attr("transpose_a", false)
            .with_attr("transpose_b", false),
        float("turned", "matmul", &[3, 3])
            .with_arg("input", ["x", "x"])
            .with_attr("transpose_a", true)
            .with_attr("transpose_b", false),
    ];
    assert_snapshot!(text(&import(ops)));
}

#[test]
fn lines() {
    let line = |op: Op, kernel: i32, stride: i32, pad: [i32; 2]| {
        op.with_attr("kernel", vec![kernel]).with_attr("stride", vec![stride]).with_attr("pad", pad.to_vec())
    };
    let ops = vec![
        data("x", &[1, 9, 2]),
        constant("w", &[3, 2, 2]),
        fix("w", &[3, 2, 2], 6),
        constant("b", &[3]),
        line(reads_x("dilated", "conv1d", &[1, 4, 3]), 2, 2, [1, 2])
            .with_arg("weights", ["w_fix"])
            .with_arg("bias", ["b"])
            .with_attr("dilation", vec![3])
            .with_attr("pad_mode", "FLOOR"),
        line(reads_x("same", "conv1d", &[1, 9, 3]), 2, 1, [0, 0])
            .with_arg("weights", ["w_fix"])
            .with_attr("pad_mode", "SAME"),
        line(reads_x("top", "maxpool1d", &[1, 4, 2]), 3, 2, [0, 0]).with_attr("pad_mode", "VALID"),
        reads_x("scaled", "scale", &[1, 9, 2]).with_arg("scale", ["f"]),
        constant("f", &[2]),
        data("flat map", &[1, 3, 3, 2]),
        line(float("no line", "conv1d", &[1, 3, 3]).with_arg("input", ["flat map"]), 2, 1, [0, 0])
            .with_arg("weights", ["w_fix"])
            .with_attr("pad_mode", "VALID"),
    ];
    assert_snapshot!(text(&import(ops)));
}

#[test]
fn inner_products_and_negation() {
    let ops = vec![
        data("x", &[2, 2, 3]),
        constant("w", &[4, 2, 1, 3]),
        constant("v", &[5, 3]),
        constant("b", &[4]),
        reads_x("flattened", "inner-product", &[2, 4])
            .with_arg("weights", ["w"])
            .with_arg("bias", ["b"])
            .with_attr("axis", 1),
        reads_x("rows", "inner-product", &[2, 2, 5]).with_arg("weights", ["v"]).with_attr("axis", -1),
        reads_x("uneven", "inner-product", &[2, 4]).with_arg("weights", ["v"]).with_attr("axis", 1),
        reads_x("negative", "neg", &[2, 2, 3]),
    ];
    assert_snapshot!(text(&import(ops)));
}

fn normalised(input: &str, dims: &[i32]) -> Op {
    float(&format!("{input}_normalised"), "batchnorm", dims)
        .with_arg("input", [input])
        .with_arg("gamma", ["gamma"])
        .with_arg("beta", ["beta"])
        .with_arg("moving_mean", ["mean"])
        .with_arg("moving_var", ["variance"])
        .with_attr("axis", 3)
        .with_attr("epsilon", 0.0625_f32)
}

#[test]
fn normalisations() {
    let mut ops: Vec<Op> = ["gamma", "beta", "mean", "variance"].map(|name| constant(name, &[2])).to_vec();
    let convolution = |name: &str, kind: &str, weights: &[&str]| {
        let op = window(reads_x(name, kind, &[1, 4, 4, 2]), [1, 1], [1, 1], [0; 4]).with_attr("pad_mode", "FLOOR");
        weights.iter().zip(["weights", "bias"]).fold(op, |op, (value, argument)| op.with_arg(argument, [*value]))
    };
    ops.extend([
        data("x", &[1, 4, 4, 2]),
        constant("w", &[2, 1, 1, 2]),
        constant("b", &[2]),
        constant("dw", &[1, 1, 1, 2]),
        constant("shared", &[1, 1, 1, 2]),
        convolution("folded", "conv2d", &["w", "b"]),
        normalised("folded", &[1, 4, 4, 2]),
        convolution("depthwise", "depthwise-conv2d", &["dw"]),
        float("scaled", "scale", &[1, 4, 4, 2]).with_arg("input", ["depthwise"]).with_arg("scale", ["mean"]),
        convolution("first", "depthwise-conv2d", &["shared"]),
        normalised("first", &[1, 4, 4, 2]),
        convolution("rounded", "depthwise-conv2d", &["shared"]),
        fix("rounded", &[1, 4, 4, 2], 5),
        normalised("rounded_fix", &[1, 4, 4, 2]),
        reads_x("computed", "scale", &[1, 4, 4, 2]).with_arg("scale", ["vector"]),
        fix("mean", &[2], 4),
        reads_x("of rounded", "scale", &[1, 4, 4, 2]).with_arg("scale", ["mean_fix"]).with_arg("bias", ["beta"]),
        normalised("x", &[1, 4, 4, 2]).with_attr("axis", 1),
    ]);
    ops.insert(4, data("vector", &[1, 2]));
    let imported = import(ops);
    let constants: Vec<String> =
        imported.ir.weights.iter().map(|(name, weight)| format!("{name} = {:?}", weight.to_f32().unwrap())).collect();
    assert_snapshot!(text(&imported) + "\n" + &constants.join("\n"));
}

/// What contradicts itself is found, not folded.
#[test]
fn a_convolution_whose_sizes_do_not_fit_is_refused() {
    let refused = |weights: &[i32], bias: &[i32]| {
        let convolution = window(reads_x("conv", "conv2d", &[1, 4, 4, 2]), [1, 1], [1, 1], [0; 4]);
        let ops = vec![
            data("x", &[1, 4, 4, 2]),
            constant("w", weights),
            constant("b", bias),
            constant("f", &[2]),
            convolution.with_attr("pad_mode", "FLOOR").with_arg("weights", ["w"]).with_arg("bias", ["b"]),
            float("scaled", "scale", &[1, 4, 4, 2]).with_arg("input", ["conv"]).with_arg("scale", ["f"]),
        ];
        let imported = dpuc_import::import_xmodel(&Graph::uncompiled("net", ops));
        assert!(imported.is_err(), "weights {weights:?}, bias {bias:?}");
    };
    refused(&[1, 1, 1, 1], &[2]);
    refused(&[2, 1, 1, 2], &[1]);
    refused(&[3, 1, 1, 2], &[3]);
}

#[test]
fn outputs_are_in_the_order_of_the_framework() {
    let ops = vec![
        data("x", &[1, 4]),
        reads_x("inner", "relu", &[1, 4]),
        float("a", "tanh", &[1, 4]).with_arg("input", ["inner"]),
        float("b", "sigmoid", &[1, 4]).with_arg("input", ["inner"]),
    ];
    let returned = vec!["b".to_owned(), "inner".to_owned(), "absent".to_owned()];
    let graph = Graph::uncompiled("net", ops).with_attr("return_ops", returned);
    assert_snapshot!(text(&dpuc_import::import_xmodel(&graph).unwrap()));
}

#[test]
fn an_unknown_operator_keeps_its_attributes() {
    let ops = vec![
        data("points", &[1, 8, 4]),
        constant("weights", &[2]),
        float("scatter", "PPScatterV2", &[1, 64, 4, 4])
            .with_arg("input", ["points", "weights"])
            .with_attr("nx", 432)
            .with_attr("scale", 0.5_f32)
            .with_attr("names", vec!["a".to_owned()])
            .with_attr("device", "CPU")
            .with_attr("blob", vec![1_u8, 2]),
    ];
    assert_snapshot!(text(&import(ops)));
}
