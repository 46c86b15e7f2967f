//! Tensors in other files.

use bytes::Bytes;
use dpuc_onnx::{
    Attribute, ElementType, Elements, ExternalDataError, Graph, KeyValue, Model, Node, Tensor, load_external,
};

fn entries(pairs: &[(&str, &str)]) -> Vec<KeyValue> {
    pairs.iter().map(|(key, value)| KeyValue { key: (*key).to_owned(), value: (*value).to_owned() }).collect()
}

fn model(place: &[(&str, &str)]) -> Model {
    let tensor = Tensor {
        name: "w".to_owned(),
        dims: vec![2],
        data_type: ElementType::UINT8.0,
        data_location: 1,
        external_data: entries(place),
        ..Tensor::default()
    };
    // The same tensor as an initialiser and in the branch of a node.
    let branch = Graph { initializers: vec![tensor.clone()], ..Graph::default() };
    let attribute = Attribute { graph: Some(Box::new(branch)), ..Attribute::default() };
    let node = Node { attributes: vec![attribute], ..Node::default() };
    let graph = Graph { nodes: vec![node], initializers: vec![tensor], ..Graph::default() };
    Model { graph: Some(graph), ..Model::default() }
}

fn load(place: &[(&str, &str)]) -> Result<Model, ExternalDataError> {
    let mut model = model(place);
    let mut reads = 0;
    load_external(&mut model, |location| {
        reads += 1;
        assert_eq!(reads, 1, "a file is read once");
        match location {
            "data/w.bin" => Ok(Bytes::from_static(&[1, 2, 3, 4])),
            other => Err(format!("no {other}")),
        }
    })?;
    Ok(model)
}

#[test]
fn ranges_of_files_become_data() {
    let model = load(&[("location", "data/w.bin"), ("offset", "1"), ("length", "2")]).unwrap();
    let graph = model.graph.unwrap();
    let inner = graph.nodes[0].attributes[0].graph.as_ref().unwrap();
    for tensor in [&graph.initializers[0], &inner.initializers[0]] {
        assert_eq!(tensor.elements(), Ok(Elements::Integers(vec![2, 3])));
    }
    let rest = load(&[("location", "data/w.bin"), ("offset", "2")]).unwrap();
    assert_eq!(rest.graph.unwrap().initializers[0].elements(), Ok(Elements::Integers(vec![3, 4])));
}

#[test]
fn places_that_do_not_exist_are_errors_in_words() {
    let message = |place: &[(&str, &str)]| load(place).unwrap_err().to_string();
    insta::assert_snapshot!(message(&[("location", "../../etc/passwd")]), @r#"the external data of tensor "w": the location "../../etc/passwd" is not a path below the model's folder, so it is not read"#);
    insta::assert_snapshot!(message(&[]), @r#"the external data of tensor "w": it has no location"#);
    insta::assert_snapshot!(message(&[("location", "x")]), @r#"the external data of tensor "w": no x"#);
    insta::assert_snapshot!(message(&[("location", "data/w.bin"), ("offset", "3"), ("length", "2")]), @r#"the external data of tensor "w": its bytes from 3 on end behind the 4 bytes of "data/w.bin""#);
    insta::assert_snapshot!(message(&[("location", "data/w.bin"), ("offset", "18446744073709551615"), ("length", "2")]), @r#"the external data of tensor "w": its bytes from 18446744073709551615 on end behind the 4 bytes of "data/w.bin""#);
    insta::assert_snapshot!(message(&[("location", "data/w.bin"), ("length", "-1")]), @r#"the external data of tensor "w": its length "-1" is no number"#);
    let unloaded = model(&[]).graph.unwrap().initializers[0].elements();
    assert_eq!(unloaded.unwrap_err().to_string(), "its data are in another file that was not loaded");
}
