//! Dense int8 dot products: the inner loop of a convolution.
//!
//! Sixteen outputs are computed side by side. A window consists of *segments*, runs of bytes that are contiguous in the image
//! (all columns and channels of one kernel row); segment `s` of pixel `p` starts at `pixels[p] + segments[s]`.

use super::tier::{Kernels, Tier};

/// Outputs computed side by side.
pub const LANES: usize = 16;

/// Most products one sum may have: with more, 32-bit sums of unsigned-by-signed products (255 · −128 each) could overflow.
pub const MAX_PRODUCTS: usize = 1 << 16;

/// Consecutive products of a lane that are kept together, the unit of the widest dot-product instructions.
pub(super) const QUAD: usize = 4;

/// Four consecutive weights of each lane.
pub(super) type Quads = [[i8; QUAD]; LANES];

/// One sum of each lane.
pub(super) type Sums = [i32; LANES];

/// Weights of up to [`LANES`] outputs, in the order `[segment][quad][lane][4]`; each segment is filled up with zeros to whole quads.
#[derive(Clone, Debug, Default)]
pub struct PackedWeights {
    segments: usize,
    segment_bytes: usize,
    quads: Vec<Quads>,
    /// Sum of the weights of each lane.
    lane_sums: Sums,
}

impl PackedWeights {
    /// Prepares for weights of `segments` runs of `segment_bytes` each; all lanes become zero.
    ///
    /// # Panics
    /// If a sum would have more than [`MAX_PRODUCTS`] products.
    pub fn reset(&mut self, segments: usize, segment_bytes: usize) {
        assert!(
            segments.saturating_mul(segment_bytes) <= MAX_PRODUCTS,
            "a sum of {segments} x {segment_bytes} products"
        );
        self.segments = segments;
        self.segment_bytes = segment_bytes;
        self.lane_sums = [0; LANES];
        self.quads.clear();
        self.quads.resize(segments * self.segment_quads(), [[0; QUAD]; LANES]);
    }

    /// Sets the weights of one lane; `weights` holds all segments one after another.
    ///
    /// # Panics
    /// If `lane` or the number of weights is not as announced to [`Self::reset`].
    pub fn set_lane(&mut self, lane: usize, weights: &[i8]) {
        assert_eq!(weights.len(), self.segments * self.segment_bytes, "weights of all segments");
        assert!(lane < LANES, "lane {lane} of {LANES}");
        if weights.is_empty() {
            return;
        }
        let per_segment = self.segment_quads();
        for (segment, quads) in weights.chunks_exact(self.segment_bytes).zip(self.quads.chunks_exact_mut(per_segment)) {
            let (whole, rest) = segment.as_chunks::<QUAD>();
            for (quad, four) in quads.iter_mut().zip(whole) {
                quad[lane] = *four;
            }
            if !rest.is_empty() {
                quads[per_segment - 1][lane][..rest.len()].copy_from_slice(rest);
            }
        }
        self.lane_sums[lane] = weights.iter().map(|&weight| i32::from(weight)).sum();
    }

    /// Quads of one segment.
    const fn segment_quads(&self) -> usize {
        self.segment_bytes.div_ceil(QUAD)
    }

    /// Bytes of the image a segment may touch, including up to three behind its end that meet zero weights.
    pub const fn padded_segment_bytes(&self) -> usize {
        self.segment_quads() * QUAD
    }
}

impl Kernels {
    /// `sums[p][lane] = Σ_s Σ_i image[pixels[p] + segments[s] + i] · weight(lane, s, i)`.
    ///
    /// # Panics
    /// If a segment, counted with [`PackedWeights::padded_segment_bytes`], leaves the image, or if `pixels` and `sums` or
    /// `segments` and `weights` differ in length.
    pub fn dot(
        self,
        image: &[i8],
        pixels: &[usize],
        segments: &[usize],
        weights: &PackedWeights,
        sums: &mut [[i32; LANES]],
    ) {
        assert_eq!(pixels.len(), sums.len(), "one sum per pixel");
        assert_eq!(segments.len(), weights.segments, "one place per segment");
        let (Some(&last_pixel), Some(&last_segment)) = (pixels.iter().max(), segments.iter().max()) else {
            sums.fill([0; LANES]);
            return;
        };
        let end = last_pixel.checked_add(last_segment).and_then(|at| at.checked_add(weights.padded_segment_bytes()));
        assert!(end.is_some_and(|end| end <= image.len()), "a window leaves the image of {} bytes", image.len());
        let window = Window { image, pixels, segments, weights };
        match self.tier() {
            Tier::Scalar => scalar(&window, sums),
            Tier::Portable => super::portable::dot(&window, sums),
            #[cfg(target_arch = "x86_64")]
            Tier::AvxVnni => super::portable::dot(&window, sums),
            #[cfg(target_arch = "x86_64")]
            Tier::Avx2 => super::avx2::dot(self, &window, sums),
            #[cfg(target_arch = "x86_64")]
            Tier::Avx512Vnni => super::avx512::dot(self, &window, sums),
            #[cfg(not(target_arch = "x86_64"))]
            Tier::Avx2 | Tier::AvxVnni | Tier::Avx512Vnni => super::portable::dot(&window, sums),
        }
    }
}

/// Checked arguments of [`Kernels::dot`]: every segment of every pixel, whole quads, lies inside the image.
pub(super) struct Window<'a> {
    image: &'a [i8],
    pixels: &'a [usize],
    segments: &'a [usize],
    weights: &'a PackedWeights,
}

impl<'a> Window<'a> {
    /// Calls `visit` with blocks of `P` pixels and their sums, and returns what is left: fewer than `P` pixels.
    pub(super) fn blocks<'s, const P: usize>(
        &self,
        sums: &'s mut [Sums],
        mut visit: impl FnMut(&Self, &[usize; P], &mut [Sums; P]),
    ) -> (Self, &'s mut [Sums]) {
        let (blocks, rest) = self.pixels.as_chunks::<P>();
        let (block_sums, rest_sums) = sums.as_chunks_mut::<P>();
        for (pixels, sums) in blocks.iter().zip(block_sums) {
            visit(self, pixels, sums);
        }
        (Self { pixels: rest, ..*self }, rest_sums)
    }

    /// Place of each segment in the image, relative to the pixel, and its weights.
    pub(super) fn segments(&self) -> impl Iterator<Item = (usize, &'a [Quads])> {
        let per_segment = self.weights.segment_quads().max(1);
        self.segments.iter().copied().zip(self.weights.quads.chunks_exact(per_segment))
    }

    /// The quads of values that meet `weights` at `place`.
    pub(super) fn values(&self, place: usize, weights: &[Quads]) -> &'a [[i8; QUAD]] {
        self.image[place..][..weights.len() * QUAD].as_chunks().0
    }

    /// Sum of the weights of each lane.
    pub(super) const fn lane_sums(&self) -> &'a [i32; LANES] {
        &self.weights.lane_sums
    }
}

fn scalar(window: &Window, sums: &mut [Sums]) {
    for (&pixel, sums) in window.pixels.iter().zip(sums) {
        *sums = [0; LANES];
        for (segment, weights) in window.segments() {
            for (values, weights) in window.values(pixel + segment, weights).iter().zip(weights) {
                for (sum, weights) in sums.iter_mut().zip(weights) {
                    *sum += values.iter().zip(weights).map(|(&v, &w)| i32::from(v) * i32::from(w)).sum::<i32>();
                }
            }
        }
    }
}
