//! How a superlayer is cut so that every piece fits on chip (`spec/recipes-conv.md` sections 2.4 and 5.1).
//!
//! A piece is a stripe of output columns over all rows; a single stage may also be cut into chunks of output channels. Rows stream
//! through rings, so no row of a stripe is loaded or computed twice; only the columns that two stripes share are.

use dpuc_isa::{BANK_LINES, Engine, Target};

use crate::cost::{self, Cost};
use crate::draft::{Draft, Filler};
use crate::onchip::OnChip;
use crate::rows::{Rows, Step};
use crate::source::{Source, Stored};
use crate::space::{Slot, Space};
use crate::stage::{Run, Stage};
use crate::task::Channels;

/// Lines of a bank.
const BANK: u64 = BANK_LINES as u64;
/// Output-channel groups of one chunk: what one Alu handles, and one Save of the widest target moves.
const GROUPS_MAX: u32 = 256;
/// Bytes of a pixel that a Save moves.
const SAVE_BYTES: usize = 4096;
/// Lines of the jump fields of Conv.
const CONV_JUMP: u64 = 1024;
/// Lines of the pixel jump of Load.
const LOAD_JUMP: u64 = 1024;
/// Lines of the `endl` fields of Alu.
const ALU_JUMP: u64 = 8192;
/// Passes beyond the needed ones that let the engines run ahead of each other; more bring nothing.
const SPARE_PASSES: u32 = 3;

/// A superlayer with all sizes and places.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Steps of columns of a stripe.
    pub(crate) columns: u32,
    /// Output-channel groups of a chunk.
    pub(crate) groups: u32,
    /// Whether the chunk, with its weights, is the outer loop and the stripe the inner one.
    pub(crate) chunks_outside: bool,
    /// The order of the rows.
    pub(crate) rows: Rows,
    /// The buffers, as wide as the widest stripe.
    pub(crate) maps: Vec<OnChip>,
    /// The places of the buffers that live no longer than the superlayer.
    pub(crate) slots: Vec<Slot>,
    /// Busy cycles.
    pub(crate) cost: Cost,
    /// Whether every ring has a pass to spare.
    pub(crate) overlaps: bool,
}

impl Plan {
    /// About how many instructions the superlayer becomes.
    pub(crate) fn instructions(&self, draft: &Draft, target: &Target) -> u64 {
        let stripes = stripes(draft, self.columns).len() as u64;
        let chunks = match &draft.stages[..] {
            [stage] => u64::from(stage.groups(target).div_ceil(self.groups.max(1))),
            _ => 1,
        };
        let kernels: u64 = draft.stages.iter().map(|stage| u64::from(stage.channels.output())).sum();
        let step = |step: &Step| match step {
            Step::Load { rows, .. } => u64::from(rows.count) * chunks,
            Step::Compute { stage, steps } => {
                let stage = &draft.stages[*stage];
                let rows = u64::from(stage.rows_of(*steps).count);
                let groups = u64::from(stage.groups(target));
                stage.phases.len() as u64 * groups + rows * stage.outputs.len() as u64 * chunks
            }
        };
        self.rows.steps.iter().map(step).sum::<u64>() * stripes
            + kernels * if self.chunks_outside { 1 } else { stripes }
    }

    /// In words, with estimated cycles.
    pub(crate) fn describe(&self, draft: &Draft, target: &Target) -> String {
        let stripes = stripes(draft, self.columns);
        let width = stripes.iter().flat_map(|stripe| &stripe.steps).map(|steps| steps.count).max().unwrap_or(0);
        let mut words = vec![match stripes.len() {
            1 => "all columns at once".to_owned(),
            count => format!("{count} stripes of up to {width} columns"),
        }];
        if let [stage] = &draft.stages[..]
            && self.groups < stage.groups(target)
        {
            let order = if self.chunks_outside { "outer" } else { "inner" };
            words.push(format!("chunks of {} channel groups as {order} loop", self.groups));
        }
        let rings: Vec<String> =
            self.maps.iter().map(|map| format!("{} of {} lines", map.passes, map.pass_lines())).collect();
        words.push(format!("passes: {}", rings.join(", ")));
        if !self.overlaps {
            words.push("no pass to spare".to_owned());
        }
        let Cost { load, save, conv, misc } = self.cost;
        let bound = self.cost.bound();
        words.push(format!(
            "about {} cycles, {bound} bound (load {load}, save {save}, conv {conv}, misc {misc})",
            self.cycles()
        ));
        words.join("; ")
    }

