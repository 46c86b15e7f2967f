//! The partition of a network: which parts run where, and what passes between them.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::Source;
use crate::error::ReportError;
use crate::model::{Device, Operation};
use crate::names::{common_prefix, short};
use crate::network::Network;

/// Rounds after which depths are taken as they are.
const ROUNDS_MAX: usize = 64;

/// The parts of a compiled network.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The operations, producers first; constants are not listed.
    pub operations: Vec<Operation>,
    /// The parts, producers first.
    pub parts: Vec<Part>,
    /// What passes between them, by reading part.
    pub flows: Vec<Flow>,
}

/// A piece of the network on one device: an input, a DPU subgraph, or operations of the CPU that hang together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Where it runs.
    pub device: Device,
    /// Of a DPU subgraph its name, else that of its first operation.
    pub name: String,
    /// Its operations, producers first.
    pub operations: Vec<usize>,
}

/// Tensors that one part computes and another one reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The part that computes them.
    pub from: usize,
    /// The part that reads them.
    pub to: usize,
    /// The operations whose results they are.
    pub tensors: Vec<usize>,
}

impl Plan {
    /// The plan of a compiled network.
    ///
    /// # Errors
    /// The network is not compiled.
    pub fn of(source: &Source<'_>) -> Result<Self, ReportError> {
        let network = Network::new(source)?;
        let names: Vec<String> = network.subgraphs.iter().map(|own| own.subgraph.name.clone()).collect();
        Ok(Self::new(network.operations, &names))
    }

    /// The plan of these operations; `subgraphs` are the names of the DPU subgraphs they refer to.
    pub(crate) fn new(operations: Vec<Operation>, subgraphs: &[String]) -> Self {
        let part_of = Grouping::new(&operations, subgraphs.len()).parts();
        let count = part_of.iter().max().map_or(0, |&last| last + 1);
        let mut parts: Vec<Part> =
            (0..count).map(|_| Part { device: Device::Cpu, name: String::new(), operations: Vec::new() }).collect();
        for (index, operation) in operations.iter().enumerate() {
            let part = &mut parts[part_of[index]];
            if part.operations.is_empty() {
                part.device = operation.device;
                let subgraph = operation.subgraph.and_then(|own| subgraphs.get(own));
                part.name.clone_from(subgraph.unwrap_or(&operation.name));
            }
            part.operations.push(index);
        }
        let mut flows: Vec<Flow> = Vec::new();
        let mut flow_of: FxHashMap<(usize, usize), usize> = FxHashMap::default();
        let mut seen: FxHashSet<(usize, usize)> = FxHashSet::default();
        for (index, operation) in operations.iter().enumerate() {
            for &input in &operation.inputs {
                let (from, to) = (part_of[input], part_of[index]);
                if from == to {
                    continue;
                }
                let number = *flow_of.entry((from, to)).or_insert(flows.len());
                if number == flows.len() {
                    flows.push(Flow { from, to, tensors: Vec::new() });
                }
                if seen.insert((number, input)) {
                    flows[number].tensors.push(input);
                }
            }
        }
        flows.sort_by_key(|flow| (flow.to, flow.from));
        Self { operations, parts, flows }
    }

    /// Number of operations on a device.
    pub fn count(&self, device: Device) -> usize {
        self.operations.iter().filter(|operation| operation.device == device).count()
    }

    /// What a part is called, in at most `length` characters, without what all names begin with.
    pub fn title(&self, part: usize, length: usize) -> String {
        let Some(part) = self.parts.get(part) else { return String::new() };
        let prefix = common_prefix(self.operations.iter().map(|operation| operation.name.as_str()));
        let own = part.name.strip_prefix("subgraph_").filter(|_| part.device == Device::Dpu).unwrap_or(&part.name);
        short(own, prefix, length)
    }

    /// The tensors that leave a part: what other parts read, and what nobody reads.
    pub fn results(&self, part: usize) -> Vec<usize> {
        let outgoing = self.flows.iter().filter(|flow| flow.from == part).flat_map(|flow| flow.tensors.iter().copied());
        let mut results: Vec<usize> = outgoing.collect();
        let inside = self.parts.get(part).map(|part| &part.operations[..]).unwrap_or_default();
        let read: BTreeSet<usize> =
            inside.iter().flat_map(|&index| self.operations[index].inputs.iter().copied()).collect();
        results.extend(inside.iter().copied().filter(|index| !read.contains(index)));
        results.sort_unstable();
        results.dedup();
        results
    }

    /// Why a part is on the CPU: each reason once, with the operations it holds for.
    pub fn reasons(&self, part: &Part) -> Vec<(&str, Vec<usize>)> {
        let mut reasons: Vec<(&str, Vec<usize>)> = Vec::new();
        for &index in &part.operations {
            for obstacle in &self.operations[index].obstacles {
                match reasons.iter_mut().find(|(reason, _)| *reason == obstacle.reason) {
                    Some((_, operations)) => operations.push(index),
                    None => reasons.push((&obstacle.reason, vec![index])),
                }
            }
        }
        reasons
    }
}

/// Operations joined to parts. CPU operations that read each other are one part if no path between them leaves the CPU: the parts are then
/// without a cycle.
struct Grouping<'a> {
    operations: &'a [Operation],
    /// By operation, then by subgraph: the node of the graph of subgraphs and single operations.
    subgraphs: usize,
    /// By node: changes of device on the longest way to it.
    depth: Vec<usize>,
    /// By node: another one of its part; itself, if it is the first.
    first: Vec<usize>,
}

