//! The order in which AMD's compiler stores the weights of transposed convolutions (`spec/recipes-conv.md` section 5.5).

/// From the order of the file to natural order, for each tap `ky * kernel_w + kx` the place where it is stored.
///
/// The taps are grouped by the sub-kernels of the `stride_h * stride_w` output phases, phases row-major. Sub-kernel `f` of an axis has
/// the taps `k0 + stride * j` with `k0 = (kernel - 1 - crop - f) mod stride`; they are row-major too. `crops` is what is cropped in
/// front, all pairs are `[h, w]`.
pub(crate) fn stored_places(kernel: [usize; 2], strides: [usize; 2], crops: [usize; 2]) -> Vec<usize> {
    let taps = |axis: usize, phase: usize| {
        let stride = strides[axis] as i64;
        let first = (kernel[axis] as i64 - 1 - crops[axis] as i64 - phase as i64).rem_euclid(stride);
        (first as usize..kernel[axis]).step_by(strides[axis])
    };
    let mut places = vec![0; kernel[0] * kernel[1]];
    let mut place = 0;
    for phase_y in 0..strides[0] {
        for phase_x in 0..strides[1] {
            for ky in taps(0, phase_y) {
                for kx in taps(1, phase_x) {
                    places[ky * kernel[1] + kx] = place;
                    place += 1;
                }
            }
        }
    }
    places
}

/// Weights `[out, kernel_h, kernel_w, in]` in natural order; `places` as from [`stored_places`].
pub(crate) fn natural_order(stored: &[u8], places: &[usize], channels: usize) -> Vec<u8> {
    let filter = (places.len() * channels).max(1);
    let mut natural = Vec::with_capacity(stored.len());
    for filter in stored.chunks_exact(filter) {
        for &place in places {
            natural.extend_from_slice(&filter[place * channels..][..channels]);
        }
    }
    natural
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_of_4_with_stride_2_and_crop_1_has_four_phases_of_four_taps() {
        // Both axes: phase 0 has taps 0 and 2, phase 1 has taps 1 and 3.
        let places = stored_places([4, 4], [2, 2], [1, 1]);
        assert_eq!(places, [0, 4, 1, 5, 8, 12, 9, 13, 2, 6, 3, 7, 10, 14, 11, 15]);
    }

    #[test]
    fn without_crop_the_phases_are_exchanged() {
        // Phase 0 has taps 1 and 3.
        assert_eq!(stored_places([1, 4], [1, 2], [0, 0]), [2, 0, 3, 1]);
    }

    #[test]
    fn a_stride_of_one_changes_nothing() {
        assert_eq!(stored_places([3, 3], [1, 1], [1, 1]), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn every_tap_has_its_own_place() {
        for kernel in [[3, 5], [5, 4], [2, 7]] {
            for strides in [[2, 2], [3, 2], [4, 4]] {
                for crops in [[0, 0], [1, 2]] {
                    let mut places = stored_places(kernel, strides, crops);
                    places.sort_unstable();
                    assert_eq!(places, (0..kernel[0] * kernel[1]).collect::<Vec<_>>());
                }
            }
        }
    }

    #[test]
    fn channel_vectors_move_as_a_whole() {
        let stored: Vec<u8> = (0..16).collect();
        assert_eq!(natural_order(&stored, &[2, 0, 3, 1], 2), [4, 5, 0, 1, 6, 7, 2, 3, 12, 13, 8, 9, 14, 15, 10, 11]);
    }
}
