//! Which operators run together, and which feature maps stay on chip between them.
//!
//! 1. [`group`] cuts the sequence of nodes into superlayers, by dynamic programming over the costs of all short runs;
//! 2. [`Schedule::new`] then lets feature maps that superlayers exchange keep lines of their own, the most profitable first, as long as every
//!    superlayer in between still fits beside them.

use std::collections::BTreeMap;
use std::ops::Range;

use dpuc_isa::Target;
use rayon::prelude::*;

use crate::block::Compute;
use crate::cut::{Plan, all_plans, choose};
use crate::draft::Draft;
use crate::emit::{EmitError, Work, advance_heads, emit_planned, plan};
use crate::execute::execute;
use crate::facts::Facts;
use crate::fusion::{Place, Residents, draft, is_stored, place_of};
use crate::kernel::Taps;
use crate::limits::Violation;
use crate::network::{Network, Origin};
use crate::onchip::OnChip;
use crate::rows::Rows;
use crate::space::{Slot, Space};
use crate::stage::{InputPlace, Stage, compute};
use crate::stream::Stream;

/// Nodes of one superlayer, at most.
const NODES_MAX: usize = 12;
/// Lines of a group that feature maps may keep across superlayers.
const RESIDENT_LINES_MAX: u64 = 1800;

/// Alternatives that are listed for a superlayer.
const ALTERNATIVES: usize = 4;

/// A run of nodes that cannot be emitted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("node {node}: {error}")]
pub struct ScheduleError {
    /// Index of the node.
    pub node: usize,
    /// Why.
    pub error: EmitError,
}

/// The cheapest cut of the nodes of a network into superlayers, as runs of node indices.
///
/// # Errors
/// A node that the target cannot run.
pub fn group(network: &Network, target: &Target) -> Result<Vec<Range<usize>>, ScheduleError> {
    let facts = Facts::new(network, target);
    let heads = vec![0; target.feature_groups];
    let space = Space::around(&[], &heads);
    let count = network.nodes.len();
    // The costs of all short runs, by their ends; independent of each other, so any number of threads gives the same.
    let costs: Result<Vec<RunCosts>, ScheduleError> =
        (1..=count).into_par_iter().map(|end| run_costs(&facts, end, &heads, &space)).collect();
    // The cheapest way to run the first `n` nodes, and where its last superlayer starts.
    let mut best: Vec<(u64, usize)> = vec![(0, 0)];
    for runs in costs? {
        let choices = runs.into_iter().map(|(start, cost)| (best[start].0.saturating_add(cost), start));
        // Among equals the shortest superlayer, which comes first.
        best.extend(choices.min_by_key(|&(cost, _)| cost));
    }
    let mut groups = Vec::new();
    let mut end = count;
    while end > 0 {
        let start = best[end].1;
        groups.push(start..end);
        end = start;
    }
    groups.reverse();
    Ok(groups)
}

/// For each run of nodes with the same end, its start and its cost, the shortest first.
type RunCosts = Vec<(usize, u64)>;

fn run_costs(facts: &Facts<'_>, end: usize, heads: &[u32], space: &Space) -> Result<RunCosts, ScheduleError> {
    let last = end - 1;
    let mut costs = vec![(last, Code::Alone(alone(facts, last, heads, &[])?).cycles())];
    for start in (end.saturating_sub(NODES_MAX)..last).rev() {
        let nodes = start..end;
        if !facts.exchanges(start) || !facts.exchanges(last) || !weights_fit(facts, &nodes) {
            break;
        }
        let plan = fused(facts, &nodes, &Residents::new(), std::slice::from_ref(&nodes), space);
        costs.extend(plan.map(|(_, plan)| (start, plan.cycles())));
    }
    Ok(costs)
}

/// Whether all weights of a run are on chip together.
fn weights_fit(facts: &Facts<'_>, nodes: &Range<usize>) -> bool {
    let mut lines = [0u64; 2];
    for stage in nodes.clone().filter_map(|node| facts.stage(node, InputPlace::Ddr)) {
        let own = u64::from(stage.groups(facts.target)) * u64::from(stage.weights.lines);
        lines[usize::from(stage.engine != Some(dpuc_isa::Engine::Conv))] += own;
    }
    lines.iter().all(|&lines| lines <= dpuc_isa::BANK_LINES as u64)
}

