//! Convolutions as matrix products.

use std::ops::Range;

use ndarray::{ArrayView1, ArrayView4};

use super::function::Function;
use super::gemm::{PackedMatrix, PanelRow, Product, Rows};
use super::geometry::{Axis, Space, Steps};
use super::lanes::Lanes;
use super::matmul::Matrix;
use crate::parallel::split_rows;
use crate::reference::KernelError;
use crate::reference::error::{parameter_error, shape_error};
use crate::reference::geometry::Window;
use crate::reference::layout::{check_size, result_size};
use crate::simd::Kernels;

/// Parameters of the convolution family. The kernel size is that of the weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conv2dParams {
    /// Step of the window, `[h, w]`; of a transposed convolution the step of the output.
    pub strides: [usize; 2],
    /// Distance between kernel elements, `[h, w]`; `[1, 1]` for a transposed convolution.
    pub dilations: [usize; 2],
    /// Zeros around the input, `[top, left, bottom, right]`; of a transposed convolution the rows and columns cropped
    /// from the output.
    pub pads: [usize; 4],
    /// Equal parts of the channels: part `i` of the output reads part `i` of the input.
    pub groups: usize,
    /// Applied to the complete sum.
    pub activation: Option<Function>,
}

impl Default for Conv2dParams {
    fn default() -> Self {
        Self { strides: [1, 1], dilations: [1, 1], pads: [0; 4], groups: 1, activation: None }
    }
}

impl Conv2dParams {
    pub(super) fn window(&self, kernel: [usize; 2]) -> Window {
        Window { kernel, strides: self.strides, dilations: self.dilations, pads: self.pads }
    }

    /// Refuses what a transposed convolution does not have.
    pub(super) fn check_transposed(&self, operator: &'static str) -> Result<(), KernelError> {
        if self.dilations == [1, 1] {
            return Ok(());
        }
        let problem = format!("are {:?}, but a transposed convolution has none: expected [1, 1]", self.dilations);
        Err(parameter_error(operator, "dilations", problem))
    }
}

/// A convolution or transposed convolution of maps of one shape, its weights packed.
///
/// Sums are in f32, in blocks of at most 576 products each: the result differs from the exact one by at most
/// `(576 + K / 576) · 2^-24 · Σ|x · w|` with the `K` products of a sum, and in practice by a hundredth of that. A NaN stays NaN,
/// also behind a fused `relu`.
#[derive(Clone, Debug)]
pub struct Conv2d {
    kernels: Kernels,
    input: [usize; 4],
    output: [usize; 4],
    /// The window of each group and, of a transposed convolution, of each phase.
    parts: Vec<(Patches, PackedMatrix)>,
    activation: Option<Function>,
    /// Products in all.
    work: usize,
}

impl Conv2d {
    /// Prepares a convolution (correlation) of a map `[n, h, w, in]` with `weights` `[out, kernel_h, kernel_w, in / groups]` and
    /// `bias` `[out]`; the result is `[n, out_h, out_w, out]` with `floor((size + pads - k') / stride) + 1` elements per spatial
    /// axis.
    ///
    /// # Errors
    /// Empty or mismatched operands, groups that do not divide the channels, a window that does not fit.
    pub fn new(
        kernels: Kernels,
        input: [usize; 4],
        weights: &ArrayView4<'_, f32>,
        bias: Option<ArrayView1<'_, f32>>,
        params: &Conv2dParams,
    ) -> Result<Self, KernelError> {
        Self::build("conv2d", Space::sliding, kernels, input, weights, bias, params)
    }

    /// Prepares a transposed convolution: the input is spread with zeros by the strides and correlated with the stored weights
    /// `[out, kernel_h, kernel_w, in / groups]`; the result has `(size - 1) * stride + kernel - pads` elements per spatial axis.
    ///
    /// # Errors
    /// As [`Self::new`], dilations, or pads that crop everything.
    pub fn transposed(
        kernels: Kernels,
        input: [usize; 4],
        weights: &ArrayView4<'_, f32>,
        bias: Option<ArrayView1<'_, f32>>,
        params: &Conv2dParams,
    ) -> Result<Self, KernelError> {
        const OPERATOR: &str = "transposed_conv2d";
        params.check_transposed(OPERATOR)?;
        Self::build(OPERATOR, Space::transposed, kernels, input, weights, bias, params)
    }

