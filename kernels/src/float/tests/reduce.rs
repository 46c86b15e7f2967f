//! Reductions.

use ndarray::{ArrayD, Axis};

use super::shared::{Random, assert_within, in_pools, tiers};
use crate::float::{Reduce, Reduction};

fn expected(x: &ArrayD<f32>, axes: &[usize], reduction: Reduction) -> ArrayD<f64> {
    let mut y = x.mapv(f64::from);
    let count: usize = axes.iter().map(|&axis| x.shape()[axis]).product();
    for &axis in axes.iter().rev() {
        y = match reduction {
            Reduction::Max => y.fold_axis(Axis(axis), f64::NEG_INFINITY, |&best, &x| best.max(x)),
            Reduction::Sum | Reduction::Mean => y.sum_axis(Axis(axis)),
        };
    }
    if reduction == Reduction::Mean { y.mapv(|sum| f64::from(sum as f32 / count as f32)) } else { y }
}

#[test]
fn reductions_equal_their_definition() {
    let mut random = Random(2);
    for shape in [vec![1], vec![301], vec![2, 7, 9, 70], vec![3, 1, 200], vec![2, 3, 4, 5, 6], vec![400, 500]] {
        let (whole, real) = (random.whole(&shape[..]), random.real(&shape[..]));
        for subset in 0..1usize << shape.len() {
            let axes: Vec<usize> = (0..shape.len()).filter(|axis| subset >> axis & 1 == 1).collect();
            for reduction in [Reduction::Sum, Reduction::Mean, Reduction::Max] {
                for kernels in tiers() {
                    let operator = Reduce::new(kernels, reduction, &shape, &axes).unwrap();
                    let run = |x: &ArrayD<f32>| {
                        let mut y = vec![f32::NAN; operator_len(&shape, &axes)];
                        operator.run(x.as_slice().unwrap(), &mut y);
                        y
                    };
                    let what = (kernels.tier(), reduction, &shape, &axes);
                    assert_within(&run(&whole), &expected(&whole, &axes, reduction), |_| 0.0, &what);
                    let [one, three] = in_pools(|| run(&real));
                    assert_eq!(one, three, "{what:?}");
                    // Magnitudes are at most 1.
                    let count: f64 = axes.iter().map(|&axis| shape[axis] as f64).product();
                    let bound = if reduction == Reduction::Max { 0.0 } else { count * count * f64::exp2(-24.0) };
                    assert_within(&one, &expected(&real, &axes, reduction), |_| bound, &what);
                }
            }
        }
    }
}

fn operator_len(shape: &[usize], axes: &[usize]) -> usize {
    (0..shape.len()).filter(|axis| !axes.contains(axis)).map(|axis| shape[axis]).product()
}

#[test]
fn a_maximum_is_never_nan() {
    for kernels in tiers() {
        let x: Vec<f32> = (0..40).map(|i| if i % 3 == 0 { f32::NAN } else { -(i as f32) }).collect();
        for (shape, axis, expected) in [(vec![40], 0, vec![-1.0]), (vec![20, 2], 0, vec![-2.0, -1.0])] {
            let mut y = vec![0.0; expected.len()];
            Reduce::new(kernels, Reduction::Max, &shape, &[axis]).unwrap().run(&x, &mut y);
            assert_eq!(y, expected);
        }
    }
}
