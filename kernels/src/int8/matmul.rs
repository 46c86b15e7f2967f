//! Matrix products.

use ndarray::{ArrayView1, ArrayView2, Axis};

use crate::reference::activation::Activation;
use crate::reference::conv::{Conv2dParams, Fix};
use crate::reference::error::Result;
use crate::reference::geometry::Plane;
use crate::simd::Kernels;

use super::dense::Arguments;
use super::divided::Divided;
use super::encoding::Encodings;

/// Product of a matrix with known weights: [`fully_connected`](crate::reference::conv::fully_connected).
#[derive(Clone, Debug)]
pub struct MatMul(Divided);

impl MatMul {
    /// Packs the product of `[rows, in]` inputs with `weights` (`[out, in]`), plus `bias` (`[out]`).
    ///
    /// # Errors
    /// As [`fully_connected`](crate::reference::conv::fully_connected).
    pub fn new(
        kernels: Kernels,
        rows: usize,
        weights: &ArrayView2<'_, i8>,
        bias: Option<ArrayView1<'_, i8>>,
        fix: Fix,
        activation: Activation,
        encodings: Encodings,
    ) -> Result<Self> {
        let params = Conv2dParams { strides: [1, 1], dilations: [1, 1], pads: [0; 4], fix, activation };
        let input = [rows, 1, 1, weights.dim().1];
        let weights = &weights.insert_axis(Axis(1)).insert_axis(Axis(1));
        let (operator, plane_of) = ("fully_connected", Plane::sliding);
        let arguments = Arguments { operator, plane_of, input, weights, bias, groups: 1, params: &params, encodings };
        Divided::new(kernels, &arguments).map(Self)
    }

    /// Shape of the result, `[rows, out]`.
    pub fn output_shape(&self) -> [usize; 2] {
        let [rows, _, _, outputs] = self.0.output_shape();
        [rows, outputs]
    }

    /// Bytes of scratch memory with which [`Self::run`] can use all threads of the current `rayon` pool.
    pub fn scratch_bytes(&self) -> usize {
        self.0.scratch_bytes()
    }

    /// Computes the result of `input`; both are whole tensors in the encodings stated at construction.
    ///
    /// # Panics
    /// If `input` or `output` has a wrong length, or `scratch` does not suffice for one thread.
    pub fn run(&self, input: &[u8], output: &mut [u8], scratch: &mut [u8]) {
        self.0.run(input, output, scratch);
    }
}
