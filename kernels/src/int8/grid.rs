//! Where the outputs of a window operator are, in which pieces they are computed, and the padded copies of the input they read.
//!
//! A transposed operator of stride `s` is `s` sliding ones per axis, its *phases*: phase `p` makes the outputs `p`, `p + s`, … and
//! knows the kernel elements that meet real inputs there. A sliding operator has one phase. The places of a phase form a grid
//! whose points step through input and output with constant strides. Rows of the grid are computed in *bands* that suit the second
//! level cache; bands follow each other in the output without gaps.

use crate::reference::error::{Result, parameter_error};
use crate::reference::geometry::{Axis, Plane};
use crate::reference::layout::MAX_ELEMENTS;

use super::encoding::{Encoding, Encodings};

/// Bytes of input and output that a band should not exceed: half of a usual second-level cache.
const BAND_BYTES: usize = 1 << 19;

/// Most points of a band; a table of them is kept.
const BAND_POINTS: usize = 1 << 14;

/// Rows of a grid of one column are computed in multiples of this, of which all register blocks are divisors.
const ROW_MULTIPLE: usize = 112;

/// Multiply-accumulates from which on work is shared between threads.
const SHARED_WORK: usize = 1 << 20;

/// A kernel element and the input it meets at grid point 0; at point `g` it meets the one `g · step` further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tap {
    pub(super) kernel: usize,
    pub(super) offset: i64,
}

/// One phase of one axis.
#[derive(Clone, Debug)]
pub(super) struct Phase {
    /// In ascending order; those that never meet a real input are left out.
    pub(super) taps: Vec<Tap>,
    /// Output of grid point 0.
    first: usize,
    /// Grid points.
    pub(super) points: usize,
}

/// One axis of a grid.
#[derive(Clone, Debug)]
pub(super) struct GridAxis {
    pub(super) phases: Vec<Phase>,
    /// Grid points of the longest phase.
    pub(super) points: usize,
    /// Inputs from one point to the next.
    pub(super) input_step: usize,
    /// Outputs from one point to the next.
    output_step: usize,
    inputs: usize,
    outputs: usize,
    /// Offset of the first and behind the last tap of all phases; at least one input wide.
    taps: std::ops::Range<i64>,
}

impl GridAxis {
    fn new(axis: &Axis) -> Self {
        let spread = axis.spread as usize;
        let phases: Vec<Phase> = (0..spread.min(axis.output))
            .map(|first| {
                let points = (axis.output - first).div_ceil(spread);
                let travel = ((points - 1) * axis.stride) as i64;
                let taps = (0..axis.kernel).filter_map(|kernel| {
                    let position = (first * axis.stride + kernel * axis.dilation) as i64 - axis.pad;
                    let offset = position.div_euclid(axis.spread);
                    let meets =
                        position.rem_euclid(axis.spread) == 0 && -travel <= offset && offset < axis.input as i64;
                    meets.then_some(Tap { kernel, offset })
                });
                Phase { taps: taps.collect(), first, points }
            })
            .collect();
        let offsets = || phases.iter().flat_map(|phase| &phase.taps).map(|tap| tap.offset);
        let taps = offsets().min().map_or(0..1, |first| first..offsets().max().unwrap_or(first) + 1);
        Self {
            points: phases.iter().map(|phase| phase.points).max().unwrap_or(0),
            input_step: axis.stride,
            output_step: spread,
            inputs: axis.input,
            outputs: axis.output,
            taps,
            phases,
        }
    }

    /// Whether each output depends on the input at the same place alone.
    fn is_pointwise(&self) -> bool {
        self.taps == (0..1) && self.has_unit_steps() && self.outputs == self.inputs
    }

    /// Changes the size of a pointwise axis.
    fn resize(&mut self, size: usize) {
        (self.inputs, self.outputs, self.points) = (size, size, size);
        for phase in &mut self.phases {
            phase.points = size;
        }
    }

    /// Inputs, real or not, that `points` neighbouring points read.
    fn window(&self, points: usize) -> usize {
        (points - 1) * self.input_step + (self.taps.end - self.taps.start) as usize
    }

