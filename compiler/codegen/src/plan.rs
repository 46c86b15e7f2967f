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

/// Lines of a bank.
const BANK: u64 = BANK_LINES as u64;
/// Lines of a memory that one tile should leave free for the next one.
const HALF_BANK: u64 = BANK / 2;
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
        let layouts =
            RowBlocks::candidates(target.pixel_parallel as u32, task.reach.rows, task.reach.interleave, task.rows);
        for &blocks in &layouts {
            let cuts = halvings(task.columns.count.min(task.reach.columns)).flat_map(|columns| {
                let all_groups = target.lines(task.channels.output() as usize) as u32;
                equal_parts(all_groups, GROUPS_MAX).map(move |groups| Cut { task, target, blocks, columns, groups })
            });
            if let Some((_, plan)) = cuts.filter(Cut::fits).map(|cut| cut.rate()).min_by_key(|&(cost, _)| cost) {
                return Ok(plan);
            }
        }
        let smallest = |&blocks: &RowBlocks| Cut { task, target, blocks, columns: 1, groups: 1 }.ring_lines();
        let lines = layouts.iter().map(smallest).min();
        let lines = lines.unwrap_or(u64::from(task.rows.taps) * u64::from(task.columns.taps));
        Err(limits::TILE_LINES.violated_by(lines.min(i64::MAX as u64) as i64))
    }

    /// About how many instructions the sub-problem becomes: row transfers, weights, blocks.
    pub(crate) fn instructions(&self, task: &Task, target: &Target) -> u64 {
        let Self { columns, groups, blocks, .. } = *self;
        let cut = Cut { task, target, blocks, columns, groups };
        let maps = u64::from(task.source.operands()) + task.outputs.len() as u64;
        let transfers = u64::from(task.rows.count.max(task.rows.size)) * cut.stripes() * cut.chunks() * maps;
        let blocks = u64::from(task.rows.count.div_ceil(blocks.rows_max)) * cut.stripes() * cut.all_groups();
        let kernels = u64::from(task.channels.output()) * if self.chunks_outside { 1 } else { cut.stripes() };
        transfers + blocks + kernels
    }
}

/// One way to cut a sub-problem.
struct Cut<'a> {
    task: &'a Task,
    target: &'a Target,
    blocks: RowBlocks,
    columns: u32,
    groups: u32,
}

