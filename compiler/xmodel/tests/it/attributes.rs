//! Typed access to attributes.

use std::collections::BTreeMap;

use bytes::Bytes;
use dpuc_xmodel::{Attr, AttrKind, AttrProblem, Attributed, DataType, Graph, Op, Owner, Subgraph, Tensor};

fn conv() -> Op {
    Op::new("conv1", "conv2d-fix", Tensor::new("conv1_fix", [1], DataType::XINT8))
        .with_attr("workload", 7_u64)
        .with_attr("pad", vec![1, 0, 1, 0])
        .with_attr("nonlinear", "RELU")
        .with_attr("sizes", BTreeMap::from([("REG_0".to_owned(), 16)]))
        .with_attr("data", vec![1_u8, 2])
}

#[test]
fn attributes_are_fetched_by_type() {
    let op = conv();
    assert_eq!(op.attr::<u64>("workload").unwrap(), 7);
    assert_eq!(op.attr::<&[i32]>("pad").unwrap(), [1, 0, 1, 0]);
    assert_eq!(op.attr::<&Vec<i32>>("pad").unwrap(), &[1, 0, 1, 0]);
    assert_eq!(op.attr::<&str>("nonlinear").unwrap(), "RELU");
    assert_eq!(op.attr::<&BTreeMap<String, i32>>("sizes").unwrap()["REG_0"], 16);
    assert_eq!(op.attr::<&Bytes>("data").unwrap(), &[1, 2][..]);
    assert_eq!(op.attr_opt::<i32>("group").unwrap(), None);
    assert_eq!(op.attr_opt::<u64>("workload").unwrap(), Some(7));
}

#[test]
fn errors_name_owner_attribute_and_kinds() {
    let op = conv();
    let missing = op.attr::<i32>("fix_point").unwrap_err();
    assert_eq!(missing.problem, AttrProblem::Missing);
    assert_eq!(missing.to_string(), r#"op "conv1": attribute "fix_point" of kind int32 is missing"#);

    let wrong = op.attr_opt::<i32>("workload").unwrap_err();
    assert_eq!(wrong.problem, AttrProblem::Found(AttrKind::Uint64));
    assert_eq!(
        wrong.to_string(),
        r#"op "conv1": attribute "workload" of kind int32 is expected, but it is of kind uint64; readers fetch attributes by kind"#
    );
}

#[test]
fn every_part_of_a_graph_has_attributes() {
    let op = conv();
    let mut graph = Graph::uncompiled("g", vec![op]);
    graph.set_attr("origin", "here");
    assert_eq!(graph.owner(), Owner::Graph("g".to_owned()));
    assert_eq!(graph.attr::<&str>("origin").unwrap(), "here");
    assert_eq!(graph.ops[0].tensor.attr::<i32>("a").unwrap_err().owner, Owner::Tensor("conv1_fix".to_owned()));
    let error = Subgraph::leaf("s", ["conv1"]).attr::<&str>("device").unwrap_err();
    assert_eq!(error.to_string(), r#"subgraph "s": attribute "device" of kind string is missing"#);
}

/// Field numbers of §1.2.
#[test]
fn kinds_are_numbered_without_gap_from_4_to_32() {
    let numbers: Vec<u32> = AttrKind::ALL.iter().map(|&kind| kind as u32).collect();
    assert_eq!(numbers, (4..=32).collect::<Vec<_>>());
    assert_eq!(Attr::from(1_i32).kind(), AttrKind::Int32);
    assert_eq!(AttrKind::StringVecMap.to_string(), "map string→StringVec");
}

#[test]
fn sizes_of_tensors() {
    let tensor = |dims: &[i32], bit_width| {
        let tensor = Tensor::new("t", dims, DataType { bit_width, ..DataType::XINT8 });
        (tensor.num_elements(), tensor.num_bytes())
    };
    assert_eq!(tensor(&[], 32), (Some(1), Some(4)));
    assert_eq!(tensor(&[2, 3], 8), (Some(6), Some(6)));
    assert_eq!(tensor(&[3], 4), (Some(3), Some(2)));
    assert_eq!(tensor(&[i32::MAX, i32::MAX, i32::MAX, 0], 64), (Some(0), Some(0)));
    assert_eq!(tensor(&[-1, 0], 8), (None, None));
    assert_eq!(tensor(&[-1, 4], 8), (None, None));
    assert_eq!(tensor(&[i32::MAX, i32::MAX, i32::MAX], 8), (None, None));
    assert_eq!(tensor(&[i32::MAX, i32::MAX], 64), (Some(0x3fff_ffff_0000_0001), None));
}
