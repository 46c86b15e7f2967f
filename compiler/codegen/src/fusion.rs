//! Superlayers from runs of nodes: which operand comes from where, and which results go to DDR.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::draft::{Buffer, Destination, Draft, Filler};
use crate::facts::Facts;
use crate::onchip::OnChip;
use crate::source::Source;
use crate::stage::{InputPlace, Stage};

/// The feature maps that have lines of their own across superlayers, by root value.
pub(crate) type Residents = BTreeMap<usize, OnChip>;

/// Where a node finds an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In lines that outlive superlayers.
    Resident,
    /// In a buffer that a stage of the same superlayer fills.
    Fused,
    /// In DDR.
    Ddr,
}

/// Where a node of the run `nodes` finds a value. `None` if a stage of the run computes it, but not where the node could read it.
pub(crate) fn place_of(
    facts: &Facts<'_>,
    node: usize,
    value: usize,
    nodes: &Range<usize>,
    residents: &Residents,
) -> Option<Place> {
    let root = facts.home[value].root;
    let reads_on_chip = facts.stage(node, InputPlace::OnChip).is_some();
    if root == value && residents.contains_key(&value) && reads_on_chip {
        return Some(Place::Resident);
    }
    let inside = |value: usize| facts.producer[value].is_some_and(|node| nodes.contains(&node));
    let sources = facts.sources(value);
    if !sources.iter().copied().any(inside) {
        return Some(Place::Ddr);
    }
    // Nobody reads parts of wider pixels.
    let readable = root == value || !is_whole(facts, root, nodes, residents);
    (reads_on_chip && readable && is_on_chip(facts, value) && sources.into_iter().all(inside)).then_some(Place::Fused)
}

/// Whether a concatenation has lines in a run of nodes, into which its parts go.
fn is_whole(facts: &Facts<'_>, root: usize, nodes: &Range<usize>, residents: &Residents) -> bool {
    let inside = |value: usize| facts.producer[value].is_some_and(|node| nodes.contains(&node));
    residents.contains_key(&root)
        || (facts.sources(root).into_iter().all(inside) && facts.readers[root].iter().any(|node| nodes.contains(node)))
}

/// Whether a value can exist on chip at all.
fn is_on_chip(facts: &Facts<'_>, value: usize) -> bool {
    match facts.producer[value] {
        Some(node) => facts.holds_result(node),
        // A view has lines of its own if it is the home of its parts.
        None => facts.sources(value).first().is_some_and(|&part| facts.home[part].root == value && part != value),
    }
}

/// Whether the run of nodes that computes a value must save it: somebody reads it from DDR.
pub(crate) fn is_stored(facts: &Facts<'_>, value: usize, groups: &[Range<usize>], residents: &Residents) -> bool {
    let mut open = vec![value];
    while let Some(shown) = open.pop() {
        if facts.network.values[shown].is_output {
            return true;
        }
        let from_ddr = |&node: &usize| {
            let own = groups.partition_point(|group| group.end <= node);
            let place = groups.get(own).and_then(|nodes| place_of(facts, node, shown, nodes, residents));
            matches!(place, None | Some(Place::Ddr))
        };
        if facts.readers[shown].iter().any(from_ddr) {
            return true;
        }
        open.extend(&facts.views[shown]);
    }
    false
}

/// The superlayer of a run of nodes. `stored` says for each node of the run whether its result goes to DDR.
///
/// `None` if the nodes cannot run together.
pub(crate) fn draft(facts: &Facts<'_>, nodes: &Range<usize>, residents: &Residents, stored: &[bool]) -> Option<Draft> {
    let mut builder = Builder {
        facts,
        nodes: nodes.clone(),
        residents,
        draft: Draft {
            stages: Vec::new(),
            operands: Vec::new(),
            results: Vec::new(),
            saves: stored.to_vec(),
            buffers: Vec::new(),
        },
        computed: BTreeMap::new(),
    };
    for node in nodes.clone() {
        builder.add(node)?;
    }
    builder.finish()
}

struct Builder<'a> {
    facts: &'a Facts<'a>,
    nodes: Range<usize>,
    residents: &'a Residents,
    draft: Draft,
    /// Buffers of values, by root.
    computed: BTreeMap<usize, usize>,
}