    /// Place of a tap in the window of its point.
    pub(super) fn place(&self, tap: Tap) -> usize {
        (tap.offset - self.taps.start) as usize
    }

    /// Whether the windows of all points are real inputs.
    fn is_inside(&self) -> bool {
        self.taps.start >= 0 && self.taps.start as usize + self.window(self.points) <= self.inputs
    }

    /// Whether neighbouring points have neighbouring inputs and outputs.
    pub(super) fn has_unit_steps(&self) -> bool {
        self.input_step == 1 && self.output_step == 1
    }

    /// Output of point `point` of `phase`, counted from the first output of point 0.
    fn output(&self, phase: &Phase, point: usize) -> usize {
        point * self.output_step + phase.first
    }
}

/// Grid of a window operator over a batch of NHWC maps.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    pub(super) rows: GridAxis,
    pub(super) columns: GridAxis,
    batch: usize,
    /// Bytes of an input pixel.
    pub(super) channels: usize,
    /// Bytes of an output pixel.
    outputs: usize,
    /// Whether bands read the input as it is; otherwise they read padded copies in the offset form.
    in_place: bool,
    encoding: Encoding,
    band_rows: usize,
    is_shared: bool,
}

/// Bytes of a cache line, to which copies are aligned: vectors that cross lines cost twice.
const LINE: usize = 64;

/// Bytes that may be touched behind the last value.
pub(super) const SLACK: usize = 3;

impl Grid {
    /// The grid of `plane` over maps of `input` (`[n, h, w, c]`) with `outputs` channels of results and `products` of them for each.
    ///
    /// # Errors
    /// A padded copy of more than [`MAX_ELEMENTS`] bytes.
    pub(super) fn new(
        operator: &'static str,
        input: [usize; 4],
        plane: &Plane,
        outputs: usize,
        products: usize,
        encodings: Encodings,
    ) -> Result<Self> {
        let (mut batch, [rows, columns], channels) = (input[0], [plane.rows, plane.columns], input[3]);
        let (mut rows, mut columns) = (GridAxis::new(&rows), GridAxis::new(&columns));
        if rows.is_pointwise() && columns.is_pointwise() {
            // Neighbours do not matter: all pixels of the batch may as well be rows of one column.
            rows.resize(batch * rows.inputs * columns.inputs);
            columns.resize(1);
            batch = 1;
        }
        let in_place = encodings.input == Encoding::Offset && rows.is_inside() && columns.is_inside();
        let mut grid = Self {
            rows,
            columns,
            batch,
            channels,
            outputs,
            in_place,
            encoding: encodings.input,
            band_rows: 1,
            is_shared: false,
        };
        let work = batch * grid.rows.points * grid.columns.points * outputs;
        grid.is_shared = work.saturating_mul(products) >= SHARED_WORK;
        grid.band_rows = grid.choose_band_rows();
        let copy = (grid.rows.window(grid.band_rows))
            .checked_mul(grid.columns.window(grid.columns.points))
            .and_then(|pixels| pixels.checked_mul(channels));
        match copy {
            Some(bytes) if in_place || bytes <= MAX_ELEMENTS => Ok(grid),
            _ => {
                let problem = format!("need a padded copy of more than {MAX_ELEMENTS} bytes");
                Err(parameter_error(operator, "pads", problem))
            }
        }
    }

    fn choose_band_rows(&self) -> usize {
        let points = self.columns.points;
        let read = self.rows.input_step.saturating_mul(self.columns.window(points)).saturating_mul(self.channels);
        let written = self.rows.output_step * self.columns.outputs * self.outputs;
        let cached = (BAND_BYTES / (read + written)).min(BAND_POINTS / points);
        let rows = self.rows.points;
        let mut bands = rows.div_ceil(cached.clamp(1, rows));
        let threads = rayon::current_num_threads();
        if self.is_shared && threads > 1 {
            bands = bands.next_multiple_of(threads).min(rows);
        }
        let band = rows.div_ceil(bands);
        if points == 1 && band > ROW_MULTIPLE { band.next_multiple_of(ROW_MULTIPLE) } else { band }
    }

