//! Damaged and hostile files give an error or a usable graph; they never panic, overflow the stack or exhaust memory.

use bytes::Bytes;
use dpuc_xmodel::{
    Attr, AttrMap, Graph, GraphIndex, InvalidGraph, MAX_SUBGRAPH_DEPTH, Malformed, MalformedCause, ReadError, Subgraph,
    read, write,
};
use proptest::prelude::*;

use crate::models::{compiled, sample};

/// Reads `file` and, when that works, does with the graph what users do.
fn exercise(file: &[u8]) {
    let graph = match read(file) {
        Ok(graph) => graph,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let written = write(&graph).unwrap();
    assert_eq!(write(&read(&written).unwrap()).unwrap(), written);
    match GraphIndex::new(&graph).dpu_subgraphs() {
        Ok(_) => {}
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn shorten_blobs(attrs: &mut AttrMap) {
    for attr in attrs.values_mut() {
        match attr {
            Attr::Bytes(bytes) => bytes.truncate(8),
            Attr::BytesMap(map) => map.values_mut().for_each(|bytes| bytes.truncate(8)),
            _ => {}
        }
    }
}

fn shorten_subgraph_blobs(subgraph: &mut Subgraph) {
    shorten_blobs(&mut subgraph.attrs);
    subgraph.children.iter_mut().for_each(shorten_subgraph_blobs);
}

/// A real file whose code and constants are cut to a few bytes, so that a random position is mostly structure.
fn structure_of(path: &str) -> Option<Vec<u8>> {
    let mut graph: Graph = read(&sample(path)?).unwrap();
    graph.ops.iter_mut().for_each(|op| shorten_blobs(&mut op.attrs));
    shorten_subgraph_blobs(&mut graph.root);
    Some(write(&graph).unwrap())
}

#[test]
fn every_truncation_is_survived() {
    let file = write(&compiled()).unwrap();
    for length in 0..file.len() {
        exercise(&file[..length]);
    }
    if let Some(file) = structure_of("mnist_cnn/compiled_b4096.xmodel") {
        for length in (0..file.len()).step_by(7) {
            exercise(&file[..length]);
        }
    }
}

#[test]
fn every_single_bit_flip_is_survived() {
    let mut file = write(&compiled()).unwrap();
    for bit in 0..8 * file.len() {
        file[bit / 8] ^= 1 << (bit % 8);
        exercise(&file);
        file[bit / 8] ^= 1 << (bit % 8);
    }
}

fn flipped(mut file: Vec<u8>, flips: &[(prop::sample::Index, u8)]) -> Vec<u8> {
    for (position, bit) in flips {
        let position = position.index(file.len());
        file[position] ^= 1 << bit;
    }
    file
}

fn flips() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    prop::collection::vec((any::<prop::sample::Index>(), 0..8_u8), 1..6)
}

fn many(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

#[test]
fn bit_flips_in_real_files_are_survived() {
    for path in ["mnist_cnn/compiled_b4096.xmodel", "mnist_cnn/quantised.xmodel"] {
        let (Some(whole), Some(structure)) = (sample(path), structure_of(path)) else { return };
        proptest!(many(300), |(flips in flips())| exercise(&flipped(whole.clone(), &flips)));
        proptest!(many(3000), |(flips in flips())| exercise(&flipped(structure.clone(), &flips)));
    }
}

proptest! {
    #![proptest_config(many(2000))]

    #[test]
    fn any_bytes_are_survived(file in prop::collection::vec(any::<u8>(), 0..300)) {
        exercise(&file);
    }

    /// Bytes that look like fields more often than chance.
    #[test]
    fn any_fields_are_survived(
        fields in prop::collection::vec((0..34_u8, 0..8_u8, prop::collection::vec(0..20_u8, 0..12)), 0..20)
    ) {
        let file: Vec<u8> =
            fields.into_iter().flat_map(|(number, wire, value)| [vec![number << 3 | wire], value].concat()).collect();
        exercise(&file);
    }
}

fn varint(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// `depth` messages, each the field `number` of the one around it. Every one of them, and the file, begins with `head`.
fn nested(number: u8, head: &[u8], depth: usize) -> Vec<u8> {
    let mut parts = vec![head.to_vec()];
    let mut length = head.len();
    for _ in 0..depth {
        let part = [head, &[number << 3 | 2], &varint(length)].concat();
        length += part.len();
        parts.push(part);
    }
    parts.reverse();
    parts.concat()
}

#[test]
fn deep_nesting_is_refused() {
    let subgraphs = |depth| read(&nested(10, b"\x0a\x01s", depth)).unwrap_err();
    for depth in [MAX_SUBGRAPH_DEPTH + 1, MAX_SUBGRAPH_DEPTH + 8] {
        let too_deep = InvalidGraph::SubgraphTooDeep { subgraph: "s".to_owned() };
        assert_eq!(subgraphs(depth), ReadError::Invalid(too_deep), "depth {depth}");
    }
    for depth in [MAX_SUBGRAPH_DEPTH + 9, 1000, 100_000] {
        let ReadError::Malformed(Malformed { cause, .. }) = subgraphs(depth) else { panic!("depth {depth}") };
        assert_eq!(cause, MalformedCause::TooDeep(MAX_SUBGRAPH_DEPTH + 8), "depth {depth}");
    }
    for number in [1, 3, 5, 11, 14] {
        exercise(&nested(number, b"", 100_000));
    }
}

#[test]
fn huge_lengths_are_refused() {
    let lengths = [u64::from(u32::MAX), u64::MAX, 1 << 31, 1 << 40, 1 << 63];
    for number in [1, 5, 10, 11, 99] {
        for length in lengths {
            let file = [vec![number << 3 | 2], varint(length as usize), vec![0; 16]].concat();
            match read(&file) {
                Err(ReadError::Malformed(Malformed { cause: MalformedCause::Truncated { needed, .. }, .. })) => {
                    assert_eq!(needed, length);
                }
                other => panic!("{:?}", other.map(drop)),
            }
        }
    }
}

/// A blob is not copied, so a large file costs no more than itself.
#[test]
fn a_large_blob_is_read_in_place() {
    let mut graph = compiled();
    let blob = Bytes::from(vec![7; 1 << 24]);
    graph.ops[2].attrs.insert("data".to_owned(), blob.clone().into());
    let file = Bytes::from(write(&graph).unwrap());
    let again = dpuc_xmodel::read_shared(file.clone()).unwrap();
    assert!(again == graph);
    let Attr::Bytes(read) = &again.ops[2].attrs["data"] else { panic!("not bytes") };
    assert!(file.as_ptr_range().contains(&read.as_ptr()));
}
