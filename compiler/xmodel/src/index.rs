//! Who produces and who consumes.

use std::collections::HashMap;

use crate::attr::{AttrError, Attributed};
use crate::dpu::{DpuSubgraph, DpuSubgraphError};
use crate::graph::{Graph, Op, Subgraph};

/// Look-up tables of a graph, made once in time proportional to its size.
///
/// A name that belongs to no op, which [`validate`](crate::validate) refuses, is treated as absent.
#[derive(Clone, Debug)]
pub struct GraphIndex<'a> {
    graph: &'a Graph,
    positions: HashMap<&'a str, usize>,
    consumers: Vec<Vec<usize>>,
}

impl<'a> GraphIndex<'a> {
    /// The index of `graph`.
    pub fn new(graph: &'a Graph) -> Self {
        let positions: HashMap<_, _> =
            graph.ops.iter().enumerate().map(|(position, op)| (op.name.as_str(), position)).collect();
        let mut consumers = vec![Vec::new(); graph.ops.len()];
        for (position, op) in graph.ops.iter().enumerate() {
            for producer in op.producers().filter_map(|name| positions.get(name)) {
                let consumers: &mut Vec<usize> = &mut consumers[*producer];
                if consumers.last() != Some(&position) {
                    consumers.push(position);
                }
            }
        }
        Self { graph, positions, consumers }
    }

    /// The graph this is the index of.
    pub fn graph(&self) -> &'a Graph {
        self.graph
    }

    /// Place of the op `name` in [`Graph::ops`].
    pub fn position(&self, name: &str) -> Option<usize> {
        self.positions.get(name).copied()
    }

    /// The op `name`.
    pub fn op(&self, name: &str) -> Option<&'a Op> {
        self.position(name).map(|position| &self.graph.ops[position])
    }

    /// The ops that feed `op`, over all arguments in order; one that feeds it twice comes twice.
    pub fn producers(&self, op: &'a Op) -> impl Iterator<Item = &'a Op> {
        op.producers().filter_map(|name| self.op(name))
    }

    /// The ops that read the output of the op `name`, in graph order, each once.
    pub fn consumers(&self, name: &str) -> impl Iterator<Item = &'a Op> {
        let positions = self.position(name).map_or(&[][..], |position| &self.consumers[position]);
        positions.iter().map(|&position| &self.graph.ops[position])
    }

    /// Checked views of the subgraphs that run on the DPU, in execution order. None in a graph that is not compiled.
    pub fn dpu_subgraphs(&self) -> Result<Vec<DpuSubgraph<'a>>, DpuSubgraphError> {
        let subgraphs = self.graph.device_subgraphs()?;
        let dpu = subgraphs.into_iter().filter(|&(_, device)| device == "DPU");
        dpu.map(|(subgraph, _)| DpuSubgraph::new(self, subgraph)).collect()
    }
}

impl Graph {
    /// The children of the root with the device that runs each (`USER`, `CPU`, `DPU`), in execution order.
    pub fn device_subgraphs(&self) -> Result<Vec<(&Subgraph, &str)>, AttrError> {
        self.root.children.iter().map(|subgraph| Ok((subgraph, subgraph.attr("device")?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data_type::DataType;
    use crate::graph::Tensor;

    fn op(name: &str, producers: &[&str]) -> Op {
        let tensor = Tensor::new(name, [1], DataType::XINT8);
        Op::new(name, "eltwise-fix", tensor).with_arg("input", producers.iter().copied())
    }

    fn names<'a>(ops: impl Iterator<Item = &'a Op>) -> Vec<&'a str> {
        ops.map(|op| op.name.as_str()).collect()
    }

    #[test]
    fn edges_are_found_in_both_directions() {
        let graph =
            Graph::uncompiled("g", vec![op("a", &[]), op("b", &["a"]), op("c", &["b", "a"]), op("d", &["a", "a"])]);
        let index = GraphIndex::new(&graph);
        assert_eq!(names(index.consumers("a")), ["b", "c", "d"]);
        assert_eq!(names(index.consumers("d")), [""; 0]);
        assert_eq!(names(index.consumers("absent")), [""; 0]);
        assert_eq!(names(index.producers(&graph.ops[2])), ["b", "a"]);
        assert_eq!(names(index.producers(&graph.ops[3])), ["a", "a"]);
        assert_eq!(index.op("c"), Some(&graph.ops[2]));
        assert_eq!(index.op("absent"), None);
        assert!(index.dpu_subgraphs().unwrap().is_empty());
    }

    #[test]
    fn a_level_1_subgraph_without_device_is_named() {
        let graph = Graph::partitioned("g", vec![op("a", &[])], vec![Subgraph::leaf("subgraph_a", ["a"])]);
        let error = graph.device_subgraphs().unwrap_err();
        assert_eq!(error.to_string(), r#"subgraph "subgraph_a": attribute "device" of kind string is missing"#);
    }
}
