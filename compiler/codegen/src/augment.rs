//! Channel augmentation: kernel columns folded into channels, so that an input of few channels fills the array
//! (`spec/recipes-conv.md` section 5.2).
//!
//! One augmented pixel per output column holds the `kernel width · channels` bytes under its window, which are contiguous in
//! NHWC. Neighbouring windows overlap in DDR. Bytes in the left and right padding are read too, and masked by Load.

use dpuc_isa::{Load, Target};

use crate::axis::Sampling;
use crate::layer::{Convolution, FeatureMap};
use crate::limits::{self, Findings};
use crate::source::{BankLine, RowPart};
use crate::stream::Stream;
use crate::task::sample;

const PIXELS_PER_TRANSFER: u32 = 1024;

/// Bytes that must lie in the region around an augmented input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Headroom {
    /// Bytes in front of the first row.
    pub before: u32,
    /// Bytes behind the last row.
    pub after: u32,
}

/// What a channel-augmented convolution reads outside its input tensor: left padding in front of the first row, right padding
/// behind the last one.
pub fn augmentation_headroom(convolution: &Convolution) -> Headroom {
    let map = AugmentedMap::new(convolution);
    let bytes = |columns: i64| (columns.max(0) * i64::from(map.input.channels)).min(i64::from(u32::MAX)) as u32;
    Headroom { before: bytes(map.pad), after: bytes(map.overhang(map.columns.saturating_sub(1))) }
}

/// The input of an augmented convolution.
#[derive(Clone, Debug)]
pub(crate) struct AugmentedMap {
    input: FeatureMap,
    kernel: i64,
    stride: u32,
    pad: i64,
    /// Output columns.
    columns: u32,
}

impl AugmentedMap {
    pub(crate) fn new(convolution: &Convolution) -> Self {
        Self {
            input: convolution.input,
            kernel: i64::from(convolution.kernel[1]),
            stride: convolution.strides[1],
            pad: i64::from(convolution.pads[1]),
            columns: convolution.output.width,
        }
    }

    /// The same with some of the input rows.
    pub(crate) fn sampled(self, rows: Sampling) -> Self {
        Self { input: sample(&self.input, rows, Sampling::all(self.input.width)), ..self }
    }

    /// Bytes of an augmented pixel.
    pub(crate) const fn channels(&self) -> i64 {
        self.kernel.saturating_mul(self.input.channels as i64)
    }

    /// Input column of the first tap of an output column; negative in the padding.
    const fn window_start(&self, column: u32) -> i64 {
        column as i64 * self.stride as i64 - self.pad
    }

    /// Columns by which the window of an output column leaves the map on the right.
    const fn overhang(&self, column: u32) -> i64 {
        let over = self.window_start(column) + self.kernel - self.input.width as i64;
        if over > 0 { over } else { 0 }
    }

    /// Notes what Load's pad mask cannot express.
    pub(crate) fn check(&self, target: &Target, findings: &mut Findings) {
        let channels = self.channels();
        let declared = limits::AUGMENTED_CHANNELS.max.min(target.augmented_channels_max() as i64);
        findings.require(limits::AUGMENTED_CHANNELS.up_to(declared), channels);
        let step = i64::from(self.stride) * i64::from(self.input.channels);
        findings.require(limits::AUGMENTED_STEP.up_to(channels), step);
        findings
            .require(limits::PIXEL_STRIDE.up_to(i64::from(self.input.channels)), i64::from(self.input.pixel_stride));
        let bytes = i64::from(self.input.channels);
        findings.require(limits::AUGMENTED_PAD_START, self.pad.saturating_mul(bytes));
        let over = self.overhang(self.columns.saturating_sub(1));
        if over > 0 {
            let filler = channels.unsigned_abs().next_multiple_of(target.line_bytes() as u64) as i64 - channels;
            findings.require(limits::AUGMENTED_PAD_END, filler + over.saturating_mul(bytes));
        }
        let address = limits::Limit { min: self.pad.saturating_mul(bytes), ..limits::AUGMENTED_ADDRESS };
        findings.require(address, i64::from(self.input.address));
    }

    /// Loads the augmented pixels of output columns `part.column ..` of an input row.
    pub(crate) fn load_row(&self, stream: &mut Stream, part: &RowPart, to: BankLine, lines_per_pixel: u32) {
        for before in (0..part.columns).step_by(PIXELS_PER_TRANSFER as usize) {
            let count = PIXELS_PER_TRANSFER.min(part.columns - before);
            self.load_pixels(
                stream,
                part.row,
                part.column + before,
                count,
                to.after(before * lines_per_pixel),
                lines_per_pixel,
            );
        }
    }

    fn load_pixels(&self, stream: &mut Stream, row: u32, column: u32, count: u32, to: BankLine, lines_per_pixel: u32) {
        let bytes = i64::from(self.input.channels);
        let start = self.window_start(column);
        let first_over = (column..column + count).find(|&column| self.overhang(column) > 0);
        let (pad_idx, pad_end) = first_over.map_or((1, 0), |first| {
            let filler = i64::from(lines_per_pixel) * stream.target().line_bytes() as i64 - self.channels();
            (column + count - first, filler + self.overhang(first) * bytes)
        });
        let row_address = i64::from(self.input.address) + i64::from(row) * i64::from(self.input.row_stride);
        stream.push(Load {
            bank_id: to.bank,
            bank_addr: to.line,
            jump_write: lines_per_pixel,
            jump_read: self.stride * self.input.channels,
            length: count,
            channel: self.channels() as u32,
            pad_idx,
            pad_end: pad_end as u32,
            pad_start: ((-start).max(0) * bytes) as u32,
            reg_id: u32::from(self.input.region),
            ddr_addr: (row_address + start * bytes) as u32,
            ..Load::default()
        });
    }
}
