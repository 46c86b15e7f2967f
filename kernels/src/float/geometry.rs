//! Which input elements the positions of a window see.
//!
//! A transposed convolution with stride `s` is `s` sliding windows side by side along each axis: output element `o` sees every
//! `s`-th kernel element only, beginning with one that depends on `o mod s`. Both kinds are described by [`Axis`].

use crate::reference::KernelError;
use crate::reference::error::parameter_error;
use crate::reference::geometry::{Plane, Window};

/// One spatial axis of a window that slides: tap `t` at position `p` meets input element `p * stride + t * dilation + origin`, if
/// there is one, and kernel element `kernel.at(t)`; the result is output element `output.at(p)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Axis {
    pub(super) input: usize,
    pub(super) positions: usize,
    pub(super) taps: usize,
    pub(super) stride: usize,
    pub(super) dilation: usize,
    pub(super) origin: isize,
    pub(super) kernel: Steps,
    pub(super) output: Steps,
}

/// The whole numbers `first`, `first + step`, …
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Steps {
    pub(super) first: usize,
    pub(super) step: usize,
}

impl Steps {
    pub(super) const ALL: Self = Self { first: 0, step: 1 };

    pub(super) const fn at(self, index: usize) -> usize {
        self.first + index * self.step
    }

    /// The indices whose numbers are in a range.
    pub(super) const fn within(self, range: &std::ops::Range<usize>) -> std::ops::Range<usize> {
        range.start.saturating_sub(self.first).div_ceil(self.step)
            ..range.end.saturating_sub(self.first).div_ceil(self.step)
    }
}

impl Axis {
    /// The input elements under the taps of a position: the taps that meet one, and the element of tap 0 (which may lie outside).
    pub(super) fn taps_at(&self, position: usize) -> (std::ops::Range<usize>, isize) {
        let start = (position * self.stride) as isize + self.origin;
        let reaching = |bound: isize| (bound - start).max(0).cast_unsigned().div_ceil(self.dilation).min(self.taps);
        (reaching(0)..reaching(self.input as isize), start)
    }

    /// The positions all whose taps meet an input element.
    pub(super) fn interior(&self) -> std::ops::Range<usize> {
        let reach = (self.taps.max(1) - 1) * self.dilation;
        let first = (-self.origin).max(0).cast_unsigned().div_ceil(self.stride);
        let last = self.input as isize - 1 - self.origin - reach as isize;
        let end = if last < 0 { 0 } else { (last.cast_unsigned() / self.stride + 1).min(self.positions) };
        first.min(end)..end
    }
}

/// The two axes of an operator on maps.
#[derive(Clone, Debug)]
pub(super) struct Space {
    /// Height and width of the output.
    pub(super) output: [usize; 2],
    /// The windows along the height; more than one if transposed.
    pub(super) rows: Vec<Axis>,
    /// The windows along the width.
    pub(super) columns: Vec<Axis>,
}

impl Space {
    /// A window that slides over `input`, `[h, w]`.
    pub(super) fn sliding(operator: &'static str, input: [usize; 2], window: &Window) -> Result<Self, KernelError> {
        let plane = Plane::sliding(operator, input, window)?;
        let output = [plane.rows.output, plane.columns.output];
        let axis = |a: usize| Axis {
            input: input[a],
            positions: output[a],
            taps: window.kernel[a],
            stride: window.strides[a],
            dilation: window.dilations[a],
            origin: -(window.pads[a] as isize),
            kernel: Steps::ALL,
            output: Steps::ALL,
        };
        Ok(Self { output, rows: vec![axis(0)], columns: vec![axis(1)] })
    }

    /// The windows of a transposed operator without dilation, whose pads are cropped from its output.
    ///
    /// Kernel element `k` of output element `o` meets input element `(o + k + crop - (kernel - 1)) / stride` where that is whole.
    pub(super) fn transposed(operator: &'static str, input: [usize; 2], window: &Window) -> Result<Self, KernelError> {
        let plane = Plane::transposed(operator, input, window)?;
        let output = [plane.rows.output, plane.columns.output];
        let windows = |a: usize| -> Vec<Axis> {
            let (kernel, stride) = (window.kernel[a], window.strides[a]);
            let shift = window.pads[a] as isize - (kernel as isize - 1);
            let window = |phase: usize| {
                let first = (-(phase as isize + shift)).rem_euclid(stride as isize).cast_unsigned();
                Axis {
                    input: input[a],
                    positions: (output[a] - phase).div_ceil(stride),
                    taps: kernel.saturating_sub(first).div_ceil(stride),
                    stride: 1,
                    dilation: 1,
                    origin: ((phase + first) as isize + shift) / stride as isize,
                    kernel: Steps { first, step: stride },
                    output: Steps { first: phase, step: stride },
                }
            };
            (0..stride.min(output[a])).map(window).collect()
        };
        Ok(Self { output, rows: windows(0), columns: windows(1) })
    }

    /// Refuses strides of a transposed window with which the packed weights of all phases would outgrow every use.
    pub(super) fn check_phases(&self, operator: &'static str) -> Result<(), KernelError> {
        const MOST: usize = 1 << 16;
        let phases = [self.rows.len(), self.columns.len()];
        if phases[0] * phases[1] <= MOST {
            return Ok(());
        }
        let problem = format!("[h, w] = {phases:?} of a transposed window, their product must be at most {MOST}");
        Err(parameter_error(operator, "strides", problem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(kernel: usize, stride: usize, dilation: usize, pads: [usize; 2]) -> Window {
        Window { kernel: [kernel, 1], strides: [stride, 1], dilations: [dilation, 1], pads: [pads[0], 0, pads[1], 0] }
    }

    /// `(output, kernel, input)` of every tap.
    fn meetings(axes: &[Axis]) -> Vec<[usize; 3]> {
        let mut all = Vec::new();
        for axis in axes {
            for position in 0..axis.positions {
                let (taps, start) = axis.taps_at(position);
                let complete = taps == (0..axis.taps);
                assert_eq!(axis.interior().contains(&position), complete, "{axis:?} at {position}");
                let input = |tap: usize| (start + (tap * axis.dilation) as isize).cast_unsigned();
                all.extend(taps.map(|tap| [axis.output.at(position), axis.kernel.at(tap), input(tap)]));
            }
        }
        all.sort_unstable();
        all
    }

    fn reference(plane: &Plane) -> Vec<[usize; 3]> {
        let taps = |o| plane.rows.taps(o).map(move |tap| [o, tap.kernel, tap.input]);
        (0..plane.rows.output).flat_map(taps).collect()
    }

    #[test]
    fn windows_equal_the_reference() {
        let mut compared = 0;
        for input in 1..8 {
            for kernel in 1..6 {
                for stride in 1..5 {
                    for pads in [[0, 0], [1, 0], [0, 2], [3, 3], [7, 1]] {
                        for dilation in 1..4 {
                            let window = window(kernel, stride, dilation, pads);
                            let Ok(space) = Space::sliding("test", [input, 1], &window) else { continue };
                            let plane = Plane::sliding("test", [input, 1], &window).unwrap();
                            assert_eq!(meetings(&space.rows), reference(&plane), "{window:?} on {input}");
                            compared += 1;
                        }
                        let window = window(kernel, stride, 1, pads);
                        let Ok(space) = Space::transposed("test", [input, 1], &window) else { continue };
                        let plane = Plane::transposed("test", [input, 1], &window).unwrap();
                        assert_eq!(meetings(&space.rows), reference(&plane), "transposed {window:?} on {input}");
                        compared += 1;
                    }
                }
            }
        }
        assert!(compared > 1500, "{compared}");
    }
}
