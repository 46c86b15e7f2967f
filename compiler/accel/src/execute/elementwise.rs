//! Elew (`spec/dpuczdx8g-isa.md` section 3.7).

use dpuc_isa::{Elew, ElewInputs, RowWalk};

use crate::core::Core;
use crate::round::{Activation, elew_shift};

/// Fractional bits kept when an input is shifted.
const GUARD_BITS: u32 = 2;

impl Core {
    pub(crate) fn elew(&mut self, inputs: &ElewInputs, elew: &Elew) {
        let channels = elew.channel_group as usize * self.target.line_bytes();
        let pixels = elew.valid_pixel_parallel as usize * elew.length as usize;
        let multiplies = elew.elew_type == 1;
        let fraction = if multiplies { 2 * GUARD_BITS } else { GUARD_BITS };
        let shift = fraction as i32 + elew_shift(elew.shift_write);
        let activation = Activation::from_code(elew.act_type);
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.out.resize(pixels * channels, 0);
        scratch.sums.resize(channels, 0);
        let rows = scratch.out.chunks_exact_mut(elew.length as usize * channels);
        for (row, out) in (0..).zip(rows) {
            for (column, out) in (0..).zip(out.chunks_exact_mut(channels)) {
                scratch.sums.fill(i32::from(multiplies));
                for input in inputs.iter() {
                    let walk = RowWalk::elew_input(input, elew);
                    let place = walk.row(row, &self.target);
                    let values = self.banks.slice(place.bank, place.line + column * walk.jump, channels);
                    for (sum, &value) in scratch.sums.iter_mut().zip(values) {
                        let value = (i32::from(value) << GUARD_BITS) >> input.shift_read;
                        if multiplies {
                            *sum *= value;
                        } else {
                            *sum += value;
                        }
                    }
                }
                for (out, &sum) in out.iter_mut().zip(&scratch.sums) {
                    *out = activation.round(i64::from(sum), shift);
                }
            }
        }
        self.write_rows(&RowWalk::elew_output(elew), &scratch.out);
        self.scratch = scratch;
    }
}
