//! Channelwise reductions over the taps of a window: the inner loops of depthwise convolution and pooling.
//!
//! Tap `t` of a window is a run of `n` channel bytes starting at `memory[taps[t]]`. Channels are processed in blocks of
//! [`PLANAR_BLOCK`]; `n` is a multiple of it, and callers with fewer channels ignore the surplus results.

use super::tier::Kernels;

/// Channels processed side by side.
pub const PLANAR_BLOCK: usize = 16;

impl Kernels {
    /// `sums[c] = Σ_t memory[taps[t] + c] · weights[t · n + c]` with `n = sums.len()`.
    ///
    /// Exact for up to 2¹⁶ taps.
    ///
    /// # Panics
    /// If a tap leaves the memory, `n` is no multiple of [`PLANAR_BLOCK`], or there are not `taps · n` weights.
    pub fn multiply_add(self, memory: &[i8], taps: &[usize], weights: &[i8], sums: &mut [i32]) {
        assert_eq!(weights.len(), taps.len() * sums.len(), "one weight per tap and channel");
        self.vectorised(|| multiply_add(memory, taps, weights, sums));
    }

    /// `sums[c] = Σ_t memory[taps[t] + c]`. Exact for up to 2²³ taps.
    ///
    /// # Panics
    /// If a tap leaves the memory or the number of channels is no multiple of [`PLANAR_BLOCK`].
    pub fn sum(self, memory: &[i8], taps: &[usize], sums: &mut [i32]) {
        self.vectorised(|| sum(memory, taps, sums));
    }

    /// `maxima[c] = max(maxima[c], max_t memory[taps[t] + c])`.
    ///
    /// # Panics
    /// If a tap leaves the memory or the number of channels is no multiple of [`PLANAR_BLOCK`].
    pub fn max(self, memory: &[i8], taps: &[usize], maxima: &mut [i8]) {
        self.vectorised(|| max(memory, taps, maxima));
    }
}

/// The block of channels at `at`.
#[expect(clippy::inline_always, reason = "the compiler vectorises it for the tier of its caller")]
#[inline(always)]
fn block(memory: &[i8], at: usize) -> &[i8; PLANAR_BLOCK] {
    memory[at..].first_chunk().expect("callers keep every tap inside the memory")
}

#[expect(clippy::inline_always, reason = "the compiler vectorises it for the tier of its caller")]
#[inline(always)]
fn multiply_add(memory: &[i8], taps: &[usize], weights: &[i8], sums: &mut [i32]) {
    let channels = sums.len();
    let (blocks, rest) = sums.as_chunks_mut::<PLANAR_BLOCK>();
    assert!(rest.is_empty(), "channels in whole blocks");
    for (b, sums) in blocks.iter_mut().enumerate() {
        let first = b * PLANAR_BLOCK;
        let mut total = [0i32; PLANAR_BLOCK];
        for (t, &tap) in taps.iter().enumerate() {
            let values = block(memory, tap + first);
            let weights = block(weights, t * channels + first);
            for ((total, &value), &weight) in total.iter_mut().zip(values).zip(weights) {
                // Products of two int8 fit 16 bits: the largest is 128 · 128 = 2^14.
                *total += i32::from(i16::from(value) * i16::from(weight));
            }
        }
        *sums = total;
    }
}

#[expect(clippy::inline_always, reason = "the compiler vectorises it for the tier of its caller")]
#[inline(always)]
fn sum(memory: &[i8], taps: &[usize], sums: &mut [i32]) {
    let (blocks, rest) = sums.as_chunks_mut::<PLANAR_BLOCK>();
    assert!(rest.is_empty(), "channels in whole blocks");
    for (b, sums) in blocks.iter_mut().enumerate() {
        let mut total = [0i32; PLANAR_BLOCK];
        for &tap in taps {
            for (total, &value) in total.iter_mut().zip(block(memory, tap + b * PLANAR_BLOCK)) {
                *total += i32::from(value);
            }
        }
        *sums = total;
    }
}

#[expect(clippy::inline_always, reason = "the compiler vectorises it for the tier of its caller")]
#[inline(always)]
fn max(memory: &[i8], taps: &[usize], maxima: &mut [i8]) {
    let (blocks, rest) = maxima.as_chunks_mut::<PLANAR_BLOCK>();
    assert!(rest.is_empty(), "channels in whole blocks");
    for (b, maxima) in blocks.iter_mut().enumerate() {
        for &tap in taps {
            for (maximum, &value) in maxima.iter_mut().zip(block(memory, tap + b * PLANAR_BLOCK)) {
                *maximum = (*maximum).max(value);
            }
        }
    }
}
