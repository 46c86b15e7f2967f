//! Int8 dot products whose sums are wanted as they are: the inner loop of the accelerator model's convolutions.
//!
//! Sixteen outputs are computed side by side. A window consists of *segments*, runs of bytes that are contiguous in the image
//! (all columns and channels of one kernel row), at places relative to each pixel.

use super::tier::Kernels;
use super::tile::{LANES, Panel, Pixel, QUAD, Quads, Sink, Sums};

/// Most products one sum may have: with more, 32-bit sums of unsigned-by-signed products (255 · −128 each) could overflow.
pub const MAX_PRODUCTS: usize = 1 << 16;

/// What the offset form adds to a value, as a shift.
const OFFSET_SHIFT: u32 = 7;

/// Weights of up to [`LANES`] outputs; each segment is filled up with zeros to whole quads.
#[derive(Clone, Debug, Default)]
pub struct PackedWeights {
    segments: usize,
    segment_bytes: usize,
    /// `[segment][quad]`
    quads: Vec<Quads>,
    /// Place of each quad relative to the pixel.
    offsets: Vec<u32>,
    /// What takes the offset of the values off the sum of each lane.
    init: [i32; LANES],
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
        self.init = [0; LANES];
        self.quads.clear();
        self.quads.resize(segments * self.segment_quads(), Quads([[0; QUAD]; LANES]));
        self.offsets.clear();
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
                quad.0[lane] = *four;
            }
            if !rest.is_empty() {
                quads[per_segment - 1].0[lane][..rest.len()].copy_from_slice(rest);
            }
        }
        self.init[lane] = -(weights.iter().map(|&weight| i32::from(weight)).sum::<i32>() << OFFSET_SHIFT);
    }

    /// Sets where the segments start, relative to each pixel.
    ///
    /// # Panics
    /// If there is not one place for each segment announced to [`Self::reset`].
    pub fn set_places(&mut self, places: &[usize]) {
        assert_eq!(places.len(), self.segments, "one place per segment");
        let quads = self.segment_quads();
        self.offsets.clear();
        self.offsets.extend(places.iter().flat_map(|place| (0..quads).map(move |quad| (place + quad * QUAD) as u32)));
    }

    /// Quads of one segment.
    const fn segment_quads(&self) -> usize {
        self.segment_bytes.div_ceil(QUAD)
    }
}

impl Kernels {
    /// `sums[p][lane] = Σ_s Σ_i (image[pixels[p] + place(s) + i] - 128) · weight(lane, s, i)`: the image is in the
    /// [offset form](crate::int8::Encoding::Offset).
    ///
    /// # Panics
    /// If a segment, with up to three bytes behind it that fill its last quad, leaves the image, if `pixels` and `sums` differ in
    /// length, or if the places of the segments were not set.
    pub fn dot(self, image: &[u8], pixels: &[usize], weights: &PackedWeights, sums: &mut [[i32; LANES]]) {
        /// Pixels whose places are converted at once: whole register blocks of every tier.
        const BLOCK: usize = 96;
        assert_eq!(pixels.len(), sums.len(), "one sum per pixel");
        let panel = Panel {
            offsets: &weights.offsets,
            weights: &weights.quads,
            init: &[Sums(weights.init)],
            halves: &[Sums([0; LANES])],
            lanes: LANES,
        };
        for (pixels, sums) in pixels.chunks(BLOCK).zip(sums.chunks_mut(BLOCK)) {
            let mut block = [Pixel { input: 0, output: 0 }; BLOCK];
            for (pixel, &place) in block.iter_mut().zip(pixels) {
                pixel.input = place as u32;
            }
            self.dense(image, &block[..pixels.len()], panel, Sink::Sums(sums));
        }
    }
}
