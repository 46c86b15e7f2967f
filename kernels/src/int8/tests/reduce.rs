//! Reductions.

use ndarray::ArrayD;

use super::values::{ENCODINGS, bytes, codes, tiers};
use crate::float::Reduction;
use crate::int8::Reduce;
use crate::reference::reduce::{Reduction as Axes, reduce_max, reduce_mean, reduce_sum};
use crate::reference::round::Rescale;

#[test]
fn reductions_equal_the_reference() {
    let shapes = [vec![1], vec![300], vec![2, 7, 9, 70], vec![3, 1, 200], vec![2, 3, 4, 5, 6], vec![1, 49, 64]];
    for (seed, shape) in shapes.iter().enumerate() {
        for extreme in [false, true] {
            let limit = |q: i8| if extreme { if q < 100 { -128 } else { 127 } } else { q };
            let x = ArrayD::from_shape_vec(shape.clone(), codes(seed as u64, shape.iter().product())).unwrap();
            let x = x.mapv(limit);
            for subset in 1..1usize << shape.len() {
                let axes: Vec<usize> = (0..shape.len()).filter(|axis| subset >> axis & 1 == 1).collect();
                for (from, to) in [(4, 4), (4, 9), (9, 4), (0, 40), (40, 0)] {
                    let fix = Rescale { input: from, output: to };
                    let reference = Axes { axes: &axes, keep_dims: true };
                    for (reduction, expected) in [
                        (Reduction::Sum, reduce_sum(&x.view(), reference, fix)),
                        (Reduction::Mean, reduce_mean(&x.view(), reference, fix)),
                        (Reduction::Max, reduce_max(&x.view(), reference, fix)),
                    ] {
                        let expected = expected.unwrap();
                        for (kernels, encodings) in tiers().flat_map(|tier| ENCODINGS.map(|own| (tier, own))) {
                            let operator = Reduce::new(kernels, reduction, shape, &axes, fix, encodings).unwrap();
                            let mut found = vec![0xaa; expected.len()];
                            operator.run(&bytes(&x, encodings.input), &mut found);
                            let tier = kernels.tier();
                            let same = found == bytes(&expected, encodings.output);
                            assert!(same, "{reduction:?} {tier:?} {encodings:?} {shape:?} {axes:?} {fix:?}");
                        }
                    }
                }
            }
        }
    }
}

/// Sums beyond 2^24, where a mean is rounded to single precision and a sum is not.
#[test]
fn long_sums() {
    let x = ArrayD::from_shape_vec(vec![300_001], codes(4, 300_001)).unwrap().mapv(|q| q | 0x40 & !i8::MIN);
    let fix = Rescale { input: 20, output: 0 };
    let reference = Axes { axes: &[0], keep_dims: false };
    for kernels in tiers() {
        for (reduction, expected) in [
            (Reduction::Sum, reduce_sum(&x.view(), reference, fix).unwrap()),
            (Reduction::Mean, reduce_mean(&x.view(), reference, Rescale::none(0)).unwrap()),
        ] {
            let fix = if reduction == Reduction::Sum { fix } else { Rescale::none(0) };
            let mut found = [0xaa];
            let operator = Reduce::new(kernels, reduction, &[300_001], &[0], fix, ENCODINGS[0]).unwrap();
            operator.run(&bytes(&x, ENCODINGS[0].input), &mut found);
            assert_eq!(found[0] as i8, expected[[]], "{reduction:?}");
        }
    }
}

#[test]
fn wrong_axes_are_named() {
    let kernels = tiers().next().unwrap();
    let message = |shape: &[usize], axes: &[usize]| {
        Reduce::new(kernels, Reduction::Sum, shape, axes, Rescale::none(0), ENCODINGS[0]).unwrap_err().to_string()
    };
    assert_eq!(message(&[2, 3], &[]), "reduce_sum: axes are [], expected one or more different axes");
    assert_eq!(message(&[2, 3], &[1, 1]), "reduce_sum: axes are [1, 1], expected different axes");
    assert_eq!(message(&[2, 3], &[2]), "reduce_sum: axis is 2 of a tensor of rank 2");
    assert_eq!(
        message(&[1 << 24], &[0]),
        "reduce_sum: axes [0] have 16777216 elements, more than 8388608; reduce in two steps"
    );
}
