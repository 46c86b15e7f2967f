//! Random networks: what they are made of so far, and the choices every operation has.

use dpuc_dialects::{Ir, ValueId};
use dpuc_isa::Random;

use crate::net::Net;
use crate::operations::{OPERATIONS, Operation};

/// Multiply-accumulates and elements of a network, so that the reference computes it in a fraction of a second.
const WORK: u64 = 24 << 20;
/// Bytes of a map: more than either bank group of the largest target holds (256 KiB), for maps that cannot stay on chip.
const MAP_BYTES: usize = 1 << 20;

/// A network of random operations, shapes, fix points and connections. Equal seeds give equal networks.
///
/// The network verifies. Most operations are within the limits of the accelerator, with parameters up to their edges; some are
/// beyond them.
pub fn random_network(seed: u64) -> Ir {
    let mut growth = Growth::new(seed);
    let size = growth.random.between(2, 14);
    for _ in 0..size {
        growth.grow();
    }
    growth.finish()
}

/// A network that grows operation by operation.
pub(crate) struct Growth {
    pub(crate) net: Net,
    pub(crate) random: Random,
    /// All int8 values so far.
    values: Vec<ValueId>,
    /// Values when growth began: arguments, and what reads them.
    first: usize,
    work: u64,
}

impl Growth {
    fn new(seed: u64) -> Self {
        let mut growth = Self {
            net: Net::new(seed),
            random: Random::new(seed ^ 0x6772_6f77),
            values: Vec::new(),
            first: 0,
            work: WORK,
        };
        let shape = growth.input_shape();
        for _ in 0..growth.random.pick(&[1, 1, 1, 2, 2, 3]) {
            growth.input(&shape);
        }
        growth.first = growth.values.len();
        growth
    }

    /// Shapes of five kinds: tiny, usual, deep, wide, and larger than the banks.
    fn input_shape(&mut self) -> [usize; 4] {
        let random = &mut self.random;
        let [height, width, channels] = match random.below(10) {
            0..3 => [between(random, 1, 9), between(random, 1, 9), between(random, 1, 40)],
            3..6 => [between(random, 4, 40), between(random, 4, 40), between(random, 1, 96)],
            6 => [between(random, 1, 8), between(random, 1, 8), between(random, 64, 1100)],
            7 => [between(random, 1, 8), between(random, 100, 1200), between(random, 1, 24)],
            8 => [between(random, 100, 1200), between(random, 1, 8), between(random, 1, 24)],
            _ => [between(random, 64, 200), between(random, 64, 200), between(random, 1, 40)],
        };
        let batch = if random.one_in(24) { between(random, 2, 3) } else { 1 };
        let channels = channels.min((MAP_BYTES / (batch * height * width)).max(1));
        [batch, height, width, channels]
    }

    fn input(&mut self, shape: &[usize]) {
        let fix = self.free_fix();
        let value = if self.random.one_in(5) {
            let float = self.net.float_input(shape);
            self.net.quantise(float, fix)
        } else {
            self.net.input(shape, fix)
        };
        self.values.push(value);
    }

    /// Adds one operation, or a few that belong together; nothing if none of those tried fits.
    fn grow(&mut self) {
        let total: u32 = OPERATIONS.iter().map(|operation| operation.weight).sum();
        for _ in 0..20 {
            let mut number = self.random.below(total);
            let chosen = OPERATIONS.iter().find(|operation| {
                let here = number < operation.weight;
                number = number.saturating_sub(operation.weight);
                here
            });
            let Some(Operation { build, .. }) = chosen else { continue };
            if let Some(value) = build(self) {
                self.keep(value);
                return;
            }
        }
    }

    /// Makes a value available to later operations.
    pub(crate) fn keep(&mut self, value: ValueId) {
        self.values.push(value);
    }

