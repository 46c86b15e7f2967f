//! Graphs that break a convention of the format are refused on writing and on reading.

use dpuc_xmodel::{
    Arg, Attributed, DataType, Graph, InvalidGraph, MAX_SUBGRAPH_DEPTH, Op, Subgraph, Tensor, WriteError, validate,
    write,
};

use crate::models::compiled;

/// The message about the small graph after `change`.
fn message(change: impl FnOnce(&mut Graph)) -> String {
    let mut graph = compiled();
    change(&mut graph);
    let invalid = validate(&graph).unwrap_err();
    assert_eq!(write(&graph), Err(WriteError::Invalid(invalid.clone())));
    invalid.to_string()
}

#[test]
fn the_small_graph_is_valid() {
    assert_eq!(validate(&compiled()), Ok(()));
    assert_eq!(validate(&Graph::uncompiled("", Vec::new())), Ok(()));
}

#[test]
fn ops_need_unique_names_and_a_type() {
    assert_eq!(message(|g| g.ops[1].name.clear()), "op number 1 has no name; every op needs a unique one");
    assert_eq!(message(|g| g.ops[1].kind.clear()), r#"op "x_upload_0" has no type"#);
    assert_eq!(
        message(|g| g.ops[3].name = "x".to_owned()),
        r#"ops number 0 and 3 are both named "x"; op names must be unique"#
    );
}

#[test]
fn arguments_name_earlier_ops() {
    assert_eq!(
        message(|g| g.ops[3].args[1].ops[0] = "q".to_owned()),
        r#"argument "weights" of op "conv" names "q", but there is no op of this name"#
    );
    let late = "which does not come before it; order the ops with producers first";
    assert_eq!(message(|g| g.ops.swap(0, 1)), format!(r#"argument "input" of op "x_upload_0" names "x", {late}"#));
    assert_eq!(
        message(|g| g.ops[3].args[0].ops[0] = "conv".to_owned()),
        format!(r#"argument "input" of op "conv" names "conv", {late}"#)
    );
    assert_eq!(
        message(|g| g.ops[3].args.push(Arg { name: "input".to_owned(), ops: Vec::new() })),
        r#"op "conv" has the argument "input" twice; list all its producers in one"#
    );
}

#[test]
fn tensors_are_possible() {
    assert_eq!(
        message(|g| g.ops[3].tensor.dims[2] = -2),
        r#"op "conv": dimension 2 of tensor "conv_fix_download_0" is -2; it must be at least 0, or -1 for unknown"#
    );
    let too_large = "is too large to address";
    assert_eq!(
        message(|g| g.ops[0].tensor.dims = vec![i32::MAX, i32::MAX, 2]),
        format!(r#"op "x": tensor "x_fix" of dimensions [2147483647, 2147483647, 2] {too_large}"#)
    );
    assert!(message(|g| g.ops[0].tensor.dims = vec![0, i32::MAX, i32::MAX, -1, 2]).ends_with(too_large));
    assert_eq!(
        message(|g| g.ops[0].tensor.data_type.bit_width = 65),
        r#"op "x": tensor "x_fix" has data type XINT65; 1 to 64 bits are possible"#
    );
}

#[test]
fn every_op_is_in_exactly_one_leaf() {
    assert_eq!(
        message(|g| g.root.children[0].ops[0] = "q".to_owned()),
        r#"subgraph "subgraph_x" lists "q", but there is no op of this name"#
    );
    assert_eq!(
        message(|g| g.root.children[2].ops.push("conv".to_owned())),
        r#"op "conv" is listed in subgraph "subgraph_conv" and again in "subgraph_y"; it must be in exactly one leaf"#
    );
    assert_eq!(message(|g| drop(g.root.children.pop())), r#"op "y" is in no subgraph; it must be in exactly one leaf"#);
}

#[test]
fn a_subgraph_has_either_children_or_ops() {
    assert_eq!(
        message(|g| g.root.children[1].ops.push("x".to_owned())),
        r#"subgraph "subgraph_conv" has children and ops of its own; move the ops into a child"#
    );
    assert_eq!(
        message(|g| g.root.children.push(Subgraph::leaf("empty", [""; 0]))),
        r#"subgraph "empty" has neither children nor ops; leave it out"#
    );
}

#[test]
fn the_tree_of_subgraphs_is_bounded() {
    let nested = |depth: usize| {
        let op = Op::new("a", "data", Tensor::new("t", [1], DataType::XINT8));
        let leaf = Subgraph::leaf("s", ["a"]);
        let mut graph = Graph::uncompiled("g", vec![op]);
        graph.root = (1..depth).fold(leaf, |child, _| Subgraph::parent("s", vec![child]));
        graph
    };
    let deepest = nested(MAX_SUBGRAPH_DEPTH).with_attr("a", 1);
    assert_eq!(dpuc_xmodel::read(&write(&deepest).unwrap()).unwrap(), deepest);
    let too_deep = InvalidGraph::SubgraphTooDeep { subgraph: "s".to_owned() };
    assert_eq!(validate(&nested(MAX_SUBGRAPH_DEPTH + 1)), Err(too_deep));
}