    /// Bytes of values that a point of a band may be asked for, counted from the first value of the band.
    fn copy_bytes(&self) -> usize {
        self.rows.window(self.band_rows) * self.columns.window(self.columns.points) * self.channels + SLACK
    }

    /// Scratch memory of one thread.
    fn thread_bytes(&self, extra: usize) -> usize {
        extra + if self.in_place { 0 } else { self.copy_bytes() + LINE - 1 }
    }

    /// Scratch memory that lets all threads of the current pool work; `extra` is what each band needs for itself.
    pub(super) fn scratch_bytes(&self, extra: usize) -> usize {
        let threads = if self.is_shared { rayon::current_num_threads().min(self.bands()) } else { 1 };
        self.thread_bytes(extra) * threads
    }

    fn image_bands(&self) -> usize {
        self.rows.points.div_ceil(self.band_rows)
    }

    fn bands(&self) -> usize {
        self.batch * self.image_bands()
    }

    /// Bytes of the whole input.
    pub(super) fn input_bytes(&self) -> usize {
        self.batch * self.rows.inputs * self.columns.inputs * self.channels
    }

    fn output_row_bytes(&self) -> usize {
        self.columns.outputs * self.outputs
    }

    /// Bytes of the whole output.
    pub(super) fn output_bytes(&self) -> usize {
        self.batch * self.rows.outputs * self.output_row_bytes()
    }

    /// Whether bands read the input as it is.
    pub(super) fn in_place(&self) -> bool {
        self.in_place
    }

    /// Bytes from one row of values to the next.
    pub(super) fn row_bytes(&self) -> usize {
        let columns = if self.in_place { self.columns.inputs } else { self.columns.window(self.columns.points) };
        columns * self.channels
    }

    /// Places of the points of a pair of phases in a band: of their first value, and of their first output byte.
    pub(super) fn points(&self, row: &Phase, column: &Phase) -> impl Iterator<Item = (usize, usize)> {
        (0..self.band_rows.min(row.points)).flat_map(move |y| {
            (0..column.points).map(move |x| {
                let value = y * self.rows.input_step * self.row_bytes() + x * self.columns.input_step * self.channels;
                let pixel = self.rows.output(row, y) * self.columns.outputs + self.columns.output(column, x);
                (value, pixel * self.outputs)
            })
        })
    }

    /// Computes all bands, on the threads of the current pool if that pays and there is scratch memory for them.
    ///
    /// # Panics
    /// If a length is not that of the operator, or the scratch memory does not suffice for one thread.
    pub(super) fn run(
        &self,
        input: &[u8],
        output: &mut [u8],
        scratch: &mut [u8],
        extra: usize,
        body: &(impl Fn(Band) + Sync),
    ) {
        assert_eq!(input.len(), self.input_bytes(), "bytes of the input");
        assert_eq!(output.len(), self.output_bytes(), "bytes of the output");
        let bytes = self.thread_bytes(extra);
        assert!(scratch.len() >= bytes, "{} bytes of scratch memory, expected {bytes}", scratch.len());
        let threads = if self.is_shared { rayon::current_num_threads() } else { 1 };
        let threads = threads.min(scratch.len().checked_div(bytes).unwrap_or(threads));
        self.run_bands(0..self.bands(), input, output, scratch, threads, extra, body);
    }

