//! DDR regions: the memory that `reg_id` and `ddr_addr` address.

use dpuc_isa::Bytes;
use thiserror::Error;

/// Number of regions: the range of the field `reg_id`.
pub const REGIONS: usize = 8;

/// Largest size of a region. No instruction reaches further: `ddr_addr` < 2²⁹, and 1023 jumps of at most 65,536 bytes.
pub const REGION_BYTES_MAX: usize = 1 << 30;

/// Region sizes are rounded up to this, as AMD's simulator does; some vendor programs read a few bytes behind their input.
const GRANULE: usize = 4096;

/// An access outside the DDR regions.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RegionError {
    /// No region has this number.
    #[error("there is no region {region}; a core has regions 0 to 7")]
    NoSuchRegion {
        /// The number.
        region: usize,
    },
    /// The region was not defined.
    #[error("region {region} is not defined; define its size before running the program")]
    Undefined {
        /// Its number.
        region: usize,
    },
    /// The range ends behind the region.
    #[error("bytes {start}..{end} leave region {region}, which has {size} bytes")]
    OutOfBounds {
        /// Its number.
        region: usize,
        /// First byte of the range.
        start: usize,
        /// Byte after the last.
        end: usize,
        /// Size of the region in bytes.
        size: usize,
    },
    /// The region would be larger than any instruction can address.
    #[error("region {region} of {size} bytes is larger than the {REGION_BYTES_MAX} bytes a core can address")]
    TooLarge {
        /// Its number.
        region: usize,
        /// The size that was asked for.
        size: usize,
    },
}

/// Up to eight byte arrays.
#[derive(Clone, Debug, Default)]
pub struct Regions {
    regions: [Option<Vec<u8>>; REGIONS],
}

impl Regions {
    /// Gives region `region` at least `size` bytes, all 0; the size is rounded up to a multiple of 4096.
    pub fn define(&mut self, region: usize, size: usize) -> Result<(), RegionError> {
        if size > REGION_BYTES_MAX {
            return Err(RegionError::TooLarge { region, size });
        }
        let slot = self.regions.get_mut(region).ok_or(RegionError::NoSuchRegion { region })?;
        *slot = Some(vec![0; size.next_multiple_of(GRANULE)]);
        Ok(())
    }

    /// Size of a region in bytes; nothing if it is not defined.
    pub fn size(&self, region: usize) -> Option<usize> {
        Some(self.regions.get(region)?.as_ref()?.len())
    }

    /// Copies `data` to a region.
    pub fn write(&mut self, region: usize, start: usize, data: &[u8]) -> Result<(), RegionError> {
        self.bytes_mut(region, start, data.len())?.copy_from_slice(data);
        Ok(())
    }

    /// `count` bytes of a region.
    pub fn bytes(&self, region: usize, start: usize, count: usize) -> Result<&[u8], RegionError> {
        let memory = self.regions.get(region).ok_or(RegionError::NoSuchRegion { region })?;
        let memory = memory.as_ref().ok_or(RegionError::Undefined { region })?;
        let (end, size) = (start.saturating_add(count), memory.len());
        memory.get(start..end).ok_or(RegionError::OutOfBounds { region, start, end, size })
    }

    /// `count` bytes of a region, to change.
    pub fn bytes_mut(&mut self, region: usize, start: usize, count: usize) -> Result<&mut [u8], RegionError> {
        let memory = self.regions.get_mut(region).ok_or(RegionError::NoSuchRegion { region })?;
        let memory = memory.as_mut().ok_or(RegionError::Undefined { region })?;
        let (end, size) = (start.saturating_add(count), memory.len());
        memory.get_mut(start..end).ok_or(RegionError::OutOfBounds { region, start, end, size })
    }

    /// The bytes an instruction spans.
    pub(crate) fn span(&self, span: Bytes) -> Result<&[u8], RegionError> {
        self.bytes(usize::from(span.region), span.start as usize, (span.end - span.start) as usize)
    }

    /// The bytes an instruction spans, to change.
    pub(crate) fn span_mut(&mut self, span: Bytes) -> Result<&mut [u8], RegionError> {
        self.bytes_mut(usize::from(span.region), span.start as usize, (span.end - span.start) as usize)
    }
}
