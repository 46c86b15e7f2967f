//! The tile recipe: loads, computes and saves a planned sub-problem (`spec/recipes-conv.md` sections 2, 3 and 5.1).
//!
//! Rows are loaded when the first block that needs them comes up, and saved as soon as they are computed. Loads wait for nothing
//! but the lines they overwrite, so the load engine runs ahead of this order by itself.

use crate::plan::Plan;
use crate::source::{BankLine, DdrPixels, RowPart};
use crate::stream::{Memory, Stream, wrap_line};
use crate::task::{Channels, Task};

/// Largest padding a pad field counts; a larger value means the same in every use.
const PAD_TOP_ALL: i64 = 15;

/// Real rows and columns around a block, before clamping to the fields (`spec/recipes-conv.md` section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pads {
    /// Padding rows in front of the first window.
    pub(crate) top: i64,
    /// Padding columns in front of the first window.
    pub(crate) left: i64,
    /// Real rows behind the first row of the last window.
    pub(crate) bottom: i64,
    /// Real columns behind the first column of the last window.
    pub(crate) right: i64,
}

/// The input window of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InputWindow {
    /// Bank of the first row.
    pub(crate) bank: u32,
    /// Lines of the first column in the four passes, padding included.
    pub(crate) lines: [u32; 4],
    /// Lines from an operand to the next.
    pub(crate) operand_lines: u32,
    /// Lines between pixels.
    pub(crate) pixel_lines: u32,
    /// Lines between rows of the same bank.
    pub(crate) row_lines: u32,
    /// Rows per bank.
    pub(crate) interleave: u32,
    /// Position of the first row in its bank.
    pub(crate) slot: u32,
    /// Channels that are real.
    pub(crate) channels: u32,
}

/// One block: some output rows of a stripe, for one chunk of output channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// Output rows.
    pub(crate) rows: u32,
    /// Output columns.
    pub(crate) columns: u32,
    /// First output-channel group of the chunk.
    pub(crate) first_group: u32,
    /// Output-channel groups of the chunk.
    pub(crate) groups: u32,
    /// Window height, width.
    pub(crate) kernel: [u32; 2],
    /// Horizontal stride of the window.
    pub(crate) column_stride: u32,
    /// Padding.
    pub(crate) pads: Pads,
    /// Input.
    pub(crate) input: InputWindow,
    /// Place of the first output pixel; rows go to consecutive banks, pixels are `groups` lines apart.
    pub(crate) output: BankLine,
}

/// What an engine does with a block.
pub(crate) trait Compute {
    /// Emits the instructions that compute the block, and loads the parameters they need.
    fn compute(&mut self, stream: &mut Stream, block: &Block);
}

/// Saves rows from where they were loaded.
pub(crate) struct Untouched;

impl Compute for Untouched {
    fn compute(&mut self, _: &mut Stream, _: &Block) {}
}

/// A run of output columns or output-channel groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    first: u32,
    count: u32,
}

fn runs(total: u32, most: u32) -> impl Iterator<Item = Run> + Clone {
    (0..total).step_by(most as usize).map(move |first| Run { first, count: most.min(total - first) })
}

/// Emits a sub-problem.
pub(crate) fn emit_task(task: &Task, plan: &Plan, compute: &mut dyn Compute, stream: &mut Stream) {
    let stripes = runs(task.columns.count, plan.columns);
    let chunks = runs(stream.target().lines(task.channels.output() as usize) as u32, plan.groups);
    let mut tile: Option<Tile> = None;
    let mut emit = |stripe: Run, chunk: Run| {
        let kept = tile.take().filter(|tile| tile.serves(stripe, chunk));
        let tile = tile.insert(kept.unwrap_or_else(|| Tile::new(task, plan, stripe, chunk, stream)));
        tile.emit(chunk, compute, stream);
    };
    if plan.chunks_outside {
        chunks.for_each(|chunk| stripes.clone().for_each(|stripe| emit(stripe, chunk)));
    } else {
        stripes.for_each(|stripe| chunks.clone().for_each(|chunk| emit(stripe, chunk)));
    }
}

/// The input ring of a stripe and what is in it.
struct Tile<'a> {
    task: &'a Task,
    plan: &'a Plan,
    stripe: Run,
    /// Chunk the input channels were loaded for.
    chunk: Run,
    /// First line of the ring.
    line: u32,
    /// First real input column, and the number of them.
    columns: (u32, u32),
    /// Padding columns in front of it.
    pad_columns: u32,
    pixel_lines: u32,
    row_lines: u32,
    pass_lines: u32,
    /// First row that has not been loaded.
    next_row: u32,
}

impl<'a> Tile<'a> {
    fn new(task: &'a Task, plan: &'a Plan, stripe: Run, chunk: Run, stream: &mut Stream) -> Self {
        let columns = task.columns.inputs(stripe.first, stripe.count);
        let pixel_lines = match task.channels {
            Channels::All { input, .. } => (stream.target().lines(input as usize) as u32).max(1),
            Channels::Same(_) => chunk.count,
        };
        let row_lines = columns.1.max(1) * pixel_lines;
        let pass_lines = row_lines * plan.blocks.interleave;
        let line = stream.allocate(Memory::Input, plan.passes * pass_lines * task.source.operands());
        let pad_columns = (-task.columns.window_start(stripe.first)).max(0) as u32;
        Self { task, plan, stripe, chunk, line, columns, pad_columns, pixel_lines, row_lines, pass_lines, next_row: 0 }
    }