/// The layers of a node by themselves, from DDR to DDR.
fn alone(facts: &Facts<'_>, node: usize, heads: &[u32], taken: &[Slot]) -> Result<Vec<Vec<Work>>, ScheduleError> {
    let layers = facts.network.nodes[node].layers.iter();
    let planned = layers.map(|layer| plan(layer, node as u32, heads, taken, facts.target));
    planned.map(|work| work.map_err(|violations| ScheduleError { node, error: EmitError { violations } })).collect()
}

/// A run of nodes as one superlayer.
fn fused(
    facts: &Facts<'_>,
    nodes: &Range<usize>,
    residents: &Residents,
    groups: &[Range<usize>],
    space: &Space,
) -> Option<(Draft, Plan)> {
    let stored: Vec<bool> =
        nodes.clone().map(|node| is_stored(facts, facts.network.nodes[node].output, groups, residents)).collect();
    let draft = draft(facts, nodes, residents, &stored)?;
    let plan = choose(&draft, &row_orders(&draft, facts.target), space, facts.target)?;
    Some((draft, plan))
}

/// The orders of rows to choose from.
fn row_orders(draft: &Draft, target: &Target) -> Vec<Rows> {
    let ahead: &[bool] = if draft.stages.len() > 1 { &[true, false] } else { &[false] };
    ahead.iter().filter_map(|&ahead| Rows::of(draft, ahead, target)).collect()
}

/// The code of one superlayer, before addresses are known.
#[derive(Clone, Debug)]
enum Code {
    /// Stages that exchange rows on chip, or one stage that shares a feature map with other superlayers.
    Fused(Box<Work>),
    /// Layers of one node, each by itself.
    Alone(Vec<Vec<Work>>),
}

impl Code {
    fn cycles(&self) -> u64 {
        match self {
            Self::Fused(work) => work.plan.cycles(),
            Self::Alone(layers) => layers.iter().flatten().map(|work| work.plan.cycles()).fold(0, u64::saturating_add),
        }
    }
}

/// A feature map that has lines of its own from the superlayer that computes it to the last one that reads it there.
#[derive(Clone, Debug)]
struct Resident {
    map: OnChip,
    slot: Slot,
    superlayers: Range<usize>,
}

/// What was decided for a superlayer. All cycles are estimates of the planner, which ranks with them; the accelerator model says how long
/// the program takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// How its parts are cut.
    pub chosen: Vec<String>,
    /// Other ways, cheapest first.
    pub alternatives: Vec<String>,
    /// Values that have lines of their own meanwhile, by index, and where.
    pub residents: Vec<(usize, String)>,
}

/// Superlayers with everything decided but DDR addresses.
#[derive(Clone, Debug)]
pub struct Schedule {
    groups: Vec<Range<usize>>,
    codes: Vec<Code>,
    residents: BTreeMap<usize, Resident>,
    stored: Vec<bool>,
}

impl Schedule {
    /// Plans the superlayers `groups` of a network: runs of nodes that cover all nodes in order.
    ///
    /// Addresses of feature maps and constants in the layers do not matter; they must be right when the schedule is emitted.
    ///
    /// # Errors
    /// A node that the target cannot run, or that cannot run with the others of its superlayer.
    pub fn new(network: &Network, groups: &[Range<usize>], target: &Target) -> Result<Self, ScheduleError> {
        let facts = Facts::new(network, target);
        let mut planner = Planner { facts: &facts, groups, residents: BTreeMap::new(), codes: Vec::new() };
        for index in 0..groups.len() {
            let code = planner.code(index, &planner.residents)?;
            planner.codes.push(code);
        }
        planner.keep_on_chip();
        planner.settle()?;
        let maps = Planner::maps(&planner.residents);
        let mut stored: Vec<bool> = Vec::with_capacity(network.values.len());
        for (index, value) in network.values.iter().enumerate() {
            stored.push(match &value.origin {
                Origin::Node => is_stored(&facts, index, groups, &maps),
                Origin::Memory => true,
                // A view is the bytes of its parts, which come before it.
                Origin::View(parts) => parts.iter().any(|part| stored.get(part.value).is_none_or(|&stored| stored)),
            });
        }
        let Planner { residents, codes, .. } = planner;
        Ok(Self { groups: groups.to_vec(), codes, residents, stored })
    }

    /// The superlayers, as runs of nodes.
    pub fn groups(&self) -> &[Range<usize>] {
        &self.groups
    }

    /// Whether a value needs a place in DDR.
    pub fn is_stored(&self, value: usize) -> bool {
        self.stored[value]
    }

    /// The values that stay on chip between superlayers.
    pub fn residents(&self) -> impl Iterator<Item = usize> {
        self.residents.keys().copied()
    }

