//! Conv (`spec/dpuczdx8g-isa.md` section 3.4).

use dpuc_isa::{Conv, ConvInit, InputWindow, RowWalk};
use dpuc_kernels::int8::Encoding;
use dpuc_kernels::simd::LANES;

use super::Scratch;
use crate::banks::Banks;
use crate::core::Core;
use crate::round::Activation;

/// Columns of a window are gathered in tiles of about this many bytes, so that a tile stays in the processor's cache.
const TILE_BYTES: usize = 1 << 18;

/// Bytes behind a window that a kernel working in quads may touch.
const QUAD_SLACK: usize = 3;

impl Core {
    pub(crate) fn conv(&mut self, init: &ConvInit, conv: &Conv) {
        let (rows, columns) = (init.valid_pixel_parallel as usize, conv.length as usize);
        let (kernel_h, kernel_w) = (init.kernel_h as usize, init.kernel_w as usize);
        let (stride_h, stride_w) = (init.stride_h as usize, init.stride_w as usize);
        let channels = conv.channel_group as usize * self.target.line_bytes();

        let mut scratch = std::mem::take(&mut self.scratch);
        self.pack_weights(init, conv, &mut scratch);
        let window = InputWindow::of_conv(init, conv);
        let epilogue = Epilogue::new(
            init,
            self.banks.slice(self.target.bias_bank() as u32, conv.bank_addr_bias, self.target.channel_parallel),
        );
        let line_bytes = self.target.line_bytes();
        scratch.out.resize(rows * columns * line_bytes, 0);
        let tile_columns = tile_columns(window.rows as usize * channels, kernel_w, stride_w).min(columns);
        for first in (0..columns).step_by(tile_columns) {
            let count = tile_columns.min(columns - first);
            let width = (count - 1) * stride_w + kernel_w;
            self.gather(&window, first * stride_w, width, channels, &mut scratch.window);
            let row_bytes = width * channels;
            scratch.places.clear();
            for row in 0..rows {
                let start = row * stride_h * row_bytes;
                scratch.places.extend((0..count).map(|column| start + column * stride_w * channels));
            }
            let segments: Vec<usize> = (0..kernel_h).map(|ky| ky * row_bytes).collect();
            scratch.lane_sums.resize(rows * count, [0; LANES]);
            scratch.packed.set_places(&segments);
            scratch.values.clear();
            scratch.values.extend(scratch.window.iter().map(|&q| Encoding::Offset.encode(q)));
            self.kernels.dot(&scratch.values, &scratch.places, &scratch.packed, &mut scratch.lane_sums);
            for (row, sums) in scratch.lane_sums.chunks_exact(count).enumerate() {
                let out = &mut scratch.out[(row * columns + first) * line_bytes..][..count * line_bytes];
                self.kernels.vectorised(|| epilogue.apply(sums, out, line_bytes));
            }
        }
        self.write_rows(&RowWalk::conv_output(init, conv), &scratch.out);
        self.scratch = scratch;
    }

    /// Packs the kernels of all output channels; weights of masked input channels become 0.
    fn pack_weights(&self, init: &ConvInit, conv: &Conv, scratch: &mut Scratch) {
        let channels = conv.channel_group as usize * self.target.line_bytes();
        let segment_bytes = init.kernel_w as usize * channels;
        let segments = init.kernel_h as usize;
        let real_channels = channels.saturating_sub(conv.channel_offset as usize);
        scratch.packed.reset(segments, segment_bytes);
        scratch.weights.resize(segments * segment_bytes, 0);
        for output in 0..self.target.channel_parallel {
            let bank = self.target.conv_weight_bank() + output;
            self.banks.read(bank as u32, conv.bank_addr_weights, &mut scratch.weights);
            if real_channels < channels {
                for tap in scratch.weights.chunks_exact_mut(channels) {
                    tap[real_channels..].fill(0);
                }
            }
            scratch.packed.set_lane(output, &scratch.weights);
        }
    }

