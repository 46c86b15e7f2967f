//! Modes 0, 6 and 8: depthwise convolution.

use std::ops::Range;

use dpuc_isa::AluMode;

use super::Job;
use crate::core::Core;
use crate::execute::Scratch;
use crate::round::Activation;

/// Taps are processed in parts of about this many weight bytes, which bounds memory and keeps the 32-bit sums of a part exact.
const PART_BYTES: usize = 1 << 20;

impl Core {
    pub(super) fn depthwise(&self, job: &Job, scratch: &mut Scratch) {
        let Scratch { places, weights, sums, wide_sums, out, .. } = scratch;
        let taps_per_part = (PART_BYTES / (job.padded * job.alu.kernel_d as usize)).max(1);
        let epilogue = self.depthwise_epilogue(job);
        sums.resize(job.padded, 0);
        let mut packed = None;
        for (row, out) in out.chunks_exact_mut(job.columns * job.channels).enumerate() {
            let kernel_rows = job.kernel_rows(row, &self.target);
            wide_sums.clear();
            wide_sums.resize(job.columns * job.channels, 0);
            for first in (0..job.taps).step_by(taps_per_part) {
                let taps = first..(first + taps_per_part).min(job.taps);
                if packed != Some(first) && job.mode != AluMode::WideWeights {
                    self.pack_depthwise_weights(job, taps.clone(), weights);
                    packed = Some(first);
                }
                for (column, totals) in wide_sums.chunks_exact_mut(job.channels).enumerate() {
                    let padding = Some(self.banks.zeros());
                    job.tap_places(&self.banks, &kernel_rows, column, taps.clone(), padding, places);
                    if job.mode == AluMode::WideWeights {
                        self.multiply_add_wide(job, taps.clone(), places, totals);
                    } else {
                        self.kernels.multiply_add(self.banks.memory(), places, weights, sums);
                        self.kernels.vectorised(|| add(totals, sums));
                    }
                }
            }
            for (totals, out) in wide_sums.chunks_exact_mut(job.channels).zip(out.chunks_exact_mut(job.channels)) {
                totals[job.real_channels..].fill(0);
                self.kernels.vectorised(|| epilogue.apply(totals, out));
            }
        }
    }

    /// Weights of some taps, taps x slices x channels; each channel run filled up to whole blocks.
    fn pack_depthwise_weights(&self, job: &Job, taps: Range<usize>, weights: &mut Vec<i8>) {
        let bank = self.target.depthwise_weight_bank() as u32;
        weights.clear();
        weights.resize(taps.len() * job.alu.kernel_d as usize * job.padded, 0);
        let lines = job.weight_lines(taps, job.init.channel_group);
        for (line, run) in lines.zip(weights.chunks_exact_mut(job.padded)) {
            run[..job.channels].copy_from_slice(self.banks.slice(bank, line, job.channels));
        }
    }

    /// Adds the products of some taps with 16-bit weights, of which all channels of a line share one.
    fn multiply_add_wide(&self, job: &Job, taps: Range<usize>, places: &[usize], totals: &mut [i64]) {
        let bank = self.target.depthwise_weight_bank() as u32;
        let line_bytes = self.target.line_bytes();
        for (line, &place) in job.weight_lines(taps, 2 * job.init.channel_group).zip(places) {
            let values = self.banks.memory()[place..][..job.channels].chunks_exact(line_bytes);
            for (group, (values, totals)) in (0..).zip(values.zip(totals.chunks_exact_mut(line_bytes))) {
                // Each group has two lines of weights; the first one counts.
                let bytes = self.banks.slice(bank, line + 2 * group, 2);
                let weight = i64::from(i16::from_le_bytes([bytes[0] as u8, bytes[1] as u8]));
                totals.iter_mut().zip(values).for_each(|(total, &value)| *total += weight * i64::from(value));
            }
        }
    }

    fn depthwise_epilogue(&self, job: &Job) -> Epilogue {
        let has_bias = job.mode == AluMode::Depthwise;
        let bank = self.target.bias_bank() as u32;
        let bias = self.banks.slice(bank, job.alu.bank_addr_bias, if has_bias { job.channels } else { 0 });
        let mut bias: Vec<i64> = bias.iter().map(|&bias| i64::from(bias) << job.init.shift_bias).collect();
        bias.resize(job.channels, 0);
        let half_units = u32::from(has_bias);
        let shift = (job.init.shift_cut + half_units) as i32;
        Epilogue { bias, half_units, activation: Activation::from_code(job.init.act_type), shift }
    }
}

impl Job<'_> {
    /// First weight line of each slice of each tap; slices are `slice_lines` apart.
    fn weight_lines(&self, taps: Range<usize>, slice_lines: u32) -> impl Iterator<Item = u32> {
        let (first, jump, slices) = (self.alu.bank_addr_weights, self.init.jump_read_weights, self.alu.kernel_d);
        taps.flat_map(move |tap| (0..slices).map(move |slice| first + tap as u32 * jump + slice * slice_lines))
    }
}

#[expect(clippy::inline_always, reason = "the compiler vectorises it for the tier of its caller")]
#[inline(always)]
fn add(totals: &mut [i64], sums: &[i32]) {
    totals.iter_mut().zip(sums).for_each(|(total, &sum)| *total += i64::from(sum));
}

/// Bias, activation and rounding of a sum.
struct Epilogue {
    /// `bias << shift_bias` of each channel; 0 in the modes without bias.
    bias: Vec<i64>,
    /// 1 if sum and bias count half units, which gives the bias one fractional bit.
    half_units: u32,
    activation: Activation,
    shift: i32,
}

impl Epilogue {
    #[expect(clippy::inline_always, reason = "the compiler vectorises it for the tier of its caller")]
    #[inline(always)]
    fn apply(&self, totals: &[i64], out: &mut [i8]) {
        for ((out, &total), &bias) in out.iter_mut().zip(totals).zip(&self.bias) {
            *out = self.activation.round((total << self.half_units) + bias, self.shift);
        }
    }
}
