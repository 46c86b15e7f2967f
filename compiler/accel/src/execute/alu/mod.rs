//! Alu, all modes (`spec/dpuczdx8g-isa.md` section 3.5).

mod depthwise;
mod pointwise;
mod pool;

use std::ops::Range;

use dpuc_isa::{Alu, AluInit, AluMode, InputWindow, RowPlace, RowWalk, Target};
use dpuc_kernels::simd::PLANAR_BLOCK;

use crate::banks::Banks;
use crate::core::Core;

/// One Alu, with what all modes share.
struct Job<'a> {
    init: &'a AluInit,
    alu: &'a Alu,
    mode: AluMode,
    window: InputWindow,
    rows: usize,
    columns: usize,
    /// Kernel rows times kernel columns.
    taps: usize,
    /// Channels of a slice.
    channels: usize,
    /// Channels of a slice that are not masked.
    real_channels: usize,
    /// `channels` rounded up to the blocks the kernels work in.
    padded: usize,
}

impl Core {
    pub(crate) fn alu(&mut self, init: &AluInit, alu: &Alu) {
        let Some(mode) = AluMode::from_number(init.exec_mode) else { return };
        let job = Job::new(init, alu, mode, &self.target);
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.out.resize(job.rows * job.columns * job.channels, 0);
        match mode {
            AluMode::Depthwise | AluMode::DepthwiseNoBias | AluMode::WideWeights => self.depthwise(&job, &mut scratch),
            AluMode::AveragePool => self.average_pool(&job, &mut scratch),
            AluMode::MaxPool | AluMode::MaxReduce => self.max_pool(&job, &mut scratch),
            AluMode::PRelu | AluMode::LeakyRelu | AluMode::HardSigmoid => self.pointwise(&job, &mut scratch),
        }
        self.write_rows(&RowWalk::alu_output(init, alu), &scratch.out);
        self.scratch = scratch;
    }

    /// Calls `visit` for each output pixel with the places of its taps that are no padding, and its output channels.
    fn for_each_pixel(
        &self,
        job: &Job,
        out: &mut [i8],
        places: &mut Vec<usize>,
        mut visit: impl FnMut(&[usize], &mut [i8]),
    ) {
        for (row, out) in out.chunks_exact_mut(job.columns * job.channels).enumerate() {
            let kernel_rows = job.kernel_rows(row, &self.target);
            for (column, out) in out.chunks_exact_mut(job.channels).enumerate() {
                job.tap_places(&self.banks, &kernel_rows, column, 0..job.taps, None, places);
                visit(places, out);
            }
        }
    }
}

impl<'a> Job<'a> {
    fn new(init: &'a AluInit, alu: &'a Alu, mode: AluMode, target: &Target) -> Self {
        let channels = init.channel_group as usize * target.line_bytes();
        let window = InputWindow::of_alu(init, alu);
        let reduces = mode == AluMode::MaxReduce;
        Self {
            init,
            alu,
            mode,
            window: if reduces { window.without_padding() } else { window },
            rows: alu.valid_pixel_parallel as usize,
            columns: init.length as usize,
            taps: (init.kernel_h * init.kernel_w) as usize,
            channels,
            real_channels: if reduces { channels } else { channels.saturating_sub(init.channel_offset as usize) },
            padded: channels.next_multiple_of(PLANAR_BLOCK),
        }
    }

    /// Where the kernel's rows lie for an output row; nothing for padding.
    fn kernel_rows(&self, row: usize, target: &Target) -> Vec<Option<RowPlace>> {
        let first = row as u32 * self.init.stride_h;
        let real = self.window.real_rows();
        let place = |y| self.window.row(y, target).filter(|_| real.contains(&y));
        (first..first + self.init.kernel_h).map(place).collect()
    }

    /// The places of some taps of an output pixel, all slices of a tap one after another. For a tap in padding that is
    /// `padding`, or nothing.
    fn tap_places(
        &self,
        banks: &Banks,
        kernel_rows: &[Option<RowPlace>],
        column: usize,
        taps: Range<usize>,
        padding: Option<usize>,
        places: &mut Vec<usize>,
    ) {
        let (kernel_w, slice_lines) = (self.init.kernel_w as usize, self.init.channel_group);
        let first_column = column as u32 * self.init.stride_w;
        let real = self.window.real_columns();
        let (mut ky, mut kx) = (taps.start / kernel_w, taps.start % kernel_w);
        places.clear();
        for _ in taps {
            let x = first_column + kx as u32;
            for slice in 0..self.alu.kernel_d {
                match kernel_rows[ky] {
                    Some(row) if real.contains(&x) => {
                        places.push(banks.place(row.bank, row.line + x * self.window.jump + slice * slice_lines));
                    }
                    _ => places.extend(padding),
                }
            }
            kx += 1;
            if kx == kernel_w {
                (ky, kx) = (ky + 1, 0);
            }
        }
    }
}