    /// One number to compare plans by.
    pub(crate) fn cycles(&self) -> u64 {
        let cycles = self.cost.cycles();
        if self.overlaps { cycles } else { cycles.saturating_add(cycles / 3) }
    }
}

/// The columns of one stripe.
#[derive(Clone, Debug)]
pub(crate) struct Stripe {
    /// Steps of columns each stage computes.
    pub(crate) steps: Vec<Run>,
    /// Columns each buffer holds.
    pub(crate) buffers: Vec<Run>,
    /// Columns of the result of each stage that are saved.
    pub(crate) saved: Vec<Run>,
}

impl Stripe {
    /// The columns that a run of steps of the last stages needs. With `all`, every complete stage gives all its columns.
    pub(crate) fn of(draft: &Draft, run: Run, all: bool) -> Self {
        let nothing = Run { first: 0, count: 0 };
        let mut demand = vec![nothing; draft.buffers.len()];
        let mut stripe = Self {
            steps: vec![nothing; draft.stages.len()],
            buffers: vec![nothing; draft.buffers.len()],
            saved: vec![nothing; draft.stages.len()],
        };
        for (index, stage) in draft.stages.iter().enumerate().rev() {
            let result = draft.results[index];
            let mut columns = result.map_or(nothing, |result| demand[result.buffer]);
            if draft.is_complete(index) {
                let own = if all { Run { first: 0, count: stage.column_steps() } } else { run };
                let own = stage.columns_of(own);
                stripe.saved[index] = own;
                columns = columns.union(own);
            }
            let steps = stage.column_steps_of(columns);
            stripe.steps[index] = steps;
            if let Some(result) = result {
                stripe.buffers[result.buffer] = stripe.buffers[result.buffer].union(stage.columns_of(steps));
            }
            let inputs = stage.input_columns(steps);
            for &buffer in &draft.operands[index] {
                demand[buffer] = demand[buffer].union(inputs);
            }
        }
        for (index, buffer) in draft.buffers.iter().enumerate() {
            match buffer.filler {
                Filler::Loads { .. } => stripe.buffers[index] = demand[index],
                Filler::Resident(_) => stripe.buffers[index] = Run { first: 0, count: buffer.size[1] },
                Filler::Stages => {}
            }
        }
        stripe
    }
}

/// The steps of columns of the last stages, if they all have as many: only then can they be cut into stripes together.
fn common_column_steps(draft: &Draft) -> Option<u32> {
    let mut complete = (0..draft.stages.len()).filter(|&stage| draft.is_complete(stage));
    let steps = draft.stages[complete.next()?].column_steps();
    let alike = |stage: usize| draft.stages[stage].column_steps() == steps && draft.stages[stage].scale[1] == 1;
    let first = (0..draft.stages.len()).find(|&stage| draft.is_complete(stage))?;
    (draft.stages.len() == 1 || (alike(first) && complete.all(alike))).then_some(steps)
}

/// The stripes of a draft: one, or several of `columns` steps.
pub(crate) fn stripes(draft: &Draft, columns: u32) -> Vec<Stripe> {
    match common_column_steps(draft) {
        Some(steps) if columns < steps => Run::cut(steps, columns).map(|run| Stripe::of(draft, run, false)).collect(),
        _ => vec![Stripe::of(draft, Run { first: 0, count: 0 }, true)],
    }
}

