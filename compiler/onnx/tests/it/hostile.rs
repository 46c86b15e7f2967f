//! Damaged and hostile files.

use bytes::Bytes;
use dpuc_onnx::{Attribute, Graph, Model, Node, Tensor, load_external, read, write};
use proptest::prelude::*;

fn sample() -> Option<Vec<u8>> {
    dpuc_samples::shared("models/onnx/fashion_cnn.onnx").map(|path| std::fs::read(path).unwrap())
}

/// Reads a file and everything in it.
fn visit(file: Vec<u8>) {
    let Ok(mut model) = read(Bytes::from(file)) else { return };
    let _ = load_external(&mut model, |_| Err("nothing is there".to_owned()));
    for tensor in model.graph.iter().flat_map(|graph| &graph.initializers) {
        let _ = tensor.elements();
    }
}

#[test]
fn a_model_survives_writing_and_reading() {
    let tensor = Tensor { name: "w".to_owned(), dims: vec![1, 2], float_data: vec![1.0, 2.0], ..Tensor::default() };
    let node = Node { op_type: "Relu".to_owned(), inputs: vec!["x".to_owned()], ..Node::default() };
    let graph = Graph { nodes: vec![node], initializers: vec![tensor], ..Graph::default() };
    let model = Model { ir_version: 8, graph: Some(graph), ..Model::default() };
    assert_eq!(read(write(&model).into()).unwrap(), model);
}

#[test]
fn tensor_data_are_views_of_the_file() {
    let Some(bytes) = sample() else { return };
    let file = Bytes::from(bytes);
    let range = file.as_ptr_range();
    let model = read(file.clone()).unwrap();
    let data = model.graph.unwrap().initializers.into_iter().filter_map(|tensor| tensor.raw_data);
    assert!(data.filter(|data| range.contains(&data.as_ptr())).count() > 10);
}

#[test]
fn what_is_no_model_is_refused_in_words() {
    let message = |bytes: &[u8]| read(Bytes::copy_from_slice(bytes)).unwrap_err().to_string();
    // Nothing, a pointer of Git LFS, a name that is no UTF-8, and a cut graph.
    let files: [&[u8]; 4] =
        [b"", b"version https://git-lfs", &[0x3a, 0x05, 0x0a, 0x03, 0x22, 0x01, 0xff], &[0x3a, 0x05, 0x0a]];
    insta::assert_snapshot!(files.map(message).join("\n"));
}

#[test]
fn graphs_within_graphs_without_end_are_refused() {
    let mut graph = Graph::default();
    for _ in 0..200 {
        let attribute = Attribute { graph: Some(Box::new(graph)), ..Attribute::default() };
        graph = Graph { nodes: vec![Node { attributes: vec![attribute], ..Node::default() }], ..Graph::default() };
    }
    let file = write(&Model { graph: Some(graph), ..Model::default() });
    assert!(read(file.into()).unwrap_err().to_string().contains("recursion limit reached"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_files_are_refused_or_read(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
        from_end: bool,
    ) {
        let Some(mut file) = sample() else { return Ok(()) };
        // The nodes are a small part of the file, at its beginning.
        let reach = if from_end { file.len() } else { 4000.min(file.len()) };
        for (at, value) in flips {
            let at = at.index(reach);
            file[at] ^= value;
        }
        if let Some(cut) = cut {
            let length = cut.index(file.len());
            file.truncate(length);
        }
        visit(file);
    }

    #[test]
    fn noise_is_refused_or_read(file in prop::collection::vec(any::<u8>(), 0..400)) {
        visit(file);
    }
}
