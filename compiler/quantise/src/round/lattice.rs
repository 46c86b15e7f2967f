//! The point of a grid that is nearest in a quadratic form: weights rounded with the layer's result in view.
//!
//! The error of a layer's result is `(w - q)' H (w - q)`, `H` being the mean of `x x'` over the layer's inputs `x`. With the Cholesky factor
//! `H = L L'` the numbers are rounded one after another, the last one first, each making up for the errors of those before it (Babai's
//! nearest plane; the same numbers as GPTQ's, arXiv 2210.17323, without an inverse). Then single steps are taken while they help.

use rayon::prelude::*;

/// A symmetric positive definite matrix and its Cholesky factor.
pub(super) struct Form {
    size: usize,
    /// Row by row.
    matrix: Vec<f64>,
    /// The lower triangle `L`, row by row; zeros above the diagonal.
    factor: Vec<f64>,
}

/// The grid of one number: multiples of `step` from `-128` to `127`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    pub(super) step: f64,
}

impl Grid {
    fn nearest(self, value: f64) -> f64 {
        (value / self.step).round().clamp(-128.0, 127.0) * self.step
    }

    fn has(self, value: f64) -> bool {
        (-128.0..=127.0).contains(&(value / self.step))
    }
}

/// Times all numbers are visited again.
const SWEEPS: usize = 3;

impl Form {
    /// Factors `matrix`, row by row, with `ridge` times the mean of the first `bound` elements of its diagonal added to these. `None` if it
    /// is not positive definite.
    pub(super) fn new(mut matrix: Vec<f64>, size: usize, bound: usize, ridge: f64) -> Option<Self> {
        let trace: f64 = (0..bound).map(|i| matrix[i * size + i]).sum();
        let added = ridge * trace / bound as f64;
        (0..bound).for_each(|i| matrix[i * size + i] += added);
        let mut factor = matrix.clone();
        for column in 0..size {
            let (above, below) = factor.split_at_mut((column + 1) * size);
            let own = &mut above[column * size..];
            let diagonal = own[column] - dot(&own[..column], &own[..column]);
            if diagonal.is_nan() || diagonal <= 0.0 {
                return None;
            }
            let root = diagonal.sqrt();
            own[column] = root;
            own[column + 1..].fill(0.0);
            let own = &own[..column];
            below.par_chunks_mut(size).with_min_len(64).for_each(|row| {
                row[column] = (row[column] - dot(&row[..column], own)) / root;
            });
        }
        Some(Self { size, matrix, factor })
    }

    /// The `x` with `matrix x = right`.
    pub(super) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let mut x = right.to_vec();
        for i in 0..self.size {
            let row = &self.factor[i * self.size..][..=i];
            x[i] = (x[i] - dot(&row[..i], &x[..i])) / row[i];
        }
        for i in (0..self.size).rev() {
            let row = &self.factor[i * self.size..][..=i];
            x[i] /= row[i];
            let known = x[i];
            for (value, factor) in x[..i].iter_mut().zip(row) {
                *value -= factor * known;
            }
        }
        x
    }

    /// A point of the grids near `target` in this form.
    pub(super) fn round(&self, target: &[f64], grids: &[Grid]) -> Vec<f64> {
        let mut rounded = vec![0.0; self.size];
        // What the rounded numbers ask of the others: sum over j of L[j][k] (target - rounded)[j].
        let mut asked = vec![0.0; self.size];
        for k in (0..self.size).rev() {
            let row = &self.factor[k * self.size..][..=k];
            rounded[k] = grids[k].nearest(target[k] + asked[k] / row[k]);
            let error = target[k] - rounded[k];
            for (asked, factor) in asked[..k].iter_mut().zip(row) {
                *asked += factor * error;
            }
        }
        self.descend(target, grids, &mut rounded);
        rounded
    }

    /// Takes single steps that make the error smaller.
    fn descend(&self, target: &[f64], grids: &[Grid], rounded: &mut [f64]) {
        let error: Vec<f64> = target.iter().zip(&*rounded).map(|(target, rounded)| target - rounded).collect();
        let mut gradient: Vec<f64> =
            (0..self.size).map(|i| dot(&self.matrix[i * self.size..][..self.size], &error)).collect();
        for _ in 0..SWEEPS {
            let mut changed = false;
            for k in 0..self.size {
                let row = &self.matrix[k * self.size..][..self.size];
                let step = grids[k].step.copysign(gradient[k]);
                // A step changes the error by step^2 H[k][k] - 2 step gradient[k].
                if step * row[k] < 2.0 * gradient[k] && step > 0.0 || step * row[k] > 2.0 * gradient[k] && step < 0.0 {
                    if !grids[k].has(rounded[k] + step) {
                        continue;
                    }
                    rounded[k] += step;
                    gradient.iter_mut().zip(row).for_each(|(gradient, value)| *gradient -= step * value);
                    changed = true;
                }
            }
            if !changed {
                return;
            }
        }
    }
}

