//! Tile choice: how a sub-problem is cut so that every piece fits on chip (`spec/recipes-conv.md` sections 2.4 and 5.1).
//!
//! A tile is a stripe of output columns and a chunk of output-channel groups over all rows. Input rows stream through a ring of
//! passes, so no row of a stripe is loaded twice; only the columns that two stripes share are. Every legal cut is rated by the
//! DDR traffic it causes, and cuts that leave no room to load ahead are rated worse.

use dpuc_isa::{BANK_LINES, Target};

use crate::blocks::RowBlocks;
use crate::layer::FeatureMap;
use crate::limits::{self, Violation};
use crate::source::Source;
use crate::task::{Channels, Task};

/// Lines of a memory that one tile should leave free for the next one.
const HALF_BANK: u64 = BANK_LINES as u64 / 2;
/// Output-channel groups of one chunk: what one Alu handles, and one Save of the widest target moves.
const GROUPS_MAX: u32 = 256;
/// Bytes a DDR port moves per cycle.
const BEAT: u64 = 16;
/// Beats one more transfer costs, whatever its size; a rough figure that only ranks cuts.
const TRANSFER_COST: u64 = 8;

/// How a sub-problem is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Output columns of a stripe.
    pub(crate) columns: u32,
    /// Output-channel groups of a chunk.
    pub(crate) groups: u32,
    /// Row layout.
    pub(crate) blocks: RowBlocks,
    /// Passes of the input ring.
    pub(crate) passes: u32,
    /// Whether the chunk, with its weights, is the outer loop and the stripe the inner one.
    pub(crate) chunks_outside: bool,
}

impl Plan {
    /// The cheapest legal cut.
    ///
    /// # Errors
    /// Not even one output pixel of one channel group fits.
    pub(crate) fn choose(task: &Task, target: &Target) -> Result<Self, Violation> {
        let planner = Planner { task, target };
        let candidates =
            RowBlocks::candidates(target.pixel_parallel as u32, task.reach.rows, task.reach.interleave, task.rows);
        for blocks in &candidates {
            if let Some(plan) = planner.best(*blocks) {
                return Ok(plan);
            }
        }
        let smallest = candidates.iter().map(|blocks| planner.ring_lines(*blocks, 1, 1)).min();
        let lines = smallest.unwrap_or(u64::from(task.rows.taps) * u64::from(task.columns.taps));
        Err(limits::TILE_LINES.violated_by(lines.min(i64::MAX as u64) as i64))
    }
}

impl Plan {
    /// Row transfers of the sub-problem, about.
    pub(crate) fn transfers(&self, task: &Task, target: &Target) -> u64 {
        let stripes = u64::from(task.columns.count.div_ceil(self.columns));
        let chunks = (target.lines(task.channels.output() as usize) as u64).div_ceil(u64::from(self.groups));
        let maps = u64::from(task.source.operands()) + task.outputs.len() as u64;
        u64::from(task.rows.count.max(task.rows.size)) * stripes * chunks * maps
    }
}

struct Planner<'a> {
    task: &'a Task,
    target: &'a Target,
}

