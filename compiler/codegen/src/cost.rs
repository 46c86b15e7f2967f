//! About how long the engines are busy, to compare ways of cutting and fusing.
//!
//! The figures follow the shape of the accelerator's time model (`spec/dpuczdx8g-isa.md` section 7) with rounded overheads. They rank
//! alternatives; the time a program takes is what the accelerator model says.

use crate::layer::FeatureMap;

/// Bytes a port moves per cycle.
const BEAT: u64 = 16;
/// Cycles of a Load or Save besides its data.
const TRANSFER: u64 = 12;
/// Cycles of a Conv, Alu or Elew besides its work.
const INSTRUCTION: u64 = 30;
/// Cycles until the first data of a superlayer are there, which nothing hides if the one before it needs them.
const START: u64 = 300;

/// Busy cycles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) load: u64,
    pub(crate) save: u64,
    pub(crate) conv: u64,
    pub(crate) misc: u64,
}

impl Cost {
    /// One number: the busiest engine, since engines overlap, and a part of the others, since they never do so completely.
    pub(crate) fn cycles(&self) -> u64 {
        let all = [self.load, self.save, self.conv, self.misc];
        let most = all.into_iter().max().unwrap_or(0);
        let sum = all.into_iter().fold(0, u64::saturating_add);
        most.saturating_add((sum - most) / 6).saturating_add(START)
    }

    /// The engine that is busy longest.
    pub(crate) fn bound(&self) -> &'static str {
        let all = [("load", self.load), ("save", self.save), ("conv", self.conv), ("misc", self.misc)];
        all.into_iter().max_by_key(|&(_, cycles)| cycles).map_or("load", |(name, _)| name)
    }
}

/// Cycles of `count` instructions that compute for `work` cycles in total.
pub(crate) const fn computing(count: u64, work: u64) -> u64 {
    count.saturating_mul(INSTRUCTION).saturating_add(work)
}

/// Cycles of `count` transfers of `bytes` bytes each without gaps.
pub(crate) const fn dense(count: u64, bytes: u64) -> u64 {
    count.saturating_mul(bytes.div_ceil(BEAT) + TRANSFER)
}

/// Cycles of `count` transfers of `pixels` times `bytes` bytes, `stride` bytes apart.
pub(crate) fn rows(count: u64, pixels: u64, bytes: u32, stride: u32) -> u64 {
    let bytes_apart = u64::from(bytes);
    let beats =
        if bytes == stride { (pixels * bytes_apart).div_ceil(BEAT) } else { pixels * bytes_apart.div_ceil(BEAT) };
    count.saturating_mul(beats + TRANSFER)
}

/// Bytes between pixels of the first of some maps.
pub(crate) fn pixel_stride(maps: &[FeatureMap]) -> u32 {
    maps.first().map_or(u32::MAX, |map| map.pixel_stride)
}
