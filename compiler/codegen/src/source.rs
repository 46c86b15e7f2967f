//! Where input rows come from, and row transfers between DDR and banks (`spec/recipes-eltwise-data.md` section 1.1).

use dpuc_isa::{Load, Save};

use crate::augment::AugmentedMap;
use crate::layer::FeatureMap;
use crate::stream::{Stream, wrap_line};

const PIXELS_PER_TRANSFER: u32 = 1024;
const DDR_JUMP_MAX: u32 = 65_536;

/// A bank and a line of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BankLine {
    pub(crate) bank: u32,
    pub(crate) line: u32,
}

impl BankLine {
    /// `lines` further, around the end of the bank.
    pub(crate) fn after(self, lines: u32) -> Self {
        Self { line: wrap_line(i64::from(self.line) + i64::from(lines)), ..self }
    }
}

/// What Save writes of a pixel on chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    /// Its channels.
    Channels,
    /// The number of the first of its largest channels, one byte.
    Argmax,
}

impl Stored {
    /// Bytes of a pixel of `channels` channels.
    pub(crate) const fn bytes(self, channels: u32) -> u32 {
        match self {
            Self::Channels => channels,
            Self::Argmax => 1,
        }
    }

    /// Save's field.
    const fn argmax_field(self) -> u32 {
        match self {
            Self::Channels => 0,
            Self::Argmax => 2,
        }
    }
}

/// Pixels of a row in DDR: `count` times `bytes` bytes, `stride` apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DdrPixels {
    pub(crate) region: u8,
    pub(crate) address: u32,
    pub(crate) stride: u32,
    pub(crate) count: u32,
    pub(crate) bytes: u32,
}

impl DdrPixels {
    /// `columns` pixels from `(row, column)` on, `bytes` channels from `channel` on.
    pub(crate) const fn of_map(
        map: &FeatureMap,
        row: u32,
        column: u32,
        columns: u32,
        channel: u32,
        bytes: u32,
    ) -> Self {
        Self {
            region: map.region,
            address: map.address + row * map.row_stride + column * map.pixel_stride + channel,
            stride: map.pixel_stride,
            count: columns,
            bytes,
        }
    }

    /// Pieces that one instruction can move, each with the number of pixels before it. Pixels too far apart for the jump field
    /// move one by one.
    fn pieces(self) -> impl Iterator<Item = (u32, Self)> {
        let most = if self.stride > DDR_JUMP_MAX { 1 } else { PIXELS_PER_TRANSFER };
        (0..self.count).step_by(most as usize).map(move |before| {
            let count = most.min(self.count - before);
            (before, Self { address: self.address + before * self.stride, count, ..self })
        })
    }

    /// Loads the pixels to `to` and the lines behind it, `lines_per_pixel` lines each.
    pub(crate) fn load(self, stream: &mut Stream, to: BankLine, lines_per_pixel: u32) {
        for (before, piece) in self.pieces() {
            let BankLine { bank, line } = to.after(before * lines_per_pixel);
            stream.push(Load {
                bank_id: bank,
                bank_addr: line,
                jump_write: lines_per_pixel,
                jump_read: piece.jump(),
                length: piece.count,
                channel: piece.bytes,
                reg_id: u32::from(piece.region),
                ddr_addr: piece.address,
                ..Load::default()
            });
        }
    }

    /// Saves the pixels from `from` and the lines behind it. `bytes` are those on chip.
    pub(crate) fn save(self, stream: &mut Stream, from: BankLine, lines_per_pixel: u32, stored: Stored) {
        for (before, piece) in self.pieces() {
            let BankLine { bank, line } = from.after(before * lines_per_pixel);
            stream.push(Save {
                bank_id: bank,
                bank_addr: line,
                jump_read: lines_per_pixel,
                jump_write: piece.jump(),
                length: piece.count,
                channel: piece.bytes,
                reg_id: u32::from(piece.region),
                ddr_addr: piece.address,
                argmax: stored.argmax_field(),
                ..Save::default()
            });
        }
    }

    /// The DDR jump; that of a single pixel has no meaning.
    const fn jump(&self) -> u32 {
        if self.count == 1 { self.bytes } else { self.stride }
    }
}

/// Where the input rows of a sub-problem come from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// Feature maps of equal shape, one per operand.
    Maps(Vec<FeatureMap>),
    /// Feature maps of equal shape, the pixels of all operands alternating in each row.
    Interleaved(Vec<FeatureMap>),
    /// A first-layer input whose kernel columns are folded into channels.
    Augmented(AugmentedMap),
    /// Nothing: all windows are padding.
    Padding,
}

/// The part of a row that a tile needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowPart {
    pub(crate) row: u32,
    pub(crate) column: u32,
    pub(crate) columns: u32,
    pub(crate) channel: u32,
    pub(crate) channels: u32,
}

impl Source {
    /// Number of operands.
    pub(crate) fn operands(&self) -> u32 {
        match self {
            Self::Maps(maps) => maps.len() as u32,
            Self::Interleaved(_) | Self::Augmented(_) | Self::Padding => 1,
        }
    }

    /// Whether the pixels of several operands alternate.
    pub(crate) const fn is_interleaved(&self) -> bool {
        matches!(self, Self::Interleaved(_))
    }

    /// Pixels on chip from one pixel of an operand to its next.
    pub(crate) fn pitch(&self) -> u32 {
        match self {
            Self::Interleaved(maps) => maps.len() as u32,
            Self::Maps(_) | Self::Augmented(_) | Self::Padding => 1,
        }
    }

    /// Loads a row of operand `operand`.
    pub(crate) fn load_row(
        &self,
        stream: &mut Stream,
        operand: u32,
        part: &RowPart,
        to: BankLine,
        lines_per_pixel: u32,
    ) {
        match self {
            Self::Maps(maps) => {
                let map = &maps[operand as usize];
                DdrPixels::of_map(map, part.row, part.column, part.columns, part.channel, part.channels).load(
                    stream,
                    to,
                    lines_per_pixel,
                );
            }
            Self::Interleaved(maps) => {
                let pitch = self.pitch();
                for (number, map) in (0..).zip(maps) {
                    let (column, columns) = (part.column / pitch, part.columns / pitch);
                    DdrPixels::of_map(map, part.row, column, columns, part.channel, part.channels).load(
                        stream,
                        to.after(number * lines_per_pixel),
                        lines_per_pixel * pitch,
                    );
                }
            }
            Self::Augmented(map) => map.load_row(stream, part, to, lines_per_pixel),
            Self::Padding => {}
        }
    }
}
