//! When superlayers write and read which bytes of memory.

use std::ops::Range;

use dpuc_accel::timing::Timeline;
use dpuc_isa::Instruction;

/// Pieces kept of what a superlayer writes or reads; more are joined.
const PIECES_MAX: usize = 1 << 12;

/// Bytes of a region and the time in which they are moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    region: u32,
    start: u64,
    end: u64,
    from: u64,
    until: u64,
}

/// What superlayers save and load.
pub(crate) struct Transfers {
    saves: Vec<Vec<Piece>>,
    loads: Vec<Vec<Piece>>,
}

impl Transfers {
    /// The transfers of a program whose instructions belong to the superlayers `owners`, of which there are `count`.
    pub(crate) fn of(program: &[Instruction], timeline: &Timeline, owners: &[Option<usize>], count: usize) -> Self {
        let mut transfers = Self { saves: vec![Vec::new(); count], loads: vec![Vec::new(); count] };
        for ((instruction, span), owner) in program.iter().zip(&timeline.spans).zip(owners) {
            let (side, region, address, pixels, jump, bytes) = match instruction {
                Instruction::Load(load) if !load.is_constant() => {
                    (&mut transfers.loads, load.reg_id, load.ddr_addr, load.length, load.jump_read, load.channel)
                }
                Instruction::Save(save) => {
                    (&mut transfers.saves, save.reg_id, save.ddr_addr, save.length, save.jump_write, save.pixel_bytes())
                }
                _ => continue,
            };
            let Some(pieces) = owner.and_then(|owner| side.get_mut(owner)) else { continue };
            let start = u64::from(address);
            let end = start + u64::from(pixels.saturating_sub(1)) * u64::from(jump) + u64::from(bytes);
            let piece = Piece { region, start, end, from: span.start, until: span.complete };
            match pieces.last_mut() {
                Some(last) if touches(last, &piece, 0) => join(last, &piece),
                _ => pieces.push(piece),
            }
        }
        transfers.saves.iter_mut().chain(&mut transfers.loads).for_each(simplify);
        transfers
    }

    /// When a superlayer first starts and last ends to write some of these bytes.
    pub(crate) fn saved(&self, superlayer: usize, region: u8, bytes: &Range<u64>) -> Option<(u64, u64)> {
        overlapping(self.saves.get(superlayer)?, region, bytes)
    }

    /// When a superlayer first starts and last ends to read some of these bytes.
    pub(crate) fn loaded(&self, superlayer: usize, region: u8, bytes: &Range<u64>) -> Option<(u64, u64)> {
        overlapping(self.loads.get(superlayer)?, region, bytes)
    }
}

/// Whether at most `gap` bytes are between a piece and the next one.
fn touches(piece: &Piece, next: &Piece, gap: u64) -> bool {
    piece.region == next.region && piece.start <= next.start && next.start <= piece.end.saturating_add(gap)
}

fn join(piece: &mut Piece, next: &Piece) {
    piece.end = piece.end.max(next.end);
    piece.from = piece.from.min(next.from);
    piece.until = piece.until.max(next.until);
}

/// Orders pieces by address and joins those that touch, and with ever larger gaps until few enough are left.
fn simplify(pieces: &mut Vec<Piece>) {
    pieces.sort_unstable_by_key(|piece| (piece.region, piece.start, piece.from));
    let mut gap = 0;
    loop {
        pieces.dedup_by(|next, kept| {
            let joined = touches(kept, next, gap);
            if joined {
                join(kept, next);
            }
            joined
        });
        if pieces.len() <= PIECES_MAX {
            return;
        }
        gap = (2 * gap).max(64);
    }
}

fn overlapping(pieces: &[Piece], region: u8, bytes: &Range<u64>) -> Option<(u64, u64)> {
    let region = u32::from(region);
    let first = pieces.partition_point(|piece| (piece.region, piece.end) <= (region, bytes.start));
    let found = pieces[first..].iter().take_while(|piece| piece.region == region && piece.start < bytes.end);
    found.map(|piece| (piece.from, piece.until)).reduce(|(from, until), own| (from.min(own.0), until.max(own.1)))
}
