//! Where the pixels of an instruction lie: the walks over banks and lines that Conv, Alu and Elew share.
//!
//! A feature map keeps groups of `stride_h` rows in consecutive banks of a group and starts again at the first bank after the
//! last one; each such round is a *pass* and has its own base line. The fields of the instructions given here must be encodable
//! ([`Instruction::check_fields`](crate::Instruction::check_fields)). Source: `spec/dpuczdx8g-isa.md` sections 3.1.2 to 3.1.4, 3.7.

use std::ops::Range;

use crate::instruction::{Alu, AluInit, Conv, ConvInit, Elew, ElewInit};
use crate::target::Target;

/// Passes a window may take: Conv and Alu hold four base lines.
pub const WINDOW_PASSES: u32 = 4;

/// Place of the first pixel of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowPlace {
    /// Bank that holds the row.
    pub bank: u32,
    /// Line of column 0, not yet taken modulo the bank's 2048 lines.
    pub line: u32,
}

/// The input walk of a Conv or Alu over `rows` x `columns` pixels, padding included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputWindow {
    /// Rows, `(valid_pixel_parallel - 1) * stride_h + kernel_h`.
    pub rows: u32,
    /// Columns, `(length - 1) * stride_w + kernel_w`.
    pub columns: u32,
    /// Lines between pixels.
    pub jump: u32,
    row_jump: u32,
    interleave: u32,
    first_slot: u32,
    bank: u32,
    bases: [u32; WINDOW_PASSES as usize],
    pad_top: u32,
    pad_left: u32,
    /// First row and first column of the bottom and right padding.
    bottom: u32,
    right: u32,
}

impl InputWindow {
    /// The window of a Conv.
    pub fn of_conv(init: &ConvInit, conv: &Conv) -> Self {
        let last_row = (init.valid_pixel_parallel - 1) * init.stride_h;
        let last_column = (conv.length - 1) * init.stride_w;
        Self {
            rows: last_row + init.kernel_h,
            columns: last_column + init.kernel_w,
            jump: init.jump_read,
            row_jump: init.jump_read_endl,
            interleave: init.stride_h,
            first_slot: init.stride_offset_in,
            bank: conv.bank_id_in,
            bases: [conv.bank_addr_in, conv.bank_addr_in_1, conv.bank_addr_in_2, conv.bank_addr_in_3],
            pad_top: conv.pad_top,
            pad_left: conv.pad_left,
            bottom: last_row + conv.pad_bottom + 1,
            right: last_column + conv.pad_right + 1,
        }
    }

    /// The window of an Alu.
    pub fn of_alu(init: &AluInit, alu: &Alu) -> Self {
        let last_row = (alu.valid_pixel_parallel - 1) * init.stride_h;
        let last_column = (init.length - 1) * init.stride_w;
        Self {
            rows: last_row + init.kernel_h,
            columns: last_column + init.kernel_w,
            jump: init.jump_read,
            row_jump: init.jump_read_endl,
            interleave: init.stride_h,
            first_slot: init.stride_offset_in,
            bank: alu.bank_id_in,
            bases: [alu.bank_addr_in, alu.bank_addr_in_1, alu.bank_addr_in_2, alu.bank_addr_in_3],
            pad_top: alu.pad_top,
            pad_left: alu.pad_left,
            bottom: last_row + alu.pad_bottom + 1,
            right: last_column + alu.pad_right + 1,
        }
    }

    /// Passes over the banks of the group that the rows take, padding rows included.
    pub fn passes(&self, target: &Target) -> u32 {
        let parallel = target.pixel_parallel as u32;
        (self.bank % parallel + (self.first_slot + self.rows).div_ceil(self.interleave) - 1) / parallel + 1
    }

    /// Place of row `row`; nothing beyond the fourth pass.
    pub fn row(&self, row: u32, target: &Target) -> Option<RowPlace> {
        let slot = self.first_slot + row;
        let (bank, pass) = walk(self.bank, slot / self.interleave, target);
        let base = self.bases.get(pass as usize)?;
        Some(RowPlace { bank, line: base + slot % self.interleave * self.row_jump })
    }

    /// The same window with every pixel real.
    #[must_use]
    pub fn without_padding(self) -> Self {
        Self { pad_top: 0, pad_left: 0, bottom: self.rows, right: self.columns, ..self }
    }

    /// Rows that are no padding.
    pub fn real_rows(&self) -> Range<u32> {
        self.pad_top..self.rows.min(self.bottom)
    }

    /// Columns that are no padding.
    pub fn real_columns(&self) -> Range<u32> {
        self.pad_left..self.columns.min(self.right)
    }
}

/// The output walk of a Conv, Alu or Elew, or one input of an Elew, over `rows` x `columns` pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowWalk {
    /// Rows.
    pub rows: u32,
    /// Columns.
    pub columns: u32,
    /// Lines between pixels.
    pub jump: u32,
    row_jump: u32,
    interleave: u32,
    first_slot: u32,
    /// Banks between rows; 0 keeps every row in the first place.
    bank_jump: u32,
    bank: u32,
    base: u32,
}

impl RowWalk {
    /// The output of a Conv.
    pub fn conv_output(init: &ConvInit, conv: &Conv) -> Self {
        Self {
            rows: init.valid_pixel_parallel,
            columns: conv.length,
            jump: init.jump_write,
            row_jump: init.jump_write_endl,
            interleave: init.stride_out,
            first_slot: init.stride_offset_out,
            bank_jump: 1,
            bank: conv.bank_id_out,
            base: conv.bank_addr_out,
        }
    }

    /// The output of an Alu.
    pub fn alu_output(init: &AluInit, alu: &Alu) -> Self {
        Self {
            rows: alu.valid_pixel_parallel,
            columns: init.length,
            jump: init.jump_write,
            row_jump: init.jump_write_endl,
            interleave: init.stride_out,
            first_slot: init.stride_offset_out,
            bank_jump: 1,
            bank: alu.bank_id_out,
            base: alu.bank_addr_out,
        }
    }

    /// The output of an Elew.
    pub fn elew_output(elew: &Elew) -> Self {
        Self {
            rows: elew.valid_pixel_parallel,
            columns: elew.length,
            jump: elew.jump_write,
            row_jump: elew.jump_write_endl,
            interleave: 1,
            first_slot: 0,
            bank_jump: 1,
            bank: elew.bank_id_out,
            base: elew.bank_addr_out,
        }
    }

    /// One input of an Elew. With `share_pp` every row is read from the place of row 0.
    pub fn elew_input(input: &ElewInit, elew: &Elew) -> Self {
        Self {
            rows: elew.valid_pixel_parallel,
            columns: elew.length,
            jump: input.jump_read,
            row_jump: input.jump_read_endl,
            interleave: 1,
            first_slot: 0,
            bank_jump: if input.share_pp == 1 { 0 } else { input.jump_bank },
            bank: input.bank_id_in,
            base: input.bank_addr_in,
        }
    }

    /// Place of row `row`.
    pub fn row(&self, row: u32, target: &Target) -> RowPlace {
        let slot = self.first_slot + row;
        let (bank, pass) = walk(self.bank, slot / self.interleave * self.bank_jump, target);
        RowPlace { bank, line: self.base + (pass * self.interleave + slot % self.interleave) * self.row_jump }
    }
}

/// Bank and pass that lie `steps` banks behind `bank`, inside its group.
fn walk(bank: u32, steps: u32, target: &Target) -> (u32, u32) {
    let parallel = target.pixel_parallel as u32;
    let step = bank % parallel + steps;
    (bank - bank % parallel + step % parallel, step / parallel)
}
