//! Kernels with the vectors every machine has, through the crate `wide`.

use wide::{i8x16, i16x16, i32x8, u8x16};

use super::tile::{Job, LANES, Pixel, QUAD, Sink};

/// Pixels computed together: they share the widened weights.
const BLOCK: usize = 2;

/// Vectors of sixteen 16-bit weights in one [`Quads`]: each holds the quads of four lanes.
const PARTS: usize = LANES * QUAD / 16;

fn widen(weights: &[[i8; QUAD]; LANES]) -> [i16x16; PARTS] {
    let (parts, _) = weights.as_flattened().as_chunks::<16>();
    std::array::from_fn(|part| i16x16::from_i8x16(i8x16::new(parts[part])))
}

/// See [`Kernels::dense`](super::Kernels::dense).
pub(super) fn dense(job: &Job, sink: &mut Sink) {
    for vector in 0..job.panel.init.len() {
        for (number, pixels) in job.pixels.chunks(BLOCK).enumerate() {
            match pixels.len() {
                1 => tile::<1>(job, number * BLOCK, pixels, vector, sink),
                _ => tile::<BLOCK>(job, number * BLOCK, pixels, vector, sink),
            }
        }
    }
}

/// At most `M` pixels and one vector of lanes.
fn tile<const M: usize>(job: &Job, first: usize, pixels: &[Pixel], vector: usize, sink: &mut Sink) {
    let block = Job::block::<M>(pixels);
    // Two partial sums for each lane: of its first two and its last two products.
    let mut totals = [[i32x8::ZERO; PARTS]; M];
    for (offset, weights) in job.quads(vector) {
        let values = block.map(|pixel| broadcast(job.quad(pixel.input as usize + offset)));
        for (part, weights) in widen(&weights.0).into_iter().enumerate() {
            for (totals, values) in totals.iter_mut().zip(values) {
                totals[part] += values.dot(weights);
            }
        }
    }
    for (row, totals) in totals.into_iter().enumerate().take(pixels.len()) {
        let mut sums = job.panel.init[vector];
        let (lanes, _) = sums.0.as_chunks_mut::<{ LANES / PARTS }>();
        for (sums, partial) in lanes.iter_mut().zip(totals) {
            let (pairs, _) = partial.as_array().as_chunks::<2>();
            for (sum, [a, b]) in sums.iter_mut().zip(pairs) {
                *sum = sum.wrapping_add(a.wrapping_add(*b));
            }
        }
        sink.put(job, first + row, vector, &sums);
    }
}

/// Four copies of a quad of unsigned values.
fn broadcast(quad: [u8; QUAD]) -> i16x16 {
    let [a, b, c, d] = quad;
    i16x16::from(u8x16::new([a, b, c, d, a, b, c, d, a, b, c, d, a, b, c, d]))
}
