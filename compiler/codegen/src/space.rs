//! Free lines of the feature-map groups.

use dpuc_isa::BANK_LINES;

/// Lines of a bank.
const BANK: u32 = BANK_LINES as u32;

/// A run of free lines; it may go around the end of the bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Gap {
    group: usize,
    first: u32,
    lines: u32,
}

/// A place in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Number of the group.
    pub(crate) group: usize,
    /// First line.
    pub(crate) line: u32,
    /// Lines.
    pub(crate) lines: u32,
}

/// The free lines of all groups.
#[derive(Clone, Debug)]
pub(crate) struct Space(Vec<Gap>);

impl Space {
    /// What `taken` leaves free. A group of which nothing is taken starts at the line `heads` names. Taken places do not go around the
    /// end of the bank; they may overlap, if they are taken at different times.
    pub(crate) fn around(taken: &[Slot], heads: &[u32]) -> Self {
        let mut gaps = Vec::new();
        for (group, &head) in heads.iter().enumerate() {
            let mut own: Vec<&Slot> = taken.iter().filter(|slot| slot.group == group && slot.lines > 0).collect();
            own.sort_unstable_by_key(|slot| slot.line);
            let Some(lowest) = own.first() else {
                gaps.push(Gap { group, first: head % BANK, lines: BANK });
                continue;
            };
            let mut end = 0;
            for (index, slot) in own.iter().enumerate() {
                end = end.max(slot.line + slot.lines);
                let next = own.get(index + 1).map_or(BANK + lowest.line, |next| next.line);
                if next > end {
                    gaps.push(Gap { group, first: end % BANK, lines: next - end });
                }
            }
        }
        Self(gaps)
    }

    /// A place for each size, the largest first, each where most lines are free; or, if that fails, where fewest are left over.
    pub(crate) fn place(&self, sizes: &[u64]) -> Option<Vec<Slot>> {
        self.place_by(sizes, |gap, _| u32::MAX - gap.lines)
            .or_else(|| self.place_by(sizes, |gap, size| gap.lines - size))
    }

    fn place_by(&self, sizes: &[u64], badness: impl Fn(&Gap, u32) -> u32) -> Option<Vec<Slot>> {
        let mut gaps = self.0.clone();
        let mut order: Vec<usize> = (0..sizes.len()).collect();
        order.sort_by_key(|&index| std::cmp::Reverse(sizes[index]));
        let mut slots = vec![Slot { group: 0, line: 0, lines: 0 }; sizes.len()];
        for index in order {
            let lines = u32::try_from(sizes[index]).ok()?;
            if lines == 0 {
                continue;
            }
            let fitting = gaps.iter_mut().filter(|gap| gap.lines >= lines);
            let gap = fitting.min_by_key(|gap| (badness(gap, lines), gap.group, gap.first))?;
            slots[index] = Slot { group: gap.group, line: gap.first, lines };
            gap.first = (gap.first + lines) % BANK;
            gap.lines -= lines;
        }
        Some(slots)
    }

    /// A place that does not go around the end of the bank, in the smallest gap that has one.
    pub(crate) fn place_straight(&self, lines: u32) -> Option<Slot> {
        let straight = self.0.iter().flat_map(|gap| {
            let end = gap.first + gap.lines;
            let head = Gap { lines: end.min(BANK) - gap.first, ..*gap };
            let tail = Gap { first: 0, lines: end.saturating_sub(BANK), ..*gap };
            [head, tail]
        });
        let fitting = straight.filter(|gap| gap.lines >= lines);
        let gap = fitting.min_by_key(|gap| (gap.lines, gap.group, gap.first))?;
        Some(Slot { group: gap.group, line: gap.first, lines })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(line: u32, lines: u32) -> Slot {
        Slot { group: 0, line, lines }
    }

    #[test]
    fn gaps_are_around_everything_that_is_taken() {
        // The second place lies inside the first one; they are taken at different times.
        let space = Space::around(&[slot(0, 432), slot(0, 156), slot(1000, 48)], &[0]);
        assert_eq!(space.place_straight(568), Some(slot(432, 568)));
        assert_eq!(space.place_straight(569), Some(slot(1048, 569)));
        assert_eq!(space.place_straight(1001), None);
    }

    #[test]
    fn a_gap_goes_around_the_end_of_the_bank() {
        let space = Space::around(&[slot(100, 1000)], &[0]);
        assert_eq!(space.place(&[1048]), Some(vec![slot(1100, 1048)]));
        assert_eq!(space.place(&[1049]), None);
        assert_eq!(space.place_straight(948), Some(slot(1100, 948)));
        assert_eq!(space.place_straight(949), None);
    }

    #[test]
    fn large_buffers_go_to_different_groups() {
        let space = Space::around(&[], &[7, 9]);
        let slots = space.place(&[2000, 40, 2000]).expect("both groups are free");
        assert_ne!(slots[0].group, slots[2].group);
        assert!(slots.iter().zip([2000, 40, 2000]).all(|(slot, lines)| slot.lines == lines));
    }
}
