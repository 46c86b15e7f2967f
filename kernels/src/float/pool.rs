//! Pooling.

use super::channelwise::{Channelwise, Fold};
use super::geometry::Space;
use super::lanes::Lanes;
use crate::reference::KernelError;
use crate::reference::error::parameter_error;
use crate::reference::geometry::Window;
use crate::reference::layout::{check_size, result_size};
use crate::simd::Kernels;

/// Largest window: more than any map in use has pixels, few enough to keep a list of them.
const MAX_CELLS: usize = 1 << 22;

/// The window of a pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool2dParams {
    /// Size of the window, `[h, w]`.
    pub kernel: [usize; 2],
    /// Step of the window, `[h, w]`.
    pub strides: [usize; 2],
    /// Cells around the input, `[top, left, bottom, right]`.
    pub pads: [usize; 4],
}

/// What a pooling computes of each window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// The maximum; padding never wins, NaN neither. A window of nothing else gives -∞.
    Max,
    /// The mean; padding counts as zeros. Summed in f32, tap by tap: the error is at most `cells · 2^-24 · mean|x|`.
    Average,
}

/// A pooling of maps of one shape.
#[derive(Clone, Debug)]
pub struct Pool2d {
    operator: Channelwise,
    pooling: Pooling,
    cells: f32,
}

impl Pool2d {
    /// Prepares the pooling of a map `[n, h, w, channels]`; the result has `floor((size + pads - kernel) / stride) + 1` elements
    /// per spatial axis.
    ///
    /// # Errors
    /// An empty input or a window that does not fit.
    pub fn new(
        kernels: Kernels,
        pooling: Pooling,
        input: [usize; 4],
        params: &Pool2dParams,
    ) -> Result<Self, KernelError> {
        let operator = match pooling {
            Pooling::Max => "max_pool",
            Pooling::Average => "avg_pool",
        };
        check_size(operator, "input", &input)?;
        let Pool2dParams { kernel, strides, pads } = *params;
        if kernel[0].saturating_mul(kernel[1]) > MAX_CELLS {
            let problem = format!("[h, w] = {kernel:?} has more than {MAX_CELLS} cells; pool in two steps");
            return Err(parameter_error(operator, "kernel", problem));
        }
        let window = Window { kernel, strides, dilations: [1, 1], pads };
        let space = Space::sliding(operator, [input[1], input[2]], &window)?;
        let channelwise = Channelwise::new(kernels, input, space, kernel[1]);
        result_size(operator, &channelwise.output_shape())?;
        Ok(Self { operator: channelwise, pooling, cells: kernel[0] as f32 * kernel[1] as f32 })
    }

    /// Shape of the result, `[n, h, w, channels]`.
    pub const fn output_shape(&self) -> [usize; 4] {
        self.operator.output_shape()
    }

    /// Computes the result of all elements of a map into all elements of the output, both NHWC.
    ///
    /// # Panics
    /// If a slice does not have the elements of its shape.
    pub fn run(&self, input: &[f32], output: &mut [f32]) {
        match self.pooling {
            Pooling::Max => self.operator.run(Maximum, None, input, output),
            Pooling::Average => self.operator.run(Mean(self.cells), None, input, output),
        }
    }
}

#[derive(Clone, Copy)]
struct Maximum;

impl Fold for Maximum {
    #[inline(always)]
    fn start<L: Lanes>(self, lanes: L, _: usize) -> L::F32 {
        lanes.splat(f32::NEG_INFINITY)
    }

    #[inline(always)]
    fn operand<L: Lanes>(self, lanes: L, _: usize, _: usize) -> L::F32 {
        lanes.splat(0.0)
    }

    #[inline(always)]
    fn step<L: Lanes>(self, lanes: L, best: L::F32, _: L::F32, x: L::F32) -> L::F32 {
        lanes.max(x, best)
    }

    #[inline(always)]
    fn finish<L: Lanes>(self, _: L, best: L::F32) -> L::F32 {
        best
    }
}

/// The mean over this many cells.
#[derive(Clone, Copy)]
struct Mean(f32);

impl Fold for Mean {
    #[inline(always)]
    fn start<L: Lanes>(self, lanes: L, _: usize) -> L::F32 {
        lanes.splat(0.0)
    }

    #[inline(always)]
    fn operand<L: Lanes>(self, lanes: L, _: usize, _: usize) -> L::F32 {
        lanes.splat(0.0)
    }

    #[inline(always)]
    fn step<L: Lanes>(self, lanes: L, sum: L::F32, _: L::F32, x: L::F32) -> L::F32 {
        lanes.add(sum, x)
    }

    #[inline(always)]
    fn finish<L: Lanes>(self, lanes: L, sum: L::F32) -> L::F32 {
        lanes.div(sum, lanes.splat(self.0))
    }
}