impl Planner<'_> {
    fn best(&self, blocks: RowBlocks) -> Option<Plan> {
        let groups_all = self.groups(self.task.channels.output());
        let mut best: Option<(u64, Plan)> = None;
        for columns in halvings(self.task.columns.count.min(self.task.reach.columns)) {
            for groups in equal_parts(groups_all, GROUPS_MAX) {
                if let Some((cost, plan)) = self.rate(blocks, columns, groups)
                    && best.is_none_or(|(least, _)| cost < least)
                {
                    best = Some((cost, plan));
                }
            }
        }
        best.map(|(_, plan)| plan)
    }

    fn groups(&self, channels: u32) -> u32 {
        self.target.lines(channels as usize) as u32
    }

    /// Lines of an input pixel on chip.
    fn pixel_lines(&self, groups: u32) -> u32 {
        match self.task.channels {
            Channels::All { input, .. } => self.groups(input).max(1),
            Channels::Same(_) => groups,
        }
    }

    /// Input columns that a stripe loads, at most.
    fn loaded_columns(&self, columns: u32) -> u64 {
        let span = &self.task.columns;
        let reach = u64::from(columns - 1) * u64::from(span.stride) + u64::from(span.taps);
        reach.min(u64::from(span.size)).max(1)
    }

    /// Lines of one pass of the input ring, all operands.
    fn pass_lines(&self, blocks: RowBlocks, columns: u32, groups: u32) -> u64 {
        let row = self.loaded_columns(columns) * u64::from(self.pixel_lines(groups));
        row * u64::from(blocks.interleave) * u64::from(self.task.source.operands())
    }

    /// Lines of the shortest legal input ring.
    fn ring_lines(&self, blocks: RowBlocks, columns: u32, groups: u32) -> u64 {
        self.pass_lines(blocks, columns, groups) * u64::from(blocks.passes_needed)
    }

    /// The plan and its cost, if it fits.
    fn rate(&self, blocks: RowBlocks, columns: u32, groups: u32) -> Option<(u64, Plan)> {
        let bank = BANK_LINES as u64;
        let task = self.task;
        let pass = self.pass_lines(blocks, columns, groups);
        let row = pass / u64::from(blocks.interleave) / u64::from(task.source.operands());
        let output = u64::from(columns) * u64::from(groups);
        let weights = u64::from(groups) * u64::from(task.weights.lines);
        let fits = self.ring_lines(blocks, columns, groups) <= bank
            && (blocks.interleave == 1 || row <= u64::from(task.reach.row_jump))
            && (!task.computes || output <= bank)
            && (weights <= bank || groups == 1);
        if !fits {
            return None;
        }
        let stripes = u64::from(task.columns.count.div_ceil(columns));
        let chunks = u64::from(self.groups(task.channels.output()).div_ceil(groups));
        let whole = u64::from(blocks.passes_total()) * pass <= bank;
        let (passes, ahead) = Self::passes(blocks, pass, whole && chunks > 1);
        let resident = passes >= blocks.passes_total();
        let (chunks_outside, input_loads, weight_loads) = self.order(stripes, chunks, resident);
        let traffic = self.traffic(blocks, columns, groups, input_loads, weight_loads);
        let comfortable = (ahead || resident) && (!task.computes || output <= HALF_BANK);
        let cost = if comfortable { traffic } else { traffic + traffic / 2 };
        Some((cost, Plan { columns, groups, blocks, passes, chunks_outside }))
    }

    /// Passes of the input ring, and whether it has room to load ahead. The ring takes half a bank unless more is needed, or
    /// all rows should stay for the next chunk.
    fn passes(blocks: RowBlocks, pass_lines: u64, keep_all: bool) -> (u32, bool) {
        let (needed, total) = (blocks.passes_needed, blocks.passes_total());
        if keep_all {
            return (total.max(needed), true);
        }
        let fitting = |lines: u64| u32::try_from(lines / pass_lines).unwrap_or(u32::MAX);
        let roomy = fitting(HALF_BANK).max((needed + 1).min(fitting(BANK_LINES as u64)));
        let passes = roomy.min(total).max(needed);
        (passes, passes > needed)
    }

    /// Which loop is outside, and how often the input and the weights are loaded then.
    fn order(&self, stripes: u64, chunks: u64, resident: bool) -> (bool, u64, u64) {
        if matches!(self.task.channels, Channels::Same(_)) {
            return (true, 1, 1);
        }
        let weight_lines = u64::from(self.groups(self.task.channels.output())) * u64::from(self.task.weights.lines);
        let weights_stay = weight_lines <= BANK_LINES as u64;
        let outside = (if stripes == 1 && resident { 1 } else { chunks }, 1);
        let inside = (if resident { 1 } else { chunks }, if weights_stay { 1 } else { stripes });
        let bytes = |(input, weights): (u64, u64)| input * self.input_bytes() + weights * self.weight_bytes();
        if bytes(inside) <= bytes(outside) { (false, inside.0, inside.1) } else { (true, outside.0, outside.1) }
    }

    fn input_bytes(&self) -> u64 {
        let channels = match self.task.channels {
            Channels::All { input, .. } => input,
            Channels::Same(channels) => channels,
        };
        u64::from(self.task.rows.size) * u64::from(self.task.columns.size) * u64::from(channels)
    }

    fn weight_bytes(&self) -> u64 {
        u64::from(self.groups(self.task.channels.output())) * u64::from(self.task.weights.bytes)
    }

    /// Beats of all transfers.
    fn traffic(&self, blocks: RowBlocks, columns: u32, groups: u32, input_loads: u64, weight_loads: u64) -> u64 {
        let task = self.task;
        let channels = task.channels.output();
        let chunks = u64::from(self.groups(channels).div_ceil(groups));
        let chunk_bytes = channels.min(groups * self.target.line_bytes() as u32);
        let stripes = u64::from(task.columns.count.div_ceil(columns));
        let rows = (u64::from(blocks.span.count - 1) * u64::from(task.rows.stride) + u64::from(task.rows.taps))
            .min(u64::from(task.rows.size));
        let (input_bytes, input_repeats) = match task.channels {
            Channels::All { input, .. } => (input, input_loads),
            Channels::Same(_) => (chunk_bytes, chunks),
        };
        let stride = |map: Option<&FeatureMap>| map.map_or(u32::MAX, |map| map.pixel_stride);
        let input_stride = match &task.source {
            Source::Maps(maps) => stride(maps.first()),
            Source::Augmented(_) | Source::Padding => u32::MAX,
        };
        let operands = u64::from(task.source.operands());
        let load = row_beats(self.loaded_columns(columns), input_bytes, input_stride)
            * rows
            * stripes
            * input_repeats
            * operands;
        let save = row_beats(u64::from(columns), chunk_bytes, stride(task.outputs.first()))
            * u64::from(task.rows.count)
            * stripes
            * chunks
            * task.outputs.len() as u64;
        load + save + weight_loads * self.weight_bytes().div_ceil(BEAT)
    }
}

/// Beats of one row transfer.
fn row_beats(pixels: u64, bytes: u32, stride: u32) -> u64 {
    let bytes_apart = u64::from(bytes);
    let beats =
        if bytes == stride { (pixels * bytes_apart).div_ceil(BEAT) } else { pixels * bytes_apart.div_ceil(BEAT) };
    beats + TRANSFER_COST
}

/// `n`, then half of it rounded up, and so on to 1.
fn halvings(n: u32) -> impl Iterator<Item = u32> {
    std::iter::successors(Some(n), |&n| (n > 1).then(|| n.div_ceil(2)))
}

/// Part sizes that cut `n` into 1, 2, 3 … nearly equal parts of at most `most`, without repetition.
fn equal_parts(n: u32, most: u32) -> impl Iterator<Item = u32> {
    std::iter::successors(Some(n.min(most)), move |&size| {
        (size > 1).then(|| n.div_ceil(n.div_ceil(size) + 1).min(size - 1))
    })
}