    fn build(
        operator: &'static str,
        space: fn(&'static str, [usize; 2], &Window) -> Result<Space, KernelError>,
        kernels: Kernels,
        input: [usize; 4],
        weights: &ArrayView4<'_, f32>,
        bias: Option<ArrayView1<'_, f32>>,
        params: &Conv2dParams,
    ) -> Result<Self, KernelError> {
        check_size(operator, "input", &input)?;
        check_size(operator, "weights", weights.shape())?;
        let [batch, height, width, inputs] = input;
        let (outputs, kernel_h, kernel_w, depth) = weights.dim();
        let groups = params.groups;
        if groups == 0 || !inputs.is_multiple_of(groups) || !outputs.is_multiple_of(groups) {
            let problem = format!("are {groups}, which do not divide {inputs} input and {outputs} output channels");
            return Err(parameter_error(operator, "groups", problem));
        }
        if depth != inputs / groups {
            let expected = format!("[out, kernel_h, kernel_w, {}]", inputs / groups);
            return Err(shape_error(operator, "weights", weights.shape(), expected));
        }
        check_bias(operator, bias.as_ref(), outputs)?;
        let space = space(operator, [height, width], &params.window([kernel_h, kernel_w]))?;
        let output = [batch, space.output[0], space.output[1], outputs];
        result_size(operator, &output)?;
        space.check_phases(operator)?;
        let mut parts = Vec::new();
        let mut work = 0usize;
        for (rows, columns) in space.rows.iter().flat_map(|row| space.columns.iter().map(move |column| (row, column))) {
            for group in 0..groups {
                let patches = Patches::new([input, output], [*rows, *columns], [group, groups]);
                let packed = patches.pack(kernels, weights, bias.as_ref());
                work = work.saturating_add(batch * rows.positions * columns.positions * patches.len() * patches.width);
                parts.push((patches, packed));
            }
        }
        Ok(Self { kernels, input, output, parts, activation: params.activation, work })
    }

    /// Shape of the result, `[n, h, w, channels]`.
    pub const fn output_shape(&self) -> [usize; 4] {
        self.output
    }

    /// Computes the result of all elements of a map into all elements of the output, both NHWC.
    ///
    /// # Panics
    /// If a slice does not have the elements of its shape.
    pub fn run(&self, input: &[f32], output: &mut [f32]) {
        assert_eq!(input.len(), self.input.iter().product(), "elements of the input");
        assert_eq!(output.len(), self.output.iter().product(), "elements of the output");
        let row = self.output[2] * self.output[3];
        split_rows(output, row, self.work, |band, output| {
            for (patches, right) in &self.parts {
                patches.ranges(&band, |rows| {
                    let (limits, origin) = (self.activation.and_then(Function::limits), band.start * row);
                    let (right, columns, output) = (right.view(), 0..patches.width, &mut *output);
                    if patches.is_matrix() {
                        let left = &Matrix { values: input, depth: patches.depth, columns: patches.width };
                        self.kernels.with_lanes(Product { left, right, rows, columns, limits, output, origin });
                    } else {
                        let left = &Window2d { patches, input };
                        self.kernels.with_lanes(Product { left, right, rows, columns, limits, output, origin });
                    }
                });
            }
            self.kernels.finish(self.activation, output);
        });
    }
}

/// Checks that there is a bias for each output channel, if any.
pub(super) fn check_bias(
    operator: &'static str,
    bias: Option<&ArrayView1<'_, f32>>,
    channels: usize,
) -> Result<(), KernelError> {
    match bias {
        Some(bias) if bias.len() != channels => {
            let expected = format!("[{channels}], one per output channel");
            Err(shape_error(operator, "bias", bias.shape(), expected))
        }
        _ => Ok(()),
    }
}

/// What a window sees at each of its positions: the rows of the left matrix, `[tap_y, tap_x, channel]`.
#[derive(Clone, Debug)]
struct Patches {
    input: [usize; 4],
    output: [usize; 4],
    rows: Axis,
    columns: Axis,
    /// Channels of a group on the input side.
    depth: usize,
    group: usize,
    /// Channels of a group on the output side.
    width: usize,
    /// Elements of a patch that follow each other in memory: those of a kernel row or of a pixel.
    run: usize,
    /// Distance of each run from the first one, in elements.
    offsets: Vec<usize>,
}

impl Patches {
    fn new([input, output]: [[usize; 4]; 2], [rows, columns]: [Axis; 2], [group, groups]: [usize; 2]) -> Self {
        let [_, _, line, channels] = input;
        let (depth, width) = (channels / groups, output[3] / groups);
        let run_taps = if columns.dilation == 1 && groups == 1 { columns.taps } else { 1 };
        let taps = (0..rows.taps).flat_map(|y| (0..columns.taps).step_by(run_taps.max(1)).map(move |x| (y, x)));
        let offsets = taps.map(|(y, x)| (y * rows.dilation * line + x * columns.dilation) * channels).collect();
        Self { input, output, rows, columns, depth, group, width, run: run_taps * depth, offsets }
    }