/// The cheapest legal plan of a draft in some free space.
///
/// `None` if not even the smallest pieces fit.
pub(crate) fn choose(draft: &Draft, rows: &[Rows], space: &Space, target: &Target) -> Option<Plan> {
    let mut best: Option<Plan> = None;
    let mut misses = 0;
    for columns in widths(draft) {
        let plans = plans(draft, columns, rows, space, target);
        let cheapest = plans.into_iter().min_by_key(Plan::cycles);
        match (cheapest, &best) {
            (Some(plan), Some(before)) if plan.cycles() >= before.cycles() => misses += 1,
            (Some(plan), _) => best = Some(plan),
            (None, Some(_)) => misses += 1,
            (None, None) => {}
        }
        // Narrower stripes of a superlayer that fits only repeat more columns.
        if misses == 2 {
            break;
        }
    }
    best
}

/// All legal plans of a draft in some free space.
pub(crate) fn all_plans(draft: &Draft, rows: &[Rows], space: &Space, target: &Target) -> Vec<Plan> {
    widths(draft).into_iter().flat_map(|columns| plans(draft, columns, rows, space, target)).collect()
}

/// Widths of stripes to try, the widest first.
fn widths(draft: &Draft) -> Vec<u32> {
    let widest = draft.stages.iter().map(Stage::column_steps).max().unwrap_or(1);
    common_column_steps(draft).map_or(vec![widest], |steps| halvings(steps).collect())
}

fn plans(draft: &Draft, columns: u32, rows: &[Rows], space: &Space, target: &Target) -> Vec<Plan> {
    let stripes = stripes(draft, columns);
    let mut plans = Vec::new();
    for rows in rows {
        for (groups, chunks_outside) in chunkings(draft, target) {
            let cut = Cut { draft, rows, target, stripes: &stripes, columns, groups, chunks_outside };
            plans.extend(cut.plan(space));
        }
    }
    plans
}

/// Sizes of chunks and orders of the two loops. Stages that depend on each other on chip keep all channels, and so does what compares them.
fn chunkings(draft: &Draft, target: &Target) -> Vec<(u32, bool)> {
    let [stage] = &draft.stages[..] else { return vec![(u32::MAX, true)] };
    if stage.stored == Stored::Argmax {
        return vec![(u32::MAX, true)];
    }
    let all = stage.groups(target);
    let orders = |groups: u32| if groups < all { vec![(groups, true), (groups, false)] } else { vec![(groups, true)] };
    let most = if stage.engine == Some(Engine::Conv) { all } else { all.min(GROUPS_MAX) };
    halvings(most).flat_map(orders).collect()
}

/// One way to cut a draft.
struct Cut<'a> {
    draft: &'a Draft,
    rows: &'a Rows,
    target: &'a Target,
    stripes: &'a [Stripe],
    columns: u32,
    groups: u32,
    chunks_outside: bool,
}