impl Builder<'_> {
    fn add(&mut self, node: usize) -> Option<()> {
        let facts = self.facts;
        let inputs = &facts.network.nodes[node].inputs;
        let places: Option<Vec<Place>> =
            inputs.iter().map(|&value| place_of(facts, node, value, &self.nodes, self.residents)).collect();
        let places = places?;
        let on_chip = places.iter().any(|&place| place != Place::Ddr);
        let stage = facts.stage(node, if on_chip { InputPlace::OnChip } else { InputPlace::Ddr })?.clone();
        let index = self.draft.stages.len();
        let mut operands = Vec::new();
        for (operand, (&value, &place)) in inputs.iter().zip(&places).enumerate() {
            let buffer = match place {
                Place::Ddr => self.loaded(&stage, index, operand),
                Place::Fused | Place::Resident => self.on_chip(value, &stage)?,
            };
            self.draft.buffers[buffer].consumers.push(index);
            operands.push(buffer);
        }
        let output = facts.network.nodes[node].output;
        let result = if stage.engine.is_some() {
            let destination = self.destination(output);
            self.draft.buffers[destination.buffer].producers.push(index);
            Some(destination)
        } else {
            None
        };
        self.draft.operands.push(operands);
        self.draft.results.push(result);
        self.draft.stages.push(stage);
        Some(())
    }

    /// A buffer for an operand that is loaded; stages that read the same map in the same way share it.
    fn loaded(&mut self, stage: &Stage, index: usize, operand: usize) -> usize {
        let interleave = stage.input_interleave().unwrap_or(1);
        let size = stage.input_size();
        if let Source::Maps(maps) = &stage.source {
            let same = |buffer: &Buffer| {
                let Filler::Loads { stage, operand: other } = buffer.filler else { return false };
                let own = self.draft.stages.get(stage);
                buffer.interleave == interleave
                    && buffer.size == size
                    && own.is_some_and(
                        |own| matches!(&own.source, Source::Maps(others) if others[other] == maps[operand]),
                    )
            };
            if let Some(found) = self.draft.buffers.iter().position(same) {
                return found;
            }
        }
        self.draft.buffers.push(Buffer {
            filler: Filler::Loads { stage: index, operand },
            interleave,
            size,
            pixel_lines: stage.input_lines(stage.groups(self.facts.target), self.facts.target),
            producers: Vec::new(),
            consumers: Vec::new(),
        });
        self.draft.buffers.len() - 1
    }

    /// The buffer of a value on chip, as a stage reads it.
    fn on_chip(&mut self, value: usize, stage: &Stage) -> Option<usize> {
        let buffer = self.buffer_of(value);
        if let Some(interleave) = stage.input_interleave() {
            let own = &mut self.draft.buffers[buffer];
            // 0: nobody has asked yet.
            if own.interleave == 0 {
                own.interleave = interleave;
            }
            if own.interleave != interleave {
                return None;
            }
        }
        Some(buffer)
    }

    fn destination(&mut self, value: usize) -> Destination {
        let home = self.facts.home[value];
        // Without a reader of the whole in this run, a part has lines of its own.
        let whole = home.root != value && is_whole(self.facts, home.root, &self.nodes, self.residents);
        let (root, offset) = if whole { (home.root, home.offset) } else { (value, 0) };
        Destination { buffer: self.buffer_of(root), offset }
    }

    fn buffer_of(&mut self, root: usize) -> usize {
        if let Some(&buffer) = self.computed.get(&root) {
            return buffer;
        }
        let [height, width, _] = self.facts.network.values[root].shape;
        let (filler, interleave) = match self.residents.get(&root) {
            Some(&map) => (Filler::Resident(map), map.interleave),
            None => (Filler::Stages, 0),
        };
        self.draft.buffers.push(Buffer {
            filler,
            interleave,
            size: [height, width],
            pixel_lines: self.facts.pixel_lines(root),
            producers: Vec::new(),
            consumers: Vec::new(),
        });
        self.computed.insert(root, self.draft.buffers.len() - 1);
        self.draft.buffers.len() - 1
    }

    /// Settles the interleaves that no reader asks for, and checks what producers can write.
    fn finish(mut self) -> Option<Draft> {
        for index in 0..self.draft.buffers.len() {
            let buffer = &self.draft.buffers[index];
            let limits = buffer.producers.iter().map(|&stage| self.draft.stages[stage].output_interleaves());
            let (least, most) =
                limits.fold((1, u32::MAX), |(low, high), (least, most)| (low.max(least), high.min(most)));
            let buffer = &mut self.draft.buffers[index];
            if buffer.interleave == 0 {
                buffer.interleave = least;
            }
            if !(least..=most).contains(&buffer.interleave) {
                return None;
            }
        }
        Some(self.draft)
    }
}
