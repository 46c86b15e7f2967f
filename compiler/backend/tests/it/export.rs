//! The exported graph, as AMD's tools read it.

use std::collections::BTreeMap;
use std::fmt::Write;

use dpuc_backend::{Options, compile};
use dpuc_dialects::Attribute;
use dpuc_dialects::dialects::{int8, nn};
use dpuc_xmodel::{Attr, AttrMap, Attributed, Graph, Subgraph};

use crate::harness::{check_network, largest};
use dpuc_graphs::{Conv, Net};

/// Everything but bytes, one line for each operator and subgraph.
fn listing(graph: &Graph) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{} {}", graph.name, attributes(&graph.attrs));
    for op in &graph.ops {
        let args: Vec<String> = op.args.iter().map(|arg| format!("{}={:?}", arg.name, arg.ops)).collect();
        let _ = writeln!(text, "{} = {} {} {}", op.name, op.kind, args.join(" "), attributes(&op.attrs));
        let tensor = &op.tensor;
        let _ = writeln!(
            text,
            "    -> {} {:?} {} {}",
            tensor.name,
            tensor.dims,
            tensor.data_type,
            attributes(&tensor.attrs)
        );
    }
    list_subgraph(&graph.root, 0, &mut text);
    text
}

fn list_subgraph(subgraph: &Subgraph, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    let _ = writeln!(text, "{indent}{} {:?} {}", subgraph.name, subgraph.ops, attributes(&subgraph.attrs));
    for child in &subgraph.children {
        list_subgraph(child, depth + 1, text);
    }
}

fn attributes(attrs: &AttrMap) -> String {
    let shown = attrs.iter().map(|(key, value)| match value {
        Attr::Bytes(bytes) => format!("{key}=<{} bytes>", bytes.len()),
        Attr::BytesMap(map) => {
            let sizes: BTreeMap<_, _> = map.iter().map(|(key, bytes)| (key, bytes.len())).collect();
            format!("{key}={sizes:?}")
        }
        value => format!("{key}={value:?}"),
    });
    format!("{{{}}}", shown.collect::<Vec<_>>().join(", "))
}

#[test]
fn a_small_network_with_everything() {
    let mut net = Net::new(1);
    let image = net.float_input(&[1, 8, 8, 3]);
    let x = net.quantise(image, 6);
    let a = net.conv(x, &Conv::same(4, 3, 5).relu());
    let b = net.depthwise(a, &Conv::same(4, 3, 5));
    let both = net.concat(&[a, b], 3, 5);
    let real = net.dequantise(both);
    let soft = net.softmax(real);
    let code = net.quantise(soft, 7);
    let pooled = net.pool(&int8::AVG_POOL, code, [8, 8], [1, 1], [0; 4], 5);
    let flat = net.reshape(pooled, &[1, 8]);
    let result = net.dequantise(flat);
    let ir = net.finish(&[result, soft]);
    check_network(&ir, &largest(), 1);
    let options = Options {
        name: Some("small".to_owned()),
        files_md5sum: BTreeMap::from([("small.xmodel".to_owned(), "0123".to_owned())]),
        ..Options::default()
    };
    let graph = compile(ir, &largest(), &options).unwrap().graph;
    insta::with_settings!({filters => vec![(env!("CARGO_PKG_VERSION"), "[version]")]}, {
        insta::assert_snapshot!(listing(&graph));
    });
}

#[test]
fn names_of_fused_operators_are_those_of_the_quantiser() {
    let mut net = Net::new(2);
    let x = net.input(&[1, 4, 4, 3], 5);
    let y = net.conv(x, &Conv::same(4, 1, 5));
    let op = net.ir.defining_op(y).unwrap();
    let parts = ["conv", "relu", "relu_fix"].map(|name| net.ir.named_location(name));
    let fused = net.ir.fused_location(parts);
    net.ir.set_location(op, fused);
    let z = net.dequantise(y);
    let graph = compile(net.finish(&[z]), &largest(), &Options::default()).unwrap().graph;
    let names: Vec<(&str, &str)> = graph
        .ops
        .iter()
        .map(|op| (op.name.as_str(), op.tensor.name.as_str()))
        .filter(|(op, _)| op.contains("conv") || op.contains("relu"))
        .collect();
    assert_eq!(names, [("conv", "relu_fix_download_0"), ("conv_download_0", "relu_fix"), ("relu_fix_", "relu_fix_")]);
}

