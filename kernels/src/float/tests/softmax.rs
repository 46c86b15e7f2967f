//! Softmax.

use ndarray::{ArrayD, Axis};

use super::shared::{Random, assert_within, in_pools, tiers};
use crate::float::Softmax;

fn expected(x: &ArrayD<f32>, axis: usize) -> ArrayD<f64> {
    let mut y = x.mapv(f64::from);
    for mut lane in y.lanes_mut(Axis(axis)) {
        let max = lane.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        lane.mapv_inplace(|x| (x - max).exp());
        let sum = lane.sum();
        lane.mapv_inplace(|e| e / sum);
    }
    y
}

#[test]
fn softmax_equals_its_definition_along_every_axis() {
    let mut random = Random(1);
    for shape in [vec![1], vec![7], vec![1000], vec![3, 16], vec![5, 19, 21], vec![2, 3, 33, 4], vec![40, 1, 1]] {
        let x = random.real(&shape[..]).mapv(|x| x * 30.0);
        for axis in 0..shape.len() {
            let expected = expected(&x, axis);
            let along = shape[axis] as f64;
            // No difference exceeds 60.
            let bound = (8.0 + along / 4.0 + 60.0) * f64::exp2(-23.0);
            let flat: Vec<f64> = expected.iter().copied().collect();
            for kernels in tiers() {
                let operator = Softmax::new(kernels, &shape, axis).unwrap();
                let run = || {
                    let mut y = vec![f32::NAN; x.len()];
                    operator.run(x.as_slice().unwrap(), &mut y);
                    y
                };
                let [y, other] = in_pools(run);
                assert_eq!(y, other);
                assert_within(&y, &expected, |i| bound * flat[i] + 1e-45, &(kernels.tier(), &shape, axis));
            }
        }
    }
}

#[test]
fn extremes() {
    let infinity = f32::INFINITY;
    for kernels in tiers() {
        let run = |x: &[f32]| {
            let mut y = vec![0.0; x.len()];
            Softmax::new(kernels, &[x.len()], 0).unwrap().run(x, &mut y);
            y
        };
        assert_eq!(run(&[f32::MAX, f32::MIN, -infinity]), [1.0, 0.0, 0.0]);
        assert_eq!(run(&[-0.0; 4]), [0.25; 4]);
        assert_eq!(run(&[1e-45, 0.0]), [0.5; 2]);
        for broken in [&[0.0, f32::NAN][..], &[infinity, 0.0], &[-infinity; 3]] {
            assert!(run(broken).iter().any(|y| y.is_nan()), "{broken:?}");
        }
    }
}

#[test]
fn wrong_axes_are_named() {
    let kernels = tiers().next().unwrap();
    let error = Softmax::new(kernels, &[2, 3], 2).unwrap_err();
    assert_eq!(error.to_string(), "softmax: axis is 2 of a tensor of rank 2");
    assert!(Softmax::new(kernels, &[2, 0], 0).is_err());
}
