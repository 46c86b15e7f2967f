//! Every tier of this machine against sums written down literally, in 64 bits.

use crate::int8::Encoding;

use super::{Kernels, LANES, MAX_PRODUCTS, PLANAR_BLOCK, PackedWeights, Tier};

fn tiers() -> impl Iterator<Item = Kernels> {
    Tier::ALL.into_iter().filter_map(Kernels::new)
}

/// Bytes of a linear congruential generator (Knuth's MMIX constants).
struct Bytes(u64);

impl Bytes {
    fn next(&mut self) -> i8 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 56) as i8
    }

    fn below(&mut self, bound: usize) -> usize {
        (usize::from(self.next() as u8) * bound) >> 8
    }

    fn vec(&mut self, count: usize) -> Vec<i8> {
        (0..count).map(|_| self.next()).collect()
    }
}

struct Dense {
    image: Vec<i8>,
    pixels: Vec<usize>,
    segments: Vec<usize>,
    segment_bytes: usize,
    /// Lane by lane.
    weights: Vec<Vec<i8>>,
}

impl Dense {
    fn expected(&self) -> Vec<[i64; LANES]> {
        let sum = |pixel: usize, lane: usize| {
            let Some(weights) = self.weights.get(lane) else { return 0 };
            let places = self.segments.iter().flat_map(|segment| (0..self.segment_bytes).map(move |i| segment + i));
            places.zip(weights).map(|(at, &w)| i64::from(self.image[pixel + at]) * i64::from(w)).sum()
        };
        self.pixels.iter().map(|&pixel| std::array::from_fn(|lane| sum(pixel, lane))).collect()
    }

    fn check(&self) {
        let mut packed = PackedWeights::default();
        packed.reset(self.segments.len(), self.segment_bytes);
        packed.set_places(&self.segments);
        for (lane, weights) in self.weights.iter().enumerate() {
            packed.set_lane(lane, weights);
        }
        let expected = self.expected();
        let image: Vec<u8> = self.image.iter().map(|&q| Encoding::Offset.encode(q)).collect();
        for kernels in tiers() {
            let mut sums = vec![[-1; LANES]; self.pixels.len()];
            kernels.dot(&image, &self.pixels, &packed, &mut sums);
            let sums: Vec<_> = sums.into_iter().map(|lanes| lanes.map(i64::from)).collect();
            assert!(
                sums == expected,
                "{:?}: {} x {} products",
                kernels.tier(),
                self.segments.len(),
                self.segment_bytes
            );
        }
    }
}

#[test]
fn the_fastest_tier_is_detected() {
    let fastest = Tier::ALL.into_iter().filter(|tier| tier.is_available()).max();
    assert_eq!(Some(Kernels::detect().tier()), fastest);
}

#[test]
fn dot_equals_the_sum_for_all_block_and_segment_lengths() {
    let mut bytes = Bytes(1);
    for segment_bytes in (0..40usize).chain([70, 160, 1024]) {
        for segments in [0, 1, 3] {
            let pixels = 1 + bytes.below(20);
            let image = bytes.vec(2000);
            let reach = image.len() - segment_bytes.next_multiple_of(4);
            let dense = Dense {
                pixels: (0..pixels).map(|_| bytes.below(reach / 2)).collect(),
                segments: (0..segments).map(|_| bytes.below(reach / 2)).collect(),
                weights: (0..=bytes.below(LANES)).map(|_| bytes.vec(segments * segment_bytes)).collect(),
                segment_bytes,
                image,
            };
            dense.check();
        }
    }
}

#[test]
fn dot_survives_the_extremes_of_the_longest_sum() {
    for value in [-128, 127] {
        for weight in [-128, 127] {
            Dense {
                image: vec![value; MAX_PRODUCTS / 4 + 3],
                pixels: vec![0; 13],
                segments: vec![0; 4],
                segment_bytes: MAX_PRODUCTS / 4,
                weights: vec![vec![weight; MAX_PRODUCTS]; LANES],
            }
            .check();
        }
    }
}

#[test]
fn bytes_behind_a_segment_do_not_count() {
    for segment_bytes in 1..9usize {
        let mut image = vec![1; segment_bytes];
        image.resize(segment_bytes.next_multiple_of(4), -128);
        let weights = vec![vec![1; segment_bytes]; LANES];
        Dense { image, pixels: vec![0], segments: vec![0], segment_bytes, weights }.check();
    }
}

#[test]
#[should_panic(expected = "leaves the 14 values")]
fn dot_rejects_a_window_outside_the_image() {
    let mut packed = PackedWeights::default();
    packed.reset(1, 5);
    packed.set_places(&[0]);
    Kernels::detect().dot(&[0; 14], &[0, 7], &packed, &mut [[0; LANES]; 2]);
}

#[test]
#[should_panic(expected = "a sum of")]
fn weights_that_could_overflow_are_rejected() {
    PackedWeights::default().reset(2, MAX_PRODUCTS / 2 + 1);
}

#[test]
fn planar_reductions_equal_the_literal_ones() {
    let mut bytes = Bytes(2);
    for taps in [0, 1, 2, 9, 300] {
        for blocks in 1..4 {
            let channels = blocks * PLANAR_BLOCK;
            let extreme = bytes.next();
            let mut memory = bytes.vec(4000);
            memory[..2000].fill(if extreme < 0 { -128 } else { 127 });
            let places: Vec<usize> = (0..taps).map(|_| bytes.below(40) * (memory.len() - channels) / 40).collect();
            let weights: Vec<i8> = if taps == 300 { vec![-128; taps * channels] } else { bytes.vec(taps * channels) };
            let at = |t: usize, c: usize| i32::from(memory[places[t] + c]);
            let product = |t: usize, c: usize| at(t, c) * i32::from(weights[t * channels + c]);
            let start = bytes.vec(channels);
            for kernels in tiers() {
                let (mut products, mut sums, mut maxima) = (vec![-1; channels], vec![-1; channels], start.clone());
                kernels.multiply_add(&memory, &places, &weights, &mut products);
                kernels.sum(&memory, &places, &mut sums);
                kernels.max(&memory, &places, &mut maxima);
                for c in 0..channels {
                    assert_eq!(products[c], (0..taps).map(|t| product(t, c)).sum::<i32>());
                    assert_eq!(sums[c], (0..taps).map(|t| at(t, c)).sum::<i32>());
                    assert_eq!(Some(i32::from(maxima[c])), (0..taps).map(|t| at(t, c)).chain([start[c].into()]).max());
                }
            }
        }
    }
}