#[test]
fn host_operators_keep_their_attributes_and_constants() {
    let mut net = Net::new(3);
    let x = net.input(&[1, 6, 6, 4], 5);
    // A shift below zero keeps the convolution on the host.
    let a = net.conv(x, &Conv { weight_fix: 0, bias_fix: Some(4), pads: [1, 0, 2, 1], ..Conv::same(5, 3, 6) });
    let b = net.upsample(a, [2, 3], "bilinear", 6);
    let c = net.conv(b, &Conv::same(5, 1, 4));
    let ir = net.finish(&[c, a]);
    let compiled = check_network(&ir, &largest(), 3);
    let find = |kind: &str| compiled.graph.ops.iter().find(|op| op.kind == kind).unwrap();
    let conv = find("conv2d-fix");
    assert_eq!(conv.attr::<&str>("device"), Ok("CPU"));
    assert_eq!(conv.attr::<&[i32]>("pad"), Ok(&[0, 1, 1, 2][..]), "[left, right, top, bottom]");
    let weights = compiled.graph.ops.iter().find(|op| op.name == conv.arg("weights")[0]).unwrap();
    assert_eq!(weights.attr::<&bytes::Bytes>("data").map(bytes::Bytes::len), Ok(5 * 3 * 3 * 4));
    let upsample = find("upsample-fix");
    assert_eq!(upsample.attr::<&[f32]>("scale"), Ok(&[3.0, 2.0][..]), "[w, h]");
    assert_eq!(upsample.tensor.attr_opt::<i32>("reg_id"), Ok(None));
}

