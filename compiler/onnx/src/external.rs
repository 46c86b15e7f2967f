//! Tensors that live in other files.

use std::collections::BTreeMap;

use bytes::Bytes;
use thiserror::Error;

use crate::message::{Attribute, Graph, Model, Node, Tensor};

/// `TensorProto.DataLocation.EXTERNAL`
const EXTERNAL: i32 = 1;

/// Why a tensor's data cannot be loaded.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the external data of tensor {tensor:?}: {problem}")]
pub struct ExternalDataError {
    /// The tensor.
    pub tensor: String,
    /// What is wrong.
    pub problem: String,
}

/// Replaces all external data by views of the files they are in. `read` gets each location once, a relative path below the model's folder
/// with `/` between its parts, and gives the whole file, or a reason why it cannot.
///
/// # Errors
/// A location that leaves the folder, a range outside the file, or a file that cannot be read.
pub fn load_external(
    model: &mut Model,
    read: impl FnMut(&str) -> Result<Bytes, String>,
) -> Result<(), ExternalDataError> {
    let mut loader = Loader { read, files: BTreeMap::new() };
    if let Some(graph) = &mut model.graph {
        loader.graph(graph)?;
    }
    model.functions.iter_mut().flat_map(|function| &mut function.nodes).try_for_each(|node| loader.node(node))
}

struct Loader<R> {
    read: R,
    files: BTreeMap<String, Bytes>,
}

impl<R: FnMut(&str) -> Result<Bytes, String>> Loader<R> {
    fn graph(&mut self, graph: &mut Graph) -> Result<(), ExternalDataError> {
        graph.initializers.iter_mut().try_for_each(|tensor| self.tensor(tensor))?;
        graph.nodes.iter_mut().try_for_each(|node| self.node(node))
    }

    fn node(&mut self, node: &mut Node) -> Result<(), ExternalDataError> {
        node.attributes.iter_mut().try_for_each(|attribute| self.attribute(attribute))
    }

    /// Recursion is as deep as messages are nested, which decoding bounds.
    fn attribute(&mut self, attribute: &mut Attribute) -> Result<(), ExternalDataError> {
        attribute.tensor.iter_mut().try_for_each(|tensor| self.tensor(tensor))?;
        attribute.tensors.iter_mut().try_for_each(|tensor| self.tensor(tensor))?;
        attribute.graph.iter_mut().try_for_each(|graph| self.graph(graph))?;
        attribute.graphs.iter_mut().try_for_each(|graph| self.graph(graph))
    }

    fn tensor(&mut self, tensor: &mut Tensor) -> Result<(), ExternalDataError> {
        if tensor.data_location != EXTERNAL {
            return Ok(());
        }
        let data = self.data(tensor).map_err(|problem| ExternalDataError { tensor: tensor.name.clone(), problem })?;
        tensor.raw_data = Some(data);
        tensor.data_location = 0;
        tensor.external_data.clear();
        Ok(())
    }

    fn data(&mut self, tensor: &Tensor) -> Result<Bytes, String> {
        let entry = |key: &str| tensor.external_data.iter().find(|entry| entry.key == key).map(|entry| &*entry.value);
        let number = |key: &str| {
            let parse = |text: &str| text.parse::<usize>().map_err(|_| format!("its {key} {text:?} is no number"));
            entry(key).map(parse).transpose()
        };
        let location = entry("location").ok_or("it has no location")?;
        let path = safe_path(location)?;
        let file = match self.files.get(&path) {
            Some(file) => file.clone(),
            None => {
                let file = (self.read)(&path)?;
                self.files.insert(path.clone(), file.clone());
                file
            }
        };
        let start = number("offset")?.unwrap_or(0);
        let end = match number("length")? {
            Some(length) => start.checked_add(length),
            None => Some(file.len()),
        };
        match end {
            Some(end) if start <= end && end <= file.len() => Ok(file.slice(start..end)),
            _ => Err(format!("its bytes from {start} on end behind the {} bytes of {path:?}", file.len())),
        }
    }
}

/// The location as a path that stays below the folder it is relative to.
fn safe_path(location: &str) -> Result<String, String> {
    let refused = || format!("the location {location:?} is not a path below the model's folder, so it is not read");
    let parts: Vec<&str> = location.split(['/', '\\']).filter(|part| *part != ".").collect();
    let is_plain = |part: &&str| !part.is_empty() && *part != ".." && !part.contains([':', '\0']);
    if parts.is_empty() || !parts.iter().all(is_plain) {
        return Err(refused());
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_below_the_folder() {
        assert_eq!(safe_path("a/./b.bin").as_deref(), Ok("a/b.bin"));
        assert_eq!(safe_path("a\\b.bin").as_deref(), Ok("a/b.bin"));
        for path in ["", ".", "/etc/passwd", "../x", "a/../../x", "C:\\x", "a//b", "a/", "x\0"] {
            assert!(safe_path(path).is_err(), "{path:?}");
        }
    }
}