    /// Whether the ring still holds all rows of a stripe, with the channels of a chunk.
    fn serves(&self, stripe: Run, chunk: Run) -> bool {
        let channels_loaded = matches!(self.task.channels, Channels::All { .. }) || self.chunk == chunk;
        self.stripe == stripe && channels_loaded && self.plan.passes >= self.plan.blocks.passes_total()
    }

    fn emit(&mut self, chunk: Run, compute: &mut dyn Compute, stream: &mut Stream) {
        let (task, blocks) = (self.task, &self.plan.blocks);
        let mut output_line = 0;
        let mut output = 0;
        while output < task.rows.count {
            if task.computes && output % blocks.banks == 0 {
                output_line = stream.allocate(Memory::Output, self.stripe.count * chunk.count);
            }
            let rows = blocks.rows_at(output);
            self.load_rows(task.rows.window_last(output + rows - 1), stream);
            let input = self.window(output, chunk, stream);
            let from = if task.computes {
                let group = stream.target().feature_bank(1) as u32;
                BankLine { bank: group + output % blocks.banks, line: output_line }
            } else {
                BankLine { bank: input.bank, line: input.lines[0] }
            };
            compute.compute(
                stream,
                &Block {
                    rows,
                    columns: self.stripe.count,
                    first_group: chunk.first,
                    groups: chunk.count,
                    kernel: [task.rows.taps, task.columns.taps],
                    column_stride: task.columns.stride,
                    pads: self.pads(output, rows),
                    input,
                    output: from,
                },
            );
            for row in 0..rows {
                self.save_row(output + row, chunk, BankLine { bank: from.bank + row, ..from }, stream);
            }
            output += rows;
        }
    }

    /// Loads the rows up to `last` that are not there yet. Rows that a stride above the kernel height skips are loaded too: an
    /// instruction fetches all rows from its first to its last.
    fn load_rows(&mut self, last: i64, stream: &mut Stream) {
        let end = (last + 1).clamp(0, i64::from(self.task.rows.size)) as u32;
        let first_row = self.task.rows.first;
        let (channel, channels) = match self.task.channels {
            Channels::All { input, .. } => (0, input),
            Channels::Same(_) => self.channels(self.chunk, stream),
        };
        for row in self.next_row.max(first_row.max(0) as u32)..end {
            let to = self.place((i64::from(row) - first_row) as u64);
            let part = RowPart { row, column: self.columns.0, columns: self.columns.1, channel, channels };
            for operand in 0..self.task.source.operands() {
                let to = to.after(operand * self.operand_lines());
                self.task.source.load_row(stream, operand, &part, to, self.pixel_lines);
            }
        }
        self.next_row = self.next_row.max(end);
    }

    /// Bank and line of a row, counted from the first row of the first window.
    fn place(&self, row: u64) -> BankLine {
        let blocks = &self.plan.blocks;
        let step = blocks.step(row);
        let bank = (step % u64::from(blocks.banks)) as u32;
        let line = self.pass_line(step / u64::from(blocks.banks)) + i64::from(blocks.slot(row) * self.row_lines);
        BankLine { bank, line: wrap_line(line) }
    }

    /// First line of a pass.
    fn pass_line(&self, pass: u64) -> i64 {
        i64::from(self.line) + (pass % u64::from(self.plan.passes)) as i64 * i64::from(self.pass_lines)
    }

    fn operand_lines(&self) -> u32 {
        self.plan.passes * self.pass_lines
    }

    fn window(&self, output: u32, chunk: Run, stream: &Stream) -> InputWindow {
        let blocks = &self.plan.blocks;
        let row = blocks.window_row(output);
        let pass = blocks.step(row) / u64::from(blocks.banks);
        let padding = i64::from(self.pad_columns * self.pixel_lines);
        InputWindow {
            bank: self.place(row).bank,
            lines: [0, 1, 2, 3].map(|further| wrap_line(self.pass_line(pass + further) - padding)),
            operand_lines: self.operand_lines(),
            pixel_lines: self.pixel_lines,
            row_lines: self.row_lines,
            interleave: blocks.interleave,
            slot: blocks.slot(row),
            channels: match self.task.channels {
                Channels::All { input, .. } => input,
                Channels::Same(_) => self.channels(chunk, stream).1,
            },
        }
    }

    fn pads(&self, output: u32, rows: u32) -> Pads {
        let Task { rows: vertical, columns: horizontal, .. } = self.task;
        let last_column = self.stripe.first + self.stripe.count - 1;
        let all_padding = vertical.is_padding() || horizontal.is_padding();
        Pads {
            top: if all_padding { PAD_TOP_ALL } else { (-vertical.window_start(output)).max(0) },
            left: (-horizontal.window_start(self.stripe.first)).max(0),
            bottom: (i64::from(vertical.size) - 1 - vertical.window_start(output + rows - 1)).max(0),
            right: (i64::from(horizontal.size) - 1 - horizontal.window_start(last_column)).max(0),
        }
    }

    /// First output channel of a chunk and the number of them.
    fn channels(&self, chunk: Run, stream: &Stream) -> (u32, u32) {
        let line_bytes = stream.target().line_bytes() as u32;
        let first = chunk.first * line_bytes;
        (first, (chunk.count * line_bytes).min(self.task.channels.output() - first))
    }

    fn save_row(&self, row: u32, chunk: Run, from: BankLine, stream: &mut Stream) {
        let (channel, channels) = self.channels(chunk, stream);
        let pixel_lines = if self.task.computes { chunk.count } else { self.pixel_lines };
        for output in &self.task.outputs {
            DdrPixels::of_map(output, row, self.stripe.first, self.stripe.count, channel, channels).save(
                stream,
                from,
                pixel_lines,
            );
        }
    }
}
