//! Small models.

use dpuc_dialects::text::{PrintOptions, print};
use dpuc_import::{ImportedOnnx, OnnxError, OnnxOptions, import_onnx};
use dpuc_onnx::{
    Attribute, AttributeKind, Dimension, DimensionValue, ElementType, Graph, Model, Node, OperatorSet, Shape, Tensor,
    TensorType, Type, ValueInfo,
};

/// `op(inputs) -> outputs`; lists of names are separated by spaces.
pub(crate) fn node(op: &str, inputs: &str, outputs: &str, attributes: Vec<Attribute>) -> Node {
    let names = |text: &str| text.split_whitespace().map(|name| name.trim_matches('_').to_owned()).collect();
    Node {
        op_type: op.to_owned(),
        name: format!("{}_{outputs}", op.to_lowercase()),
        inputs: names(inputs),
        outputs: names(outputs),
        attributes,
        ..Node::default()
    }
}

pub(crate) fn int(name: &str, value: i64) -> Attribute {
    Attribute { name: name.to_owned(), kind: AttributeKind::Int as i32, int: Some(value), ..Attribute::default() }
}

pub(crate) fn ints(name: &str, values: &[i64]) -> Attribute {
    let kind = AttributeKind::Ints as i32;
    Attribute { name: name.to_owned(), kind, ints: values.to_vec(), ..Attribute::default() }
}

pub(crate) fn text(name: &str, value: &str) -> Attribute {
    let string = Some(value.as_bytes().to_vec().into());
    Attribute { name: name.to_owned(), kind: AttributeKind::String as i32, string, ..Attribute::default() }
}

pub(crate) fn graph(name: &str, graph: Graph) -> Attribute {
    let kind = AttributeKind::Graph as i32;
    Attribute { name: name.to_owned(), kind, graph: Some(Box::new(graph)), ..Attribute::default() }
}

pub(crate) fn floats(name: &str, dims: &[i64], values: &[f32]) -> Tensor {
    let (dims, data_type) = (dims.to_vec(), ElementType::FLOAT.0);
    Tensor { name: name.to_owned(), dims, data_type, float_data: values.to_vec(), ..Tensor::default() }
}

pub(crate) fn integers(name: &str, dims: &[i64], values: &[i64]) -> Tensor {
    let (dims, data_type) = (dims.to_vec(), ElementType::INT64.0);
    Tensor { name: name.to_owned(), dims, data_type, int64_data: values.to_vec(), ..Tensor::default() }
}

/// A value of floats; a negative size is the dimension called `n`.
pub(crate) fn value(name: &str, dims: &[i64]) -> ValueInfo {
    let dimension = |&dim: &i64| {
        let value = if dim < 0 { DimensionValue::Symbol("n".to_owned()) } else { DimensionValue::Size(dim) };
        Dimension { value: Some(value) }
    };
    let shape = Some(Shape { dims: dims.iter().map(dimension).collect() });
    let tensor = Some(TensorType { element: ElementType::FLOAT.0, shape });
    ValueInfo { name: name.to_owned(), ty: Some(Type { tensor }) }
}

/// A model of operator set 17 with the input `x`, whose outputs are named.
pub(crate) fn model(x: &[i64], constants: Vec<Tensor>, nodes: Vec<Node>, outputs: &str) -> Model {
    let outputs = outputs.split_whitespace().map(|name| ValueInfo { name: name.to_owned(), ty: None }).collect();
    let inputs = vec![value("x", x)];
    let graph = Graph { nodes, initializers: constants, inputs, outputs, ..Graph::default() };
    let opset_import = vec![OperatorSet { domain: String::new(), version: 17 }];
    Model { ir_version: 8, graph: Some(graph), opset_import, ..Model::default() }
}

pub(crate) fn import(model: &Model) -> Result<ImportedOnnx, OnnxError> {
    import_onnx(model, &OnnxOptions::default())
}

/// The imported model as text.
pub(crate) fn imported(model: &Model) -> String {
    print(&import(model).unwrap().ir, PrintOptions::default())
}

/// Why the model is not imported.
pub(crate) fn refused(model: &Model) -> String {
    import(model).unwrap_err().to_string()
}
