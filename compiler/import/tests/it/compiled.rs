//! Fixed-point operators one by one, and constants in the constant region.

use std::collections::BTreeMap;

use bytes::Bytes;
use dpuc_import::{Form, Imported, import_xmodel};
use dpuc_xmodel::{Attributed, Graph, Op, Subgraph};
use insta::assert_snapshot;

use crate::graphs::{fixed, fixed_constant, float, import, text, window, with_fix};

fn reads_x(name: &str, kind: &str, dims: &[i32], point: i32) -> Op {
    fixed(name, kind, dims, point).with_arg("input", ["x"])
}

fn input(dims: &[i32], point: i32) -> Op {
    fixed("x", "data-fix", dims, point)
}

#[test]
fn convolutions() {
    let weights = |op: Op, weights: &str| op.with_arg("weights", [weights]).with_arg("bias", ["b"]);
    let ops = vec![
        input(&[1, 7, 9, 2], 5),
        fixed_constant("w", &[3, 3, 2, 2], 6, 0),
        fixed_constant("dw", &[1, 3, 2, 2], 6, 100),
        fixed_constant("b", &[3], 7, 200),
        window(weights(reads_x("plain", "conv2d-fix", &[1, 4, 9, 3], 4), "w"), [2, 3], [1, 2], [1, 1, 1, 1])
            .with_attr("dilation", vec![2, 1])
            .with_attr("nonlinear", "RELU"),
        window(reads_x("depthwise", "depthwise-conv2d-fix", &[1, 7, 8, 2], 4), [2, 3], [1, 1], [0, 0, 1, 1])
            .with_arg("weights", ["dw"])
            .with_attr("nonlinear", "LEAKYRELU")
            .with_attr("LEAKYRELU_alpha", 0.101_562_5_f32)
            .with_attr("group", 2),
        window(weights(reads_x("up", "transposed-conv2d-fix", &[1, 15, 10, 3], 4), "w"), [2, 3], [1, 2], [0, 0, 0, 0])
            .with_attr("nonlinear", "RELU6"),
        window(weights(reads_x("swish", "conv2d-fix", &[1, 7, 10, 3], 4), "w"), [2, 3], [1, 1], [1, 1, 1, 1])
            .with_attr("nonlinear", "HSWISH"),
        window(weights(reads_x("gated", "conv2d-fix", &[1, 7, 10, 3], 4), "w"), [2, 3], [1, 1], [1, 1, 1, 1])
            .with_attr("nonlinear", "HSWISH")
            .with_attr("hsigmoid_in", 5)
            .with_attr("shift_hsigmoid", 12)
            .with_attr("shift_hswish", 8),
        window(weights(reads_x("gate", "conv2d-fix", &[1, 7, 10, 3], 7), "w"), [2, 3], [1, 1], [1, 1, 1, 1])
            .with_attr("nonlinear", "HSIGMOID")
            .with_attr("hsigmoid_in", 5)
            .with_attr("shift_hsigmoid", 12),
        fixed_constant("grouped_w", &[4, 3, 2, 1], 6, 50),
        window(reads_x("grouped", "conv2d-fix", &[1, 7, 10, 4], 4), [2, 3], [1, 1], [1, 1, 1, 1])
            .with_arg("weights", ["grouped_w"])
            .with_attr("nonlinear", "NONE")
            .with_attr("group", 2),
    ];
    let imported = import(ops);
    assert_eq!(imported.form, Form::Compiled);
    assert_snapshot!(text(&imported));
}