    /// Chooses the outputs: the last value, some others, and what nobody reads, which is sometimes left dead.
    fn finish(mut self) -> Ir {
        if self.values.len() == self.first {
            let copy = self.net.requantise(self.values[0], "none", 3);
            self.keep(copy);
        }
        let computed = self.values.split_off(self.first);
        let mut outputs = vec![computed[computed.len() - 1]];
        for &value in computed.iter().rev().skip(1) {
            let unread = self.net.ir.use_count(value) == 0 && !self.random.one_in(16);
            if unread || self.random.one_in(6) {
                outputs.push(value);
            }
        }
        if self.random.one_in(2) {
            outputs.reverse();
        }
        if self.random.one_in(4) {
            outputs[0] = self.net.dequantise(outputs[0]);
        }
        self.net.finish(&outputs)
    }

    /// A map; recent ones are more likely.
    pub(crate) fn map(&mut self) -> ValueId {
        let maps: Vec<ValueId> =
            self.values.iter().copied().filter(|&value| self.net.shape(value).len() == 4).collect();
        let recent = if self.random.one_in(3) { 0 } else { maps.len().saturating_sub(3) };
        self.random.pick(&maps[recent..])
    }

    /// Any value, whatever its rank.
    pub(crate) fn value(&mut self) -> ValueId {
        self.random.pick(&self.values)
    }

    /// A value of the shape of `value`, another one if there is one.
    pub(crate) fn like(&mut self, value: ValueId) -> ValueId {
        let shape = self.net.shape(value);
        let others: Vec<ValueId> =
            self.values.iter().copied().filter(|&other| other != value && self.net.shape(other) == shape).collect();
        if others.is_empty() { value } else { self.random.pick(&others) }
    }

    /// A value that differs from `value` at most in its size along `axis`; perhaps itself.
    pub(crate) fn joinable(&mut self, value: ValueId, axis: usize) -> ValueId {
        let but_axis = |shape: Vec<usize>| [&shape[..axis], &shape[axis + 1..]].concat();
        let shape = self.net.shape(value);
        let (rank, wanted) = (shape.len(), but_axis(shape));
        let fits = |other: &ValueId| {
            let shape = self.net.shape(*other);
            shape.len() == rank && but_axis(shape) == wanted
        };
        let others: Vec<ValueId> = self.values.iter().copied().filter(fits).collect();
        self.random.pick(&others)
    }

    /// Dimensions of a map.
    pub(crate) fn dims(&self, map: ValueId) -> [usize; 4] {
        self.net.shape(map).try_into().unwrap_or([1; 4])
    }

    pub(crate) fn fix_of(&self, value: ValueId) -> i32 {
        self.net.ir.fix_of(value).unwrap_or_default()
    }

    /// A fix point by itself.
    pub(crate) fn free_fix(&mut self) -> i32 {
        if self.random.one_in(16) { self.between(0, 40) as i32 - 20 } else { self.between(0, 9) as i32 - 1 }
    }

    /// A fix point near that of `value`, so that most elements stay in range.
    pub(crate) fn fix_near(&mut self, value: ValueId) -> i32 {
        let near = self.random.pick(&[0, 0, 0, -1, -2, 1, 2]);
        if self.random.one_in(16) { self.free_fix() } else { (self.fix_of(value) + near).clamp(-24, 40) }
    }

    pub(crate) fn between(&mut self, min: usize, max: usize) -> usize {
        between(&mut self.random, min, max)
    }

    /// Takes `work` from what is left for the network; `false` if it is too much or the map would be too large.
    pub(crate) fn affords(&mut self, work: u64, elements: usize) -> bool {
        let fits = elements <= MAP_BYTES && work + elements as u64 <= self.work;
        if fits {
            self.work -= work + elements as u64;
        }
        fits
    }
}

fn between(random: &mut Random, min: usize, max: usize) -> usize {
    random.between(min as u32, max.max(min) as u32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use dpuc_dialects::text::{PrintOptions, print};
    use dpuc_dialects::verify::verify;

    #[test]
    fn random_networks_verify_and_repeat() {
        for seed in 0..300 {
            let ir = random_network(seed);
            let findings = verify(&ir);
            assert!(findings.is_empty(), "seed {seed}: {findings:?}");
            let text = |ir: &Ir| print(ir, PrintOptions::default());
            assert_eq!(text(&ir), text(&random_network(seed)));
        }
    }
}