impl Cut<'_> {
    fn stripes(&self) -> u64 {
        u64::from(self.task.columns.count.div_ceil(self.columns))
    }

    fn chunks(&self) -> u64 {
        self.all_groups().div_ceil(u64::from(self.groups))
    }

    /// Output-channel groups of the operator.
    fn all_groups(&self) -> u64 {
        self.target.lines(self.task.channels.output() as usize) as u64
    }

    /// Input columns that a stripe loads, at most.
    fn loaded_columns(&self) -> u64 {
        let span = &self.task.columns;
        let reach = u64::from(self.columns - 1) * u64::from(span.stride) + u64::from(span.taps);
        reach.min(u64::from(span.size)).max(1)
    }

    /// Lines of an input row of a stripe.
    fn row_lines(&self) -> u64 {
        let pixel = match self.task.channels {
            Channels::All { input, .. } => self.target.lines(input as usize).max(1) as u64,
            Channels::Same(_) => u64::from(self.groups),
        };
        self.loaded_columns() * pixel
    }

    /// Lines of one pass of the input ring, all operands.
    fn pass_lines(&self) -> u64 {
        self.row_lines() * u64::from(self.blocks.interleave) * u64::from(self.task.source.operands())
    }

    /// Lines of the shortest legal input ring.
    fn ring_lines(&self) -> u64 {
        self.pass_lines() * u64::from(self.blocks.passes_needed)
    }

    /// Lines of an output row of a stripe.
    fn output_lines(&self) -> u64 {
        if self.task.computes { u64::from(self.columns) * u64::from(self.groups) } else { 0 }
    }

    fn fits(&self) -> bool {
        let weights = u64::from(self.groups) * u64::from(self.task.weights.lines);
        self.ring_lines() <= BANK
            && (self.blocks.interleave == 1 || self.row_lines() <= u64::from(self.task.reach.row_jump))
            && self.output_lines() <= BANK
            && (weights <= BANK || self.groups == 1)
    }

    /// The plan for this cut and its cost.
    fn rate(&self) -> (u64, Plan) {
        let (passes, runs_ahead) = self.passes();
        let order = self.order(passes >= self.blocks.passes_total());
        let traffic = self.traffic(&order);
        let overlaps = runs_ahead && self.output_lines() <= HALF_BANK;
        let cost = if overlaps { traffic } else { traffic + traffic / 2 };
        let &Self { blocks, columns, groups, .. } = self;
        (cost, Plan { columns, groups, blocks, passes, chunks_outside: order.chunks_outside })
    }

    /// Passes of the input ring, and whether Loads can run ahead of the computation. The ring takes half a bank unless more is
    /// needed, or unless all rows can stay for the next chunk.
    fn passes(&self) -> (u32, bool) {
        let (needed, total) = (self.blocks.passes_needed, self.blocks.passes_total());
        let fitting = |lines: u64| u32::try_from(lines / self.pass_lines()).unwrap_or(u32::MAX);
        if self.chunks() > 1 && total <= fitting(BANK) {
            return (total.max(needed), true);
        }
        let roomy = fitting(HALF_BANK).max((needed + 1).min(fitting(BANK)));
        let passes = roomy.min(total).max(needed);
        (passes, passes > needed || passes >= total)
    }

    /// The cheaper order of the loops. `rows_stay` says whether the input ring holds all rows of a stripe.
    fn order(&self, rows_stay: bool) -> LoopOrder {
        let Channels::All { input, .. } = self.task.channels else {
            return LoopOrder { chunks_outside: true, input_loads: 1, weight_loads: 1 };
        };
        let weights_stay = self.all_groups() * u64::from(self.task.weights.lines) <= BANK;
        let (stripes, chunks) = (self.stripes(), self.chunks());
        let outside = LoopOrder {
            chunks_outside: true,
            input_loads: if stripes == 1 && rows_stay { 1 } else { chunks },
            weight_loads: 1,
        };
        let inside = LoopOrder {
            chunks_outside: false,
            input_loads: if rows_stay { 1 } else { chunks },
            weight_loads: if weights_stay { 1 } else { stripes },
        };
        let input_bytes = u64::from(self.task.rows.size) * u64::from(self.task.columns.size) * u64::from(input);
        let bytes = |order: &LoopOrder| order.input_loads * input_bytes + order.weight_loads * self.weight_bytes();
        if bytes(&inside) <= bytes(&outside) { inside } else { outside }
    }

    fn weight_bytes(&self) -> u64 {
        self.all_groups() * u64::from(self.task.weights.bytes)
    }

    /// Beats of all transfers.
    fn traffic(&self, order: &LoopOrder) -> u64 {
        let Task { rows, channels, source, outputs, .. } = self.task;
        let chunk_bytes = channels.output().min(self.groups * self.target.line_bytes() as u32);
        let (input_bytes, input_loads) = match *channels {
            Channels::All { input, .. } => (input, order.input_loads),
            Channels::Same(_) => (chunk_bytes, self.chunks()),
        };
        let input_stride = match source {
            Source::Maps(maps) => pixel_stride(maps),
            Source::Augmented(_) | Source::Padding => u32::MAX,
        };
        let height = u64::from(rows.count - 1) * u64::from(rows.stride) + u64::from(rows.taps);
        let rows_loaded = height.min(u64::from(rows.size)) * input_loads * u64::from(source.operands());
        let rows_saved = u64::from(rows.count) * self.chunks() * outputs.len() as u64;
        let load = rows_loaded * row_beats(self.loaded_columns(), input_bytes, input_stride);
        let save = rows_saved * row_beats(u64::from(self.columns), chunk_bytes, pixel_stride(outputs));
        self.stripes() * (load + save) + order.weight_loads * self.weight_bytes().div_ceil(BEAT)
    }
}

/// Which of the loops over stripes and chunks is outside, and how often input and weights are loaded then.
struct LoopOrder {
    chunks_outside: bool,
    input_loads: u64,
    weight_loads: u64,
}

fn pixel_stride(maps: &[FeatureMap]) -> u32 {
    maps.first().map_or(u32::MAX, |map| map.pixel_stride)
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
