//! What a weighted layer multiplies its weights with, at some of its output pixels.

use dpuc_dialects::dialects::nn;
use dpuc_dialects::{Ir, OpId};

/// How the kernel of a layer meets its input.
#[derive(Clone, Debug)]
pub(super) struct Window {
    input: [usize; 3],
    output: [usize; 2],
    kernel: [usize; 2],
    strides: [usize; 2],
    dilations: [usize; 2],
    /// Rows above and columns left of the input, of the spread input for a transposed convolution.
    before: [usize; 2],
    is_transposed: bool,
    /// Whether each channel has weights of its own.
    pub(super) is_channelwise: bool,
}

impl Window {
    /// The window of a layer with one image and one group; `None` for others.
    pub(super) fn of(ir: &Ir, op: OpId) -> Option<Self> {
        let (input, output) = (ir.shape_of(ir.operand(op, 0))?, ir.shape_of(ir.result(op))?);
        if ir.is(op, &nn::MATMUL) {
            let (&inputs, rows) = input.split_last()?;
            let pixels: usize = rows.iter().product();
            return Some(Self {
                input: [pixels, 1, inputs],
                output: [pixels, 1],
                kernel: [1, 1],
                strides: [1, 1],
                dilations: [1, 1],
                before: [0, 0],
                is_transposed: false,
                is_channelwise: false,
            });
        }
        let weights = ir.shape_of(ir.operand(op, 1))?;
        let (&[1, height, width, channels], &[1, rows, columns, _], &[_, kernel_h, kernel_w, _]) =
            (&input[..], &output[..], &weights[..])
        else {
            return None;
        };
        if ir.int(op, "groups").is_some_and(|groups| groups != 1) {
            return None;
        }
        let pair = |name: &str| {
            let values = ir.int_array::<2>(op, name).unwrap_or([1, 1]);
            Some([usize::try_from(values[0]).ok()?, usize::try_from(values[1]).ok()?])
        };
        let pads = ir.int_array::<4>(op, "pads")?;
        let pads = [usize::try_from(pads[0]).ok()?, usize::try_from(pads[1]).ok()?];
        let is_transposed = ir.is(op, &nn::TRANSPOSED_CONV2D) || ir.is(op, &nn::TRANSPOSED_DEPTHWISE_CONV2D);
        let kernel = [kernel_h, kernel_w];
        let before = if is_transposed {
            [(kernel_h - 1).checked_sub(pads[0])?, (kernel_w - 1).checked_sub(pads[1])?]
        } else {
            pads
        };
        Some(Self {
            input: [height, width, channels],
            output: [rows, columns],
            kernel,
            strides: pair("strides")?,
            dilations: pair("dilations")?,
            before,
            is_transposed,
            is_channelwise: ir.is(op, &nn::DEPTHWISE_CONV2D) || ir.is(op, &nn::TRANSPOSED_DEPTHWISE_CONV2D),
        })
    }

    /// Number of output pixels.
    pub(super) fn pixels(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// Elements of a kernel.
    pub(super) fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Channels of the input.
    pub(super) fn channels(&self) -> usize {
        self.input[2]
    }

    /// Appends the elements of `map` that meet the kernel at an output pixel, `[tap, channel]`; zeros outside of the map.
    pub(super) fn gather(&self, map: &[f32], pixel: usize, patch: &mut Vec<f32>) {
        let [_, width, channels] = self.input;
        let (row, column) = (pixel / self.output[1], pixel % self.output[1]);
        for tap in 0..self.taps() {
            let (tap_row, tap_column) = (tap / self.kernel[1], tap % self.kernel[1]);
            match (self.source(0, row, tap_row), self.source(1, column, tap_column)) {
                (Some(row), Some(column)) => patch.extend(&map[(row * width + column) * channels..][..channels]),
                _ => patch.extend(std::iter::repeat_n(0.0, channels)),
            }
        }
    }

    /// The row or column of the input under a tap.
    fn source(&self, axis: usize, place: usize, tap: usize) -> Option<usize> {
        let found = if self.is_transposed {
            let spread = (place + tap).checked_sub(self.before[axis])?;
            spread.is_multiple_of(self.strides[axis]).then(|| spread / self.strides[axis])?
        } else {
            (place * self.strides[axis] + tap * self.dilations[axis]).checked_sub(self.before[axis])?
        };
        (found < self.input[axis]).then_some(found)
    }
}

/// `count` different numbers below `bound`, ascending, spread over the whole range; the seed decides which.
pub(super) fn spread(bound: usize, count: usize, seed: u64) -> Vec<usize> {
    if count >= bound {
        return (0..bound).collect();
    }
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d;
    let mut random = |below: usize| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % below as u64) as usize
    };
    let start = |part: usize| part * bound / count;
    (0..count).map(|part| start(part) + random(start(part + 1) - start(part))).collect()
}
