//! Reproducible garbage for memories whose contents must not matter.

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
pub(crate) struct Garbage {
    state: u64,
    bytes: [u8; 8],
    left: usize,
}

impl Garbage {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed, bytes: [0; 8], left: 0 }
    }

    pub(crate) fn next_byte(&mut self) -> u8 {
        if self.left == 0 {
            self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            self.bytes = (z ^ (z >> 31)).to_le_bytes();
            self.left = self.bytes.len();
        }
        self.left -= 1;
        self.bytes[self.left]
    }
}
