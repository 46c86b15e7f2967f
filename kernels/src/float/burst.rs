//! The limit of the machine, to which benches compare kernels.

use super::lanes::{Lanes, Task};
use crate::simd::Kernels;

/// Independent sums: more than the latency of a multiply-add times those started per cycle on any machine.
const SUMS: usize = 12;

impl Kernels {
    /// Multiplies and adds in registers, `rounds` times each of twelve vectors, and touches no memory: the number of products and
    /// a result that depends on all of them.
    pub fn multiply_add_burst(self, rounds: u32) -> (usize, f32) {
        self.with_lanes(Burst(rounds))
    }
}

struct Burst(u32);

impl Task for Burst {
    type Output = (usize, f32);

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> (usize, f32) {
        let [x, y] = [0.999, 0.001].map(|value| lanes.splat(std::hint::black_box(value)));
        let mut sums = [lanes.splat(1.0); SUMS];
        for _ in 0..self.0 {
            for sum in &mut sums {
                *sum = lanes.mul_add(*sum, x, y);
            }
        }
        let total = sums.into_iter().fold(lanes.splat(0.0), |total, sum| lanes.add(total, sum));
        (self.0 as usize * SUMS * L::COUNT, lanes.sum(total))
    }
}
