//! Weights in the order in which the register-blocked kernels read them.

use crate::simd::tile::{LANES, MAX_VECTORS, Panel, Pixel, QUAD, Quads, Sink, Sums};
use crate::simd::{Kernels, MAX_PRODUCTS};

use super::encoding::Encoding;
use super::rounding::Rounding;
use crate::reference::conv::Epilogue;

/// What the offset form adds to a value.
pub(super) const OFFSET: i64 = 128;

/// Neighbouring outputs of one group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) group: usize,
    /// First output, counted over all groups.
    pub(super) first: usize,
    pub(super) lanes: usize,
    pub(super) vectors: usize,
    /// Index of its first weights and of its first vector of sums.
    weights: usize,
    sums: usize,
}

impl Place {
    /// Packs the weights of a lane into those of all panels; `bytes` holds those of all quads.
    pub(super) fn set_lane(&self, weights: &mut [Quads], lane: usize, bytes: &[i8]) {
        let (vector, lane) = (lane / LANES, lane % LANES);
        let (quads, _) = bytes.as_chunks::<QUAD>();
        let weights = weights[self.weights..].iter_mut().skip(vector).step_by(self.vectors);
        for (weights, quad) in weights.zip(quads) {
            weights.0[lane] = *quad;
        }
    }
}

/// How the outputs of an operator are divided into panels.
#[derive(Clone, Debug)]
pub(super) struct Panels {
    /// Place of each quad relative to its pixel.
    pub(super) offsets: Vec<u32>,
    pub(super) places: Vec<Place>,
}

impl Panels {
    /// Panels of `groups` times `outputs` outputs.
    pub(super) fn new(kernels: Kernels, offsets: Vec<u32>, groups: usize, outputs: usize) -> Self {
        let quads = offsets.len();
        let mut places = Vec::new();
        let (mut weights, mut sums) = (0, 0);
        for group in 0..groups {
            let mut done = 0;
            for vectors in kernels.panel_vectors(outputs) {
                let lanes = (vectors * LANES).min(outputs - done);
                places.push(Place { group, first: group * outputs + done, lanes, vectors, weights, sums });
                done += lanes;
                weights += quads * vectors;
                sums += vectors;
            }
        }
        Self { offsets, places }
    }

    /// Vectors of weights of all panels.
    pub(super) fn weights_len(&self) -> usize {
        self.places.last().map_or(0, |place| place.weights + self.offsets.len() * place.vectors)
    }

    /// Vectors of sums of all panels.
    pub(super) fn sums_len(&self) -> usize {
        self.places.last().map_or(0, |place| place.sums + place.vectors)
    }

    /// A value for each output as vectors of panels.
    pub(super) fn sums(&self, value: impl Fn(usize) -> i32) -> Vec<Sums> {
        let mut sums = vec![Sums([0; LANES]); self.sums_len()];
        for place in &self.places {
            for lane in 0..place.lanes {
                sums[place.sums + lane / LANES].0[lane % LANES] = value(place.first + lane);
            }
        }
        sums
    }
}

/// Packed weights with the sums they start from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packed<'a> {
    pub(super) panels: &'a Panels,
    pub(super) weights: &'a [Quads],
    pub(super) init: &'a [Sums],
    pub(super) halves: &'a [Sums],
    /// Sum of the weights of each output.
    pub(super) weight_sums: &'a [i64],
}

impl<'a> Packed<'a> {
    fn panel(&self, place: &Place) -> Panel<'a> {
        let sums = place.sums..place.sums + place.vectors;
        Panel {
            offsets: &self.panels.offsets,
            weights: &self.weights[place.weights..][..self.panels.offsets.len() * place.vectors],
            init: &self.init[sums.clone()],
            halves: &self.halves[sums],
            lanes: place.lanes,
        }
    }

    /// Computes all outputs of the given pixels; `group_channels` is the distance between the inputs of two groups.
    pub(super) fn run(
        &self,
        kernels: Kernels,
        finish: &Finish,
        values: &[u8],
        pixels: &[Pixel],
        group_channels: usize,
        output: &mut [u8],
    ) {
        for place in &self.panels.places {
            let values = &values[place.group * group_channels..];
            let panel = self.panel(place);
            match finish {
                Finish::Fast(rounding) => {
                    kernels.dense(values, pixels, panel, Sink::Codes(&mut output[place.first..], &rounding.requantise));
                }
                Finish::Exact(exact) => {
                    let weight_sums = &self.weight_sums[place.first..][..place.lanes];
                    exact.run(kernels, values, pixels, panel, weight_sums, place.first, output);
                }
            }
        }
    }
}

/// The epilogue of an operator.
#[derive(Clone, Debug)]
pub(super) enum Finish {
    /// In registers.
    Fast(Rounding),
    /// In 64 bits, one value at a time: for shifts and sums that leave 32 bits.
    Exact(Exact),
}

/// The epilogue as the reference has it.
#[derive(Clone, Debug)]
pub(super) struct Exact {
    pub(super) epilogue: Epilogue,
    pub(super) encoding: Encoding,
}

impl Exact {
    /// Pixels whose sums are kept at once.
    const BLOCK: usize = 16;

    /// Quads of which a sum of 32 bits can take the products.
    const QUADS: usize = MAX_PRODUCTS / QUAD;

    #[expect(clippy::too_many_arguments, reason = "a panel, its pixels and its place")]
    fn run(
        &self,
        kernels: Kernels,
        values: &[u8],
        pixels: &[Pixel],
        panel: Panel<'_>,
        weight_sums: &[i64],
        first: usize,
        output: &mut [u8],
    ) {
        let vectors = panel.init.len();
        let zero = [Sums([0; LANES]); MAX_VECTORS];
        for pixels in pixels.chunks(Self::BLOCK) {
            let mut totals = [[0i64; LANES * MAX_VECTORS]; Self::BLOCK];
            let weights = panel.weights.chunks(Self::QUADS * vectors);
            for (offsets, weights) in panel.offsets.chunks(Self::QUADS).zip(weights) {
                let part = Panel { offsets, weights, init: &zero[..vectors], ..panel };
                let mut sums = [[0; LANES]; Self::BLOCK * MAX_VECTORS];
                let sums = &mut sums[..pixels.len() * vectors];
                kernels.dense(values, pixels, part, Sink::Sums(sums));
                for (totals, sums) in totals.iter_mut().zip(sums.chunks_exact(vectors)) {
                    for (total, &sum) in totals.iter_mut().zip(sums.as_flattened()) {
                        *total += i64::from(sum);
                    }
                }
            }
            for (totals, pixel) in totals.iter().zip(pixels) {
                let codes = &mut output[pixel.output as usize + first..][..panel.lanes];
                for (((channel, code), total), weight_sum) in (first..).zip(codes).zip(totals).zip(weight_sums) {
                    let sum = total - OFFSET * weight_sum;
                    *code = self.encoding.encode(self.epilogue.finish(channel, sum));
                }
            }
        }
    }
}