/// The scalar product, in eight partial sums.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0f64; 8];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    for (a, b) in a.iter().zip(b) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `X' X` of a matrix of noise with correlated columns.
    fn form(size: usize, rows: usize, ridge: f64) -> Form {
        let mut state = 1u64;
        let mut noise = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / f64::from(1u32 << 30) - 1.0
        };
        let mut matrix = vec![0.0; size * size];
        for _ in 0..rows {
            let common = noise();
            let x: Vec<f64> = (0..size).map(|_| common + 0.7 * noise()).collect();
            for i in 0..size {
                for j in 0..size {
                    matrix[i * size + j] += x[i] * x[j];
                }
            }
        }
        Form::new(matrix, size, size, ridge).unwrap()
    }

    fn error(form: &Form, target: &[f64], rounded: &[f64]) -> f64 {
        let size = form.size;
        let difference: Vec<f64> = target.iter().zip(rounded).map(|(a, b)| a - b).collect();
        (0..size).map(|i| difference[i] * dot(&form.matrix[i * size..][..size], &difference)).sum()
    }

    #[test]
    fn solutions_solve() {
        let form = form(37, 200, 1e-3);
        let expected: Vec<f64> = (0..37).map(|i| f64::from(i) * 0.3 - 4.0).collect();
        let right: Vec<f64> = (0..37).map(|i| dot(&form.matrix[i * 37..][..37], &expected)).collect();
        for (found, expected) in form.solve(&right).iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-8);
        }
    }

    /// Against all 3^6 points around the target, and against the nearest number for each by itself.
    #[test]
    fn rounding_is_near_the_best_and_far_better_than_to_the_nearest() {
        let form = form(6, 50, 1e-6);
        // All a tenth above a grid point: to the nearest, all errors would add up.
        let target = [0.35, -0.65, 0.1, 0.85, 0.35, -0.4];
        let grids = [Grid { step: 0.25 }; 6];
        let found = error(&form, &target, &form.round(&target, &grids));
        let nearest: Vec<f64> = target.iter().map(|&value| grids[0].nearest(value)).collect();
        let mut best = f64::INFINITY;
        for number in 0..729 {
            let digit = |k: u32| f64::from(number / 3i32.pow(k) % 3 - 1) * 0.25;
            let point: Vec<f64> = nearest.iter().zip(0..).map(|(value, k)| value + digit(k)).collect();
            best = best.min(error(&form, &target, &point));
        }
        assert!(found <= 1.6 * best, "{found} {best}");
        assert!(found < 0.5 * error(&form, &target, &nearest));
    }

    #[test]
    fn numbers_stay_on_their_grids() {
        let form = form(4, 20, 1e-3);
        let rounded = form.round(&[200.0, -200.0, 0.4, 0.6], &[Grid { step: 1.0 }; 4]);
        assert!(rounded.iter().all(|value| value.fract() == 0.0 && (-128.0..=127.0).contains(value)));
    }

    #[test]
    fn indefinite_matrices_are_refused() {
        assert!(Form::new(vec![1.0, 2.0, 2.0, 1.0], 2, 2, 0.0).is_none());
        assert!(Form::new(vec![0.0; 4], 2, 2, 0.1).is_none());
        assert!(Form::new(vec![f64::NAN; 4], 2, 2, 0.1).is_none());
    }
}
