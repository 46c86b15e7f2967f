//! Alu, all modes (`spec/dpuczdx8g-isa.md` section 3.5).

use dpuc_isa::{Alu, AluInit, AluMode, InputWindow, RowWalk};
use dpuc_kernels::simd::PLANAR_BLOCK;

use super::Scratch;
use crate::core::Core;
use crate::round::{Activation, pool_shift, prelu_shift, round_shift};

/// Taps are processed in parts of about this many weight bytes, which bounds memory and keeps 32-bit partial sums exact.
const PART_BYTES: usize = 1 << 20;

/// Hard sigmoid is (x + 3) / 6, with 1/6 taken as 2731 / 2^14.
const SIXTH: i64 = 2731;

/// One Alu, with what all modes share.
struct Job<'a> {
    init: &'a AluInit,
    alu: &'a Alu,
    mode: AluMode,
    window: InputWindow,
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
        let channels = init.channel_group as usize * self.target.line_bytes();
        let mut window = InputWindow::of_alu(init, alu);
        let mut real_channels = channels.saturating_sub(init.channel_offset as usize);
        if mode == AluMode::MaxReduce {
            window = window.without_padding();
            real_channels = channels;
        }
        let padded = channels.next_multiple_of(PLANAR_BLOCK);
        let job = Job { init, alu, mode, window, channels, real_channels, padded };
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.out.resize(job.rows() * job.columns() * channels, 0);
        match mode {
            AluMode::Depthwise | AluMode::DepthwiseNoBias => self.depthwise(&job, &mut scratch),
            AluMode::WideWeights => self.wide_weights(&job, &mut scratch),
            AluMode::AveragePool => self.average_pool(&job, &mut scratch),
            AluMode::MaxPool | AluMode::MaxReduce => self.max_pool(&job, &mut scratch),
            AluMode::PRelu | AluMode::LeakyRelu | AluMode::HardSigmoid => self.pointwise(&job, &mut scratch),
        }
        self.write_rows(&RowWalk::alu_output(init, alu), &scratch.out);
        self.scratch = scratch;
    }

    fn depthwise(&self, job: &Job, scratch: &mut Scratch) {
        let Scratch { places, weights, sums, wide_sums, out, .. } = scratch;
        let slices = job.alu.kernel_d as usize;
        let taps_per_part = (PART_BYTES / (job.padded * slices)).max(1);
        let bias = self.alu_bias(job);
        let (activation, shift) = job.depthwise_epilogue();
        sums.resize(job.padded, 0);
        let mut packed = None;
        for row in 0..job.rows() {
            wide_sums.clear();
            wide_sums.resize(job.columns() * job.channels, 0);
            for first in (0..job.taps()).step_by(taps_per_part) {
                let taps = first..(first + taps_per_part).min(job.taps());
                if packed != Some(first) {
                    self.pack_depthwise_weights(job, taps.clone(), weights);
                    packed = Some(first);
                }
                for (column, wide) in wide_sums.chunks_exact_mut(job.channels).enumerate() {
                    places.clear();
                    self.tap_places(job, row, column, taps.clone(), Some(self.banks.zeros()), places);
                    self.kernels.multiply_add(self.banks.memory(), places, weights, sums);
                    wide.iter_mut().zip(&*sums).for_each(|(wide, &sum)| *wide += i64::from(sum));
                }
            }
            let out = job.row_mut(out, row).chunks_exact_mut(job.channels);
            for (out, sums) in out.zip(wide_sums.chunks_exact_mut(job.channels)) {
                sums[job.real_channels..].fill(0);
                for ((out, &sum), &bias) in out.iter_mut().zip(&*sums).zip(&bias) {
                    *out = activation.round((sum << u32::from(job.mode == AluMode::Depthwise)) + bias, shift);
                }
            }
        }
    }

    /// `bias << shift_bias` of each channel, on the scale of twice the sum; 0 in modes without bias.
    fn alu_bias(&self, job: &Job) -> Vec<i64> {
        if job.mode != AluMode::Depthwise {
            return vec![0; job.channels];
        }
        let bias = self.banks.slice(self.target.bias_bank() as u32, job.alu.bank_addr_bias, job.channels);
        bias.iter().map(|&bias| i64::from(bias) << job.init.shift_bias).collect()
    }

    /// Weights of some taps, taps x slices x channels; each channel run filled up to whole blocks.
    fn pack_depthwise_weights(&self, job: &Job, taps: std::ops::Range<usize>, weights: &mut Vec<i8>) {
        let bank = self.target.depthwise_weight_bank() as u32;
        weights.clear();
        weights.resize(taps.len() * job.alu.kernel_d as usize * job.padded, 0);
        let places = taps.flat_map(|tap| (0..job.alu.kernel_d).map(move |slice| (tap as u32, slice)));
        for ((tap, slice), run) in places.zip(weights.chunks_exact_mut(job.padded)) {
            let line = job.alu.bank_addr_weights + tap * job.init.jump_read_weights + slice * job.init.channel_group;
            run[..job.channels].copy_from_slice(self.banks.slice(bank, line, job.channels));
        }
    }

    fn wide_weights(&self, job: &Job, scratch: &mut Scratch) {
        let Scratch { places, wide_sums, out, .. } = scratch;
        let line_bytes = self.target.line_bytes();
        let bank = self.target.depthwise_weight_bank() as u32;
        let (activation, shift) = job.depthwise_epilogue();
        let slices = job.alu.kernel_d;
        let taps_per_part = (PART_BYTES / job.padded).max(1);
        for row in 0..job.rows() {
            wide_sums.clear();
            wide_sums.resize(job.columns() * job.channels, 0);
            for first in (0..job.taps()).step_by(taps_per_part) {
                let taps = first..(first + taps_per_part).min(job.taps());
                for (column, sums) in wide_sums.chunks_exact_mut(job.channels).enumerate() {
                    places.clear();
                    self.tap_places(job, row, column, taps.clone(), Some(self.banks.zeros()), places);
                    let runs = taps.clone().flat_map(|tap| (0..slices).map(move |slice| (tap as u32, slice)));
                    for ((tap, slice), &place) in runs.zip(&*places) {
                        let line = job.alu.bank_addr_weights
                            + tap * job.init.jump_read_weights
                            + 2 * slice * job.init.channel_group;
                        let values = &self.banks.memory()[place..][..job.channels];
                        let groups = values.chunks_exact(line_bytes).zip(sums.chunks_exact_mut(line_bytes));
                        for (group, (values, sums)) in (0..).zip(groups) {
                            // The one weight a group uses is the first of its two lines.
                            let bytes = self.banks.slice(bank, line + 2 * group, 2);
                            let weight = i16::from_le_bytes([bytes[0] as u8, bytes[1] as u8]);
                            for (sum, &value) in sums.iter_mut().zip(values) {
                                *sum += i64::from(weight) * i64::from(value);
                            }
                        }
                    }
                }
            }
            let out = job.row_mut(out, row).chunks_exact_mut(job.channels);
            for (out, sums) in out.zip(wide_sums.chunks_exact_mut(job.channels)) {
                sums[job.real_channels..].fill(0);
                for (out, &sum) in out.iter_mut().zip(&*sums) {
                    *out = activation.round(sum, shift);
                }
            }
        }
    }

    fn average_pool(&self, job: &Job, scratch: &mut Scratch) {
        let Scratch { places, sums, out, .. } = scratch;
        let factor = f32::from(job.init.multi_factor as u8 as i8);
        let shift = pool_shift(job.init.shift_cut);
        sums.resize(job.padded, 0);
        self.for_each_pixel(job, out, places, |places, out| {
            self.kernels.sum(self.banks.memory(), places, sums);
            sums[job.real_channels..].fill(0);
            for (out, &sum) in out.iter_mut().zip(&*sums) {
                // The sum is exact; a product above 2^24 is rounded to single precision, as in AMD's simulator.
                *out = round_shift((sum as f32 * factor) as i64, shift);
            }
        });
    }

    fn max_pool(&self, job: &Job, scratch: &mut Scratch) {
        let Scratch { places, weights: maxima, out, .. } = scratch;
        let shift = pool_shift(job.init.shift_cut);
        maxima.resize(job.padded, 0);
        self.for_each_pixel(job, out, places, |places, out| {
            // Padding and masked channels count as the smallest value.
            maxima.fill(i8::MIN);
            self.kernels.max(self.banks.memory(), places, maxima);
            maxima[job.real_channels..].fill(i8::MIN);
            for (out, &maximum) in out.iter_mut().zip(&*maxima) {
                *out = round_shift(i64::from(maximum), shift);
            }
        });
    }

    fn pointwise(&self, job: &Job, scratch: &mut Scratch) {
        let Scratch { places, weights: slopes, out, .. } = scratch;
        slopes.clear();
        if job.mode == AluMode::PRelu {
            let bank = self.target.depthwise_weight_bank() as u32;
            slopes.extend_from_slice(self.banks.slice(bank, job.alu.bank_addr_weights, job.channels));
        } else {
            slopes.resize(job.channels, job.init.multi_factor as u8 as i8);
        }
        let init = job.init;
        let function = |value: i8, slope: i8| {
            if job.mode == AluMode::HardSigmoid { hard_sigmoid(init, value) } else { prelu(init, value, slope) }
        };
        self.for_each_pixel(job, out, places, |places, out| {
            let real = if places.is_empty() { 0 } else { job.real_channels };
            let start = places.first().copied().unwrap_or_default();
            let values = &self.banks.memory()[start..][..real];
            for ((out, &value), &slope) in out.iter_mut().zip(values).zip(&*slopes) {
                *out = function(value, slope);
            }
            for (out, &slope) in out.iter_mut().zip(&*slopes).skip(real) {
                *out = function(0, slope);
            }
        });
    }

    /// Calls `visit` for each output pixel with the places of its real taps and its output channels.
    fn for_each_pixel(
        &self,
        job: &Job,
        out: &mut [i8],
        places: &mut Vec<usize>,
        mut visit: impl FnMut(&[usize], &mut [i8]),
    ) {
        for row in 0..job.rows() {
            for (column, out) in job.row_mut(out, row).chunks_exact_mut(job.channels).enumerate() {
                places.clear();
                self.tap_places(job, row, column, 0..job.taps(), None, places);
                visit(places, out);
            }
        }
    }

    /// Appends the places of the given taps of an output pixel, all slices of a tap one after another. For a tap in padding
    /// that is `padding`, or nothing.
    fn tap_places(
        &self,
        job: &Job,
        row: usize,
        column: usize,
        taps: std::ops::Range<usize>,
        padding: Option<usize>,
        places: &mut Vec<usize>,
    ) {
        let (real_rows, real_columns) = (job.window.real_rows(), job.window.real_columns());
        let kernel_w = job.init.kernel_w as usize;
        for tap in taps {
            let y = (row * job.init.stride_h as usize + tap / kernel_w) as u32;
            let x = (column * job.init.stride_w as usize + tap % kernel_w) as u32;
            let real = real_rows.contains(&y) && real_columns.contains(&x);
            let place = job.window.row(y, &self.target).filter(|_| real);
            for slice in 0..job.alu.kernel_d {
                match place {
                    Some(place) => {
                        let line = place.line + x * job.window.jump + slice * job.init.channel_group;
                        places.push(self.banks.place(place.bank, line));
                    }
                    None => places.extend(padding),
                }
            }
        }
    }
}

