//! Convolution and transposed convolution.

use ndarray::{ArrayView1, ArrayView4};

use crate::reference::conv::Conv2dParams;
use crate::reference::error::Result;
use crate::reference::geometry::Plane;
use crate::simd::Kernels;

use super::dense::Arguments;
use super::divided::Divided;
use super::encoding::Encodings;

/// Convolution, in groups or not, or transposed: [`conv2d`](crate::reference::conv::conv2d),
/// [`grouped_conv2d`](crate::reference::conv::grouped_conv2d), [`transposed_conv2d`](crate::reference::transposed_conv::transposed_conv2d).
#[derive(Clone, Debug)]
pub struct Convolution(Divided);

impl Convolution {
    /// Packs a convolution of maps of shape `input` (`[n, h, w, in]`).
    ///
    /// `weights` are `[out, kernel_h, kernel_w, in / groups]`, `bias` is `[out]`.
    ///
    /// # Errors
    /// As [`grouped_conv2d`](crate::reference::conv::grouped_conv2d), or pads that ask for an excessive copy of the input.
    pub fn new(
        kernels: Kernels,
        input: [usize; 4],
        weights: &ArrayView4<'_, i8>,
        bias: Option<ArrayView1<'_, i8>>,
        groups: usize,
        params: &Conv2dParams,
        encodings: Encodings,
    ) -> Result<Self> {
        let operator = if groups == 1 { "conv2d" } else { "grouped_conv2d" };
        let plane_of = Plane::sliding;
        let arguments = Arguments { operator, plane_of, input, weights, bias, groups, params, encodings };
        Divided::new(kernels, &arguments).map(Self)
    }

    /// Packs a transposed convolution of maps of shape `input` (`[n, h, w, in]`).
    ///
    /// `weights` are `[out, kernel_h, kernel_w, in]`, stored spatially flipped as in xmodel, `bias` is `[out]`.
    ///
    /// # Errors
    /// As [`transposed_conv2d`](crate::reference::transposed_conv::transposed_conv2d), or pads that ask for an excessive copy of the
    /// input.
    pub fn transposed(
        kernels: Kernels,
        input: [usize; 4],
        weights: &ArrayView4<'_, i8>,
        bias: Option<ArrayView1<'_, i8>>,
        params: &Conv2dParams,
        encodings: Encodings,
    ) -> Result<Self> {
        let (operator, plane_of) = ("transposed_conv2d", Plane::transposed);
        let arguments = Arguments { operator, plane_of, input, weights, bias, groups: 1, params, encodings };
        Divided::new(kernels, &arguments).map(Self)
    }

    /// Shape of the result, `[n, out_h, out_w, out]`.
    pub fn output_shape(&self) -> [usize; 4] {
        self.0.output_shape()
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