#[test]
fn every_float_operator_survives_the_file() {
    let mut net = Net::new(4);
    let x = net.float_input(&[1, 6, 6, 4]);
    let int = |name: &'static str, value: i64| (name, Attribute::int(value));
    let ints = |name: &'static str, values: &[i64]| (name, Attribute::ints(values.iter().copied()));
    let mode = |value: &str| ("mode", Attribute::string(value));
    let map = [1, 6, 6, 4];
    let mut y = net.float(&nn::LEAKY_RELU, &[x], &[("alpha", Attribute::Float(0.1, None))], &map);
    for kind in [&nn::RELU, &nn::RELU6, &nn::HARD_SIGMOID, &nn::HARD_SWISH, &nn::SIGMOID, &nn::TANH] {
        y = net.float(kind, &[y], &[], &map);
    }
    for kind in [&nn::ADD, &nn::SUB, &nn::MUL, &nn::DIV] {
        y = net.float(kind, &[x, y], &[], &map);
    }
    // What the format has no operator for.
    let float = |name: &'static str, value: f64| (name, Attribute::Float(value, None));
    y = net.float(&nn::CLIP, &[y], &[float("max", 0.1)], &map);
    y = net.float(&nn::GELU, &[y], &[("approximate", Attribute::string("tanh"))], &map);
    y = net.float(&nn::LAYER_NORM, &[y], &[int("axis", 2), float("epsilon", 1e-5)], &map);
    let condition = net.float(&nn::COMPARE, &[x, y], &[("predicate", Attribute::string("lt"))], &map);
    y = net.float(&nn::SELECT, &[condition, x, y], &[], &map);
    let transposed = net.float(&nn::TRANSPOSE, &[y], &[ints("order", &[0, 1, 3, 2])], &[1, 6, 4, 6]);
    let square = net.float(&nn::BATCH_MATMUL, &[y, transposed], &[], &[1, 6, 6, 6]);
    y = net.float(&nn::BATCH_MATMUL, &[square, y], &[], &map);
    let least = net.float(&nn::REDUCE_MIN, &[y], &[ints("axes", &[1])], &[1, 1, 6, 4]);
    let least = net.float(&nn::BROADCAST, &[least], &[], &map);
    y = net.float(&nn::SUB, &[y, least], &[], &map);
    let cubic =
        [mode("cubic"), ("scales", Attribute::Array([1.25, 0.8].map(|scale| Attribute::Float(scale, None)).into()))];
    let resized = net.float(&nn::RESIZE, &[y], &cubic, &[1, 7, 6, 4]);
    let rows = net.float(&nn::ARGMAX, &[x], &[int("axis", 1)], &[1, 1, 6, 4]);
    let rows =
        net.float(&nn::REDUCE_MIN, &[rows], &[ints("axes", &[0, 1, 3]), ("keep_dims", Attribute::Bool(false))], &[6]);
    y = net.float(&nn::GATHER, &[resized, rows], &[int("axis", 1)], &map);
    y = net.float(&nn::FIX, &[y], &[int("fix_point", 5), ("round_mode", Attribute::string("std"))], &map);
    y = net.float(&nn::CONCAT, &[x, y], &[int("axis", 1)], &[1, 12, 6, 4]);
    y = net.float(
        &nn::MAX_POOL,
        &[y],
        &[ints("kernel", &[3, 2]), ints("strides", &[2, 1]), ints("pads", &[1, 0, 1, 1])],
        &[1, 6, 6, 4],
    );
    let order = |order: &'static str| [int("block", 2), ("order", Attribute::string(order))];
    y = net.float(&nn::SPACE_TO_DEPTH, &[y], &order("crd"), &[1, 3, 3, 16]);
    y = net.float(&nn::DEPTH_TO_SPACE, &[y], &order("dcr"), &[1, 6, 6, 4]);
    let (paddings, value) = (ints("paddings", &[0, 0, 2, 0, 0, 0, 0, 0]), ("value", Attribute::Float(0.25, None)));
    y = net.float(&nn::PAD, &[y], &[paddings, value], &[1, 8, 6, 4]);
    y = net.float(&nn::SPACE_TO_DEPTH, &[y], &order("reorg"), &[1, 4, 3, 16]);
    y = net.float(&nn::DEPTH_TO_SPACE, &[y], &order("crd"), &[1, 8, 6, 4]);
    y = net.float(&nn::MAX_POOL, &[y], &[ints("kernel", &[3, 1])], &[1, 6, 6, 4]);
    y = net.float(&nn::AVG_POOL, &[y], &[ints("kernel", &[2, 2]), ints("strides", &[2, 2])], &[1, 3, 3, 4]);
    let excluded = ("exclude_padding", Attribute::Bool(true));
    y = net.float(
        &nn::AVG_POOL,
        &[y],
        &[ints("kernel", &[3, 3]), ints("pads", &[1, 1, 1, 1]), excluded],
        &[1, 3, 3, 4],
    );
    y = net.float(
        &nn::RESIZE,
        &[y],
        &[mode("bilinear"), ("coordinates", Attribute::string("half_pixel"))],
        &[1, 6, 9, 4],
    );
    y = net.float(&nn::PAD, &[y], &[ints("paddings", &[0, 0, 1, 0, 0, 2, 0, 0]), mode("symmetric")], &[1, 7, 11, 4]);
    y = net.float(
        &nn::STRIDED_SLICE,
        &[y],
        &[ints("begin", &[0, 1, 0, 0]), ints("end", &[1, 7, 11, 4]), ints("strides", &[1, 2, 3, 1])],
        &[1, 3, 4, 4],
    );
    y = net.float(&nn::TRANSPOSE, &[y], &[ints("order", &[0, 3, 1, 2])], &[1, 4, 3, 4]);
    y = net.float(&nn::REDUCE_MEAN, &[y], &[ints("axes", &[1]), ("keep_dims", Attribute::Bool(false))], &[1, 3, 4]);
    y = net.float(&nn::REDUCE_SUM, &[y], &[ints("axes", &[2])], &[1, 3, 1]);
    y = net.float(&nn::REDUCE_MAX, &[y], &[ints("axes", &[1])], &[1, 1, 1]);
    y = net.float(&nn::RESHAPE, &[y], &[], &[1, 1]);
    let result = net.softmax(y);
    let class = net.float(&nn::ARGMAX, &[x], &[int("axis", 3)], &[1, 6, 6, 1]);
    let ir = net.finish(&[result, y, class]);
    check_network(&ir, &largest(), 4);
}

