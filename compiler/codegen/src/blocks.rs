//! Row blocks: which output rows one instruction computes, and how input rows are spread over banks
//! (`spec/recipes-conv.md` sections 2.2 and 2.5).
//!
//! Rows of a tile go to the banks of a group in turn, `interleave` rows to each bank; after the last bank the walk returns to the
//! first one, a *pass* further. Row numbers count from the first row of the first window, which starts bank 0.

use crate::axis::Span;

/// Base addresses, and so passes, of an instruction.
pub(crate) const PASSES_PER_INSTRUCTION: u64 = 4;

/// Row layout and row blocks of one correlation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowBlocks {
    /// Banks of a group.
    pub(crate) banks: u32,
    /// Rows in a bank before the next bank follows: the `stride_h` field.
    pub(crate) interleave: u32,
    /// Output rows of one instruction.
    pub(crate) rows_max: u32,
    /// The rows of the correlation.
    pub(crate) span: Span,
    /// Passes a ring of input rows needs so that no row overwrites one that the same block still reads.
    pub(crate) passes_needed: u32,
}

impl RowBlocks {
    /// The layout to use: the stride as interleave if that is legal for every output row, and after it, one row at a time, the
    /// interleave with the shortest ring. With one row the `stride_h` field changes nothing but the layout.
    pub(crate) fn candidates(banks: u32, rows_max: u32, interleave_max: u32, span: Span) -> Vec<Self> {
        let by_stride = Self::new(banks, span.stride, rows_max, span);
        let shortest = (1..=interleave_max.min(span.taps))
            .filter_map(|interleave| Self::new(banks, interleave, 1, span))
            .min_by_key(|blocks| blocks.passes_needed * blocks.interleave);
        by_stride.into_iter().chain(shortest).collect()
    }

    /// The layout with this interleave, if every output row can be computed.
    fn new(banks: u32, interleave: u32, rows_max: u32, span: Span) -> Option<Self> {
        let mut blocks = Self { banks, interleave, rows_max, span, passes_needed: 1 };
        let legal = (0..blocks.period()).all(|output| blocks.reaches(output, 1));
        blocks.passes_needed = blocks.largest_block_passes();
        legal.then_some(blocks)
    }

    /// Bank steps from the first row to row `row`, which counts from the first window's first row.
    pub(crate) const fn step(&self, row: u64) -> u64 {
        row / self.interleave as u64
    }

    /// Position of a row among the rows that share its bank step.
    pub(crate) const fn slot(&self, row: u64) -> u32 {
        (row % self.interleave as u64) as u32
    }

    /// First row of the window of an output row.
    pub(crate) const fn window_row(&self, output: u32) -> u64 {
        output as u64 * self.span.stride as u64
    }

    /// Bank steps that `rows` output rows from `output` on read.
    fn steps(&self, output: u32, rows: u32) -> u64 {
        let slot = u64::from(self.slot(self.window_row(output)));
        let height = u64::from(rows - 1) * u64::from(self.span.stride) + u64::from(self.span.taps);
        (slot + height).div_ceil(u64::from(self.interleave))
    }

    /// Whether the four base addresses of an instruction reach all rows it reads.
    fn reaches(&self, output: u32, rows: u32) -> bool {
        let bank = self.step(self.window_row(output)) % u64::from(self.banks);
        (bank + self.steps(output, rows) - 1) / u64::from(self.banks) < PASSES_PER_INSTRUCTION
    }

    /// Output rows after which blocks repeat.
    fn period(&self) -> u32 {
        self.span.count.min(self.banks.saturating_mul(self.interleave))
    }

    /// Output rows of the block that starts at `output`. Blocks never leave the `banks` output rows that fill the output group
    /// once, so no instruction's output wraps from the last bank to the first.
    pub(crate) fn rows_at(&self, output: u32) -> u32 {
        let pass_end = (output / self.banks + 1).saturating_mul(self.banks).min(self.span.count);
        let most = self.rows_max.min(pass_end - output);
        (1..=most).rev().find(|&rows| self.reaches(output, rows)).unwrap_or(1)
    }

    fn largest_block_passes(&self) -> u32 {
        let mut needed = 1;
        let mut output = 0;
        while output < self.period() {
            let rows = self.rows_at(output);
            needed = needed.max(self.steps(output, rows).div_ceil(u64::from(self.banks)));
            output += rows;
        }
        needed as u32
    }

    /// Passes that hold all rows at once.
    pub(crate) fn passes_total(&self) -> u32 {
        let last = self.span.count - 1;
        let steps = self.step(self.window_row(last)) + self.steps(last, 1);
        steps.div_ceil(u64::from(self.banks)).min(u64::from(u32::MAX)) as u32
    }
}
