//! What the planner asks about a network again and again.

use std::collections::BTreeSet;

use dpuc_isa::Target;

use crate::network::{Network, Origin};
use crate::stage::{InputPlace, Stage};

/// Where a value lies inside another one on chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Home {
    /// The value that has the lines: itself, or a concatenation along the channels.
    pub(crate) root: usize,
    /// Lines of a pixel in front of the value's first channel.
    pub(crate) offset: u32,
}

/// Derived facts of a network.
pub(crate) struct Facts<'a> {
    /// The network.
    pub(crate) network: &'a Network,
    /// The target.
    pub(crate) target: &'a Target,
    /// The node that computes each value.
    pub(crate) producer: Vec<Option<usize>>,
    /// The nodes that read each value itself.
    pub(crate) readers: Vec<Vec<usize>>,
    /// The views that show each value.
    pub(crate) views: Vec<Vec<usize>>,
    /// For each value whose views on chip would be its views in DDR, where it lies on chip.
    pub(crate) home: Vec<Home>,
    /// For each node that can exchange values on chip, its stage with its input in DDR, and, if it can be, with its input on chip.
    stages: Vec<Option<(Stage, Option<Stage>)>>,
}

impl<'a> Facts<'a> {
    pub(crate) fn new(network: &'a Network, target: &'a Target) -> Self {
        let count = network.values.len();
        let mut facts = Self {
            network,
            target,
            producer: vec![None; count],
            readers: vec![Vec::new(); count],
            views: vec![Vec::new(); count],
            home: (0..count).map(|root| Home { root, offset: 0 }).collect(),
            stages: Vec::with_capacity(network.nodes.len()),
        };
        for (index, node) in network.nodes.iter().enumerate() {
            facts.producer[node.output] = Some(index);
            for &input in &node.inputs {
                if facts.readers[input].last() != Some(&index) {
                    facts.readers[input].push(index);
                }
            }
        }
        for (index, node) in network.nodes.iter().enumerate() {
            facts.stages.push(facts.exchanging_stages(index, node.output));
        }
        for (view, value) in network.values.iter().enumerate() {
            if let Origin::View(parts) = &value.origin {
                for part in parts {
                    facts.views[part.value].push(view);
                }
            }
        }
        for view in 0..count {
            if let Some(offsets) = facts.parts_on_chip(view) {
                for (value, offset) in offsets {
                    facts.home[value] = Home { root: view, offset };
                }
            }
        }
        facts
    }

    /// The stages of a node of one layer with one stage whose result is the value.
    fn exchanging_stages(&self, index: usize, output: usize) -> Option<(Stage, Option<Stage>)> {
        let node = &self.network.nodes[index];
        let [layer] = &node.layers[..] else { return None };
        let single = |place| {
            let mut stages = Stage::of_layer(layer, index as u32, place, self.target);
            let stage = if stages.len() == 1 { stages.pop() } else { None };
            // Interleaved operands have a layout that nobody else writes.
            let exchanges =
                |stage: &Stage| !stage.source.is_interleaved() && stage.source.operands() as usize == node.inputs.len();
            stage.filter(exchanges)
        };
        // Windows that move further than the engine can are computed one by one, from rows that nobody else reads.
        let ddr = single(InputPlace::Ddr).filter(Stage::strides_are_legal)?;
        // A stage that reads some rows or columns of a value only can do so from DDR, where strides have no limit.
        let whole = |stage: &Stage| {
            let size = stage.input_size();
            stage.strides_are_legal() && node.inputs.iter().all(|&input| self.network.values[input].shape[..2] == size)
        };
        let chip = single(InputPlace::OnChip).filter(whole);
        let [height, width, _] = self.network.values[output].shape;
        // A copy that enlarges exists in DDR only, but what it reads may be on chip.
        (ddr.engine.is_none() || ddr.size == [height, width]).then_some((ddr, chip))
    }

    /// A stage of a node that can read or write on chip.
    pub(crate) fn stage(&self, node: usize, place: InputPlace) -> Option<&Stage> {
        let (ddr, chip) = self.stages[node].as_ref()?;
        if place == InputPlace::Ddr { Some(ddr) } else { chip.as_ref() }
    }

    /// Whether a node can run in a superlayer with others.
    pub(crate) fn exchanges(&self, node: usize) -> bool {
        self.stages[node].is_some()
    }

    /// Whether the result of a node can stay on chip.
    pub(crate) fn holds_result(&self, node: usize) -> bool {
        self.stage(node, InputPlace::Ddr).is_some_and(|stage| stage.engine.is_some())
    }

    /// The line offsets of the parts of a view, if it can exist on chip: all parts are computed, in no other view, and start at full lines.
    fn parts_on_chip(&self, view: usize) -> Option<Vec<(usize, u32)>> {
        let Origin::View(parts) = &self.network.values[view].origin else { return None };
        let line_bytes = self.target.line_bytes() as u32;
        let mut seen = BTreeSet::new();
        let mut offsets = Vec::new();
        for part in parts {
            let first = part.first_channel?;
            let fits = first % line_bytes == 0
                && self.network.values[part.value].shape[..2] == self.network.values[view].shape[..2]
                && self.views[part.value] == [view]
                && self.producer[part.value].is_some_and(|node| self.holds_result(node))
                && !self.is_read_by_conv(part.value)
                && seen.insert(part.value);
            if !fits {
                return None;
            }
            offsets.push((part.value, first / line_bytes));
        }
        // All lines of a pixel must have a writer.
        let channels: u32 = parts.iter().map(|part| self.network.values[part.value].shape[2]).sum();
        (channels == self.network.values[view].shape[2]).then_some(offsets)
    }

    /// Whether a convolution reads a value by itself; Conv reads whole pixels only.
    fn is_read_by_conv(&self, value: usize) -> bool {
        self.readers[value].iter().any(|&node| {
            self.stage(node, InputPlace::OnChip)
                .is_none_or(|stage| stage.engine == Some(dpuc_isa::Engine::Conv) || stage.engine.is_none())
        })
    }

    /// The computed values whose bytes a value consists of: itself, or the parts of a view, and their parts.
    pub(crate) fn sources(&self, value: usize) -> Vec<usize> {
        let mut sources = Vec::new();
        let mut open = vec![value];
        let mut seen = BTreeSet::new();
        while let Some(value) = open.pop() {
            if !seen.insert(value) {
                continue;
            }
            match &self.network.values[value].origin {
                Origin::View(parts) => open.extend(parts.iter().rev().map(|part| part.value)),
                Origin::Node => sources.push(value),
                Origin::Memory => {}
            }
        }
        sources
    }

    /// Lines of a pixel of a value.
    pub(crate) fn pixel_lines(&self, value: usize) -> u32 {
        self.target.lines(self.network.values[value].shape[2] as usize) as u32
    }
}
