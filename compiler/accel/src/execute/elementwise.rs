//! Elew (`spec/dpuczdx8g-isa.md` section 3.7).

use dpuc_isa::{Elew, ElewInputs, RowWalk};

use crate::banks::MIRROR_LINES;
use crate::core::Core;
use crate::round::{Activation, elew_shift};

/// Fractional bits kept when an input is shifted.
const GUARD_BITS: u32 = 2;

/// What an Elew does with the values of its inputs.
struct Combination {
    multiplies: bool,
    activation: Activation,
    shift: i32,
}

impl Core {
    pub(crate) fn elew(&mut self, inputs: &ElewInputs, elew: &Elew) {
        let (group, columns) = (elew.channel_group, elew.length);
        let channels = group as usize * self.target.line_bytes();
        let multiplies = elew.elew_type == 1;
        let fraction = if multiplies { 2 * GUARD_BITS } else { GUARD_BITS };
        let shift = fraction as i32 + elew_shift(elew.shift_write);
        let combination = Combination { multiplies, activation: Activation::from_code(elew.act_type), shift };
        // Gapless pixels are processed together, as many as are contiguous however the ring wraps.
        let gapless = inputs.iter().all(|input| input.jump_read == group);
        let step = if gapless { MIRROR_LINES as u32 / group } else { 1 };

        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.out.resize((elew.valid_pixel_parallel * columns) as usize * channels, 0);
        let rows = scratch.out.chunks_exact_mut(columns as usize * channels);
        for (row, out) in (0..).zip(rows) {
            let places = inputs.iter().map(|input| {
                let place = RowWalk::elew_input(input, elew).row(row, &self.target);
                (place, input.jump_read, input.shift_read)
            });
            for (first, out) in (0..columns).step_by(step as usize).zip(out.chunks_mut(step as usize * channels)) {
                let count = out.len();
                let runs = places.clone().map(|(place, jump, shift)| {
                    (self.banks.slice(place.bank, place.line + first * jump, count), shift)
                });
                scratch.sums.clear();
                scratch.sums.resize(out.len(), i32::from(multiplies));
                self.kernels.vectorised(|| combination.apply(runs, &mut scratch.sums, out));
            }
        }
        self.write_rows(&RowWalk::elew_output(elew), &scratch.out);
        self.scratch = scratch;
    }
}

impl Combination {
    /// Combines runs of values, each with its input shift, in `sums`, and rounds them to `out`.
    #[expect(clippy::inline_always, reason = "the compiler vectorises it for the tier of its caller")]
    #[inline(always)]
    fn apply<'a>(&self, runs: impl Iterator<Item = (&'a [i8], u32)>, sums: &mut [i32], out: &mut [i8]) {
        for (values, shift) in runs {
            let inputs = values.iter().map(|&value| (i32::from(value) << GUARD_BITS) >> shift);
            if self.multiplies {
                sums.iter_mut().zip(inputs).for_each(|(sum, input)| *sum *= input);
            } else {
                sums.iter_mut().zip(inputs).for_each(|(sum, input)| *sum += input);
            }
        }
        self.activation.round_all(sums, self.shift, out);
    }
}
