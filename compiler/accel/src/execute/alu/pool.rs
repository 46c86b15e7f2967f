//! Modes 2, 3 and 5: pooling.

use super::Job;
use crate::core::Core;
use crate::execute::Scratch;
use crate::round::{Activation, pool_shift};

impl Core {
    pub(super) fn average_pool(&self, job: &Job, scratch: &mut Scratch) {
        let Scratch { places, sums, out, .. } = scratch;
        let factor = f32::from(job.init.multi_factor as u8 as i8);
        let shift = pool_shift(job.init.shift_cut);
        sums.resize(job.padded, 0);
        self.for_each_pixel(job, out, places, |places, out| {
            self.kernels.sum(self.banks.memory(), places, sums);
            sums[job.real_channels..].fill(0);
            self.kernels.vectorised(|| {
                for sum in sums.iter_mut() {
                    // The sum is exact; a product above 2^24 is rounded to single precision, as in AMD's simulator.
                    *sum = (*sum as f32 * factor) as i32;
                }
                Activation::NONE.round_all(sums, shift, out);
            });
        });
    }

    pub(super) fn max_pool(&self, job: &Job, scratch: &mut Scratch) {
        let Scratch { places, weights: maxima, sums, out, .. } = scratch;
        let shift = pool_shift(job.init.shift_cut);
        maxima.resize(job.padded, 0);
        self.for_each_pixel(job, out, places, |places, out| {
            // Padding and masked channels count as the smallest value.
            maxima.fill(i8::MIN);
            self.kernels.max(self.banks.memory(), places, maxima);
            maxima[job.real_channels..].fill(i8::MIN);
            self.kernels.vectorised(|| {
                sums.clear();
                sums.extend(maxima.iter().map(|&maximum| i32::from(maximum)));
                Activation::NONE.round_all(sums, shift, out);
            });
        });
    }
}
