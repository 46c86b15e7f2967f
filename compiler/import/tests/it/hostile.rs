//! Graphs that are broken.

use std::collections::BTreeMap;
use std::fs;

use bytes::Bytes;
use dpuc_import::import_xmodel;
use dpuc_xmodel::{Attr, Attributed, DataType, Graph, Op, Subgraph};

use crate::graphs::{constant, data, fix, fixed, float, window};
use crate::samples::shared;

fn error(ops: Vec<Op>) -> String {
    import_xmodel(&Graph::uncompiled("net", ops)).unwrap_err().to_string()
}

fn convolution() -> Vec<Op> {
    let conv = window(float("conv", "conv2d", &[1, 4, 4, 2]), [3, 3], [1, 1], [1, 1, 1, 1])
        .with_arg("input", ["x"])
        .with_arg("weights", ["w"])
        .with_attr("pad_mode", "FLOOR");
    vec![data("x", &[1, 4, 4, 3]), constant("w", &[2, 3, 3, 3]), conv]
}

#[test]
fn errors_name_op_attribute_and_cause() {
    let mut ops = convolution();
    ops[2].attrs.remove("stride");
    assert_eq!(error(ops), r#"op "conv": attribute "stride" of kind Int32Vec is missing"#);

    let mut ops = convolution();
    ops[2].set_attr("kernel", 3);
    let expected = r#"op "conv": attribute "kernel" of kind Int32Vec is expected, but it is of kind int32; readers fetch attributes by kind"#;
    assert_eq!(error(ops), expected);

    let mut ops = convolution();
    ops[2].set_attr("pad", vec![1, 1, 1]);
    assert_eq!(error(ops), r#"op "conv" (conv2d): attribute "pad" is [1, 1, 1], expected 4 numbers"#);

    let mut ops = convolution();
    ops[2].args.remove(1);
    assert_eq!(error(ops), r#"op "conv" (conv2d): argument "weights" is missing"#);

    let mut ops = convolution();
    ops[2].args[0].ops.push("x".to_owned());
    assert_eq!(error(ops), r#"op "conv" (conv2d): argument "input" has 2 producers, expected one"#);

    let mut ops = convolution();
    ops[2].args[0].ops = vec!["conv".to_owned()];
    assert_eq!(
        error(ops),
        r#"op "conv" (conv2d): argument "input" is fed by "conv" of type conv2d, which gives no tensor"#
    );

    let mut ops = convolution();
    ops[2].tensor.dims = vec![1, 4, 5, 2];
    assert_eq!(
        error(ops),
        "the graph is inconsistent: conv: `nn.conv2d` has a result of shape 1x4x5x2, but its operands and attributes give 1x4x4x2 [result-shape]"
    );

    let mut ops = convolution();
    ops[1].set_attr("data", vec![0_u8; 7]);
    assert_eq!(error(ops), r#"constant "w": it has 7 bytes, but its dimensions [2, 3, 3, 3] need 216"#);

    let mut ops = convolution();
    ops[1].attrs.remove("data");
    assert_eq!(
        error(ops),
        r#"constant "w": it has no data, and it is in no subgraph whose constant region could have it"#
    );

    let axis = float("soft", "softmax", &[1, 3]).with_arg("input", ["x"]).with_attr("axis", 2);
    assert_eq!(
        error(vec![data("x", &[1, 3]), axis]),
        r#"op "soft" (softmax): attribute "axis" names axis 2 of a tensor of 2 dimensions"#
    );

    let unknown = float("x", "data", &[-1, 3]);
    let expected = r#"op "x": its tensor of FLOAT32 and dimensions [-1, 3] has no form in the IR; float32 and XINT8 with known, positive dimensions do"#;
    assert_eq!(error(vec![unknown]), expected);

    assert_eq!(
        error(vec![data("x", &[1, 3])]),
        "the graph has no output: every op is read by another one or is a constant or an input"
    );

    let mut no_point = fixed("x", "data-fix", &[1, 3], 4);
    no_point.tensor.attrs.remove("fix_point");
    assert_eq!(error(vec![no_point]), r#"tensor "x_fix": attribute "fix_point" of kind int32 is missing"#);
}

/// A compiled graph with `count` constants, all at the same address.
fn overlapping(count: usize, region: usize, address: i32) -> Graph {
    let names: Vec<String> = (0..count).map(|i| format!("c{i}")).collect();
    let mut ops: Vec<Op> = Vec::new();
    for name in &names {
        let mut op = fixed(name, "const-fix", &[64], 4);
        for (key, value) in [("reg_id", 0), ("ddr_addr", address), ("location", 1)] {
            op.tensor.set_attr(key, value);
        }
        ops.push(op);
    }
    let sum = fixed("joined", "concat-fix", &[64 * count as i32], 4)
        .with_arg("input", names.iter().cloned())
        .with_attr("axis", 0);
    ops.push(sum);
    let regions = BTreeMap::from([("REG_0".to_owned(), Bytes::from(vec![0; region]))]);
    let all = names.iter().cloned().chain(["joined".to_owned()]);
    let dpu = Subgraph::leaf("subgraph_joined", all)
        .with_attr("device", "DPU")
        .with_attr("reg_id_to_parameter_value", regions);
    Graph::partitioned("net", ops, vec![dpu])
}

#[test]
fn constants_cannot_reach_beyond_their_region_nor_multiply_it() {
    assert!(import_xmodel(&overlapping(8, 64, 0)).is_ok());
    let error = |graph: Graph| import_xmodel(&graph).unwrap_err().to_string();
    assert_eq!(
        error(overlapping(1, 100, 37)),
        r#"constant "c0": its 64 bytes at 37 reach beyond the 100 bytes of REG_0"#
    );
    assert_eq!(
        error(overlapping(9, 64, 0)),
        r#"constant "c8": the constants of "subgraph_joined" overlap: they are 8 times larger than REG_0"#
    );
}

/// Real graphs with something wrong at one place are imported or refused, but nothing else happens.
#[test]
fn damaged_graphs_do_not_panic() {
    let files = ["mnist_cnn/quantised", "mnist_cnn/compiled_b4096", "tf2_custom_op/compiled_b4096"];
    for file in files {
        let Some(path) = shared(&format!("models/xmodel/{file}.xmodel")) else { return };
        let graph = dpuc_xmodel::read_shared(fs::read(&path).unwrap()).unwrap();
        for position in 0..graph.ops.len() {
            for damaged in damages(&graph.ops[position]) {
                let mut graph = graph.clone();
                graph.ops[position] = damaged;
                let _ = import_xmodel(&graph);
            }
        }
    }
}

/// The op with each of its parts missing, or replaced by extremes.
fn damages(op: &Op) -> Vec<Op> {
    let mut damaged = Vec::new();
    let mut add = |change: &dyn Fn(&mut Op)| {
        let mut op = op.clone();
        change(&mut op);
        damaged.push(op);
    };
    for key in op.attrs.keys() {
        add(&|op| drop(op.attrs.remove(key)));
        add(&|op| op.set_attr(key.as_str(), 7_u64));
        for number in [i32::MIN, -1, 0, 65536, i32::MAX] {
            add(&|op| match op.attrs.get_mut(key) {
                Some(Attr::Int32(value)) => *value = number,
                Some(Attr::Int32Vec(values)) => values.iter_mut().for_each(|value| *value = number),
                Some(Attr::FloatVec(values)) => values.iter_mut().for_each(|value| *value = number as f32),
                _ => {}
            });
        }
        add(&|op| match op.attrs.get_mut(key) {
            Some(Attr::Int32Vec(values)) => values.clear(),
            Some(Attr::FloatVec(values)) => values.fill(f32::NAN),
            Some(Attr::String(text)) => "?".clone_into(text),
            _ => {}
        });
    }
    for key in op.tensor.attrs.keys() {
        add(&|op| drop(op.tensor.attrs.remove(key)));
        for number in [i32::MIN, -1, 0, i32::MAX] {
            add(&|op| op.tensor.set_attr(key.as_str(), number));
        }
    }
    for axis in 0..op.tensor.dims.len() {
        for size in [-1, 0, 1, 65536, i32::MAX] {
            add(&|op| op.tensor.dims[axis] = size);
        }
        add(&|op| _ = op.tensor.dims.remove(axis));
    }
    for arg in 0..op.args.len() {
        add(&|op| drop(op.args.remove(arg)));
        add(&|op| op.args[arg].ops.clear());
        add(&|op| op.args[arg].ops.push("absent".to_owned()));
        add(&|op| {
            let again = op.args[arg].ops.clone();
            op.args[arg].ops.extend(again);
        });
    }
    add(&|op| op.tensor.data_type = DataType::FLOAT32);
    add(&|op| op.tensor.data_type = DataType::XINT8);
    add(&|op| "identity".clone_into(&mut op.kind));
    add(&|op| "unheard-of".clone_into(&mut op.kind));
    damaged
}

#[test]
fn a_long_chain_is_imported() {
    let mut ops = vec![data("x", &[1, 4])];
    let mut last = "x".to_owned();
    for _ in 0..20_000 {
        let op = fix(&last, &[1, 4], 3);
        last = op.name.clone();
        ops.push(op);
        if last.len() > 200 {
            last = format!("relu{}", ops.len());
            ops.push(float(&last, "relu", &[1, 4]).with_arg("input", [ops[ops.len() - 1].name.clone()]));
        }
    }
    let imported = import_xmodel(&Graph::uncompiled("net", ops)).unwrap();
    assert!(imported.ir.walk(imported.ir.root()).len() > 20_000);
}