    /// Copies `width` columns of a window from column `first` on, rows x columns x channels, padding as 0.
    fn gather(&self, window: &InputWindow, first: usize, width: usize, channels: usize, out: &mut Vec<i8>) {
        let row_bytes = width * channels;
        out.resize(window.rows as usize * row_bytes + QUAD_SLACK, 0);
        let (real_rows, real_columns) = (window.real_rows(), window.real_columns());
        let clip = |column: u32| (column as usize).clamp(first, first + width) - first;
        let (start, end) = (clip(real_columns.start), clip(real_columns.end));
        for (row, pixels) in (0..window.rows).zip(out.chunks_exact_mut(row_bytes)) {
            let place = window.row(row, &self.target).filter(|_| real_rows.contains(&row) && start < end);
            let Some(place) = place else {
                pixels.fill(0);
                continue;
            };
            pixels[..start * channels].fill(0);
            pixels[end * channels..].fill(0);
            let line = place.line + (first + start) as u32 * window.jump;
            gather_row(
                &self.banks,
                place.bank,
                line,
                window.jump,
                channels,
                &mut pixels[start * channels..end * channels],
            );
        }
    }
}

/// Copies pixels of one row that lie `jump` lines apart.
fn gather_row(banks: &Banks, bank: u32, line: u32, jump: u32, channels: usize, out: &mut [i8]) {
    if jump as usize * banks.line_bytes() == channels {
        banks.read(bank, line, out);
    } else {
        for (column, pixel) in (0..).zip(out.chunks_exact_mut(channels)) {
            pixel.copy_from_slice(banks.slice(bank, line + column * jump, channels));
        }
    }
}

/// Output columns whose window, `column_bytes` for each input column, fits a tile; at least one.
fn tile_columns(column_bytes: usize, kernel_w: usize, stride_w: usize) -> usize {
    let input_columns = TILE_BYTES / column_bytes;
    input_columns.saturating_sub(kernel_w) / stride_w + 1
}

/// Bias, activation and rounding of a Conv.
struct Epilogue {
    /// `bias << shift_bias` of each lane, on the scale of twice the sum.
    bias: [i32; LANES],
    activation: Activation,
    shift: i32,
}

impl Epilogue {
    fn new(init: &ConvInit, bias: &[i8]) -> Self {
        let mut shifted = [0; LANES];
        for (shifted, &bias) in shifted.iter_mut().zip(bias) {
            *shifted = i32::from(bias) << init.shift_bias;
        }
        let activation = Activation::from_code(init.act_type);
        Self { bias: shifted, activation, shift: init.shift_cut as i32 + 1 }
    }

    /// Writes one line for each pixel.
    #[expect(clippy::inline_always, reason = "the compiler vectorises it for the tier of its caller")]
    #[inline(always)]
    fn apply(&self, sums: &[[i32; LANES]], out: &mut [i8], line_bytes: usize) {
        for (sums, line) in sums.iter().zip(out.chunks_exact_mut(line_bytes)) {
            // At most 2^15 products of 2^14, doubled, and a bias of 2^27: below 2^31.
            let values: [i32; LANES] = std::array::from_fn(|lane| 2 * sums[lane] + self.bias[lane]);
            let mut rounded = [0; LANES];
            self.activation.round_all(&values, self.shift, &mut rounded);
            line.copy_from_slice(&rounded[..line_bytes]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{TILE_BYTES, tile_columns};

    #[test]
    fn tiles_bound_memory() {
        for column_bytes in [8, 10, 4096, 57 * 4096, 128 * 4096] {
            for (kernel_w, stride_w) in [(1, 1), (3, 2), (16, 8), (1, 8)] {
                let window = |columns: usize| ((columns - 1) * stride_w + kernel_w) * column_bytes;
                let columns = tile_columns(column_bytes, kernel_w, stride_w);
                assert!(columns == 1 || window(columns) <= TILE_BYTES);
                assert!(window(columns + 1) > TILE_BYTES, "no larger tile would fit");
            }
        }
    }
}
