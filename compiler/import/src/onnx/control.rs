//! Operators that compute nothing: constants, copies, branches, functions.

use std::collections::HashMap;
use std::sync::Arc;

use dpuc_onnx::{Attribute, ElementType, Function, Graph};

use super::error::Reason;
use super::importer::{Entry, Importer, Outcome};
use super::literal::Literal;
use super::node::Node;
use super::operators;

/// Functions and branches within each other, at most.
const MAX_DEPTH: usize = 32;

/// Operators that can only be computed while importing.
pub(super) fn only_constant(_: &mut Importer<'_>, _: Node<'_>) -> Outcome {
    Err("its inputs are computed by the network; it is only supported when they are constant".into())
}

pub(super) fn identity(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let input = importer.operand(node, 0)?;
    importer.define(node, 0, input);
    Ok(())
}

/// The identity in inference.
pub(super) fn dropout(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let is_training = importer.optional_literal(node, 2, "training mode")?;
    if is_training.is_some_and(|literal| literal.single() != Some(0.0)) {
        return Err("it is in training mode; export the model for inference".into());
    }
    let input = importer.operand(node, 0)?;
    let everything = Literal { element: ElementType::BOOL, ..Literal::floats(input.shape(), vec![1.0]) };
    importer.define(node, 0, input);
    importer.define(node, 1, everything);
    Ok(())
}

pub(super) fn constant(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let literal = if let Some(tensor) = node.tensor("value")? {
        Literal::new(tensor)?
    } else if let Some(value) = node.maybe_float("value_float")? {
        Literal::scalar(value)
    } else if let Some(values) = node.floats("value_floats")? {
        Literal::floats(&[values.len()], values.to_vec())
    } else if let Some(value) = node.maybe_int("value_int")? {
        Literal { shape: Vec::new(), ..Literal::integers(vec![value]) }
    } else if let Some(values) = node.ints("value_ints")? {
        Literal::integers(values.to_vec())
    } else {
        return Err("it has no value that is a dense tensor or numbers".into());
    };
    importer.define(node, 0, literal);
    Ok(())
}

/// The branch that the condition takes becomes part of the graph.
pub(super) fn conditional(importer: &mut Importer<'_>, node: Node<'_>) -> Outcome {
    let condition = importer.optional_literal(node, 0, "condition")?.and_then(|literal| literal.single());
    let taken = match condition {
        Some(value) if value != 0.0 => "then_branch",
        Some(_) => "else_branch",
        None => return Err("its condition is not one truth value".into()),
    };
    importer.branch(node, node.graph(taken)?)
}

impl Importer<'_> {
    fn enter(&mut self) -> Outcome {
        if self.depth == MAX_DEPTH {
            return Err(format!("functions and branches are nested more than {MAX_DEPTH} deep").into());
        }
        self.depth += 1;
        Ok(())
    }

    /// Imports a graph that reads values of the graph around it. What it calls its own values is forgotten behind it.
    fn branch(&mut self, node: Node<'_>, graph: &Graph) -> Outcome {
        self.enter()?;
        let inside = graph.nodes.iter().flat_map(|node| &node.outputs);
        let inside = inside.chain(graph.initializers.iter().map(|tensor| &tensor.name));
        let hidden: Vec<(Arc<str>, Option<Entry>)> =
            inside.map(|name| (name.as_str().into(), self.values.get(name.as_str()).cloned())).collect();
        let constants = self.initializers(graph).map_err(|error| Reason(error.to_string()));
        if constants.is_ok() {
            self.graph_nodes(graph);
        }
        let names = graph.outputs.iter().map(|output| output.name.as_str());
        let results: Vec<_> = names.map(|name| self.values.get(name).cloned()).collect();
        for (name, before) in hidden {
            match before {
                Some(value) => self.values.insert(name, value),
                None => self.values.remove(&name),
            };
        }
        self.depth -= 1;
        constants?;
        self.define_all(node, results)
    }

    /// Imports the nodes of a function in place of a node that calls it.
    pub(super) fn call(&mut self, node: Node<'_>, function: &Function) -> Outcome {
        self.enter()?;
        let arguments = function.inputs.iter().enumerate().filter_map(|(index, name)| {
            let value = self.values.get(node.input(index)?).cloned().unwrap_or(Entry::Failed);
            Some((Arc::<str>::from(name.as_str()), value))
        });
        let inner: HashMap<Arc<str>, Entry> = arguments.collect();
        let outer = std::mem::replace(&mut self.values, inner);
        let own = operators::version(&function.opset_import).unwrap_or(self.opset);
        let opset = std::mem::replace(&mut self.opset, own);
        for proto in &function.nodes {
            let proto = instantiated(proto, node, function);
            self.node(Node { proto: &proto, opset: own });
        }
        let results: Vec<_> = function.outputs.iter().map(|name| self.values.get(name.as_str()).cloned()).collect();
        self.opset = opset;
        self.values = outer;
        self.depth -= 1;
        self.define_all(node, results)
    }

    /// Outputs of a node from the values of a graph; those that could not be imported stay so.
    fn define_all(&mut self, node: Node<'_>, results: Vec<Option<Entry>>) -> Outcome {
        for (index, result) in results.into_iter().enumerate() {
            match result {
                Some(Entry::Given(operand)) => self.define(node, index, operand),
                Some(Entry::Failed) if node.has_output(index) => {
                    self.values.insert(node.proto.outputs[index].as_str().into(), Entry::Failed);
                }
                Some(Entry::Failed) => {}
                None => return Err(format!("its output {index} is not computed by its graph").into()),
            }
        }
        Ok(())
    }
}

/// A node of a function, named after the node that calls it, with the attributes that the call gives.
fn instantiated(proto: &dpuc_onnx::Node, call: Node<'_>, function: &Function) -> dpuc_onnx::Node {
    let mut copy = proto.clone();
    copy.name = format!("{}/{}", call.name(), Node { proto, opset: call.opset }.name());
    copy.attributes.retain_mut(|attribute| {
        if attribute.reference.is_empty() {
            return true;
        }
        let default = || function.attribute_defaults.iter().find(|own| own.name == attribute.reference);
        match call.attribute(&attribute.reference).or_else(default) {
            Some(given) => {
                *attribute = Attribute { name: std::mem::take(&mut attribute.name), ..given.clone() };
                true
            }
            None => false,
        }
    });
    copy
}

/// The value of an attribute that holds one element, 0 if it is absent.
pub(super) fn fill(node: Node<'_>) -> Result<Literal, Reason> {
    match node.tensor("value")? {
        Some(tensor) => Literal::new(tensor),
        None => Ok(Literal::floats(&[1], vec![0.0])),
    }
    .and_then(|literal| if literal.count() == 1 { Ok(literal) } else { Err("its value is not one element".into()) })
}
