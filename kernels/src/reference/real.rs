//! Operators that a graph leaves on the CPU in floating point (numerics.md 5.11 and 5.20).
//!
//! Data movement on floats is in [`rearrange`](super::rearrange), which takes any element type.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use ndarray::{Array, ArrayD, ArrayView, ArrayViewD, Axis, Dimension};

use super::error::Result;
use super::layout::{check_size, row_major};
use super::rearrange::check_axis;
use super::round::{Rescale, power_of_two, round_real};

/// Softmax along an axis, in single precision: `exp(x - max) / sum(exp(x - max))`, summed in index order.
///
/// # Errors
/// An empty input or an unknown axis.
pub fn softmax(input: &ArrayViewD<'_, f32>, axis: usize) -> Result<ArrayD<f32>> {
    const OPERATOR: &str = "softmax";
    check_size(OPERATOR, "input", input.shape())?;
    check_axis(OPERATOR, axis, input.ndim())?;
    let mut output = row_major(input.to_owned());
    for mut lane in output.lanes_mut(Axis(axis)) {
        let max = lane.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        lane.mapv_inplace(|x| (x - max).exp());
        let sum: f32 = lane.iter().sum();
        lane.mapv_inplace(|e| e / sum);
    }
    Ok(output)
}

/// A function of one real variable, evaluated in double precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RealFunction {
    /// `1 / (1 + exp(-x))`
    Sigmoid,
    /// `tanh(x)`
    Tanh,
    /// `exp(x)`
    Exp,
    /// `ln(x)`
    Log,
    /// The error function, `2 / sqrt(pi)` times the integral of `exp(-t^2)` from 0 to `x`.
    Erf,
    /// `x / (1 + exp(-x))`
    Silu,
    /// `ln(1 + exp(x))`
    Softplus,
    /// `x * tanh(ln(1 + exp(x)))`
    Mish,
    /// `x * (1 + erf(x / sqrt(2))) / 2`
    Gelu,
    /// `x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) / 2`
    GeluTanh,
    /// `sin(x)`
    Sin,
    /// `cos(x)`
    Cos,
}

impl RealFunction {
    /// The value at `x`. Products are not replaced by their limits: where 0 meets an infinity, the result is no number.
    pub fn evaluate(self, x: f64) -> f64 {
        match self {
            Self::Sigmoid => sigmoid(x),
            Self::Tanh => x.tanh(),
            Self::Exp => x.exp(),
            Self::Log => x.ln(),
            Self::Erf => libm::erf(x),
            Self::Silu => x * sigmoid(x),
            Self::Softplus => softplus(x),
            Self::Mish => x * softplus(x).tanh(),
            // `1 + erf(y) = erfc(-y)`, without cancellation.
            Self::Gelu => x * libm::erfc(-x * FRAC_1_SQRT_2) / 2.0,
            // `(1 + tanh(u)) / 2 = sigmoid(2 u)`, without cancellation.
            Self::GeluTanh => x * sigmoid((8.0 / PI).sqrt() * (x + 0.044_715 * x.powi(3))),
            Self::Sin => x.sin(),
            Self::Cos => x.cos(),
        }
    }

    /// The int8 code of `f(q * 2^-input) * 2^output`, rounded half up.
    pub fn code(self, q: i8, fix: Rescale) -> i8 {
        let x = f64::from(q) * power_of_two(fix.input.saturating_neg());
        round_real(self.evaluate(x) * power_of_two(fix.output))
    }

    /// [`RealFunction::code`] of every element.
    pub fn apply<D: Dimension>(self, input: &ArrayView<'_, i8, D>, fix: Rescale) -> Array<i8, D> {
        row_major(input.mapv(|q| self.code(q, fix)))
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use ndarray::{arr1, arr2};

    use super::*;

    #[test]
    fn softmax_is_a_distribution_along_the_axis() {
        let x = arr2(&[[1.0f32, 2.0, 3.0], [1000.0, 1000.0, 1000.0]]).into_dyn();
        let y = softmax(&x.view(), 1).unwrap();
        let expected = [0.090_030_57, 0.244_728_48, 0.665_240_94];
        for (index, value) in expected.into_iter().enumerate() {
            assert!((y[[0, index]] - value).abs() < 1e-6);
            assert!((y[[1, index]] - 1.0 / 3.0).abs() < 1e-6);
        }
        let columns = softmax(&x.view(), 0).unwrap();
        assert_eq!(columns, arr2(&[[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]).into_dyn());
        assert_eq!(softmax(&x.view(), 2).unwrap_err().to_string(), "softmax: axis is 2 of a tensor of rank 2");
    }

    #[test]
    fn functions_reach_their_limits_and_their_middle() {
        let q = arr1(&[-128, 0, 127]);
        let run = |function: RealFunction, input, output| function.apply(&q.view(), Rescale { input, output });
        assert_eq!(run(RealFunction::Sigmoid, 0, 7), arr1(&[0, 64, 127]));
        assert_eq!(run(RealFunction::Tanh, 0, 7), arr1(&[-128, 0, 127]));
        assert_eq!(run(RealFunction::Exp, 7, 4), arr1(&[6, 16, 43]));
        assert_eq!(run(RealFunction::Exp, i32::MIN, i32::MIN), arr1(&[0, 0, 127]));
    }
}
