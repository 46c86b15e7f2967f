//! Which input elements each output element of a two-dimensional window operator sees.

use super::error::{Result, parameter_error};

/// Largest kernel size, stride, dilation or pad per axis: far above every hardware field, small enough that no product
/// with a tensor size overflows.
const MAX_WINDOW: usize = 0xffff;

/// The window of a convolution or pooling: `[h, w]`, and `[top, left, bottom, right]` for the pads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) kernel: [usize; 2],
    pub(crate) strides: [usize; 2],
    pub(crate) dilations: [usize; 2],
    pub(crate) pads: [usize; 4],
}

/// One kernel element that meets a real input element.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tap {
    pub(crate) kernel: usize,
    pub(crate) input: usize,
}

/// One spatial axis.
///
/// Kernel element `k` of output element `o` sits at `o * stride + k * dilation - pad` of an input whose elements are
/// `spread` apart, with zeros (or padding) between and around them. Sliding operators have `spread` 1, transposed ones
/// `stride` 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Axis {
    pub(crate) output: usize,
    pub(crate) input: usize,
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) dilation: usize,
    pub(crate) pad: i64,
    pub(crate) spread: i64,
}

impl Axis {
    /// The kernel elements of output element `o` that meet a real input element, in ascending order.
    pub(crate) fn taps(self, o: usize) -> impl Iterator<Item = Tap> {
        (0..self.kernel).filter_map(move |kernel| {
            let position = (o * self.stride + kernel * self.dilation) as i64 - self.pad;
            let input = (position / self.spread) as usize;
            let is_real = position >= 0 && position % self.spread == 0 && input < self.input;
            is_real.then_some(Tap { kernel, input })
        })
    }
}

/// The two spatial axes of a window operator.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plane {
    pub(crate) rows: Axis,
    pub(crate) columns: Axis,
}

impl Plane {
    /// A window that slides over `input` (`[h, w]`): `floor((in + pads - k') / s) + 1` outputs per axis, with
    /// `k' = (k - 1) * dilation + 1` (xmodel.md 1.7).
    pub(crate) fn sliding(operator: &'static str, input: [usize; 2], window: &Window) -> Result<Self> {
        check_window(operator, window)?;
        let axis = |a: usize| {
            let (before, after) = (window.pads[a], window.pads[a + 2]);
            let covered = (window.kernel[a] - 1) * window.dilations[a] + 1;
            let padded = input[a] + before + after;
            let Some(travel) = padded.checked_sub(covered) else {
                let problem = format!("spans {covered} along {}, but the padded input only {padded}", AXES[a]);
                return Err(parameter_error(operator, "kernel", problem));
            };
            Ok(Axis {
                output: travel / window.strides[a] + 1,
                input: input[a],
                kernel: window.kernel[a],
                stride: window.strides[a],
                dilation: window.dilations[a],
                pad: before as i64,
                spread: 1,
            })
        };
        Ok(Self { rows: axis(0)?, columns: axis(1)? })
    }

    /// The transposed window: `input` is spread by the strides and correlated with the kernel; the pads are cropped
    /// from the output, which has `(in - 1) * s + k' - pads` elements per axis (numerics.md 5.1, xmodel.md 1.7).
    pub(crate) fn transposed(operator: &'static str, input: [usize; 2], window: &Window) -> Result<Self> {
        check_window(operator, window)?;
        let axis = |a: usize| {
            let (before, after) = (window.pads[a], window.pads[a + 2]);
            let reach = (window.kernel[a] - 1) * window.dilations[a];
            let full = (input[a] - 1) * window.strides[a] + reach + 1;
            let Some(output @ 1..) = full.checked_sub(before + after) else {
                let problem = format!("crop all {full} elements along {}", AXES[a]);
                return Err(parameter_error(operator, "pads", problem));
            };
            Ok(Axis {
                output,
                input: input[a],
                kernel: window.kernel[a],
                stride: 1,
                dilation: window.dilations[a],
                pad: reach as i64 - before as i64,
                spread: window.strides[a] as i64,
            })
        };
        Ok(Self { rows: axis(0)?, columns: axis(1)? })
    }
}

const AXES: [&str; 2] = ["the height", "the width"];

fn check_window(operator: &'static str, window: &Window) -> Result<()> {
    let positive = [("kernel", window.kernel), ("strides", window.strides), ("dilations", window.dilations)];
    for (parameter, values) in positive {
        if values.iter().any(|value| !(1..=MAX_WINDOW).contains(value)) {
            let problem = format!("[h, w] = {values:?}, each must be 1 to {MAX_WINDOW}");
            return Err(parameter_error(operator, parameter, problem));
        }
    }
    if window.pads.iter().any(|&pad| pad > MAX_WINDOW) {
        let problem = format!("[top, left, bottom, right] = {:?}, each must be 0 to {MAX_WINDOW}", window.pads);
        return Err(parameter_error(operator, "pads", problem));
    }
    Ok(())
}