impl Job<'_> {
    fn rows(&self) -> usize {
        self.alu.valid_pixel_parallel as usize
    }

    fn columns(&self) -> usize {
        self.init.length as usize
    }

    fn taps(&self) -> usize {
        self.init.kernel_h as usize * self.init.kernel_w as usize
    }

    /// One row of the results.
    fn row_mut<'a>(&self, out: &'a mut [i8], row: usize) -> &'a mut [i8] {
        let row_bytes = self.columns() * self.channels;
        &mut out[row * row_bytes..][..row_bytes]
    }

    /// Activation and shift of a depthwise sum. With bias the sum counts half units.
    fn depthwise_epilogue(&self) -> (Activation, i32) {
        let half_units = i32::from(self.mode == AluMode::Depthwise);
        (Activation::from_code(self.init.act_type), self.init.shift_cut as i32 + half_units)
    }
}

/// Slope and shift for negative values; the shift is chosen by the sign after the multiplication.
fn prelu(init: &AluInit, value: i8, slope: i8) -> i8 {
    let value = i64::from(value);
    let scaled = if value < 0 { value * i64::from(slope) } else { value };
    let field = if scaled < 0 { init.shift_prelu_n } else { init.shift_prelu_p };
    round_shift(scaled, prelu_shift(field))
}

fn hard_sigmoid(init: &AluInit, value: i8) -> i8 {
    let scaled = SIXTH * i64::from(value) + ((3 * SIXTH) << init.shift_bias);
    round_shift(scaled.clamp(0, 1 << 32), init.shift_cut as i32)
}
