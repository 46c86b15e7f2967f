//! On-chip banks: rings of 2048 lines.
//!
//! Source: `spec/dpuczdx8g-isa.md` section 1.3. Behind the last line of each bank a copy of its first [`MIRROR_LINES`] lines is kept,
//! so that every pixel slice is contiguous however the ring wraps; writes keep the copy current.

use dpuc_isa::{BANK_LINES, Target};
use dpuc_kernels::simd::PLANAR_BLOCK;

/// Longest contiguous run: one pixel slice of at most 256 lines, the range of the field `channel_group`.
pub(crate) const MIRROR_LINES: usize = 256;

/// The banks of one core, all in one array.
#[derive(Clone, Debug)]
pub(crate) struct Banks {
    bytes: Vec<i8>,
    line_bytes: usize,
    count: usize,
}

impl Banks {
    /// All banks of a target, filled with 0.
    pub(crate) fn new(target: &Target) -> Self {
        let mut banks = Self { bytes: Vec::new(), line_bytes: target.line_bytes(), count: target.bank_count() };
        // Behind the banks: a pixel of zeros, and the bytes that a kernel working in whole blocks may touch.
        banks.bytes = vec![0; banks.zeros() + MIRROR_LINES * banks.line_bytes + PLANAR_BLOCK];
        banks
    }

    /// The whole array, into which [`Self::place`] and [`Self::zeros`] point.
    pub(crate) fn memory(&self) -> &[i8] {
        &self.bytes
    }

    /// Bytes in a line.
    pub(crate) const fn line_bytes(&self) -> usize {
        self.line_bytes
    }

    /// Place of a pixel slice of zeros.
    pub(crate) fn zeros(&self) -> usize {
        self.count * self.stride()
    }

    /// Place of a line, counted modulo 2048; at least [`MIRROR_LINES`] lines follow contiguously.
    pub(crate) fn place(&self, bank: u32, line: u32) -> usize {
        bank as usize * self.stride() + line as usize % BANK_LINES * self.line_bytes
    }

    /// `count` bytes from a line on; at most [`MIRROR_LINES`] lines.
    pub(crate) fn slice(&self, bank: u32, line: u32, count: usize) -> &[i8] {
        &self.bytes[self.place(bank, line)..][..count]
    }

    /// Fills `out` with the bytes from a line on.
    pub(crate) fn read(&self, bank: u32, line: u32, out: &mut [i8]) {
        let ring = &self.bytes[self.place(bank, 0)..][..self.ring()];
        let mut at = line as usize % BANK_LINES * self.line_bytes;
        let mut rest = out;
        while !rest.is_empty() {
            let count = rest.len().min(ring.len() - at);
            let (now, later) = rest.split_at_mut(count);
            now.copy_from_slice(&ring[at..at + count]);
            (rest, at) = (later, 0);
        }
    }

    /// Writes bytes from a line on and fills the last line with 0.
    pub(crate) fn write(&mut self, bank: u32, line: u32, data: &[i8]) {
        let (whole, rest) = data.split_at(data.len() - data.len() % self.line_bytes);
        self.write_lines(bank, line, whole);
        if !rest.is_empty() {
            let at = self.place(bank, line + (whole.len() / self.line_bytes) as u32);
            let line = &mut self.bytes[at..at + self.line_bytes];
            line[..rest.len()].copy_from_slice(rest);
            line[rest.len()..].fill(0);
            self.mirror(bank, at - self.place(bank, 0), self.line_bytes);
        }
    }

    /// Writes whole lines.
    pub(crate) fn write_lines(&mut self, bank: u32, line: u32, data: &[i8]) {
        let mut at = line as usize % BANK_LINES * self.line_bytes;
        let mut rest = data;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(self.ring() - at));
            let start = self.place(bank, 0) + at;
            self.bytes[start..start + now.len()].copy_from_slice(now);
            self.mirror(bank, at, now.len());
            (rest, at) = (later, 0);
        }
    }

    /// Hands the bytes of every bank to `fill`.
    pub(crate) fn fill_with(&mut self, mut fill: impl FnMut(&mut [i8])) {
        for bank in 0..self.count as u32 {
            let (start, ring) = (self.place(bank, 0), self.ring());
            fill(&mut self.bytes[start..start + ring]);
            self.mirror(bank, 0, ring);
        }
    }

    /// Brings the copy of the first lines up to date after `count` bytes from `at` on, inside the ring, were written.
    fn mirror(&mut self, bank: u32, at: usize, count: usize) {
        let mirrored = MIRROR_LINES * self.line_bytes;
        if at < mirrored {
            let start = self.place(bank, 0);
            let end = (at + count).min(mirrored);
            let copy = start + self.ring() + at;
            self.bytes.copy_within(start + at..start + end, copy);
        }
    }

    /// Bytes of a ring.
    const fn ring(&self) -> usize {
        BANK_LINES * self.line_bytes
    }

    /// Bytes from one bank to the next.
    const fn stride(&self) -> usize {
        (BANK_LINES + MIRROR_LINES) * self.line_bytes
    }
}