    /// Elements of a patch.
    const fn len(&self) -> usize {
        self.rows.taps * self.columns.taps * self.depth
    }

    /// Whether the patches are the pixels of the input, one after the other.
    fn is_matrix(&self) -> bool {
        let is_pointwise = |axis: &Axis| {
            (axis.taps, axis.stride, axis.origin) == (1, 1, 0)
                && axis.positions == axis.input
                && axis.output == Steps::ALL
        };
        is_pointwise(&self.rows) && is_pointwise(&self.columns) && self.depth == self.input[3]
    }

    fn pack(
        &self,
        kernels: Kernels,
        weights: &ArrayView4<'_, f32>,
        bias: Option<&ArrayView1<'_, f32>>,
    ) -> PackedMatrix {
        let first = self.group * self.width;
        let element = |k: usize, column: usize| {
            let (tap, channel) = (k / self.depth, k % self.depth);
            let (y, x) = (tap / self.columns.taps, tap % self.columns.taps);
            weights[[first + column, self.rows.kernel.at(y), self.columns.kernel.at(x), channel]]
        };
        PackedMatrix::new(kernels, [self.len(), self.width], element, bias.map(|bias| |column| bias[first + column]))
    }

    /// Calls `visit` with the ranges of positions, counted through all images, whose results lie in a band of output rows, which
    /// are counted through all images, too.
    fn ranges(&self, band: &Range<usize>, mut visit: impl FnMut(Range<usize>)) {
        let height = self.output[1];
        let mut pending = 0..0;
        for image in band.start / height..band.end.div_ceil(height) {
            let first = image * height;
            let own = band.start.saturating_sub(first)..(band.end - first).min(height);
            let rows = self.rows.output.within(&own);
            let place = |row: usize| (image * self.rows.positions + row) * self.columns.positions;
            let range = place(rows.start)..place(rows.end);
            if range.start == pending.end {
                pending.end = range.end;
            } else {
                visit(std::mem::replace(&mut pending, range));
            }
        }
        visit(pending);
    }

    /// Image, row and column of a position.
    const fn position(&self, index: usize) -> [usize; 3] {
        let (line, column) = (index / self.columns.positions, index % self.columns.positions);
        [line / self.rows.positions, line % self.rows.positions, column]
    }

    /// The position behind this one.
    #[inline(always)]
    const fn next(&self, [image, row, column]: [usize; 3]) -> [usize; 3] {
        if column + 1 < self.columns.positions {
            [image, row, column + 1]
        } else if row + 1 < self.rows.positions {
            [image, row + 1, 0]
        } else {
            [image + 1, 0, 0]
        }
    }
}

/// The patches of a map.
struct Window2d<'a> {
    patches: &'a Patches,
    input: &'a [f32],
}

