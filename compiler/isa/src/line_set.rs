//! Sets of the 2048 lines of a bank, as bits.
//!
//! The walks of an instruction repeat one pattern of pixels for every row, at another line and in another bank. Building the
//! pattern once and rotating it bounds the work by rows, however long the rows are, and merges overlapping and adjacent pixels.

use crate::access::Lines;
use crate::target::BANK_LINES;

const WORDS: usize = BANK_LINES / 64;
const LINES: u32 = BANK_LINES as u32;

/// A set of lines of one bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LineSet([u64; WORDS]);

impl LineSet {
    const EMPTY: Self = Self([0; WORDS]);

    /// `pieces` runs of `count` lines whose starts are `step` lines apart; lines wrap around.
    pub(crate) fn strided(first: u32, step: u32, pieces: u32, count: u32) -> Self {
        let mut set = Self::EMPTY;
        if step <= count {
            set.insert((first % LINES) as usize, ((pieces - 1) * step + count).min(LINES) as usize);
            return set;
        }
        // Starts repeat after 2048 / gcd(step, 2048) pieces; the gcd with a power of two is the lowest set bit.
        let period = LINES >> step.trailing_zeros().min(LINES.trailing_zeros());
        let mut line = first % LINES;
        for _ in 0..pieces.min(period) {
            set.insert(line as usize, count.min(LINES) as usize);
            line = (line + step) % LINES;
        }
        set
    }

    fn insert(&mut self, first: usize, count: usize) {
        let end = first + count;
        self.fill(first, end.min(BANK_LINES));
        if end > BANK_LINES {
            self.fill(0, end - BANK_LINES);
        }
    }

    /// Sets the bits `start .. end`, which do not wrap.
    fn fill(&mut self, start: usize, end: usize) {
        let (mut word, mut bit, mut left) = (start / 64, start % 64, end - start);
        while left > 0 {
            let count = left.min(64 - bit);
            self.0[word] |= u64::MAX >> (64 - count) << bit;
            (word, bit, left) = (word + 1, 0, left - count);
        }
    }

    /// Adds `other`, every line moved `shift` lines on.
    fn union_shifted(&mut self, other: &Self, shift: u32) {
        let (words, bits) = ((shift % LINES) as usize / 64, shift % 64);
        for (at, word) in self.0.iter_mut().enumerate() {
            let low = other.0[(at + WORDS - words) % WORDS];
            let carry = other.0[(at + 2 * WORDS - words - 1) % WORDS];
            *word |= if bits == 0 { low } else { low << bits | carry >> (64 - bits) };
        }
    }

    /// Appends the maximal runs of the set. A run through line 2047 that goes on at line 0 is one, the last.
    fn runs_into(&self, bank: u16, out: &mut Vec<Lines>) {
        let start = out.len();
        let mut line = 0;
        while let Some(first) = self.next(line, true) {
            let end = self.next(first, false).unwrap_or(BANK_LINES);
            out.push(Lines { bank, first: first as u16, count: (end - first) as u16 });
            line = end;
        }
        if let [first, .., last] = &mut out[start..]
            && first.first == 0
            && usize::from(last.first + last.count) == BANK_LINES
        {
            last.count += first.count;
            out.remove(start);
        }
    }

    /// The first line from `from` on that is in the set (`present`) or not in it.
    fn next(&self, from: usize, present: bool) -> Option<usize> {
        let flip = if present { 0 } else { u64::MAX };
        let mut word = from / 64;
        let mut bits = (self.0.get(word)? ^ flip) & u64::MAX << (from % 64);
        while bits == 0 {
            word += 1;
            bits = self.0.get(word)? ^ flip;
        }
        Some(word * 64 + bits.trailing_zeros() as usize)
    }
}

/// Line sets of the banks an instruction touches.
#[derive(Clone, Debug, Default)]
pub(crate) struct BankSets {
    /// One set for each bank id seen so far, empty between instructions.
    sets: Vec<LineSet>,
    /// Bit for each bank with a non-empty set. Bank ids have six bits.
    touched: u64,
}

impl BankSets {
    /// Adds `lines` of `bank`.
    pub(crate) fn insert(&mut self, bank: u32, lines: &LineSet) {
        self.insert_shifted(bank, lines, 0);
    }

    /// Adds `lines` of `bank`, moved `shift` lines on. `lines` must not be empty.
    pub(crate) fn insert_shifted(&mut self, bank: u32, lines: &LineSet, shift: u32) {
        let bank = bank as usize;
        if self.sets.len() <= bank {
            self.sets.resize(bank + 1, LineSet::EMPTY);
        }
        self.sets[bank].union_shifted(lines, shift);
        self.touched |= 1 << bank;
    }

    /// Appends all lines to `out`, banks ascending, and empties the sets.
    pub(crate) fn drain_into(&mut self, out: &mut Vec<Lines>) {
        while self.touched != 0 {
            let bank = self.touched.trailing_zeros();
            self.touched &= self.touched - 1;
            let set = &mut self.sets[bank as usize];
            set.runs_into(bank as u16, out);
            *set = LineSet::EMPTY;
        }
    }
}