    #[expect(clippy::too_many_arguments, reason = "the state of a recursion that halves most of it")]
    fn run_bands(
        &self,
        bands: std::ops::Range<usize>,
        input: &[u8],
        output: &mut [u8],
        scratch: &mut [u8],
        threads: usize,
        extra: usize,
        body: &(impl Fn(Band) + Sync),
    ) {
        if threads > 1 && bands.len() > 1 {
            let first_threads = threads / 2;
            let middle = bands.start + (bands.len() * first_threads / threads).max(1);
            let at = self.band_output(middle) - self.band_output(bands.start);
            let (first, second) = output.split_at_mut(at);
            let (first_scratch, second_scratch) = scratch.split_at_mut(self.thread_bytes(extra) * first_threads);
            rayon::join(
                || self.run_bands(bands.start..middle, input, first, first_scratch, first_threads, extra, body),
                || {
                    self.run_bands(
                        middle..bands.end,
                        input,
                        second,
                        second_scratch,
                        threads - first_threads,
                        extra,
                        body,
                    );
                },
            );
            return;
        }
        let mut rest = output;
        for band in bands {
            let (codes, after) = rest.split_at_mut(self.band_output(band + 1) - self.band_output(band));
            self.run_band(band, input, codes, &mut *scratch, extra, body);
            rest = after;
        }
    }

    /// First output byte of a band.
    fn band_output(&self, band: usize) -> usize {
        let (image, row) = (band / self.image_bands(), band % self.image_bands() * self.band_rows);
        (image * self.rows.outputs + (row * self.rows.output_step).min(self.rows.outputs)) * self.output_row_bytes()
    }

    fn run_band(
        &self,
        band: usize,
        input: &[u8],
        output: &mut [u8],
        scratch: &mut [u8],
        extra: usize,
        body: &impl Fn(Band),
    ) {
        let (image, first) = (band / self.image_bands(), band % self.image_bands() * self.band_rows);
        let rows = self.band_rows.min(self.rows.points - first);
        let image_bytes = self.rows.inputs * self.columns.inputs * self.channels;
        let (scratch, copy) = scratch.split_at_mut(extra);
        let values = if self.in_place {
            let row = (first * self.rows.input_step) as i64 + self.rows.taps.start;
            let pixel = row as usize * self.columns.inputs + self.columns.taps.start as usize;
            &input[image * image_bytes + pixel * self.channels..]
        } else {
            let aligned = copy.as_ptr().align_offset(LINE).min(LINE - 1);
            let copy = &mut copy[aligned..][..self.copy_bytes()];
            self.copy_band(&input[image * image_bytes..][..image_bytes], first, rows, copy);
            copy
        };
        body(Band { first, rows, values, output, scratch });
    }

    /// Fills a padded copy of what `rows` rows of the grid read, in the offset form.
    fn copy_band(&self, image: &[u8], first: usize, rows: usize, copy: &mut [u8]) {
        let zero = Encoding::Offset.encode(0);
        let mask = self.encoding.mask() ^ Encoding::Offset.mask();
        let (columns, width) = (self.columns.window(self.columns.points), self.columns.inputs);
        let row_bytes = columns * self.channels;
        let left = (-self.columns.taps.start).clamp(0, columns as i64) as usize;
        let skipped = self.columns.taps.start.max(0) as usize;
        let real = width.saturating_sub(skipped).min(columns - left);
        let top = (first * self.rows.input_step) as i64 + self.rows.taps.start;
        for (row, line) in (top..).zip(copy.chunks_exact_mut(row_bytes).take(self.rows.window(rows))) {
            let Some(row) = usize::try_from(row).ok().filter(|&row| row < self.rows.inputs) else {
                line.fill(zero);
                continue;
            };
            let (before, rest) = line.split_at_mut(left * self.channels);
            let (inside, behind) = rest.split_at_mut(real * self.channels);
            before.fill(zero);
            behind.fill(zero);
            let source = &image[(row * width + skipped) * self.channels..][..inside.len()];
            if mask == 0 {
                inside.copy_from_slice(source);
            } else {
                for (to, from) in inside.iter_mut().zip(source) {
                    *to = from ^ mask;
                }
            }
        }
    }
}

/// Some rows of the grid of one image.
pub(super) struct Band<'a> {
    /// The first row.
    pub(super) first: usize,
    /// Rows.
    pub(super) rows: usize,
    /// From the first value of the first point on, in the offset form.
    pub(super) values: &'a [u8],
    /// The output bytes of these rows.
    pub(super) output: &'a mut [u8],
    /// Extra memory.
    pub(super) scratch: &'a mut [u8],
}
