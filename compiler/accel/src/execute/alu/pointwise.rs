//! Modes 1, 4 and 7: functions of one value.

use dpuc_isa::{AluInit, AluMode};

use super::Job;
use crate::core::Core;
use crate::execute::Scratch;
use crate::round::{prelu_shift, round_shift};

/// Hard sigmoid is (x + 3) / 6, with 1/6 taken as 2731 / 2^14.
const SIXTH: i64 = 2731;

impl Core {
    pub(super) fn pointwise(&self, job: &Job, scratch: &mut Scratch) {
        let Scratch { places, weights: slopes, out, .. } = scratch;
        slopes.clear();
        if job.mode == AluMode::PRelu {
            let bank = self.target.depthwise_weight_bank() as u32;
            slopes.extend_from_slice(self.banks.slice(bank, job.alu.bank_addr_weights, job.channels));
        } else {
            slopes.resize(job.channels, job.init.multi_factor as u8 as i8);
        }
        let function = |value, slope| {
            if job.mode == AluMode::HardSigmoid { hard_sigmoid(job.init, value) } else { prelu(job.init, value, slope) }
        };
        self.for_each_pixel(job, out, places, |places, out| {
            // A pixel in padding is a pixel of zeros, and so are masked channels.
            let place = places.first().copied().unwrap_or(self.banks.zeros());
            let values = &self.banks.memory()[place..][..job.channels];
            for (channel, ((out, &value), &slope)) in out.iter_mut().zip(values).zip(&*slopes).enumerate() {
                *out = function(if channel < job.real_channels { value } else { 0 }, slope);
            }
        });
    }
}

/// The shift is chosen by the sign after the multiplication, so a negative slope is shifted as positive values are.
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
