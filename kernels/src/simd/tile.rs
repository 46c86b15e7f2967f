//! Register-blocked dot products: the inner loop of dense operators.
//!
//! A [`Panel`] holds the weights of up to [`MAX_VECTORS`] · [`LANES`] outputs. For each [`Pixel`] it gives
//!
//! ```text
//! sum[lane] = init[lane] + Σ_quads Σ_i values[pixel.input + offset(quad) + i] · weight(lane, quad, i)   mod 2^32
//! ```
//!
//! with unsigned values and signed weights, the operands of the dot-product instructions. A *quad* is four contiguous values; a
//! table says where each is, which costs less than loops over kernel rows that end too often to be predicted. Blocks of pixels and vectors of sums stay in registers until they are requantised and stored.

use super::requantise::Requantise;
use super::tier::{Kernels, Tier};

/// Sums in one vector.
pub const LANES: usize = 16;

/// Most vectors in one panel.
pub(crate) const MAX_VECTORS: usize = 3;

/// Consecutive products of a lane that are kept together, the unit of the widest dot-product instructions.
pub(crate) const QUAD: usize = 4;

/// Four consecutive weights of each lane of a vector.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Quads(pub(crate) [[i8; QUAD]; LANES]);

/// One sum of each lane of a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(64))]
pub(crate) struct Sums(pub(crate) [i32; LANES]);

/// Where a pixel's values are and where its results go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pixel {
    pub(crate) input: u32,
    pub(crate) output: u32,
}

/// Weights of neighbouring outputs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Panel<'a> {
    /// Place of each quad relative to the pixel.
    pub(crate) offsets: &'a [u32],
    /// `[quad][vector]`
    pub(crate) weights: &'a [Quads],
    /// What the sums start from, for each vector.
    pub(crate) init: &'a [Sums],
    /// The lower part of twice the sum, see [`Requantise`], for each vector.
    pub(crate) halves: &'a [Sums],
    /// Outputs in use; all vectors but the last are full.
    pub(crate) lanes: usize,
}

/// What becomes of the sums.
pub(crate) enum Sink<'a> {
    /// Requantised, one byte for each output from [`Pixel::output`] on.
    Codes(&'a mut [u8], &'a Requantise),
    /// Stored as they are, `[pixel][vector]`.
    Sums(&'a mut [[i32; LANES]]),
}

/// Checked arguments of [`Kernels::dense`]: every value of every pixel and every place of a result exists.
pub(super) struct Job<'a> {
    pub(super) values: &'a [u8],
    pub(super) pixels: &'a [Pixel],
    pub(super) panel: Panel<'a>,
}

impl Kernels {
    /// Computes the outputs of one panel for all pixels.
    ///
    /// # Panics
    /// If a pixel reaches outside `values` or the sink, or the parts of the panel do not fit each other.
    pub(crate) fn dense(self, values: &[u8], pixels: &[Pixel], panel: Panel<'_>, mut sink: Sink<'_>) {
        let Some(last) = pixels.iter().map(|pixel| pixel.input).max() else { return };
        let vectors = panel.init.len();
        assert!((1..=MAX_VECTORS).contains(&vectors) && panel.halves.len() == vectors, "{vectors} vectors in a panel");
        assert!(panel.lanes.div_ceil(LANES) == vectors, "{} outputs in {vectors} vectors", panel.lanes);
        assert_eq!(panel.weights.len(), panel.offsets.len() * vectors, "weights of all quads");
        let reach = panel.offsets.iter().max().map_or(0, |&offset| offset as usize + QUAD);
        assert!(last as usize + reach <= values.len(), "a pixel leaves the {} values", values.len());
        match &sink {
            Sink::Codes(codes, _) => {
                let last = pixels.iter().map(|pixel| pixel.output).max().unwrap_or(0);
                assert!(last as usize + panel.lanes <= codes.len(), "a pixel leaves the {} results", codes.len());
            }
            Sink::Sums(sums) => assert_eq!(sums.len(), pixels.len() * vectors, "sums of all pixels"),
        }
        let job = Job { values, pixels, panel };
        match self.tier() {
            Tier::Scalar => scalar(&job, &mut sink),
            Tier::Portable => super::portable::dense(&job, &mut sink),
            #[cfg(target_arch = "x86_64")]
            Tier::Avx2 => super::avx2::dense(self, &job, &mut sink),
            #[cfg(target_arch = "x86_64")]
            Tier::AvxVnni => super::avx_vnni::dense(self, &job, &mut sink),
            #[cfg(target_arch = "x86_64")]
            Tier::Avx512Vnni => super::avx512::dense(self, &job, &mut sink),
            #[cfg(not(target_arch = "x86_64"))]
            Tier::Avx2 | Tier::AvxVnni | Tier::Avx512Vnni => super::portable::dense(&job, &mut sink),
        }
    }

