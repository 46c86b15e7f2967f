//! Races in DDR: only Loads read it and only Saves write it, so only a Load and a Save can race.

use std::cmp::Ordering;

use dpuc_isa::{Engine, Instruction};

use super::{Finding, Hazard, Place, Report, Step};

/// Comparisons of two transfers a check may make; far more than any vendor program needs, and a few seconds.
const COMPARISONS_MAX: u64 = 1 << 31;

/// Pixels that an instruction moves from or to DDR: `pixels` runs of `bytes` bytes, `jump` bytes apart.
#[derive(Clone, Copy, Debug)]
struct Transfer {
    index: u32,
    start: u32,
    pixels: u32,
    jump: u32,
    bytes: u32,
}

impl Transfer {
    fn end(&self) -> u32 {
        self.start + (self.pixels - 1) * self.jump + self.bytes
    }

    /// The runs, ascending: overlapping and adjacent pixels are one run.
    fn runs(self) -> impl Iterator<Item = (u32, u32)> {
        let (count, bytes) =
            if self.jump <= self.bytes { (1, self.end() - self.start) } else { (self.pixels, self.bytes) };
        (0..count).map(move |pixel| (self.start + pixel * self.jump, self.start + pixel * self.jump + bytes))
    }

    /// The first byte that both move.
    fn common_byte(self, other: Self) -> Option<u32> {
        if self.end() <= other.start || other.end() <= self.start {
            return None;
        }
        let (mut ours, mut theirs) = (self.runs().peekable(), other.runs().peekable());
        loop {
            let (&(start, end), &(other_start, other_end)) = (ours.peek()?, theirs.peek()?);
            if start.max(other_start) < end.min(other_end) {
                return Some(start.max(other_start));
            }
            match end.cmp(&other_end) {
                Ordering::Less => ours.next(),
                _ => theirs.next(),
            };
        }
    }
}

/// Transfers of one kind in one region that the opposite engine does not know to be complete, in stream order.
type Pending = Vec<Transfer>;

/// Transfers of each region.
#[derive(Default)]
pub(super) struct DdrHistory {
    loads: [Pending; 8],
    saves: [Pending; 8],
    comparisons: u64,
}

impl DdrHistory {
    /// Compares the transfer of a Load or Save with those before it, and records it.
    pub(super) fn visit(&mut self, step: &Step, report: &mut Report) {
        let index = step.index;
        let (region, transfer, is_load) = match step.instruction {
            Instruction::Load(i) if !i.is_constant() => {
                let (pixels, jump, bytes) = (i.length, i.jump_read, i.channel);
                (i.reg_id, Transfer { index, start: i.ddr_addr, pixels, jump, bytes }, true)
            }
            Instruction::Save(i) => {
                let bytes = if i.argmax >= 2 && i.const_en == 0 { 1 } else { i.channel };
                let (pixels, jump) = (i.length, i.jump_write);
                (i.reg_id, Transfer { index, start: i.ddr_addr, pixels, jump, bytes }, false)
            }
            _ => return,
        };
        let (loads, saves) = (&mut self.loads[region as usize], &mut self.saves[region as usize]);
        let (own, opposite, opposite_engine, hazard) = if is_load {
            (loads, saves, Engine::Save, Hazard::ReadAfterWrite)
        } else {
            (saves, loads, Engine::Load, Hazard::WriteAfterRead)
        };
        // What an engine knows only grows, so what is known now never has to be looked at again.
        let known = step.known[opposite_engine.index()];
        opposite.drain(..opposite.partition_point(|transfer| transfer.index < known));
        own.push(transfer);
        if self.comparisons > COMPARISONS_MAX {
            return;
        }
        self.comparisons += opposite.len() as u64;
        if self.comparisons > COMPARISONS_MAX {
            report.add(Finding::DdrUnchecked { index: index as usize });
            return;
        }
        let race = opposite.iter().rev().find_map(|other| Some((other.index, other.common_byte(transfer)?)));
        if let Some((first, byte)) = race {
            let place = Place::Byte { region: region as u8, byte };
            report.add(Finding::Race { first: first as usize, second: index as usize, hazard, place });
        }
    }
}
