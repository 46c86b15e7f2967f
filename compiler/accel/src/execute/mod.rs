//! Execution of single instructions.

mod alu;
mod convolution;
mod elementwise;
mod transfer;

use dpuc_isa::RowWalk;
use dpuc_kernels::simd::{LANES, PackedWeights};

use crate::core::Core;

/// Buffers kept between instructions, so that executing one allocates nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scratch {
    /// A part of an input window, rows x columns x channels.
    window: Vec<i8>,
    /// The same in the offset form.
    values: Vec<u8>,
    /// Where the parts of a window start.
    places: Vec<usize>,
    /// Weights of one output channel, or of some taps.
    weights: Vec<i8>,
    packed: PackedWeights,
    lane_sums: Vec<[i32; LANES]>,
    sums: Vec<i32>,
    wide_sums: Vec<i64>,
    /// Results of an instruction, rows x columns x channels. They are written when all reads are done.
    out: Vec<i8>,
}

impl Core {
    /// Writes `out` (rows x columns x whole lines) to the banks.
    fn write_rows(&mut self, walk: &RowWalk, out: &[i8]) {
        let (rows, columns) = (walk.rows as usize, walk.columns as usize);
        let pixel_bytes = out.len() / (rows * columns);
        let gapless = walk.jump as usize * self.target.line_bytes() == pixel_bytes;
        for (row, pixels) in (0..).zip(out.chunks_exact(columns * pixel_bytes)) {
            let place = walk.row(row, &self.target);
            if gapless {
                self.banks.write_lines(place.bank, place.line, pixels);
                continue;
            }
            for (column, pixel) in (0..).zip(pixels.chunks_exact(pixel_bytes)) {
                self.banks.write_lines(place.bank, place.line + column * walk.jump, pixel);
            }
        }
    }
}
