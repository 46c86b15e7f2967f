//! Convex groups of nodes in a directed acyclic graph.
//!
//! A group is convex if no path leaves it and comes back; then all groups can run one after another. Neighbours are joined one
//! edge at a time while the graph of groups stays acyclic, until no edge can join any more, so every group is maximal.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A directed acyclic graph whose nodes are numbered in topological order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dag {
    /// For each node, the nodes it reads.
    pub(crate) predecessors: Vec<Vec<usize>>,
}

impl Dag {
    fn successors(&self) -> Vec<Vec<usize>> {
        let mut successors = vec![Vec::new(); self.predecessors.len()];
        for (node, predecessors) in self.predecessors.iter().enumerate() {
            for &predecessor in predecessors {
                if successors[predecessor].last() != Some(&node) {
                    successors[predecessor].push(node);
                }
            }
        }
        successors
    }
}

/// Groups the nodes: `joinable` ones with their neighbours and with those that share a reader's source, others alone.
///
/// `siblings` are sets of nodes that read the same value from outside; they are joined after the edges. Returns for each node the
/// smallest node of its group.
pub(crate) fn clusters(dag: &Dag, joinable: &[bool], siblings: &[Vec<usize>]) -> Vec<usize> {
    let mut groups = Groups::new(dag);
    loop {
        let mut changed = false;
        for (node, predecessors) in dag.predecessors.iter().enumerate() {
            for &predecessor in predecessors {
                changed |= joinable[node] && joinable[predecessor] && groups.join(predecessor, node);
            }
        }
        for readers in siblings {
            for pair in readers.windows(2) {
                changed |= joinable[pair[0]] && joinable[pair[1]] && groups.join(pair[0], pair[1]);
            }
        }
        if !changed {
            return (0..dag.predecessors.len()).map(|node| groups.find(node)).collect();
        }
    }
}

/// The groups' smallest nodes in an order in which every group follows those it reads; of several that could be next, the one
/// with the smallest node.
pub(crate) fn order(dag: &Dag, group_of: &[usize]) -> Vec<usize> {
    let mut waits = vec![0usize; group_of.len()];
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); group_of.len()];
    for (node, predecessors) in dag.predecessors.iter().enumerate() {
        for &predecessor in predecessors {
            let (from, to) = (group_of[predecessor], group_of[node]);
            if from != to {
                readers[from].push(to);
                waits[to] += 1;
            }
        }
    }
    let groups = group_of.iter().enumerate().filter(|&(node, &group)| node == group).map(|(node, _)| node);
    let mut ready: BinaryHeap<Reverse<usize>> = groups.filter(|&group| waits[group] == 0).map(Reverse).collect();
    let mut ordered = Vec::new();
    while let Some(Reverse(group)) = ready.pop() {
        ordered.push(group);
        for &reader in &readers[group] {
            waits[reader] -= 1;
            if waits[reader] == 0 {
                ready.push(Reverse(reader));
            }
        }
    }
    ordered
}

/// Groups under construction; each is named by its smallest node.
struct Groups {
    parent: Vec<usize>,
    members: Vec<Vec<usize>>,
    successors: Vec<Vec<usize>>,
    /// For each group, the number of the search that saw it last.
    seen: Vec<usize>,
    searches: usize,
}

impl Groups {
    fn new(dag: &Dag) -> Self {
        let nodes = dag.predecessors.len();
        Self {
            parent: (0..nodes).collect(),
            members: (0..nodes).map(|node| vec![node]).collect(),
            successors: dag.successors(),
            seen: vec![0; nodes],
            searches: 0,
        }
    }

    fn find(&mut self, mut node: usize) -> usize {
        while self.parent[node] != node {
            self.parent[node] = self.parent[self.parent[node]];
            node = self.parent[node];
        }
        node
    }

    /// Joins the groups of two nodes, unless they are one already or a path between them leads through a third group.
    fn join(&mut self, first: usize, second: usize) -> bool {
        let (first, second) = (self.find(first), self.find(second));
        if first == second || self.detour(first, second) || self.detour(second, first) {
            return false;
        }
        let (kept, gone) = (first.min(second), first.max(second));
        self.parent[gone] = kept;
        let moved = std::mem::take(&mut self.members[gone]);
        self.members[kept].extend(moved);
        true
    }

