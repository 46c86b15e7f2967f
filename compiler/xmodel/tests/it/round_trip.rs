//! Any valid graph survives writing and reading.

use std::collections::BTreeMap;

use bytes::Bytes;
use dpuc_xmodel::{Arg, Attr, AttrMap, Attributed, DataType, Graph, Op, Representation, Subgraph, Tensor, read, write};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};

fn attr_of<T: Arbitrary + 'static>() -> BoxedStrategy<Attr>
where
    Attr: From<T> + From<Vec<T>>,
{
    prop_oneof![any::<T>().prop_map(Attr::from), vec(any::<T>(), 0..4).prop_map(Attr::from)].boxed()
}

fn attr_map_of<T: std::fmt::Debug + 'static>(value: impl Strategy<Value = T> + 'static) -> BoxedStrategy<Attr>
where
    Attr: From<BTreeMap<String, T>>,
{
    btree_map(any::<String>(), value, 0..4).prop_map(Attr::from).boxed()
}

fn blob() -> impl Strategy<Value = Bytes> + Clone {
    vec(any::<u8>(), 0..200).prop_map(Bytes::from)
}

fn attr() -> impl Strategy<Value = Attr> {
    prop_oneof![
        attr_of::<bool>(),
        attr_of::<i32>(),
        attr_of::<u32>(),
        attr_of::<i64>(),
        attr_of::<u64>(),
        attr_of::<f32>(),
        attr_of::<f64>(),
        attr_of::<String>(),
        blob().prop_map(Attr::from),
        vec(blob(), 0..4).prop_map(Attr::from),
        attr_map_of(any::<i32>()),
        attr_map_of(any::<u32>()),
        attr_map_of(any::<i64>()),
        attr_map_of(any::<u64>()),
        attr_map_of(any::<String>()),
        attr_map_of(blob()),
        attr_map_of(vec(any::<i32>(), 0..4)),
        attr_map_of(vec(any::<u32>(), 0..4)),
        attr_map_of(vec(any::<i64>(), 0..4)),
        attr_map_of(vec(any::<u64>(), 0..4)),
        attr_map_of(vec(any::<String>(), 0..4)),
    ]
}

fn attrs() -> impl Strategy<Value = AttrMap> {
    btree_map("[a-z/é]{0,4}", attr(), 0..4)
}

fn tensor() -> impl Strategy<Value = Tensor> {
    let representation = select(&Representation::ALL[..]);
    (any::<String>(), vec(-1..50_i32, 0..6), representation, 1..=64_u32, attrs()).prop_map(
        |(name, dims, representation, bit_width, attrs)| Tensor {
            name,
            dims,
            data_type: DataType { representation, bit_width },
            attrs,
        },
    )
}

/// Ops named by position; each argument entry picks among the ops before it. `cuts` splits the ops into leaves.
fn graph() -> impl Strategy<Value = Graph> {
    let op = ("[a-z-]{1,8}", attrs(), vec(vec(any::<Index>(), 0..3), 0..3), tensor());
    (any::<String>(), vec(op, 0..8), attrs(), attrs(), vec(any::<bool>(), 8)).prop_map(
        |(name, ops, attrs, root_attrs, cuts)| {
            let op_name = |position: usize| format!("op/{position}");
            let ops: Vec<Op> = ops
                .into_iter()
                .enumerate()
                .map(|(position, (kind, attrs, args, tensor))| {
                    let producers = |picks: Vec<Index>| match position {
                        0 => Vec::new(),
                        _ => picks.iter().map(|pick| op_name(pick.index(position))).collect(),
                    };
                    let args = args.into_iter().enumerate();
                    let args = args.map(|(n, picks)| Arg { name: format!("arg{n}"), ops: producers(picks) }).collect();
                    Op { name: op_name(position), kind, attrs, args, tensor }
                })
                .collect();
            let mut leaves: Vec<Subgraph> = Vec::new();
            for (op, cut) in ops.iter().zip(cuts) {
                match leaves.last_mut() {
                    Some(leaf) if !cut => leaf.ops.push(op.name.clone()),
                    _ => leaves.push(Subgraph::leaf(format!("subgraph_{}", op.name), [op.name.clone()])),
                }
            }
            let mut graph = match leaves.len() {
                0 | 1 => Graph::uncompiled(name, ops),
                _ => Graph::partitioned(name, ops, leaves),
            };
            graph.attrs = attrs;
            graph.root.attrs = root_attrs;
            graph
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_graph_survives_a_round_trip(graph in graph()) {
        let file = write(&graph).unwrap();
        let again = read(&file).unwrap();
        prop_assert_eq!(&again, &graph);
        prop_assert_eq!(write(&again).unwrap(), file);
    }
}

/// The order in which attributes were set does not reach the file.
#[test]
fn equal_graphs_give_equal_bytes() {
    let graph = |keys: [&str; 3]| {
        let tensor = Tensor::new("t", [1], DataType::XINT8);
        keys.iter().fold(Graph::uncompiled("g", vec![Op::new("a", "data", tensor)]), |g, &key| g.with_attr(key, key))
    };
    assert_eq!(write(&graph(["a", "b", "c"])).unwrap(), write(&graph(["c", "a", "b"])).unwrap());
}

#[test]
fn every_bit_of_a_float_survives() {
    let bits = 0x7fa1_2345;
    let tensor = Tensor::new("t", [1], DataType::XINT8);
    let graph = Graph::uncompiled("g", vec![Op::new("a", "data", tensor)]).with_attr("nan", f32::from_bits(bits));
    let again = read(&write(&graph).unwrap()).unwrap();
    assert_eq!(again.attr::<f32>("nan").unwrap().to_bits(), bits);
}