    /// What was decided for a superlayer, and what else was possible.
    pub fn explain(&self, network: &Network, superlayer: usize, target: &Target) -> Explanation {
        let works: Vec<(&Draft, &Plan)> = match &self.codes[superlayer] {
            Code::Fused(work) => vec![(&work.draft, &work.plan)],
            Code::Alone(layers) => layers.iter().flatten().map(|work| (&work.draft, &work.plan)).collect(),
        };
        let taken = Planner::taken(&self.residents, superlayer);
        let space = Space::around(&taken, &vec![0; target.feature_groups]);
        let chosen: Vec<String> = works.iter().map(|(draft, plan)| plan.describe(draft, target)).collect();
        let mut alternatives: Vec<String> = Vec::new();
        if let [(draft, _)] = works[..] {
            let mut plans = all_plans(draft, &row_orders(draft, target), &space, target);
            plans.sort_by_key(|plan| (plan.cycles(), plan.columns, plan.groups));
            for plan in plans {
                let words = plan.describe(draft, target);
                if alternatives.len() < ALTERNATIVES && !alternatives.contains(&words) && !chosen.contains(&words) {
                    alternatives.push(words);
                }
            }
        }
        let nodes = &self.groups[superlayer];
        if nodes.len() > 1 {
            let facts = Facts::new(network, target);
            let heads = vec![0; target.feature_groups];
            let apart = nodes.clone().map(|node| alone(&facts, node, &heads, &[]).ok());
            let cycles: Option<Vec<u64>> = apart.map(|layers| Some(Code::Alone(layers?).cycles())).collect();
            if let Some(cycles) = cycles {
                let cycles: u64 = cycles.into_iter().fold(0, u64::saturating_add);
                alternatives.push(format!("each operator by itself, through DDR: about {cycles} cycles"));
            }
        }
        let inside = self.residents.iter().filter(|(_, resident)| resident.superlayers.contains(&superlayer));
        let place = |slot: &Slot| format!("group {}, lines {}..{}", slot.group, slot.line, slot.line + slot.lines);
        Explanation {
            chosen,
            alternatives,
            residents: inside.map(|(&value, resident)| (value, place(&resident.slot))).collect(),
        }
    }

    /// Emits all superlayers. `network` is the one that was planned, with final addresses.
    pub fn emit(&self, network: &Network, stream: &mut Stream) {
        for (nodes, code) in self.groups.iter().zip(&self.codes) {
            match code {
                Code::Fused(work) => emit_fused(network, nodes, &work.draft, &work.plan, stream),
                Code::Alone(layers) => {
                    let node = nodes.start;
                    for (layer, work) in network.nodes[node].layers.iter().zip(layers) {
                        let mut work = work.clone();
                        let fresh = Stage::of_layer(layer, node as u32, InputPlace::Ddr, stream.target());
                        for (work, fresh) in work.iter_mut().zip(fresh) {
                            work.draft.stages[0].source = fresh.source;
                            work.draft.stages[0].outputs = fresh.outputs;
                        }
                        emit_planned(layer, work, node as u32, stream);
                    }
                }
            }
        }
    }
}

fn emit_fused(network: &Network, nodes: &Range<usize>, draft: &Draft, plan: &Plan, stream: &mut Stream) {
    let mut draft = draft.clone();
    let mut computes: Vec<Box<dyn Compute>> = Vec::new();
    for (stage, node) in draft.stages.iter_mut().zip(nodes.clone()) {
        let layer = &network.nodes[node].layers[0];
        // The sources differ in addresses from those that were planned.
        let target = stream.target().clone();
        for place in [InputPlace::OnChip, InputPlace::Ddr] {
            let fresh = Stage::of_layer(layer, node as u32, place, &target);
            if let [fresh] = &fresh[..]
                && fresh.phases[0].rows == stage.phases[0].rows
                && fresh.phases[0].columns == stage.phases[0].columns
            {
                stage.source = fresh.source.clone();
                stage.outputs.clone_from(&fresh.outputs);
            }
        }
        let taps: Vec<Taps> = stage.phases.iter().map(|phase| phase.taps).collect();
        stream.enter(node as u32);
        computes.push(compute(layer, stage.engine.is_some(), taps, stream));
    }
    let mut borrowed: Vec<&mut dyn Compute> = Vec::new();
    for compute in &mut computes {
        borrowed.push(&mut **compute);
    }
    execute(&draft, plan, &mut borrowed, stream);
}

