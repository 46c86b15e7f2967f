//! Who wrote a byte: the Save, and the instruction that computed what it saved.

use dpuc_isa::{AccessTracker, Accesses, BANK_LINES, Instruction, Save, Target};

use super::finding::{Evidence, Place};

/// Number of an instruction that does not exist.
const NOBODY: usize = usize::MAX;

/// Follows the first `count` instructions of a program to the last one that writes a byte for which `writes` holds.
pub(super) fn evidence(
    program: &[Instruction],
    count: usize,
    target: &Target,
    region: u8,
    writes: &dyn Fn(u64) -> bool,
) -> Evidence {
    let mut tracker = AccessTracker::new();
    let mut accesses = Accesses::default();
    let mut writers = vec![NOBODY; target.bank_count() * BANK_LINES];
    let mut found = None;
    for (index, instruction) in program.iter().take(count).enumerate() {
        if tracker.accesses(instruction, target, &mut accesses).is_err() {
            break;
        }
        for lines in &accesses.bank_writes {
            for line in 0..usize::from(lines.count) {
                let at = usize::from(lines.bank) * BANK_LINES + (usize::from(lines.first) + line) % BANK_LINES;
                if let Some(writer) = writers.get_mut(at) {
                    *writer = index;
                }
            }
        }
        let Instruction::Save(save) = instruction else { continue };
        let bytes = accesses.region_writes.iter().filter(|bytes| bytes.region == region);
        if let Some(byte) = bytes.flat_map(|bytes| bytes.start..bytes.end).find(|&byte| writes(u64::from(byte))) {
            let line = source_line(save, byte, target);
            found = Some((index, line.and_then(|at| writers.get(at)).copied().filter(|&writer| writer != NOBODY)));
        }
    }
    let place = |index: usize| Place::of(program, index);
    Evidence {
        written_by: found.and_then(|(index, _)| place(index)),
        computed_by: found.and_then(|(_, writer)| writer).and_then(place),
    }
}

/// The line from which a Save takes the byte it writes to `byte`, as an index over all banks; `None` for a constant.
fn source_line(save: &Save, byte: u32, target: &Target) -> Option<usize> {
    let offset = byte.checked_sub(save.ddr_addr)?;
    let (pixel, channel) = (offset / save.jump_write.max(1), offset % save.jump_write.max(1));
    let line = save.bank_addr + pixel * save.jump_read + channel / target.line_bytes() as u32;
    (save.const_en == 0).then(|| save.bank_id as usize * BANK_LINES + line as usize % BANK_LINES)
}