/// Without an operation that computes they are the host's.
#[test]
fn every_movement_of_the_host_survives_the_file() {
    let mut net = Net::new(6);
    let x = net.input(&[1, 4, 6, 8], 3);
    let mut y = net.slice(x, &[0, 0, 1, 0], &[1, 4, 6, 8], &[1, 1, 2, 1]);
    y = net.transpose(y, &[0, 2, 1, 3]);
    y = net.pad(y, &[[0, 0], [1, 0], [0, 0], [0, 0]], "constant", -5);
    y = net.pad(y, &[[0, 0], [1, 1], [1, 1], [0, 0]], "reflect", 0);
    y = net.pad(y, &[[0, 0], [0, 2], [1, 1], [0, 0]], "symmetric", 0);
    for order in ["dcr", "crd", "reorg"] {
        y = net.depth_to_space(y, 2, order);
        y = net.space_to_depth(y, 2, order);
    }
    let ir = net.finish(&[y]);
    let compiled = check_network(&ir, &largest(), 6);
    assert_eq!(compiled.report.count(dpuc_backend::Device::Dpu), 0);
}

#[test]
fn what_the_format_cannot_say_is_refused_with_the_way_out() {
    let refused = |build: &dyn Fn(&mut Net) -> Vec<dpuc_dialects::ValueId>| {
        let mut net = Net::new(5);
        let outputs = build(&mut net);
        compile(net.finish(&outputs), &largest(), &Options::default()).unwrap_err().to_string()
    };
    let unchanged = refused(&|net| {
        let x = net.input(&[1, 2, 2, 4], 5);
        vec![x]
    });
    assert_eq!(
        unchanged,
        "`@main` cannot be written to an .xmodel: it returns an argument or a constant, which the format cannot say; compute something"
    );
    let twice = refused(&|net| {
        let x = net.input(&[1, 2, 2, 4], 5);
        let y = net.conv(x, &Conv::same(4, 1, 5));
        vec![y, y]
    });
    assert!(twice.contains("returns a result of the DPU twice"), "{twice}");
    let parameters = refused(&|net| {
        let x = net.float_input(&[1, 2]);
        let y = net.float(&nn::CUSTOM, &[x], &[("type", Attribute::string("odd"))], &[1, 2]);
        let op = net.ir.defining_op(y).unwrap();
        let key = net.ir.name("shape");
        let entries = [(key, Attribute::Unit)];
        net.ir.set_attribute(op, "parameters", Attribute::Dictionary(entries.into()));
        vec![y]
    });
    assert!(parameters.contains("its parameter `shape` has no kind in the format"), "{parameters}");
}

#[test]
fn one_result_of_the_host_given_twice_is_two_outputs() {
    let mut net = Net::new(6);
    let x = net.input(&[1, 2, 2, 4], 5);
    let y = net.conv(x, &Conv::same(4, 1, 5));
    let z = net.dequantise(y);
    let compiled = check_network(&net.finish(&[z, z]), &largest(), 6);
    let names: &[String] = compiled.graph.attr("return_ops").unwrap();
    assert_eq!(names, ["conv2d_2_", "conv2d_2__1"]);
}

#[test]
fn unverified_modules_are_refused() {
    let mut net = Net::new(7);
    let x = net.input(&[1, 2, 2, 4], 5);
    let ty = net.ir.fix_tensor(&[1, 2, 2, 5], 5);
    let y = net.op(&int8::REQUANTISE, &[x], &[], &[1, 2, 2, 4], 5);
    net.ir.set_value_type(y, ty);
    let error = compile(net.finish(&[y]), &largest(), &Options::default()).unwrap_err().to_string();
    assert!(
        error.starts_with("the module to compile is not valid:\n  requantise_0: `int8.requantise` has operand #0"),
        "{error}"
    );
}
