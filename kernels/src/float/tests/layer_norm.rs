//! Layer normalisation against double precision.

use ndarray::{Array2, ArrayD};

use super::shared::{Random, assert_within, elements, in_pools, tiers};
use crate::float::LayerNorm;

fn exact(x: &Array2<f32>, scale: &[f32], offset: &[f32], epsilon: f64) -> (ArrayD<f64>, Vec<f64>) {
    let mut tolerances = Vec::new();
    let mut y = x.mapv(f64::from);
    for mut row in y.rows_mut() {
        let n = row.len() as f64;
        let mean = row.sum() / n;
        let deviation = (row.mapv(|x| (x - mean).powi(2)).sum() / n + epsilon).sqrt();
        let widest = row.iter().fold(0.0f64, |most, x| most.max((x - mean).abs())) / deviation;
        for (at, x) in row.iter_mut().enumerate() {
            let [scale, offset] = [scale, offset].map(|vector| f64::from(vector[at]));
            *x = (*x - mean) / deviation * scale + offset;
            let steps = (n / 2.0 + 8.0) * f64::exp2(-23.0);
            tolerances.push(steps * (widest + mean.abs() / deviation) * scale.abs() + x.abs() * f64::exp2(-23.0));
        }
    }
    (y.into_dyn(), tolerances)
}

#[test]
fn rows_are_normalised() {
    let mut random = Random(77);
    for (rows, length, mean) in
        [(1, 1, 0.0), (3, 2, 5.0), (2, 7, 0.0), (5, 16, -3.0), (4, 65, 100.0), (300, 768, 0.5), (2, 4097, 0.0)]
    {
        let x = random.real([rows, length]).mapv(|x| x * 3.0 + mean);
        let (scale, offset) = (random.real([length]), random.real([length]));
        let (scale, offset) = (elements(&scale), elements(&offset));
        let (expected, tolerances) = exact(&x, scale, offset, 1e-5);
        for kernels in tiers() {
            let operator = LayerNorm::new(kernels, length, Some(scale), Some(offset), 1e-5).unwrap();
            let found = in_pools(|| {
                let mut y = vec![f32::NAN; x.len()];
                operator.run(elements(&x), &mut y);
                y
            });
            assert_eq!(found[0], found[1]);
            assert_within(&found[0], &expected, |at| tolerances[at], &(kernels.tier(), rows, length));
        }
    }
}

#[test]
fn equal_elements_have_no_deviation() {
    for kernels in tiers() {
        let operator = LayerNorm::new(kernels, 33, None, None, 1e-5).unwrap();
        for value in [0.0, -2.5, 1024.0] {
            let mut y = vec![f32::NAN; 66];
            operator.run(&[value; 66], &mut y);
            assert_eq!(y, [0.0; 66], "{:?}", kernels.tier());
        }
    }
}

#[test]
fn wrong_lengths_are_named() {
    let kernels = tiers().next().unwrap();
    assert!(LayerNorm::new(kernels, 0, None, None, 0.0).is_err());
    let message = LayerNorm::new(kernels, 3, None, Some(&[0.0; 2]), 0.0).unwrap_err().to_string();
    assert_eq!(message, "layer_norm: offset has shape [2], expected [3]");
}