struct Planner<'a> {
    facts: &'a Facts<'a>,
    groups: &'a [Range<usize>],
    residents: BTreeMap<usize, Resident>,
    codes: Vec<Code>,
}

impl Planner<'_> {
    fn maps(residents: &BTreeMap<usize, Resident>) -> Residents {
        residents.iter().map(|(&value, resident)| (value, resident.map)).collect()
    }

    fn taken(residents: &BTreeMap<usize, Resident>, superlayer: usize) -> Vec<Slot> {
        residents
            .values()
            .filter(|resident| resident.superlayers.contains(&superlayer))
            .map(|resident| resident.slot)
            .collect()
    }

    /// The code of a superlayer beside some resident feature maps.
    fn code(&self, index: usize, residents: &BTreeMap<usize, Resident>) -> Result<Code, ScheduleError> {
        let heads = vec![0; self.facts.target.feature_groups];
        self.code_from(index, residents, &heads)
    }

    fn code_from(
        &self,
        index: usize,
        residents: &BTreeMap<usize, Resident>,
        heads: &[u32],
    ) -> Result<Code, ScheduleError> {
        let nodes = &self.groups[index];
        let taken = Self::taken(residents, index);
        let maps = Self::maps(residents);
        let touches = |node, value| place_of(self.facts, node, value, nodes, &maps) == Some(Place::Resident);
        let writes = |value: usize| maps.contains_key(&self.facts.home[value].root);
        let shares = nodes.clone().any(|index| {
            let node = &self.facts.network.nodes[index];
            node.inputs.iter().any(|&value| touches(index, value)) || writes(node.output)
        });
        if nodes.len() == 1 && !shares {
            return alone(self.facts, nodes.start, heads, &taken).map(Code::Alone);
        }
        let space = Space::around(&taken, heads);
        let cannot = || ScheduleError {
            node: nodes.start,
            error: EmitError {
                violations: vec![Violation::Unsupported {
                    what: "running these operators as one superlayer",
                    reason: "their rows, or the weights of all of them, do not fit on chip together".to_owned(),
                }],
            },
        };
        let planned = fused(self.facts, nodes, &maps, self.groups, &space);
        planned.map(|(draft, plan)| Code::Fused(Box::new(Work { draft, plan }))).ok_or_else(cannot)
    }

    /// Gives lines to the values that superlayers exchange, the most profitable first.
    fn keep_on_chip(&mut self) {
        let mut candidates: Vec<Candidate> =
            (0..self.facts.network.values.len()).filter_map(|value| self.candidate(value)).collect();
        candidates.sort_by_key(|candidate| (std::cmp::Reverse(candidate.profit()), candidate.value));
        for candidate in candidates {
            self.try_keeping(&candidate);
        }
    }

    /// A value that could stay on chip.
    fn candidate(&self, value: usize) -> Option<Candidate> {
        let facts = self.facts;
        if facts.home[value].root != value {
            return None;
        }
        let sources = match facts.network.values[value].origin {
            Origin::Memory => return None,
            Origin::Node => vec![value],
            Origin::View(_) => facts.sources(value),
        };
        let at_home = |&source: &usize| facts.home[source].root == value;
        let held = |&source: &usize| facts.producer[source].is_some_and(|node| facts.holds_result(node));
        if sources.is_empty() || !sources.iter().all(at_home) || !sources.iter().all(held) {
            return None;
        }
        let group_of = |node: usize| self.groups.partition_point(|group| group.end <= node);
        let producers: Vec<usize> = sources.iter().filter_map(|&source| facts.producer[source]).collect();
        let first = producers.iter().map(|&node| group_of(node)).min()?;
        let filled = producers.iter().map(|&node| group_of(node)).max()?;
        // Readers in the superlayer that fills it read it there anyway.
        let readers: Vec<usize> =
            facts.readers[value].iter().copied().filter(|&node| group_of(node) >= filled).collect();
        let last = readers.iter().map(|&node| group_of(node)).max()?;
        if last == first {
            return None;
        }
        let stages: Option<Vec<&Stage>> = readers.iter().map(|&node| facts.stage(node, InputPlace::OnChip)).collect();
        let mut asked: Vec<u32> = stages?.iter().filter_map(|stage| stage.input_interleave()).collect();
        asked.sort_unstable();
        asked.dedup();
        let (least, most) = producers.iter().filter_map(|&node| facts.stage(node, InputPlace::Ddr)).fold(
            (1, u32::MAX),
            |(low, high), stage| {
                let (least, most) = stage.output_interleaves();
                (low.max(least), high.min(most))
            },
        );
        let interleave = match asked[..] {
            [] => least,
            [one] => one,
            _ => return None,
        };
        if !(least..=most).contains(&interleave) {
            return None;
        }
        let [height, width, channels] = facts.network.values[value].shape;
        let mut map = OnChip {
            group: 0,
            banks: facts.target.pixel_parallel as u32,
            line: 0,
            interleave,
            passes: 1,
            first_column: 0,
            columns: width,
            pixel_lines: facts.pixel_lines(value),
            offset: 0,
        };
        map.passes = u32::try_from(map.pass(i64::from(height) - 1) + 1).ok()?;
        if map.lines() > RESIDENT_LINES_MAX || map.pixel_lines > 1024 || (interleave > 1 && map.row_lines() > 1024) {
            return None;
        }
        let loads = readers.iter().map(|&node| group_of(node)).filter(|&group| group > filled).count() as u64;
        let stores = u64::from(!facts.network.values[value].is_output);
        let bytes = u64::from(height) * u64::from(width) * u64::from(channels);
        Some(Candidate { value, map, superlayers: first..last + 1, saved: bytes * (loads + stores) })
    }

    /// Gives a value lines of its own if all superlayers beside them still fit and the estimated time falls.
    fn try_keeping(&mut self, candidate: &Candidate) {
        let mut taken = Vec::new();
        for resident in self.residents.values() {
            let other = &resident.superlayers;
            if other.start < candidate.superlayers.end && candidate.superlayers.start < other.end {
                taken.push(resident.slot);
            }
        }
        let heads = vec![0; self.facts.target.feature_groups];
        let lines = candidate.map.lines() as u32;
        let groups = 0..self.facts.target.feature_groups;
        // Lines at either end of a group leave the longest runs free.
        let mut slots: Vec<Slot> = Vec::new();
        for group in groups {
            let elsewhere: Vec<Slot> = (0..heads.len())
                .filter(|&other| other != group)
                .map(|group| Slot { group, line: 0, lines: dpuc_isa::BANK_LINES as u32 })
                .collect();
            let taken: Vec<Slot> = taken.iter().copied().filter(|slot| slot.group == group).chain(elsewhere).collect();
            slots.extend(Space::around(&taken, &heads).place_straight(lines));
        }
        let mut best: Option<(u64, BTreeMap<usize, Resident>, Vec<Code>)> = None;
        let before: u64 = candidate.superlayers.clone().map(|index| self.codes[index].cycles()).sum();
        for slot in slots {
            let mut residents = self.residents.clone();
            let group = self.facts.target.feature_bank(slot.group) as u32;
            let map = OnChip { group, line: slot.line, ..candidate.map };
            residents.insert(candidate.value, Resident { map, slot, superlayers: candidate.superlayers.clone() });
            let codes: Result<Vec<Code>, ScheduleError> =
                candidate.superlayers.clone().map(|index| self.code(index, &residents)).collect();
            let Ok(codes) = codes else { continue };
            let cycles: u64 = codes.iter().map(Code::cycles).sum();
            if best.as_ref().is_none_or(|(least, ..)| cycles < *least) {
                best = Some((cycles, residents, codes));
            }
        }
        if let Some((cycles, residents, codes)) = best
            && cycles <= before
        {
            self.residents = residents;
            for (index, code) in candidate.superlayers.clone().zip(codes) {
                self.codes[index] = code;
            }
        }
    }

    /// Plans every superlayer once more, so that it starts behind the lines of the one before.
    fn settle(&mut self) -> Result<(), ScheduleError> {
        let mut heads = vec![0; self.facts.target.feature_groups];
        for index in 0..self.groups.len() {
            let code = self.code_from(index, &self.residents, &heads)?;
            match &code {
                Code::Fused(work) => advance_heads(&work.plan, &mut heads),
                Code::Alone(layers) => layers.iter().flatten().for_each(|work| advance_heads(&work.plan, &mut heads)),
            }
            self.codes[index] = code;
        }
        Ok(())
    }
}

/// A value that could stay on chip.
struct Candidate {
    value: usize,
    map: OnChip,
    superlayers: Range<usize>,
    /// Bytes that need not be saved and loaded.
    saved: u64,
}

impl Candidate {
    /// Bytes saved for each line and superlayer.
    fn profit(&self) -> u64 {
        self.saved * 1024 / (self.map.lines() * self.superlayers.len() as u64).max(1)
    }
}
