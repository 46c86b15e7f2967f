//! Who touched each bank line and DDR byte last.
//!
//! A write conflicts with everything before it at the same place, and everything after it conflicts with the write, so a write
//! replaces the history of its place: whatever must follow the older accesses must follow the write, which follows them.

use std::collections::BTreeMap;
use std::ops::Range;

use dpuc_isa::{Accesses, BANK_LINES, Bytes, Engine, Lines, Target};

use crate::tokens::Latest;

/// The last write of a place and the reads since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct History {
    write: u32,
    writer: u8,
    reads: Latest,
}

impl History {
    /// Raises `latest` to what a reader of this place must follow, and notes the read.
    fn read(&mut self, latest: &mut Latest, number: u32, engine: Engine) {
        self.follow_write(latest);
        self.reads[engine.index()] = number;
    }

    /// Raises `latest` to what a writer of this place must follow.
    fn follow_all(&self, latest: &mut Latest) {
        self.follow_write(latest);
        for (latest, read) in latest.iter_mut().zip(self.reads) {
            *latest = (*latest).max(read);
        }
    }

    fn follow_write(&self, latest: &mut Latest) {
        let slot = &mut latest[usize::from(self.writer)];
        *slot = (*slot).max(self.write);
    }

    fn written(number: u32, engine: Engine) -> Self {
        Self { write: number, writer: engine as u8, reads: Latest::default() }
    }
}

/// The histories of all banks and DDR regions.
pub(crate) struct Hazards {
    /// `BANK_LINES` histories for each bank.
    lines: Vec<History>,
    regions: BTreeMap<u8, Intervals>,
}

impl Hazards {
    pub(crate) fn new(target: &Target) -> Self {
        Self { lines: vec![History::default(); BANK_LINES * target.bank_count()], regions: BTreeMap::new() }
    }

    /// Notes the accesses of instruction `number` of `engine`, and returns the latest instruction of each engine that conflicts
    /// with it.
    pub(crate) fn record(&mut self, accesses: &Accesses, number: u32, engine: Engine) -> Latest {
        let mut latest = Latest::default();
        for &lines in &accesses.bank_reads {
            self.for_lines(lines, |history| history.read(&mut latest, number, engine));
        }
        for &lines in &accesses.bank_writes {
            self.for_lines(lines, |history| {
                history.follow_all(&mut latest);
                *history = History::written(number, engine);
            });
        }
        for (region, bytes) in bounds(&accesses.region_reads) {
            self.regions.entry(region).or_default().read(bytes, &mut latest, number, engine);
        }
        for (region, bytes) in bounds(&accesses.region_writes) {
            self.regions.entry(region).or_default().write(bytes, &mut latest, number, engine);
        }
        latest
    }

    fn for_lines(&mut self, lines: Lines, mut visit: impl FnMut(&mut History)) {
        let bank = &mut self.lines[usize::from(lines.bank) * BANK_LINES..][..BANK_LINES];
        let (first, end) = (usize::from(lines.first), usize::from(lines.first) + usize::from(lines.count));
        bank[first..end.min(BANK_LINES)].iter_mut().for_each(&mut visit);
        bank[..end.saturating_sub(BANK_LINES)].iter_mut().for_each(&mut visit);
    }
}

/// The range that bounds the bytes of each run of equal regions. An instruction touches one region, and the gaps between its
/// pixels only add tokens that harm nothing.
fn bounds(bytes: &[Bytes]) -> impl Iterator<Item = (u8, Range<u32>)> {
    bytes.chunk_by(|a, b| a.region == b.region).map(|run| {
        let start = run.iter().map(|b| b.start).min().unwrap_or(0);
        let end = run.iter().map(|b| b.end).max().unwrap_or(0);
        (run[0].region, start..end)
    })
}

/// Histories of the bytes of one region: each entry holds from its key to the next key.
#[derive(Default)]
struct Intervals(BTreeMap<u32, History>);

impl Intervals {
    fn read(&mut self, bytes: Range<u32>, latest: &mut Latest, number: u32, engine: Engine) {
        self.split(&bytes);
        for (_, history) in self.0.range_mut(bytes) {
            history.read(latest, number, engine);
        }
    }

    fn write(&mut self, bytes: Range<u32>, latest: &mut Latest, number: u32, engine: Engine) {
        self.split(&bytes);
        let mut merged = Vec::new();
        for (&start, history) in self.0.range(bytes.clone()) {
            history.follow_all(latest);
            merged.push(start);
        }
        for start in merged {
            self.0.remove(&start);
        }
        self.0.insert(bytes.start, History::written(number, engine));
    }

    /// Makes both ends of a range keys.
    fn split(&mut self, bytes: &Range<u32>) {
        for at in [bytes.start, bytes.end] {
            let history = self.0.range(..=at).next_back().map(|(_, &history)| history).unwrap_or_default();
            self.0.entry(at).or_insert(history);
        }
    }
}