    /// Vectors in each panel of `outputs` outputs that suit the registers of the tier.
    pub(crate) fn panel_vectors(self, outputs: usize) -> impl Iterator<Item = usize> {
        let widest = match self.tier() {
            Tier::Avx512Vnni => 2,
            _ => 1,
        };
        let mut rest = outputs.div_ceil(LANES);
        std::iter::from_fn(move || {
            // Three vectors rather than two and one: a narrow block loads more values for each dot product.
            let vectors = if widest == 2 && rest == MAX_VECTORS { rest } else { rest.min(widest) };
            rest -= vectors;
            (vectors > 0).then_some(vectors)
        })
    }
}

impl<'a> Job<'a> {
    /// Blocks of `M` pixels with the index of their first pixel; behind the last pixel stand copies of it.
    #[expect(clippy::inline_always, reason = "part of the loops of each tier")]
    #[inline(always)]
    pub(super) fn block<const M: usize>(pixels: &[Pixel]) -> [Pixel; M] {
        std::array::from_fn(|row| pixels[row.min(pixels.len() - 1)])
    }

    /// Place of each quad relative to the pixel, and its weights for vector `vector`.
    pub(super) fn quads(&self, vector: usize) -> impl Iterator<Item = (usize, &'a Quads)> {
        let weights = self.panel.weights.chunks_exact(self.panel.init.len()).map(move |vectors| &vectors[vector]);
        self.panel.offsets.iter().map(|&offset| offset as usize).zip(weights)
    }

    /// The quad at a place.
    #[expect(clippy::inline_always, reason = "part of the loops of each tier")]
    #[inline(always)]
    pub(super) fn quad(&self, place: usize) -> [u8; QUAD] {
        std::array::from_fn(|i| self.values[place + i])
    }

    /// Lanes of a vector that are in use.
    pub(super) fn lanes(&self, vector: usize) -> usize {
        (self.panel.lanes - vector * LANES).min(LANES)
    }
}

impl Sink<'_> {
    /// Requantises or stores the sums of vector `vector` of pixel number `index`.
    #[expect(clippy::inline_always, reason = "the compiler vectorises it for the tier of its caller")]
    #[inline(always)]
    pub(super) fn put(&mut self, job: &Job, index: usize, vector: usize, sums: &Sums) {
        match self {
            Self::Codes(out, requantise) => {
                let codes = requantise.codes(&sums.0, &job.panel.halves[vector].0);
                let lanes = job.lanes(vector);
                let place = job.pixels[index].output as usize + vector * LANES;
                if lanes == LANES {
                    out[place..place + LANES].copy_from_slice(&codes);
                } else {
                    out[place..place + lanes].copy_from_slice(&codes[..lanes]);
                }
            }
            Self::Sums(out) => out[index * job.panel.init.len() + vector] = sums.0,
        }
    }
}

fn scalar(job: &Job, sink: &mut Sink) {
    for (index, pixel) in job.pixels.iter().enumerate() {
        for (vector, init) in job.panel.init.iter().enumerate() {
            let mut sums = *init;
            for (offset, weights) in job.quads(vector) {
                let values = job.quad(pixel.input as usize + offset);
                for (sum, weights) in sums.0.iter_mut().zip(weights.0) {
                    let products = values.iter().zip(weights).map(|(&v, w)| i32::from(v) * i32::from(w));
                    *sum = sum.wrapping_add(products.sum());
                }
            }
            sink.put(job, index, vector, &sums);
        }
    }
}