impl<'a> Grouping<'a> {
    fn new(operations: &'a [Operation], subgraphs: usize) -> Self {
        let nodes = subgraphs + operations.len();
        Self { operations, subgraphs, depth: vec![0; nodes], first: (0..nodes).collect() }
    }

    /// The node of an operation: its subgraph, or itself.
    fn node(&self, operation: usize) -> usize {
        let own = self.operations[operation].subgraph.filter(|&own| own < self.subgraphs);
        own.unwrap_or(self.subgraphs + operation)
    }

    fn is_host(&self, operation: usize) -> bool {
        self.operations[operation].device == Device::Cpu
    }

    /// The part of each operation, numbered by depth and, of the same depth, by the first operation.
    fn parts(mut self) -> Vec<usize> {
        // Operations of a subgraph need not follow each other, so that depths may settle in the second round or later; a damaged file may
        // have subgraphs that wait for each other.
        let _settled = (0..ROUNDS_MAX).find(|_| !self.deepen());
        for index in 0..self.operations.len() {
            for &input in &self.operations[index].inputs {
                let (own, other) = (self.node(index), self.node(input));
                if self.is_host(index) && self.is_host(input) && self.depth[own] == self.depth[other] {
                    let (own, other) = (self.root(own), self.root(other));
                    self.first[own.max(other)] = own.min(other);
                }
            }
        }
        let roots: Vec<usize> = (0..self.operations.len()).map(|index| self.root(self.node(index))).collect();
        let mut order: Vec<usize> = Vec::new();
        let mut is_known = vec![false; self.first.len()];
        for &root in &roots {
            if !std::mem::replace(&mut is_known[root], true) {
                order.push(root);
            }
        }
        order.sort_by_key(|&root| self.depth[root]);
        let mut number = vec![0; self.first.len()];
        for (at, &root) in order.iter().enumerate() {
            number[root] = at;
        }
        roots.into_iter().map(|root| number[root]).collect()
    }

    /// Moves operations behind what they read; whether any moved.
    fn deepen(&mut self) -> bool {
        let mut changed = false;
        for index in 0..self.operations.len() {
            let own = self.node(index);
            for &input in &self.operations[index].inputs {
                let other = self.node(input);
                let same = own == other || self.is_host(index) && self.is_host(input);
                let least = self.depth[other] + usize::from(!same);
                if self.depth[own] < least {
                    self.depth[own] = least;
                    changed = true;
                }
            }
        }
        changed
    }

    fn root(&self, node: usize) -> usize {
        let mut node = node;
        while self.first[node] != node {
            node = self.first[node];
        }
        node
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(number: usize, subgraph: Option<usize>, inputs: Vec<usize>) -> Operation {
        Operation {
            name: format!("op{number}"),
            kind: "nn.add".to_owned(),
            shape: vec![1, 4],
            device: if subgraph.is_some() { Device::Dpu } else { Device::Cpu },
            inputs,
            subgraph,
            superlayer: None,
            figures: None,
            sources: Vec::new(),
            location: None,
            obstacles: Vec::new(),
        }
    }

    /// The parts as lists of operations.
    fn parts(operations: Vec<Operation>, subgraphs: usize) -> Vec<Vec<usize>> {
        let plan = Plan::new(operations, &vec![String::new(); subgraphs]);
        assert!(plan.flows.iter().all(|flow| flow.from < flow.to), "{:?}", plan.flows);
        plan.parts.into_iter().map(|part| part.operations).collect()
    }

    #[test]
    fn neighbours_on_the_cpu_are_one_part() {
        let chain = vec![
            operation(0, None, vec![]),
            operation(1, None, vec![0]),
            operation(2, Some(0), vec![1]),
            operation(3, None, vec![2]),
            operation(4, None, vec![3, 2]),
        ];
        assert_eq!(parts(chain, 1), [vec![0, 1], vec![2], vec![3, 4]]);
    }

    #[test]
    fn a_part_does_not_wait_for_itself() {
        // The CPU gives the DPU something and adds the result to it: one part would be in front of the DPU and behind it.
        let around = vec![operation(0, None, vec![]), operation(1, Some(0), vec![0]), operation(2, None, vec![0, 1])];
        assert_eq!(parts(around, 1), [vec![0], vec![1], vec![2]]);
        // Operations of a subgraph that follow others of it only in the file.
        let apart = vec![
            operation(0, Some(1), vec![]),
            operation(1, None, vec![]),
            operation(2, Some(0), vec![1]),
            operation(3, None, vec![0]),
            operation(4, Some(1), vec![2]),
        ];
        assert_eq!(parts(apart, 2), [vec![1], vec![2], vec![0, 4], vec![3]]);
    }

    #[test]
    fn large_and_circular_plans_are_drawn_in_part() {
        let wide = (0..900).map(|number| operation(number, Some(number), (0..number.min(12)).collect()));
        let wide = Plan::new(wide.collect(), &vec!["subgraph_x".to_owned(); 900]).svg();
        assert!(wide.contains("not drawn: 500 parts and ") && wide.matches("class=\"arrow\"").count() == 2000);
        let circle =
            vec![operation(0, Some(0), vec![]), operation(1, Some(1), vec![0]), operation(2, Some(0), vec![1])];
        assert!(Plan::new(circle, &vec![String::new(); 2]).svg().contains("not drawn: 1 arrows"));
    }
}