#[test]
fn other_operators() {
    let ops = vec![
        input(&[1, 4, 6, 2], 5),
        reads_x("in", "upload", &[1, 4, 6, 2], 5),
        window(fixed("top", "pool-fix", &[1, 2, 3, 2], 5).with_arg("input", ["in"]), [2, 2], [2, 2], [0, 0, 0, 0])
            .with_attr("type", "MAX"),
        window(reads_x("mean", "pool-fix", &[1, 1, 1, 2], 6), [6, 4], [1, 1], [0, 0, 0, 0]).with_attr("type", "AVG"),
        fixed("sum", "eltwise-fix", &[1, 4, 6, 2], 4)
            .with_arg("input", ["x", "in"])
            .with_attr("type", "ADD")
            .with_attr("nonlinear", "RELU"),
        fixed("product", "eltwise-fix", &[1, 4, 6, 2], 4).with_arg("input", ["x", "x"]).with_attr("type", "MUL"),
        reads_x("copy", "eltwise-fix", &[1, 4, 6, 2], 3).with_attr("type", "ADD"),
        fixed("least", "eltwise-fix", &[1, 4, 6, 2], 4).with_arg("input", ["x", "x"]).with_attr("type", "MIN"),
        fixed("joined", "concat-fix", &[1, 4, 6, 4], 5).with_arg("input", ["sum", "x"]).with_attr("axis", 3),
        reads_x("flat", "reshape-fix", &[1, 48], 5).with_attr("shape", vec![1, 48]),
        reads_x("larger", "upsample-fix", &[1, 8, 18, 2], 5)
            .with_attr("scale", vec![3.0_f32, 2.0])
            .with_attr("mode", "BILINEAR")
            .with_attr("half_pixel_centers", true),
        reads_x("stretched", "upsample-fix", &[1, 6, 9, 2], 5)
            .with_attr("scale", vec![1.5_f32, 1.5])
            .with_attr("mode", "NEAREST"),
        reads_x("smaller", "downsample-fix", &[1, 2, 2, 2], 6)
            .with_attr("scale", vec![3.0_f32, 2.0])
            .with_attr("mode", "BILINEAR"),
        reads_x("gate", "hard-sigmoid-fix", &[1, 4, 6, 2], 7)
            .with_attr("hsigmoid_in", 5)
            .with_attr("shift_hsigmoid", 12),
        reads_x("odd gate", "hard-sigmoid-fix", &[1, 4, 6, 2], 7)
            .with_attr("hsigmoid_in", 5)
            .with_attr("shift_hsigmoid", 11),
        reads_x("tiled", "tile-fix", &[1, 2, 3, 8], 5).with_attr("reverse", false).with_attr("stride", 2),
        fixed("out", "download", &[1, 48], 5).with_arg("input", ["flat"]),
        with_fix(float("out_", "fix2float", &[1, 48]).with_arg("input", ["out"]), 5),
        with_fix(fixed("again", "float2fix", &[1, 48], 5).with_arg("input", ["out_"]), 5),
    ];
    assert_snapshot!(text(&import(ops)));
}

#[test]
fn movements() {
    let pad = |name: &str, mode: &str, values: Vec<u8>| {
        reads_x(name, "pad-fix", &[1, 6, 7, 2], 5)
            .with_attr("paddings", vec![0, 0, 1, 1, 0, 1, 0, 0])
            .with_attr("mode", mode)
            .with_attr("constant_values", values)
    };
    let slice = |name: &str, point: i32| {
        reads_x(name, "strided_slice-fix", &[1, 2, 6, 1], point)
            .with_attr("begin", vec![0, 0, 0, 1])
            .with_attr("end", vec![1, 4, 6, 2])
            .with_attr("strides", vec![1, 2, 1, 1])
    };
    let blocks = |name: &str, kind: &str, factor: &str| {
        reads_x(name, kind, &[1, 2, 3, 8], 5).with_attr(factor, 2).with_attr("reverse", false)
    };
    let back = |name: &str, kind: &str, factor: &str, input: &str| {
        fixed(name, kind, &[1, 4, 6, 2], 5).with_arg("input", [input]).with_attr(factor, 2).with_attr("reverse", true)
    };
    let ops = vec![
        input(&[1, 4, 6, 2], 5),
        pad("zeros", "CONSTANT", Vec::new()),
        pad("least", "CONSTANT", vec![0x80]),
        pad("several", "CONSTANT", vec![1, 2]),
        pad("mirrored", "SYMMETRIC", Vec::new()),
        pad("reflected", "REFLECT", Vec::new()),
        slice("part", 5),
        // The slice itself keeps the fix point.
        slice("rounded part", 4),
        reads_x("turned", "transpose", &[1, 6, 4, 2], 5).with_attr("order", vec![0, 2, 1, 3]),
        blocks("tiled", "tile-fix", "stride"),
        back("untiled", "tile-fix", "stride", "tiled"),
        blocks("unshuffled", "pixel-shuffle-fix", "scale"),
        back("shuffled", "pixel-shuffle-fix", "scale", "unshuffled"),
        blocks("reorganised", "reorg-fix", "scale"),
        back("back", "reorg-fix", "scale", "reorganised"),
    ];
    assert_snapshot!(text(&import(ops)));
}

