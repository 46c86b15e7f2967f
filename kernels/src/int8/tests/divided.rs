//! Operators with one pixel of output.

use ndarray::{Array1, Array4};

use super::values::{ENCODINGS, bytes, codes, tiers};
use crate::int8::Convolution;
use crate::reference::activation::Activation;
use crate::reference::conv::{Conv2dParams, Fix, conv2d};

/// With several threads and scratch memory for all parts, and with scratch memory for one.
#[test]
fn one_pixel_equals_the_reference_in_any_number_of_threads() {
    for (input, kernel, outputs) in [([1, 1, 1, 1001], 1, 1003), ([1, 3, 3, 130], 3, 450), ([1, 1, 1, 64], 1, 70)] {
        let channels = input[3];
        let map = Array4::from_shape_vec(input, codes(1, input.iter().product())).unwrap();
        let shape = [outputs, kernel, kernel, channels];
        let weights = Array4::from_shape_vec(shape, codes(2, shape.iter().product())).unwrap();
        let bias = Array1::from_vec(codes(3, outputs));
        let fix = Fix { input: 5, weights: 7, bias: 4, output: -1 };
        let (strides, dilations) = ([1, 1], [1, 1]);
        let params = Conv2dParams { strides, dilations, pads: [0; 4], fix, activation: Activation::Relu };
        let expected = conv2d(&map.view(), &weights.view(), Some(bias.view()), &params).unwrap();
        for (kernels, encodings) in tiers().flat_map(|tier| ENCODINGS.map(|encodings| (tier, encodings))) {
            let operator =
                Convolution::new(kernels, input, &weights.view(), Some(bias.view()), 1, &params, encodings).unwrap();
            assert_eq!(&operator.output_shape()[..], expected.shape());
            let all = operator.scratch_bytes();
            // The last one is too small to be divided.
            let less = if outputs == 70 { all } else { all / 2 };
            for (threads, scratch) in [(1, all), (3, all), (3, less)] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let mut found = vec![0xaa; expected.len()];
                let mut scratch = vec![0x55; scratch];
                pool.install(|| operator.run(&bytes(&map, encodings.input), &mut found, &mut scratch));
                assert!(found == bytes(&expected, encodings.output), "{:?} {encodings:?} {threads}", kernels.tier());
            }
        }
    }
}