    /// Whether a path from one group to another leads through a third.
    fn detour(&mut self, from: usize, to: usize) -> bool {
        self.searches += 1;
        self.seen[from] = self.searches;
        let mut pending = vec![from];
        while let Some(group) = pending.pop() {
            for member in 0..self.members[group].len() {
                let node = self.members[group][member];
                for successor in 0..self.successors[node].len() {
                    let next = self.find(self.successors[node][successor]);
                    if next == to {
                        if group != from {
                            return true;
                        }
                    } else if self.seen[next] != self.searches {
                        self.seen[next] = self.searches;
                        pending.push(next);
                    }
                }
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dag(predecessors: &[&[usize]]) -> Dag {
        Dag { predecessors: predecessors.iter().map(|list| list.to_vec()).collect() }
    }

    #[test]
    fn a_chain_is_split_by_the_host() {
        let chain = dag(&[&[], &[0], &[1], &[2], &[3]]);
        let joinable = [true, true, false, true, true];
        assert_eq!(clusters(&chain, &joinable, &[]), [0, 0, 2, 3, 3]);
    }

    #[test]
    fn a_detour_through_the_host_splits_a_region() {
        // 0 -> 1 -> 3 -> 4 and 0 -> 2(host) -> 3: joining 1 and 3 would make host and DPU wait for each other.
        let diamond = dag(&[&[], &[0], &[0], &[1, 2], &[3]]);
        let joinable = [true, true, false, true, true];
        let groups = clusters(&diamond, &joinable, &[]);
        assert_eq!(groups, [0, 0, 2, 3, 3]);
        assert_eq!(order(&diamond, &groups), [0, 2, 3]);
    }

    #[test]
    fn an_independent_branch_joins_the_later_group() {
        // 0 -> 1(host) -> 3 and 2 -> 3.
        let graph = dag(&[&[], &[0], &[], &[1, 2]]);
        let groups = clusters(&graph, &[true, false, true, true], &[]);
        assert_eq!(groups, [0, 1, 2, 2]);
        assert_eq!(order(&graph, &groups), [0, 1, 2]);
    }

    #[test]
    fn readers_of_one_value_join_unless_a_path_connects_them() {
        let apart = dag(&[&[], &[0], &[0]]);
        assert_eq!(clusters(&apart, &[false, true, true], &[vec![1, 2]]), [0, 1, 1]);
        // 0 -> 1(host) -> 2, and both 0 and 2 read a value from outside.
        let connected = dag(&[&[], &[0], &[1]]);
        assert_eq!(clusters(&connected, &[true, false, true], &[vec![0, 2]]), [0, 1, 2]);
    }

    #[test]
    fn groups_of_random_graphs_are_convex_and_maximal() {
        let mut random = dpuc_isa::Random::new(7);
        let mut next = |bound: usize| (random.bits() % bound as u64) as usize;
        for _ in 0..300 {
            let nodes = 2 + next(14);
            let mut graph = Dag::default();
            for node in 0..nodes {
                let count = if node == 0 { 0 } else { next(3) };
                graph.predecessors.push((0..count).map(|_| next(node.max(1))).collect());
            }
            let joinable: Vec<bool> = (0..nodes).map(|_| next(3) > 0).collect();
            let groups = clusters(&graph, &joinable, &[]);
            let distinct = groups.iter().enumerate().filter(|&(node, &group)| node == group).count();
            assert_eq!(order(&graph, &groups).len(), distinct, "the groups of {graph:?} wait for each other");
            for (node, predecessors) in graph.predecessors.iter().enumerate() {
                for &from in predecessors.iter().filter(|&&from| joinable[from] && joinable[node]) {
                    if groups[from] != groups[node] {
                        let joined: Vec<usize> =
                            groups.iter().map(|&g| if g == groups[node] { groups[from] } else { g }).collect();
                        let smallest = |group: usize| joined.iter().position(|&g| g == group).unwrap_or(group);
                        let named: Vec<usize> = joined.iter().map(|&group| smallest(group)).collect();
                        assert!(
                            order(&graph, &named).len() < distinct - 1,
                            "{from} and {node} of {graph:?} could join"
                        );
                    }
                }
            }
        }
    }
}