/// A part of a patch: elements of consecutive runs from one within the first of them on.
#[derive(Clone, Copy)]
struct Part {
    run: usize,
    skipped: usize,
}

impl Window2d<'_> {
    /// Copies a patch none of whose elements is padding; `first` is the place of its first element.
    #[inline(always)]
    fn copy_inside<L: Lanes>(&self, lanes: L, first: usize, part: Part, target: &mut [f32]) {
        let Part { run, mut skipped } = part;
        let mut target = target;
        for offset in &self.patches.offsets[run..] {
            let (own, rest) = target.split_at_mut((self.patches.run - skipped).min(target.len()));
            lanes.copy(&self.input[first + offset + skipped..][..own.len()], own);
            (target, skipped) = (rest, 0);
            if target.is_empty() {
                break;
            }
        }
    }

    /// Copies any patch; row `top` and column `left` of the image, both maybe outside, are under its first element.
    #[inline(always)]
    fn copy<L: Lanes>(&self, lanes: L, image: usize, [top, left]: [isize; 2], part: Part, target: &mut [f32]) {
        let Patches { input: [_, height, width, channels], rows, columns, depth, group, run, .. } = *self.patches;
        let run_taps = run / depth;
        let runs_per_row = columns.taps / run_taps;
        let Part { run: mut number, mut skipped } = part;
        let mut target = target;
        while !target.is_empty() {
            let (own, rest) = target.split_at_mut((run - skipped).min(target.len()));
            let y = top + (number / runs_per_row * rows.dilation).cast_signed();
            let x = left + (number % runs_per_row * columns.dilation).cast_signed();
            // The elements of the run that are no padding.
            let end = if 0 <= y && y < height as isize { (width as isize - x).clamp(0, run_taps as isize) } else { 0 };
            let end = end.cast_unsigned() * depth;
            let begin = (x.min(0).unsigned_abs() * depth).min(end);
            let [begin, end] = [begin, end].map(|place| place.saturating_sub(skipped).min(own.len()));
            own[..begin].fill(0.0);
            own[end..].fill(0.0);
            if begin < end {
                let line = ((image * height + y.cast_unsigned()) * width * channels).cast_signed();
                let at = line + x * channels as isize + (group * depth + skipped + begin).cast_signed();
                lanes.copy(&self.input[at.cast_unsigned()..][..end - begin], &mut own[begin..end]);
            }
            (target, skipped, number) = (rest, 0, number + 1);
        }
    }
}

impl Rows for Window2d<'_> {
    #[inline(always)]
    fn gather<L: Lanes>(&self, lanes: L, first: usize, depth: Range<usize>, panel: &mut [PanelRow]) {
        if depth.is_empty() {
            return;
        }
        let Patches { input: [_, height, width, channels], rows, columns, depth: own, group, run, .. } = *self.patches;
        let part = Part { run: depth.start / run, skipped: depth.start % run };
        let [inner_rows, inner_columns] = [rows, columns].map(|axis| axis.interior());
        let mut position = self.patches.position(first);
        for target in panel {
            let target = &mut target.0[..depth.len()];
            let [image, y, x] = position;
            let top = (y * rows.stride).cast_signed() + rows.origin;
            let left = (x * columns.stride).cast_signed() + columns.origin;
            if inner_rows.contains(&y) && inner_columns.contains(&x) {
                let pixel = (image * height + top.cast_unsigned()) * width + left.cast_unsigned();
                self.copy_inside(lanes, pixel * channels + group * own, part, target);
            } else {
                self.copy(lanes, image, [top, left], part, target);
            }
            position = self.patches.next(position);
        }
    }

    #[inline(always)]
    fn places(&self, first: usize, places: &mut [usize]) {
        let Patches { output: [_, height, width, channels], rows, columns, group, width: own, .. } = *self.patches;
        let mut position = self.patches.position(first);
        for place in places {
            let [image, y, x] = position;
            let pixel = (image * height + rows.output.at(y)) * width + columns.output.at(x);
            *place = pixel * channels + group * own;
            position = self.patches.next(position);
        }
    }
}
