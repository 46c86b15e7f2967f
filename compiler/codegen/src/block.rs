//! A block: what one instruction, or one for each channel group, computes (`spec/recipes-conv.md` sections 2.5 and 3).

use crate::source::BankLine;
use crate::stream::Stream;

/// Base addresses, and so passes, of an instruction.
pub(crate) const PASSES_PER_INSTRUCTION: u64 = 4;

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

/// The window of a block in one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InputWindow {
    /// Bank of the first row.
    pub(crate) bank: u32,
    /// Lines of the first column in the four passes, padding included.
    pub(crate) lines: [u32; 4],
    /// Line of the first column of the first row itself.
    pub(crate) line: u32,
    /// Banks from an output row to the next, for Elew.
    pub(crate) bank_jump: u32,
    /// Lines between pixels.
    pub(crate) pixel_lines: u32,
    /// Lines between rows of the same bank.
    pub(crate) row_lines: u32,
    /// Rows per bank.
    pub(crate) interleave: u32,
    /// Position of the first row in its bank.
    pub(crate) slot: u32,
    /// Channels that are real; the rest of their lines is masked.
    pub(crate) channels: u32,
}

/// Where a block writes its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutputWindow {
    /// Bank of the first row, and line of its first pixel's first group, not counting the slot.
    pub(crate) first: BankLine,
    /// Lines between pixels.
    pub(crate) pixel_lines: u32,
    /// Lines between rows of the same bank.
    pub(crate) row_lines: u32,
    /// Rows per bank.
    pub(crate) interleave: u32,
    /// Position of the first row in its bank.
    pub(crate) slot: u32,
}

/// One block: some output rows and columns, for one chunk of output channels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// Phase of the stage.
    pub(crate) phase: usize,
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
    /// Operands.
    pub(crate) inputs: Vec<InputWindow>,
    /// Result.
    pub(crate) output: OutputWindow,
}

/// What an engine does with a block.
pub(crate) trait Compute {
    /// Emits the instructions that compute the block, and loads the parameters they need.
    fn compute(&mut self, stream: &mut Stream, block: &Block);
}

/// Rows are saved from where they were loaded.
pub(crate) struct Untouched;

impl Compute for Untouched {
    fn compute(&mut self, _: &mut Stream, _: &Block) {}
}
