//! Addresses of buffers whose lifetimes are known.

/// Every tensor starts at a multiple of this.
pub(super) const ALIGNMENT: u64 = 16;

/// A buffer that is alive from operation `first` to operation `last`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lifetime {
    pub(super) bytes: u64,
    pub(super) first: usize,
    pub(super) last: usize,
}

/// The lowest address for each buffer at which it overlaps no buffer that is alive at the same time, large buffers first; and the
/// end of the highest one.
pub(super) fn first_fit(buffers: &[Lifetime]) -> (Vec<u64>, u64) {
    let mut order: Vec<usize> = (0..buffers.len()).collect();
    order.sort_by_key(|&index| (std::cmp::Reverse(buffers[index].bytes), buffers[index].first, index));
    let mut addresses = vec![0u64; buffers.len()];
    // In order of addresses.
    let mut placed: Vec<usize> = Vec::new();
    let mut end = 0;
    for index in order {
        let buffer = buffers[index];
        let mut address = 0u64;
        let together = |other: &Lifetime| other.first <= buffer.last && buffer.first <= other.last;
        for &other in placed.iter().filter(|&&other| together(&buffers[other])) {
            if address.saturating_add(buffer.bytes) <= addresses[other] {
                break;
            }
            address = address.max(align(addresses[other].saturating_add(buffers[other].bytes)));
        }
        addresses[index] = address;
        end = end.max(address.saturating_add(buffer.bytes));
        let rank = placed.partition_point(|&other| addresses[other] <= address);
        placed.insert(rank, index);
    }
    (addresses, end)
}

/// The next multiple of [`ALIGNMENT`]; saturates.
pub(super) fn align(bytes: u64) -> u64 {
    bytes.checked_next_multiple_of(ALIGNMENT).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lifetime(bytes: u64, first: usize, last: usize) -> Lifetime {
        Lifetime { bytes, first, last }
    }

    #[test]
    fn a_chain_alternates_between_two_places() {
        let chain = [lifetime(100, 0, 1), lifetime(50, 1, 2), lifetime(100, 2, 3), lifetime(50, 3, 4)];
        assert_eq!(first_fit(&chain), (vec![0, 112, 0, 112], 162));
    }

    #[test]
    fn gaps_are_filled() {
        let buffers = [lifetime(64, 0, 9), lifetime(48, 0, 2), lifetime(32, 3, 9), lifetime(32, 0, 9)];
        let (addresses, end) = first_fit(&buffers);
        assert_eq!(addresses, [0, 64, 64, 112]);
        assert_eq!(end, 144);
    }

    #[test]
    fn live_buffers_never_overlap() {
        let mut random = dpuc_isa::Random::new(3);
        let mut next = |bound: u64| random.bits() % bound;
        for _ in 0..200 {
            let buffers: Vec<Lifetime> = (0..=next(40))
                .map(|_| {
                    let first = next(50) as usize;
                    lifetime(1 + next(500), first, first + next(10) as usize)
                })
                .collect();
            let (addresses, end) = first_fit(&buffers);
            for (i, a) in buffers.iter().enumerate() {
                assert!(addresses[i].is_multiple_of(ALIGNMENT) && addresses[i] + a.bytes <= end);
                for (j, b) in buffers.iter().enumerate().skip(i + 1) {
                    let together = a.first <= b.last && b.first <= a.last;
                    let apart = addresses[i] + a.bytes <= addresses[j] || addresses[j] + b.bytes <= addresses[i];
                    assert!(apart || !together, "{a:?} at {} and {b:?} at {}", addresses[i], addresses[j]);
                }
            }
        }
    }
}
