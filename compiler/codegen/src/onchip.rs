//! Feature maps in banks (`spec/dpuczdx8g-isa.md` section 1.5).
//!
//! Rows go to the banks of a group in turn, `interleave` rows to each bank; after the last bank the walk returns to the first one,
//! a *pass* further. A map may keep only its latest passes, as a ring. Row numbers are those of the map: row 0 starts bank 0.

use crate::source::BankLine;
use crate::stream::wrap_line;

/// A feature map, or a ring of its rows, or some of its columns, in a bank group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OnChip {
    /// First bank of the group.
    pub(crate) group: u32,
    /// Banks of the group.
    pub(crate) banks: u32,
    /// First line.
    pub(crate) line: u32,
    /// Rows of a bank before the next bank follows.
    pub(crate) interleave: u32,
    /// Passes that are kept.
    pub(crate) passes: u32,
    /// First column that is kept.
    pub(crate) first_column: u32,
    /// Columns that are kept.
    pub(crate) columns: u32,
    /// Lines between pixels.
    pub(crate) pixel_lines: u32,
    /// Lines of a pixel in front of its first channel.
    pub(crate) offset: u32,
}

impl OnChip {
    /// Lines between rows of one bank.
    pub(crate) const fn row_lines(&self) -> u32 {
        self.columns * self.pixel_lines
    }

    /// Lines between passes.
    pub(crate) const fn pass_lines(&self) -> u32 {
        self.interleave * self.row_lines()
    }

    /// Lines of all passes.
    pub(crate) fn lines(&self) -> u64 {
        u64::from(self.passes) * u64::from(self.interleave) * u64::from(self.columns) * u64::from(self.pixel_lines)
    }

    /// Bank steps in front of a row; negative in the padding.
    const fn step(&self, row: i64) -> i64 {
        row.div_euclid(self.interleave as i64)
    }

    /// Position of a row among the rows that share its bank step.
    pub(crate) const fn slot(&self, row: i64) -> u32 {
        row.rem_euclid(self.interleave as i64) as u32
    }

    /// Pass of a row.
    pub(crate) const fn pass(&self, row: i64) -> i64 {
        self.step(row).div_euclid(self.banks as i64)
    }

    /// Position of the bank of a row in the group.
    pub(crate) const fn bank_in_group(&self, row: i64) -> u32 {
        self.step(row).rem_euclid(self.banks as i64) as u32
    }

    /// Bank of a row.
    pub(crate) const fn bank(&self, row: i64) -> u32 {
        self.group + self.bank_in_group(row)
    }

    /// Line of `column` in the first row of a pass; the column may be in the padding.
    pub(crate) fn pass_line(&self, pass: i64, column: i64) -> u32 {
        let pass = pass.rem_euclid(i64::from(self.passes));
        let column = column - i64::from(self.first_column);
        wrap_line(
            i64::from(self.line)
                + pass * i64::from(self.pass_lines())
                + column * i64::from(self.pixel_lines)
                + i64::from(self.offset),
        )
    }

    /// Bank and line of a pixel.
    pub(crate) fn place(&self, row: u32, column: u32) -> BankLine {
        let row = i64::from(row);
        let line = self.pass_line(self.pass(row), i64::from(column));
        BankLine { bank: self.bank(row), line }.after(self.slot(row) * self.row_lines())
    }
}
