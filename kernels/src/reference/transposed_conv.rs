//! Transposed convolution (numerics.md 5.1): the input is spread with zeros by the strides and then correlated with the
//! *stored* weights, which are not flipped. Importers from PyTorch, ONNX and TensorFlow flip them on both spatial axes.

use ndarray::{Array4, ArrayView1, ArrayView4};

use super::conv::{Conv2dParams, convolve, convolve_depthwise};
use super::error::Result;
use super::geometry::Plane;

/// Two-dimensional transposed convolution.
///
/// `input` is `[n, h, w, in]`, `weights` `[out, kernel_h, kernel_w, in]`, `bias` `[out]`; the result has
/// `(size - 1) * stride + k' - pads` elements per spatial axis and `out` channels.
///
/// # Errors
/// As [`super::conv::conv2d`], and pads that crop everything.
pub fn transposed_conv2d(
    input: &ArrayView4<'_, i8>,
    weights: &ArrayView4<'_, i8>,
    bias: Option<ArrayView1<'_, i8>>,
    params: &Conv2dParams,
) -> Result<Array4<i8>> {
    convolve("transposed_conv2d", Plane::transposed, input, weights, bias, params)
}

/// Two-dimensional transposed convolution of each channel with its own kernel.
///
/// `input` is `[n, h, w, channels]`, `weights` `[1, kernel_h, kernel_w, channels]`, `bias` `[channels]`.
///
/// # Errors
/// As [`transposed_conv2d`].
pub fn transposed_depthwise_conv2d(
    input: &ArrayView4<'_, i8>,
    weights: &ArrayView4<'_, i8>,
    bias: Option<ArrayView1<'_, i8>>,
    params: &Conv2dParams,
) -> Result<Array4<i8>> {
    convolve_depthwise("transposed_depthwise_conv2d", Plane::transposed, input, weights, bias, params)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::activation::Activation;
    use crate::reference::conv::Fix;

    fn row(values: &[i8]) -> Array4<i8> {
        Array4::from_shape_vec((1, 1, values.len(), 1), values.to_vec()).unwrap()
    }

    fn params(strides: [usize; 2], pads: [usize; 4]) -> Conv2dParams {
        let fix = Fix { input: 0, weights: 0, bias: 0, output: 0 };
        Conv2dParams { strides, dilations: [1, 1], pads, fix, activation: Activation::None }
    }

    #[test]
    fn example_c11() {
        for (kernel, pads, expected) in [
            ([1, 2, 3], [0; 4], vec![3, 2, 7, 4, 2]),
            ([3, 2, 1], [0; 4], vec![1, 2, 5, 4, 6]),
            ([1, 2, 3], [0, 1, 0, 1], vec![2, 7, 4]),
        ] {
            for run in [transposed_conv2d, transposed_depthwise_conv2d] {
                let output = run(&row(&[1, 2]).view(), &row(&kernel).view(), None, &params([1, 2], pads)).unwrap();
                assert_eq!(output, row(&expected), "{kernel:?} {pads:?}");
            }
        }
    }

    #[test]
    fn pads_beyond_the_kernel_crop_further() {
        let output = transposed_conv2d(&row(&[1, 2, 3]).view(), &row(&[1]).view(), None, &params([1, 2], [0, 1, 0, 2]));
        assert_eq!(output.unwrap(), row(&[0, 2]));
    }

    #[test]
    fn a_kernel_smaller_than_the_stride_leaves_gaps() {
        let output = transposed_conv2d(&row(&[5, 7]).view(), &row(&[1, 2]).view(), None, &params([1, 3], [0; 4]));
        assert_eq!(output.unwrap(), row(&[10, 5, 0, 14, 7]));
    }

    #[test]
    fn cropping_everything_is_an_error() {
        let error = transposed_conv2d(&row(&[1, 2]).view(), &row(&[1]).view(), None, &params([1, 1], [0, 1, 0, 1]));
        assert_eq!(error.unwrap_err().to_string(), "transposed_conv2d: pads crop all 2 elements along the width");
    }
}