/// A graph of one transposed convolution 1x4, stride 2, whose weights are in the constant region.
fn transposed(compiler: &str) -> Imported {
    let constant = |name: &str, dims: &[i32], address: i32| {
        let mut op = fixed(name, "const-fix", dims, 6).with_attr("data", Bytes::new());
        for (key, value) in [("reg_id", 0), ("ddr_addr", address), ("location", 1)] {
            op.tensor.set_attr(key, value);
        }
        op
    };
    let ops = vec![
        input(&[1, 1, 3, 1], 5),
        constant("w", &[2, 1, 4, 1], 16),
        constant("b", &[2], 3),
        window(reads_x("up", "transposed-conv2d-fix", &[1, 1, 8, 2], 4), [4, 1], [2, 1], [0, 0, 0, 0])
            .with_arg("weights", ["w"])
            .with_arg("bias", ["b"]),
    ];
    let region: Vec<u8> = (0..24).collect();
    let dpu = Subgraph::leaf("subgraph_up", ["w", "b", "up"])
        .with_attr("device", "DPU")
        .with_attr("reg_id_to_parameter_value", BTreeMap::from([("REG_0".to_owned(), Bytes::from(region))]));
    let user = Subgraph::leaf("subgraph_x", ["x"]).with_attr("device", "USER");
    let mut graph = Graph::partitioned("net", ops, vec![user, dpu]);
    if !compiler.is_empty() {
        graph.set_attr("libs_info", BTreeMap::from([(format!("xcompiler.{compiler}"), "commit".to_owned())]));
    }
    import_xmodel(&graph).unwrap()
}

fn bytes_of(imported: &Imported, name: &str) -> Vec<u8> {
    imported.ir.weights.get(name).unwrap().bytes().to_vec()
}

#[test]
fn constants_come_from_their_region() {
    let imported = transposed("2.5.0");
    assert_eq!(bytes_of(&imported, "b"), [3, 4]);
    assert_eq!(bytes_of(&imported, "w"), [16, 17, 18, 19, 20, 21, 22, 23]);
}

/// Without crop, phase 0 has the taps 1 and 3 and is stored first.
#[test]
fn sub_kernels_are_put_back_in_natural_order() {
    let imported = transposed("3.5.0");
    assert_eq!(bytes_of(&imported, "w"), [18, 16, 19, 17, 22, 20, 23, 21]);
    assert!(imported.warnings.is_empty());
}

#[test]
fn an_unknown_compiler_is_taken_as_a_new_one() {
    let imported = transposed("");
    assert_eq!(bytes_of(&imported, "w"), [18, 16, 19, 17, 22, 20, 23, 21]);
    assert_eq!(imported.warnings.len(), 1);
    assert_eq!(
        imported.warnings[0].to_string(),
        "op \"up\": the file does not say which compiler made it; its weights are taken to be stored by sub-kernels"
    );
}