impl Cut<'_> {
    fn plan(&self, space: &Space) -> Option<Plan> {
        let (draft, rows) = (self.draft, self.rows);
        let mut maps: Vec<OnChip> = (0..draft.buffers.len()).map(|buffer| self.map(buffer)).collect();
        if !self.is_legal(&maps) {
            return None;
        }
        let slots = self.grow(&mut maps, space)?;
        let spare = |(map, (&needed, &total)): (&OnChip, (&u32, &u32))| map.passes > needed || map.passes >= total;
        let passes = rows.passes_needed.iter().zip(&rows.passes_total);
        let overlaps = maps.iter().zip(passes).all(spare) && self.weights_overlap();
        let cost = self.cost(&maps);
        let (columns, groups, chunks_outside) = (self.columns, self.groups, self.chunks_outside);
        Some(Plan { columns, groups, chunks_outside, rows: rows.clone(), maps, slots, cost, overlaps })
    }

    /// Finds places for all buffers, and gives them passes to spare as long as there is room.
    fn grow(&self, maps: &mut [OnChip], space: &Space) -> Option<Vec<Slot>> {
        let is_resident = |buffer: usize| matches!(self.draft.buffers[buffer].filler, Filler::Resident(_));
        let lines = |maps: &[OnChip]| -> Vec<u64> {
            maps.iter().enumerate().map(|(buffer, map)| if is_resident(buffer) { 0 } else { map.lines() }).collect()
        };
        let mut slots = space.place(&lines(maps))?;
        if self.chunks() > 1 {
            // Rows that stay for the next chunk need not be loaded again.
            self.try_passes(maps, &mut slots, space, &lines, |_, total| total);
        }
        for spare in 1..=SPARE_PASSES {
            for buffer in 0..maps.len() {
                if is_resident(buffer) {
                    continue;
                }
                let passes = (self.rows.passes_needed[buffer] + spare).min(self.rows.passes_total[buffer]);
                if passes <= maps[buffer].passes {
                    continue;
                }
                let before = maps[buffer].passes;
                maps[buffer].passes = passes;
                match space.place(&lines(maps)) {
                    Some(found) => slots = found,
                    None => maps[buffer].passes = before,
                }
            }
        }
        for (buffer, map) in maps.iter_mut().enumerate() {
            if !is_resident(buffer) {
                map.group = self.target.feature_bank(slots[buffer].group) as u32;
                map.line = slots[buffer].line;
            }
        }
        Some(slots)
    }

    fn try_passes(
        &self,
        maps: &mut [OnChip],
        slots: &mut Vec<Slot>,
        space: &Space,
        lines: &dyn Fn(&[OnChip]) -> Vec<u64>,
        wanted: impl Fn(u32, u32) -> u32,
    ) {
        let before: Vec<u32> = maps.iter().map(|map| map.passes).collect();
        for (buffer, map) in maps.iter_mut().enumerate() {
            if let Filler::Loads { .. } = self.draft.buffers[buffer].filler {
                map.passes = wanted(map.passes, self.rows.passes_total[buffer]);
            }
        }
        match space.place(&lines(maps)) {
            Some(found) => *slots = found,
            None => maps.iter_mut().zip(before).for_each(|(map, passes)| map.passes = passes),
        }
    }

    /// A buffer of the widest stripe with the fewest passes.
    fn map(&self, index: usize) -> OnChip {
        let buffer = &self.draft.buffers[index];
        let shape = buffer.shape(self.target);
        if let Filler::Resident(_) = buffer.filler {
            return shape;
        }
        let columns = self.stripes.iter().map(|stripe| stripe.buffers[index].count).max().unwrap_or(1).max(1);
        let pixel_lines = self.pixel_lines(index);
        OnChip { passes: self.rows.passes_needed[index], columns, pixel_lines, ..shape }
    }

    /// Lines of a pixel with the channels of a chunk.
    fn pixel_lines(&self, index: usize) -> u32 {
        let buffer = &self.draft.buffers[index];
        let [stage] = &self.draft.stages[..] else { return buffer.pixel_lines };
        match buffer.filler {
            Filler::Loads { .. } => stage.input_lines(self.groups.min(stage.groups(self.target)), self.target),
            Filler::Stages => self.groups.min(buffer.pixel_lines),
            Filler::Resident(map) => map.pixel_lines,
        }
    }

    fn is_legal(&self, maps: &[OnChip]) -> bool {
        let draft = self.draft;
        let jumps = maps.iter().enumerate().all(|(index, map)| {
            let touching = draft.buffers[index].producers.iter().chain(&draft.buffers[index].consumers);
            let conv = touching.clone().any(|&stage| draft.stages[stage].engine == Some(Engine::Conv));
            let row_jump = if conv { CONV_JUMP } else { ALU_JUMP };
            u64::from(map.pixel_lines) <= CONV_JUMP
                && (map.interleave == 1 || u64::from(map.columns) * u64::from(map.pixel_lines) <= row_jump)
        });
        let columns =
            draft.stages.iter().enumerate().all(|(index, stage)| {
                self.stripes.iter().all(|stripe| stripe.steps[index].count <= stage.reach.columns)
            });
        let alone = draft.stages.len() == 1;
        let channels = draft.stages.iter().enumerate().all(|(index, stage)| {
            let groups = if alone { self.groups.min(stage.groups(self.target)) } else { stage.groups(self.target) };
            let bytes = groups as usize * self.target.line_bytes();
            (groups <= GROUPS_MAX || stage.engine == Some(Engine::Conv)) && (bytes <= SAVE_BYTES || !draft.saves[index])
        });
        let pitch = draft.stages.iter().all(|stage| {
            let lines = stage.input_lines(self.groups.min(stage.groups(self.target)), self.target);
            u64::from(lines) * u64::from(stage.source.pitch()) <= LOAD_JUMP
        });
        jumps && columns && channels && pitch && self.weights_fit()
    }

    /// Lines of the weights that must be on chip together, of the convolution and the depthwise memory.
    fn weight_lines(&self) -> [u64; 2] {
        let alone = self.draft.stages.len() == 1;
        let mut lines = [0; 2];
        for stage in &self.draft.stages {
            let groups = stage.groups(self.target);
            let groups = if alone { self.groups.min(groups) } else { groups };
            let own = u64::from(groups) * u64::from(stage.weights.lines);
            lines[usize::from(stage.engine != Some(Engine::Conv))] += own;
        }
        lines
    }

    fn weights_fit(&self) -> bool {
        let alone = self.draft.stages.len() == 1;
        self.weight_lines().iter().all(|&lines| lines <= BANK) || (alone && self.groups == 1)
    }

    /// Whether the weights of the next chunk can be loaded while those of this one are in use.
    fn weights_overlap(&self) -> bool {
        self.chunks() == 1 || self.weight_lines().iter().all(|&lines| lines <= BANK / 2)
    }

    fn chunks(&self) -> u64 {
        match &self.draft.stages[..] {
            [stage] => u64::from(stage.groups(self.target).div_ceil(self.groups.max(1))),
            _ => 1,
        }
    }

    /// How often weights and input are loaded.
    fn reloads(&self, maps: &[OnChip]) -> Reloads {
        let [stage] = &self.draft.stages[..] else { return Reloads { input: 1, weights: 1 } };
        let (chunks, stripes) = (self.chunks(), self.stripes.len() as u64);
        if let Channels::Same(_) = stage.channels {
            return Reloads { input: 1, weights: if chunks == 1 || self.chunks_outside { 1 } else { stripes } };
        }
        let rows_stay = self.rows_stay(maps);
        let weights_stay = u64::from(stage.groups(self.target)) * u64::from(stage.weights.lines) <= BANK;
        if self.chunks_outside {
            Reloads { input: if rows_stay && stripes == 1 { 1 } else { chunks }, weights: 1 }
        } else {
            Reloads { input: if rows_stay { 1 } else { chunks }, weights: if weights_stay { 1 } else { stripes } }
        }
    }

    /// Whether all loaded rows of a stripe stay for the next chunk.
    fn rows_stay(&self, maps: &[OnChip]) -> bool {
        rows_stay(self.draft, self.rows, maps)
    }

    fn cost(&self, maps: &[OnChip]) -> Cost {
        let reloads = self.reloads(maps);
        let mut cost = Cost::default();
        for index in 0..self.draft.stages.len() {
            self.add_stage(index, &reloads, &mut cost);
        }
        for (index, buffer) in self.draft.buffers.iter().enumerate() {
            if let Filler::Loads { stage, operand } = buffer.filler {
                cost.load += self.loads(index, stage, operand, reloads.input);
            }
        }
        cost
    }

    fn loads(&self, buffer: usize, stage: usize, operand: usize, times: u64) -> u64 {
        let stage = &self.draft.stages[stage];
        let rows: u64 = self.rows.steps.iter().map(|step| loaded_rows(step, buffer)).sum();
        let chunks = self.chunks();
        let (bytes, times) = match stage.channels {
            Channels::All { input, .. } => (input, times),
            Channels::Same(channels) => ((u64::from(channels).div_ceil(chunks)) as u32, chunks),
        };
        let stride = match &stage.source {
            Source::Maps(maps) => cost::pixel_stride(&maps[operand..]),
            Source::Interleaved(maps) => cost::pixel_stride(maps),
            Source::Augmented(_) | Source::Padding => u32::MAX,
        };
        let stripes = self.stripes.iter().map(|stripe| u64::from(stripe.buffers[buffer].count));
        stripes.map(|columns| cost::rows(rows * times, columns, bytes, stride)).sum()
    }

    fn add_stage(&self, index: usize, reloads: &Reloads, cost: &mut Cost) {
        let stage = &self.draft.stages[index];
        let all_groups = u64::from(stage.groups(self.target));
        let chunks = self.chunks();
        let blocks =
            self.rows.steps.iter().filter(|step| matches!(step, Step::Compute { stage, .. } if *stage == index));
        let (count, height) = blocks.fold((0u64, 0u64), |(count, height), step| match step {
            Step::Compute { steps, .. } => (count + 1, height + u64::from(stage.rows_of(*steps).count)),
            Step::Load { .. } => (count, height),
        });
        let columns: u64 = self.stripes.iter().map(|stripe| u64::from(stripe.steps[index].count)).sum();
        let stripes = self.stripes.len() as u64;
        let taps: u64 =
            stage.phases.iter().map(|phase| u64::from(phase.rows.taps) * u64::from(phase.columns.taps)).sum();
        let phases = stage.phases.len() as u64;
        match stage.engine {
            Some(Engine::Conv) => {
                let input = u64::from(stage.input_lines(1, self.target));
                let work = count * columns * taps * input * all_groups;
                cost.conv += cost::computing(count * stripes * all_groups * phases, work);
            }
            Some(_) if stage.elementwise => {
                let per_instruction = u64::from(stage.reach.rows);
                let instructions = count.max(height.div_ceil(per_instruction));
                let operands = u64::from(stage.source.operands());
                cost.misc +=
                    cost::computing(instructions * stripes * chunks, instructions * columns * operands * all_groups);
            }
            Some(_) => {
                let work = count * columns * taps * all_groups;
                cost.misc += cost::computing(count * stripes * chunks * phases, work);
            }
            None => {}
        }
        if stage.weights.lines > 0 {
            let (kernels, bytes) = match stage.channels {
                Channels::All { output, .. } => {
                    let channels = u64::from(self.target.channel_parallel as u32);
                    (u64::from(output), u64::from(stage.weights.bytes).div_ceil(channels))
                }
                Channels::Same(_) => (chunks, u64::from(stage.weights.bytes) * all_groups.div_ceil(chunks)),
            };
            cost.load += cost::dense(kernels * reloads.weights, bytes);
        }
        if self.draft.saves[index] {
            let bytes = stage.stored.bytes((u64::from(stage.channels.output()).div_ceil(chunks)) as u32);
            let stride = cost::pixel_stride(&stage.outputs);
            let transfers = height * chunks * stage.outputs.len() as u64;
            let saved = self.stripes.iter().map(|stripe| u64::from(stripe.saved[index].count));
            cost.save += saved.map(|columns| cost::rows(transfers, columns, bytes, stride)).sum::<u64>();
        }
    }
}

/// How often input rows and weights are loaded.
struct Reloads {
    input: u64,
    weights: u64,
}

/// Whether all loaded rows of a stripe stay on chip.
pub(crate) fn rows_stay(draft: &Draft, rows: &Rows, maps: &[OnChip]) -> bool {
    let loaded = |buffer: &usize| matches!(draft.buffers[*buffer].filler, Filler::Loads { .. });
    (0..maps.len()).filter(loaded).all(|buffer| maps[buffer].passes >= rows.passes_total[buffer])
}

fn loaded_rows(step: &Step, wanted: usize) -> u64 {
    match step {
        Step::Load { buffer, rows } if *buffer == wanted => u64::from(rows.count),
        _ => 0,
    }
}

/// `n`, then half of it rounded up, and so on to 1.
fn halvings(n: u32) -> impl Iterator<Item = u32> {
    std::iter::successors(Some(n), |&n| (n > 1).then(|| n.div_ceil(2)))
}
